# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# IPsec: libreswan at both ends, the guests' kernel ESP.
# MODE is raw1 raw2 (IKEv1/2, encapsulation=no: plain ESP, IKE stays on port
# 500) or natt1 natt2 (ESP in UDP 4500 when NAT is seen, RFC 3948).
LONG_SCENARIOS+=(ikev1-server2)
SCENARIOS+=(ikev1-raw ikev1-raw2 ikev1-natt esp-raw1 esp-raw2 esp-natt1 esp-natt2 l2tp-ipsec-natt1 strongswan-natt2)

ls_start() { # ls_start GUEST CONN-LINES ADDRESS CONN-NAMES
	g "$1" "modprobe -a esp4 xfrm_user af_key authenc cbc gcm echainiv seqiv
	mkdir -p /run/pluto /var/lib/ipsec/nss /var/log
	printf '%s\n' 'config setup' ' logfile=/run/pluto.log' ' ikev1-policy=accept' '$2' > /etc/ipsec.conf
	echo ': PSK \"labsecret\"' > /etc/ipsec.secrets
	ip link add d0 type dummy 2>/dev/null; ip link set d0 up
	ip addr add $3 dev d0
	ipsec initnss >/dev/null 2>&1
	ipsec pluto --config /etc/ipsec.conf || exit 1
	i=0; while [ \$i -lt 50 ]; do ipsec status >/dev/null 2>&1 && break; sleep 0.1; i=\$((i+1)); done
	ipsec auto --rereadsecrets >/dev/null
	for c in $4; do ipsec auto --add \$c || exit 1; done"
}
ls_opts() {
	case $1 in
	raw1)  echo 'encapsulation=no ikev2=no' ;;
	raw2)  echo 'encapsulation=no ikev2=yes' ;;
	natt1) echo 'encapsulation=auto ikev2=no' ;;
	natt2) echo 'encapsulation=auto ikev2=yes' ;;
	esac
}
ls_lines() { # ls_lines OPTION...: as ipsec.conf wants them
	printf '\n %s' "$@"
}
ls_server() { # ls_server GUEST ADDRESS MODE; LS_CLIENTS: their numbers, LS_REKEY: when it asks for new keys (never)
	local conns='' o names=''
	for o in ${LS_CLIENTS:-1 2}; do
		names="$names u$o"
		# shellcheck disable=SC2046
		conns="$conns
conn u$o$(ls_lines authby=secret $(ls_opts "$3") ${LS_REKEY:-rekey=no})
 left=$2
 leftid=@server
 leftsubnet=10.99.0.1/32
 right=%any
 rightid=@u$o
 rightsubnet=10.99.$o.1/32"
	done
	ls_start "$1" "$conns" 10.99.0.1/32 "$names"
}
ls_client() { # ls_client GUEST SERVER-ADDRESS MODE
	ls_client_start "$@" && g "$1" "timeout ${UP_S:-60} ipsec auto --up vpn"
}
ls_client_start() { # ls_client_start GUEST SERVER-ADDRESS MODE: it does not dial yet
	local k=${1#u}
	# shellcheck disable=SC2046
	ls_start "$1" "
conn vpn$(ls_lines authby=secret $(ls_opts "$3"))
 left=10.10.0.1$k
 leftid=@u$k
 leftsubnet=10.99.$k.1/32
 leftsourceip=10.99.$k.1
 right=$2
 rightid=@server
 rightsubnet=10.99.0.1/32" "10.99.$k.1/32" vpn
}
esp_ping() { gping "$1" "-I 10.99.${1#u}.1 10.99.0.1"; }

esp_one() { # esp_one MODE raw|natt
	guests u1 s1 || return
	ls_server s1 $S1 "$1"
	check "u1 up" ls_client u1 $S1 "$1"
	check "u1 pings through" esp_ping u1
	check "$2 ESP on the wire" wire_has_esp "$2"
}
esp_two() { # esp_two MODE
	guests u1 u2 s1 || return
	ls_server s1 $S1 "$1"
	check "u1 up" ls_client u1 $S1 "$1"
	check "u1 pings through" esp_ping u1
	check "u2 up" ls_client u2 $S1 "$1"
	check "u2 pings through" esp_ping u2
	check "u1 still pings" esp_ping u1
	check "u2 still pings" esp_ping u2
}
sc_ikev1-raw()  { # one IKEv1 client, plain ESP
	esp_one raw1 raw; }
sc_ikev1-raw2() { # two IKEv1 clients, plain ESP, one server; libreswan forces no new keys there
	esp_two raw1; }
# A client whose keys expire later than the server's leaves it to the server to ask.
server_quick_modes() { # server_quick_modes N: with each client so many at least
	g s1 "i=0; while [ \$i -lt 450 ]; do
		[ \$(grep -c '\"u1\".*initiating Quick Mode' /run/pluto.log) -ge $1 ] &&
		[ \$(grep -c '\"u2\".*initiating Quick Mode' /run/pluto.log) -ge $1 ] && exit 0
		sleep 0.2; i=\$((i+1)); done; tail -30 /run/pluto.log; exit 1"
}
sc_ikev1-server2() { # two IKEv1 clients, plain ESP, one server, which begins the quick modes for new keys
	local LS_REKEY="rekey=yes salifetime=60s rekeymargin=30s rekeyfuzz=0%"
	esp_two raw1
	check "the server asks u1 and u2 for new ESP keys" server_quick_modes 1
	esp_both "on the server's new keys"
	check "... and again" server_quick_modes 2
	esp_both "at the end"
}
sc_ikev1-natt() { # one IKEv1 client, ESP in UDP
	esp_one natt1 natt; }
sc_esp-raw1()   { # one IKEv2 client, plain ESP
	esp_one raw2 raw; }
sc_esp-natt1()  { # one IKEv2 client, ESP in UDP
	esp_one natt2 natt; }
esp_refused() { # esp_refused GUEST: its ESP is refused, counted with its reason
	! esp_ping "$1" && [ "$(counter server_taken)" -gt 0 ]
}
esp_second_refused() { # plain ESP has nothing that tells two clients of a server apart
	guests u1 u2 s1 || return
	ls_server s1 $S1 raw2
	check "u1 up" ls_client u1 $S1 raw2
	check "u1 pings through" esp_ping u1
	check "u2 up" ls_client u2 $S1 raw2
	check "u2 is refused: server_taken" esp_refused u2
	check "u1 still pings" esp_ping u1
}
esp_rekeyed() { # esp_rekeyed GUEST WHACK-OPTIONS: new keys, and says so
	g "$1" "ipsec whack $2" | grep -q 'rekeyed\|replace'
}
esp_both() { # esp_both WHEN
	check "u1 pings $1" esp_ping u1
	check "u2 pings $1" esp_ping u2
}
sc_esp-raw2()   { # two IKEv2 clients, plain ESP, one server: new keys from both ends too
	esp_two raw2
	case $GATEWAY in route | nft*) return ;; esac
	check "u1 asks for new ESP keys" esp_rekeyed u1 '--rekey-ipsec --name vpn'
	esp_both "after that"
	check "the server asks u1 and u2 for new ESP keys" eval "esp_rekeyed s1 '--rekey-ipsec --name u1' &&
		esp_rekeyed s1 '--rekey-ipsec --name u2'"
	esp_both "on the server's new keys"
	check "u2 asks for a new IKE SA" esp_rekeyed u2 '--rekey-ike --name vpn'
	check "the server asks u2 for new ESP keys on it" esp_rekeyed s1 '--rekey-ipsec --name u2'
	esp_both "at the end"
}
sc_esp-natt2()  { # two IKEv2 clients, ESP in UDP
	esp_two natt2; }

