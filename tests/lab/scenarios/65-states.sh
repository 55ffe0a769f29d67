# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What show vpn says of tunnels, refusals and failures, against what real programs do.
LONG_SCENARIOS+=(states)

# Every state that was shown, once a second: "SECONDS DEVICE KIND SERVER STATE"
states_follow() {
	export -f ns wl
	export PFX LAB WAYLEAVE
	bg states bash -c 'while sleep 1; do wl --json show vpn | python3 -c "
import json, sys
for v in json.load(sys.stdin):
    print(sys.argv[1], v[\"device\"], v[\"kind\"], v[\"server\"], v[\"state\"], v[\"evidence\"][0], flush=True)" $SECONDS; done'
}
states_of() { # states_of DEVICE KIND SERVER: one after the other
	awk -v key="$1 $2 $3" '$2 " " $3 " " $4 == key && $5 != last { print $5; last = $5 }' "$OUT/states" | paste -sd' '
}
state_now() { # state_now DEVICE KIND SERVER
	wl --json show vpn | python3 -c '
import json, sys
print(*(v["state"] for v in json.load(sys.stdin) if [v["device"], v["kind"], v["server"]] == sys.argv[1:]))' "$@"
}
is_state() { [ "$(state_now "${@:2}")" = "$1" ]; }
becomes() { # becomes STATE SECONDS DEVICE KIND SERVER
	wait_for "$2" is_state "$1" "${@:3}" && return
	echo "shown: $(states_of "${@:3}")"
	grep " $3 $4 $5 " "$OUT/states" | tail -3
	return 1
}
# said WORDS DEVICE KIND SERVER
said() { wait_for 10 was_said "$@"; }
was_said() { grep -q " $2 $3 $4 .*$1" "$OUT/states"; }
was_never() { case " $(states_of "${@:2}") " in *" $1 "*) states_of "${@:2}"; return 1 ;; esac; }
came_up_once() { # no way back, and nothing bad before
	case " $(states_of "$@") " in *" up "*" up "* | *failed* | *refused* | *no-answer* | *one-way*) states_of "$@"; return 1 ;; esac
}

# --- who dials whom ------------------------------------------------------------------------
U1=10.10.0.11 U2=10.10.0.12 C1=10.10.0.21 C2=10.10.0.22
pptp_wrong() { # pptp_wrong GUEST SERVER: refused by the server's pppd, rc 19
	g "$1" "echo 'wrong pptpd nonsense *' >> /etc/ppp/chap-secrets; modprobe ppp_async; modprobe ppp_mppe
	timeout 30 pppd pty '/usr/sbin/pptp $2 --nolaunchpppd' noauth nodefaultroute name wrong \
		remotename pptpd require-mppe-128 nobsdcomp nodeflate novj noipv6 debug logfile /run/pppd.wrong.log nodetach"
	[ $? = 19 ]
}
pptp_to_nobody() { g "$1" "timeout 5 /usr/sbin/pptp $2 --nolaunchpppd < /dev/null > /dev/null 2>&1"; true; }
# RFC 7296 section 2.21.2: it is an encrypted answer, and passes as any of IKE
ike_wrong() { # ike_wrong GUEST SERVER: its secret is another
	ls_client_start "$1" "$2" natt2 || return 1
	g "$1" "echo ': PSK \"another\"' > /etc/ipsec.secrets; ipsec auto --rereadsecrets > /dev/null
	ipsec auto --asynchronous --up vpn > /dev/null
	i=0; until grep -q AUTHENTICATION_FAILED /run/pluto.log || [ \$i = 100 ]; do sleep 0.1; i=\$((i+1)); done
	ipsec auto --delete vpn > /dev/null; grep AUTHENTICATION_FAILED /run/pluto.log"
}
ike_to_nobody() { # ike_to_nobody GUEST SERVER: where no program listens
	g "$1" "printf '%s\n' 'conn nobody' ' authby=secret' ' ikev2=yes' ' left=10.10.0.1${1#u}' ' right=$2' >> /etc/ipsec.conf
	ipsec auto --add nobody > /dev/null; ipsec auto --asynchronous --up nobody > /dev/null"
}
wg_stranger() { # wg_stranger NAMESPACE: the server does not know its key and says nothing
	wg_device "$1" 10.98.1.9/24
	ns "$1" wg set "$(wg_if "$1")" peer "$(cat "$OUT/h1.pub")" endpoint $H1:51820 allowed-ips 10.98.1.254/32 persistent-keepalive 5
}
upstream() { # upstream drops|passes: GRE, at the provider's
	case $1 in
	drops)  ns net nft -f - <<< 'table bridge gre { chain forward { type filter hook forward priority 0; ip protocol gre drop; }; }' ;;
	passes) ns net nft delete table bridge gre ;;
	esac
}
# each second has something to answer
keeps_pinging() { g "$1" "setsid ping -n -i 0.5 $2 > /run/pings 2>&1 < /dev/null &"; }

