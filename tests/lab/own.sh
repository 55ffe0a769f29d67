#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The gateway's own flows beside a LAN host's: who was first on a port or with a
# server must not matter (CVE-2021-3773), through TC and XDP.
#
#   HOST 10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlo$$ NAMESPACES="g a s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
FORGE=$TOP/tests/lab/forge.py PEER=$TOP/tests/lab/own_peer.py
SERVER=203.0.113.9 WAN=203.0.113.1 HOST=10.0.0.2
# ESP, AH, L2TPv3's data, IPIP, 6in4, EtherIP; GRE version 0 without and with a key; PPTP's
ESP=0000100100000001aabbccdd
declare -A PROTOCOLS=([ESP]="50 $ESP" [AH]="51 3204000000001001000000010011223344556677"
	[L2TPv3]="115 0000100100112233" [IPIP]="4 450000140000000040fd000001010101020202020000"
	[6in4]="41 60000000000000400000000000000000" [EtherIP]="97 300000112233445566"
	[GRE]="47 0000655800112233" [GRE-with-a-key]="47 200065580000000500112233"
	[PPTP-data]="47 3001880b000400070000000101020304")

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 a $HOST
	wire wan0 $WAN s $SERVER
	checksums_whole "a s" "lan0 wan0"
	ip -n "$ME-a" route add default via 10.0.0.1
}
background() { # background NAMESPACE ARGUMENTS: a peer that says when it is ready
	local n=$1 log
	shift
	log=$DIR/peer-$n-$RANDOM$RANDOM.log
	ip netns exec "$ME-$n" "$PEER" "$@" >"$log" 2>&1 &
	OTHERS+=($!)
	LAST=$!
	until_ok 10 grep -q ready "$log"
}
mac() { in_ns "$1" cat "/sys/class/net/$2/address"; }
ask() { # ask NAMESPACE PATTERN PORT [SERVER'S PORT]: the answer to a datagram from a port
	in_ns "$1" "$PEER" ask "$3" $SERVER "${4:-5000}" "question" | tee "$DIR/answer.log"
	grep -q "^question $WAN $2\$" "$DIR/answer.log"
}
own_port_or_other() { # own_port_or_other PORT [SERVER'S PORT]: the LAN host's question came from another port
	ask a '[0-9]*' "$@" && ! grep -q " $1\$" "$DIR/answer.log"
}
counter() {
	"$BUILD/wayleave" -r "$DIR/run" show counters --json | python3 -c 'import json, sys
print(sum(c["count"] for c in json.load(sys.stdin) if c["name"] == sys.argv[1]))' "$1"
}
counted() { # counted REASON COMMAND...: once more
	local reason=$1 before
	shift
	before=$(counter "$reason")
	"$@"
	[ "$(counter "$reason")" -gt "$before" ]
}
host_sends() { in_ns a "$FORGE" proto "$(mac g lan0)" "$1" $HOST $SERVER "$2"; } # host_sends NUMBER HEX
own_tunnel() { in_ns g "$PEER" ask-raw "$1" $SERVER "$2" | grep -q 'the same'; }
both_tunnels() { # a host has the protocol with the server when the gateway begins
	host_sends "$1" "${2/00001001/00002002}" # of SPIs each has its own
	own_tunnel "$1" "$2"
}
# The last piece of an answer first: the daemon holds it until the first has come
pieces() {
	in_ns g "$PEER" ask 5300 $SERVER 5001 hello 4 >"$DIR/pieces.log" &
	local pid=$!
	sleep 0.5
	in_ns s "$FORGE" pieces "$(mac g wan0)" $SERVER 5001 $WAN 5300 in-two-pieces
	wait $pid
	grep -q in-two-pieces "$DIR/pieces.log"
}
forward_warns() { # forward_warns PORT HOLDER: adding it says who holds it, and so does status
	"$BUILD/wayleave" -r "$DIR/run" forward add "udp:$1" $HOST 2>&1 | tee "$DIR/forward.log"
	grep -q "warning: udp port $1 is not forwarded to $HOST: $2 holds it" "$DIR/forward.log" &&
		grep -q "udp port $1 is not forwarded" <("$BUILD/wayleave" -r "$DIR/run" status) &&
		grep -q "udp port $1 is not forwarded" "$DIR/wayleaved.log"
}
range_is_wide() {
	local first last
	read -r first last <<<"$(in_ns g cat /proc/sys/net/ipv4/ip_local_port_range)"
	[ $((last - first + 1)) -ge 8192 ]
}
range_is_apart() { # from Linux's default and RFC 6335's dynamic ports
	local first last
	read -r first last <<<"$(in_ns g cat /proc/sys/net/ipv4/ip_local_port_range)"
	[ "$first" -ge 1024 ] && [ "$last" -lt 32768 ]
}

own_flows() { # own_flows DATAPLANE PASSTHROUGH
	local name number payload
	ok "$1, IPsec and PPTP $2: the gateway starts" gateway_start lan0 "dataplane: $1
passthrough: {ipsec: $2, pptp: $2, l2tp: $2}"
	for name in "${!PROTOCOLS[@]}"; do
		read -r number payload <<<"${PROTOCOLS[$name]}"
		ok "$1, $2: its own $name, beside a host's" both_tunnels "$number" "$payload"
	done
	[ "$2" = off ] || ok "$1, $2: a host's ESP with the same server is refused then, and counted" \
		counted server_taken host_sends 50 "${ESP/1001/3003}"
	gateway_stop
}
own_ports() { # own_ports DATAPLANE
	local held
	ok "$1: the gateway starts" gateway_start lan0 "dataplane: $1"
	ok "$1: a host is first on port 1234" ask a 1234 1234
	ok "$1: ... and with another server port" ask a 1234 1234 5002
	ok "$1: the gateway's answer from it is the gateway's" counted session_gave_way ask g 1234 1234
	ok "$1: ... the host has another port then" own_port_or_other 1234
	background g hold 7000
	held=("$LAST")
	sleep 1.5
	ok "$1: a socket that waits is noticed before a host takes its port" own_port_or_other 7000
	ok "$1: a host is first on port 51820" ask a 51820 51820
	background g hold 51820
	held+=("$LAST")
	sleep 1.5
	ok "$1: ... and gives it up to WireGuard on the gateway" own_port_or_other 51820 5002
	ok "$1: an answer in pieces, the last one first" pieces
	ok "$1: a host is on port 8443" ask a 8443 8443
	ok "$1: a forward of it says so, and who" forward_warns 8443 "the device $HOST"
	background g hold 8444
	held+=("$LAST")
	sleep 1.5
	ok "$1: so does one of the gateway's own" forward_warns 8444 "a program of this gateway"
	ok "$1: its own connections choose from 13 bits of ports" range_is_wide
	ok "$1: ... that clients do not choose from" range_is_apart
	kill "${held[@]}"
	gateway_stop
}

net_up || skip_all "network namespaces"
background s serve 5000
background s serve 5002
background s mute 5001
background s serve-raw 50 51 115 4 41 97 47
for dataplane in tc xdp; do
	own_ports $dataplane
	own_flows $dataplane on
done
own_flows tc off
echo "1..$COUNT"