# --- L2TP over IPsec (transport mode), as phones and Windows dial it ----------
# Server: libreswan + xl2tpd in a guest. It can tell only one client per public
# address apart in transport mode: two clients there are the server's limit.
li_server() { # li_server GUEST ADDRESS MODE
	# shellcheck disable=SC2046
	ls_start "$1" "
conn l2tp$(ls_lines authby=secret $(ls_opts "$3") type=transport rekey=no)
 left=$2
 leftid=@server
 leftprotoport=udp/1701
 right=%any
 rightprotoport=udp/%any" 10.99.0.1/32 l2tp
	l2tp_server "$1"
}
li_client() { # li_client GUEST SERVER-ADDRESS MODE
	# shellcheck disable=SC2046
	ls_start "$1" "
conn vpn$(ls_lines authby=secret $(ls_opts "$3") type=transport)
 left=10.10.0.1${1#u}
 leftprotoport=udp/1701
 right=$2
 rightid=@server
 rightprotoport=udp/1701" "10.99.${1#u}.1/32" vpn || return 1
	g "$1" "timeout ${UP_S:-60} ipsec auto --up vpn" && l2tp_client "$1" "$2"
}
sc_l2tp-ipsec-natt1() { # L2TP inside IPsec transport mode, in UDP
	guests u1 s1 || return
	li_server s1 $S1 natt1
	check "u1 dials" li_client u1 $S1 natt1
	check "u1 pings through" gping u1 172.17.0.1
	check "natt ESP on the wire" wire_has_esp natt
}

# --- strongSwan with the guests' kernel ESP -------------------------------------
ss_start() { # ss_start GUEST SWANCTL-CONF
	g "$1" "modprobe -a esp4 xfrm_user authenc cbc gcm echainiv
	cat > /run/swanctl.conf <<'X'
$2
X
	cat > /run/strongswan.conf <<'X'
charon {
	load_modular = yes
	install_routes = yes
	filelog { l { path = /run/charon.log
		default = 1 } }
	plugins { include /etc/strongswan.d/charon/*.conf
		kernel-libipsec { load = no }
		bypass-lan { load = no } }
}
X
	export STRONGSWAN_CONF=/run/strongswan.conf
	setsid /usr/lib/ipsec/charon > /run/charon.err 2>&1 &
	i=0; while [ \$i -lt 200 ]; do [ -S /run/charon.vici ] && break; sleep 0.1; i=\$((i+1)); done
	swanctl --load-all --file /run/swanctl.conf > /run/load.log 2>&1 || { cat /run/load.log; exit 1; }"
}
ss_server_conf() { # ss_server_conf ADDRESS
	cat <<-X
		connections { v {
			version = 2
			local_addrs = $1
			pools = p
			local { auth = psk
				id = server }
			remote { auth = psk }
			children { c { local_ts = 10.98.5.254/32 } }
		} }
		pools { p { addrs = 10.98.5.0/28 } }
		secrets { ike { secret = labsecret } }
	X
}
ss_client_conf() { # ss_client_conf NUMBER SERVER-ADDRESS
	cat <<-X
		connections { v {
			version = 2
			remote_addrs = $2
			vips = 0.0.0.0
			local { auth = psk
				id = c$1 }
			remote { auth = psk
				id = server }
			children { c { remote_ts = 10.98.5.254/32 } }
		} }
		secrets { ike { secret = labsecret } }
	X
}
sc_strongswan-natt2() { # two strongSwan clients, ESP in UDP, virtual addresses
	local k
	guests u1 u2 s1 || return
	check "s1 starts" ss_start s1 "$(ss_server_conf $S1)" & k=$!
	check "u1 starts" ss_start u1 "$(ss_client_conf 1 $S1)" & k="$k $!"
	check "u2 starts" ss_start u2 "$(ss_client_conf 2 $S1)"
	wait $k
	g s1 'ip addr add 10.98.5.254/32 dev lo'
	for k in 1 2; do
		check "u$k up" g u$k 'swanctl --initiate --child c --timeout 60'
		check "u$k pings through" gping u$k 10.98.5.254
	done
	check "u1 still pings" gping u1 10.98.5.254
}