# --- the scenario ----------------------------------------------------------------------------
states_begin() {
	local s1 s2
	guests u1 u2 s1 s2 || return
	states_follow
	{ pptp_server s1; l2tp_server s1; ls_server s1 $S1 natt2; } & s1=$!
	{ pptp_server s2; ls_server s2 $S2 natt2; } & s2=$!
	wg_server; wg_client c1; wg_stranger c2
	check "an OpenVPN server" ovpn_server udp
	check "... to which c1 dials" ovpn_client c1 udp
	wait $s1 $s2
}
states_of_u1() {
	check "u1's IKEv2 secret is wrong: it is told AUTHENTICATION_FAILED" ike_wrong u1 $S2
	check "u1 asks for IKE where nothing listens" ike_to_nobody u1 $H1
	check "... refused" becomes refused 15 $U1 ipsec $H1
	check "... by ICMP" said "port unreachable from $H1" $U1 ipsec $H1
	check "u1 dials PPTP" pptp_client u1 $S1
	check "... set up, with nothing in it: connecting" becomes connecting 10 $U1 pptp $S1
	check "u1 pings through" gping u1 172.16.0.1
	check "... up" becomes up 15 $U1 pptp $S1
	keeps_pinging u1 172.16.0.1
}
states_of_u2() {
	check "u2's PPTP password is wrong: its pppd ends with 19" pptp_wrong u2 $S2
	check "... failed" becomes failed 10 $U2 pptp $S2
	check "u2 dials PPTP where nothing listens" pptp_to_nobody u2 $H1
	check "... refused" becomes refused 10 $U2 pptp $H1
	check "u2 has IKEv2" ls_client u2 $S1 natt2
	check "u2 pings through" esp_ping u2
	check "... up" becomes up 15 $U2 ipsec $S1
	check "u2 dials L2TP" l2tp_client u2 $S1
	check "u2 pings through" gping u2 172.17.0.1
	check "... up" becomes up 15 $U2 l2tp $S1
}
states_of_c() {
	check "c1 pings through WireGuard" nping c1 10.98.1.254
	check "... up" becomes up 15 $C1 wireguard $H1
	check "c1 pings through OpenVPN" nping c1 10.98.2.1
	check "... up" becomes up 15 $C1 openvpn $H1
	check "WireGuard with a server that does not know its key: no answer" becomes no-answer 20 $C2 wireguard $H1
}
states_at_the_end() {
	local tunnel
	g u1 'killall pppd' > /dev/null
	check "PPTP that was hung up: ended" becomes ended 15 $U1 pptp $S1
	check "IKEv2 with the wrong secret: failed" becomes failed 45 $U1 ipsec $S2
	check "... and never up" was_never up $U1 ipsec $S2
	check "PPTP with the wrong password: never up" was_never up $U2 pptp $S2
	for tunnel in "$U2 ipsec $S1" "$U2 l2tp $S1" "$C1 wireguard $H1" "$C1 openvpn $H1"; do
		# shellcheck disable=SC2086 # three words
		check "$tunnel came up once and stayed up" came_up_once $tunnel
	done
}
sc_states() { # show vpn against what real programs do: up, refused, failed, no answer, one way, ended
	local u1
	gw_is_wayleave || { skip "GATEWAY=$GATEWAY has no states"; return; }
	states_begin || return
	states_of_u1 & u1=$!
	states_of_u2
	states_of_c
	wait $u1
	upstream drops
	check "PPTP with its GRE dropped upstream: one way" becomes one-way 25 $U1 pptp $S1
	check "... and says for how long" said 'Sent for [0-9]* s, nothing received' $U1 pptp $S1
	upstream passes
	check "... up again" becomes up 20 $U1 pptp $S1
	states_at_the_end
}
