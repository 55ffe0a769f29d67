#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The ICMP errors of gateway, hosts and servers, as the sockets on both sides get
# them: RFC 5508 REQ-4, REQ-5, REQ-8, REQ-10; RFC 4787 REQ-13.
#
#   CLIENT    10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER
#   NEIGHBOUR 10.0.1.2 --- lan1
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wli$$ NAMESPACES="g c d s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
PROBE=$TOP/tests/lab/icmp_probe.py
SERVER=203.0.113.9 FULL=1472

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 c 10.0.0.2
	wire lan1 10.0.1.1 d 10.0.1.2
	wire wan0 203.0.113.1 s $SERVER
	ip -n "$ME-c" route add default via 10.0.0.1
	ip -n "$ME-d" route add default via 10.0.1.1
}
server_start() {
	ip netns exec "$ME-s" "$PROBE" serve $SERVER 6000 >>"$DIR/server.log" 2>&1 &
	OTHERS+=($!)
	until_ok 10 grep -q ready "$DIR/server.log"
}
ask() { # ask OUTCOME PORT TTL BYTES DF [ANSWER...]: what the client's socket gets
	local wanted=$1 port=$2
	shift 2
	in_ns c "$PROBE" ask 5000 $SERVER "$port" "$@" | tee "$DIR/client.log"
	grep -qx "$wanted" "$DIR/client.log"
}
server_gets() { # server_gets OUTCOME ANSWER...: for an answer that it is asked for
	local wanted=$1
	shift
	: >"$DIR/server.log"
	in_ns c "$PROBE" ask 5000 $SERVER 6000 64 20 0 "$@"
	until_ok 3 grep -qx "$wanted" "$DIR/server.log"
}
mtu() { ip -n "$ME-g" link set "$1" mtu "$2"; }
whole() {
	: >"$DIR/server.log"
	in_ns c "$PROBE" ask 5000 $SERVER 6000 64 $FULL 0
	until_ok 3 grep -qx "got $FULL" "$DIR/server.log"
}
client_gone() { # the answer comes when nobody listens any more
	: >"$DIR/server.log"
	echo 64 20 0 1 | in_ns c socat -u - UDP4:$SERVER:6000,sourceport=5002
	until_ok 5 grep -q '^3 3 ' "$DIR/server.log"
	grep -qx '3 3 203.0.113.1 0' "$DIR/server.log"
}
neighbour_start() { # a server of the neighbour's that a forward makes known
	ip netns exec "$ME-d" "$PROBE" serve 10.0.1.2 6000 >"$DIR/neighbour.log" 2>&1 &
	OTHERS+=($!)
	until_ok 10 grep -q ready "$DIR/neighbour.log"
}
ask_neighbour() { # ask_neighbour OUTCOME BYTES DF: by our external address
	in_ns c "$PROBE" ask 5000 203.0.113.1 7000 64 "$2" "$3" 64 30 0 | tee "$DIR/client.log"
	grep -qx "$1" "$DIR/client.log"
}
blocked() {
	"$BUILD/wayleave" -r "$DIR/run" set --yes passthrough.ipsec off
	ask '3 13 10.0.0.1 0' 500 64 20 0
}

net_up || skip_all "network namespaces"
ok "the gateway starts" gateway_start "lan0, lan1" "port_forwards: [{protocol: udp, port: 7000, to: 10.0.1.2, to_port: 6000}]"
ok "a server" server_start
ok "a datagram and its answer" ask "answer 30" 6000 64 20 0 64 30 0
ok "TTL 1 outbound: Time Exceeded from the LAN's gateway" ask '11 0 10.0.0.1 0' 6000 1 20 0
ok "TTL 1 inbound: Time Exceeded from the WAN address" server_gets '11 0 203.0.113.1 0' 1 30 0
ok "a closed port of the server: Port Unreachable, from the server" ask "3 3 $SERVER 0" 6999 64 20 0
ok "a closed port of the client: Port Unreachable, from the WAN address" client_gone
mtu wan0 1400
ok "too big for the WAN, DF: Fragmentation Needed, MTU 1400" ask '3 4 10.0.0.1 1400' 6000 64 $FULL 1
ok "... without DF it arrives whole" whole
mtu wan0 1500
mtu lan0 1400
ok "too big for the LAN, DF: Fragmentation Needed from the WAN address, MTU 1400" server_gets '3 4 203.0.113.1 1400' 64 $FULL 1
ok "... without DF it arrives whole" ask "answer $FULL" 6000 64 20 0 64 $FULL 0
mtu lan0 1500
mtu lan1 1400
ok "a neighbour's server by a forward" neighbour_start
ok "... answers by our external address" ask_neighbour "answer 30" 20 0
ok "too big for the neighbour's LAN, DF: Fragmentation Needed about what was sent" ask_neighbour '3 4 203.0.113.1 1400' $FULL 1
ok "... without DF it arrives and is answered" ask_neighbour "answer 30" $FULL 0
ok "a blocked protocol: administratively prohibited" blocked
gateway_stop
echo "1..$COUNT"
