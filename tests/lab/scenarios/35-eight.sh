# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Eight clients and one server, all at the same time: u11 to u18 are hosts of
# their own in guest u1, each with its own programs (guest-host).
SCENARIOS+=(gre4)
LONG_SCENARIOS+=(gre8 l2tp8 esp-raw8 ikev1-raw8 esp-natt8 strongswan-natt8 l2tp-ipsec-natt2)

EIGHT="u11 u12 u13 u14 u15 u16 u17 u18"

all_at_once() { # all_at_once COMMAND HOST... [-- ARGUMENT...]: COMMAND HOST ARGUMENT... for each
	local command=$1 hosts=() h pids=() bad=0
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do hosts+=("$1"); shift; done
	[ $# = 0 ] || shift
	for h in "${hosts[@]}"; do "$command" "$h" "$@" & pids+=($!); done
	for h in "${pids[@]}"; do wait "$h" || bad=1; done
	return $bad
}
eight_up() {
	guests u1 s1 || return
	hosts u1 1 2 3 4 5 6 7 8
}

# --- L2TP ---------------------------------------------------------------------------
sc_l2tp8() { # eight xl2tpd from source port 1701, one server
	local GT=120 UP_S=80 PATIENCE_S=40
	eight_up || return
	l2tp_server s1
	check "all dial at once" all_at_once l2tp_client $EIGHT -- $S1
	check "all ping through at once" all_at_once gping $EIGHT -- 172.17.0.1
}

# --- IPsec ----------------------------------------------------------------------------
LOAD_PINGS=200
load_start() { # pings through each tunnel from both ends, while something else happens
	local h i=30 # ms between two; nobody's step is another's
	for h in $EIGHT; do
		i=$((i + 7))
		g $h "ping -n -q -i 0.0$i -c $LOAD_PINGS -s 500 -I 10.99.${h#u}.1 10.99.0.1 > /run/load 2>&1 &"
		g s1 "ping -n -q -i 0.0$((i + 3)) -c $LOAD_PINGS -s 500 -I 10.99.0.1 10.99.${h#u}.1 > /run/load.$h 2>&1 &"
	done
}
load_file() { # load_file GUEST FILE: how many were lost, of how many
	g "$1" "i=0; until grep -q 'packet loss' $2; do sleep 0.2; i=\$((i+1)); [ \$i -lt 300 ] || exit 1; done
		sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' $2"
}
load_passed() { # load_passed PER-MILLE: at most so many of all were lost
	local h line sent=0 got=0
	for h in $EIGHT; do
		for line in "$(load_file $h /run/load)" "$(load_file s1 /run/load.$h)"; do
			sent=$((sent + ${line% *})); got=$((got + ${line#* }))
			[ "${line% *}" = "${line#* }" ] || note "$h: sent and received: $line"
		done
	done
	note "under load $got of $sent came back"
	[ $((sent - got)) -le $((sent * $1 / 1000)) ]
}
under_load() { # under_load WHAT COMMAND...
	local what=$1; shift
	load_start
	check "$what, under load in both directions" "$@"
	check "$what: the load passed" load_passed 20
	check "$what: all ping through at once" all_at_once esp_ping $EIGHT
}
server_rekeys() { # the server's side of each tunnel
	local h
	for h in $EIGHT; do esp_rekeyed s1 "--rekey-ipsec --name $h" || return 1; done
}
esp_eight() { # esp_eight MODE raw|natt
	local GT=120 UP_S=80 PATIENCE_S=40 LS_CLIENTS="11 12 13 14 15 16 17 18"
	eight_up || return
	ls_server s1 $S1 "$1"
	check "all dial at once" all_at_once ls_client $EIGHT -- $S1 "$1"
	check "all ping through at once" all_at_once esp_ping $EIGHT
	check "$2 ESP on the wire" wire_has_esp "$2"
}
esp_eight_rekeyed() { # esp_eight_rekeyed MODE raw|natt
	esp_eight "$1" "$2" || return
	under_load "all clients ask for new ESP keys" all_at_once esp_rekeyed $EIGHT -- '--rekey-ipsec --name vpn'
	under_load "the server asks all for new ESP keys" server_rekeys
}
sc_esp-raw8() { # eight IKEv2 clients, plain ESP, one server: new keys from both ends under load
	esp_eight_rekeyed raw2 raw; }
sc_esp-natt8() { # eight IKEv2 clients, ESP in UDP: new keys from both ends under load
	esp_eight_rekeyed natt2 natt; }
quick_mode() { g "$1" 'timeout 25 ipsec auto --up vpn' | grep -q 'IPsec SA established'; }
sc_ikev1-raw8() { # eight IKEv1 clients, plain ESP, one server: another quick mode of each under load
	esp_eight raw1 raw || return
	under_load "another quick mode of each" all_at_once quick_mode $EIGHT
}
sc_strongswan-natt8() { # eight strongSwan clients, ESP in UDP, virtual addresses
	local GT=120 UP_S=80 PATIENCE_S=40 h
	eight_up || return
	check "s1 starts" ss_start s1 "$(ss_server_conf $S1)"
	g s1 'ip addr add 10.98.5.254/32 dev lo'
	check "all start" all_at_once ss_client $EIGHT
	check "all are up at once" all_at_once g $EIGHT -- 'swanctl --initiate --child c --timeout 25'
	check "all ping through at once" all_at_once gping $EIGHT -- 10.98.5.254
	check "all ask for new keys at once" all_at_once g $EIGHT -- 'swanctl --rekey --child c'
	check "the server asks all for new keys" g s1 'swanctl --rekey --child c'
	check "all ping through on them" all_at_once gping $EIGHT -- 10.98.5.254
	check "all ask for a new IKE SA" all_at_once g $EIGHT -- 'swanctl --rekey --ike v'
	check "all ping through at the end" all_at_once gping $EIGHT -- 10.98.5.254
}
ss_client() { ss_start "$1" "$(ss_client_conf "${1#u}" $S1)"; }

# --- L2TP over IPsec: two of them -----------------------------------------------------
server_cannot_tell() {
	! UP_S=20 li_client u12 $S1 natt1 && g s1 "grep 'cannot install eroute -- it is in use' /run/pluto.log"
}
vpn_tells() { wl show vpn | grep "$1"; }
vpn_says() { wl show vpn --all --json | grep -q "$1"; }
sc_l2tp-ipsec-natt2() { # two clients of L2TP in IPsec transport mode: the server's limit, and show vpn says it
	local GT=120 UP_S=80 PATIENCE_S=40
	guests u1 s1 || return
	hosts u1 1 2
	li_server s1 $S1 natt1
	check "u11 dials" li_client u11 $S1 natt1
	check "u11 pings through" gping u11 172.17.0.1
	check "libreswan refuses u12: its addresses and ports inside are in use" server_cannot_tell
	check "u11 pings on" gping u11 172.17.0.1
	gw_is_wayleave || return 0
	check "show vpn says it in a sentence" wait_for 60 vpn_tells 'The server answers 10.10.0.111 but not this device: .* apart (L2TP in IPsec, RFC 3948 5.2).'
	wl show vpn > "$OUT/vpn"
}

# --- GRE with keys -----------------------------------------------------------------------
gre_server() { # gre_server HOST...: a tunnel for each, told apart by its key
	local h
	for h; do
		gre_end s1 $S1 "$(seen_from_outside 10.10.0.1${h#u})" "10.97.${h#u}.254/24" "${h#u}" || return 1
	done
}
gre_client() { gre_end "$1" "10.10.0.1${1#u}" $S1 "10.97.${1#u}.1/24" "${1#u}"; }
gre_ping() { gping "$1" "10.97.${1#u}.254"; }
gre_many() { # gre_many HOST...: u11 and u12 among them
	check "server" gre_server "$@"
	check "clients" all_at_once gre_client "$@"
	check "all ping through at once" all_at_once gre_ping "$@"
	gw_is_wayleave || return 0
	check "u12 takes u11's key" g u12 "ip link add g11 type gre local 10.10.0.112 remote $S1 key 11 ttl 64 &&
		ip addr add 10.97.11.2/24 dev g11 && ip link set g11 up"
	check "u12 is refused" not one_gping u12 "-I 10.97.11.2 10.97.11.254"
	check "show vpn says who has it" vpn_says '10.10.0.111 already uses GRE with key 11'
	check "u11 pings on" gre_ping u11
}
sc_gre4() { # four hosts with GRE tunnels to one server, a key each; a key again is refused
	guests u1 s1 || return
	hosts u1 1 2 3 4
	gre_many u11 u12 u13 u14
}
sc_gre8() { # the same with eight
	eight_up || return
	gre_many $EIGHT
}
