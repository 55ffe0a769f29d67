#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forwards of whole IP protocols, by number: IPIP (4, RFC 2003), 6in4 (41, RFC 4213) and
# EtherIP (97, RFC 3378) from a peer outside to a host inside, as raw sockets see them.
#
#   HOST 10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 PEER
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlw$$ NAMESPACES="g h s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
PEER=203.0.113.9 WAN=203.0.113.1 HOST=10.0.0.2

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 h $HOST
	wire wan0 $WAN s $PEER
	ip -n "$ME-h" route add default via 10.0.0.1
	for n in h s; do in_ns $n ethtool -K eth0 tx off gro on; done >/dev/null 2>&1
	for n in lan0 wan0; do in_ns g ethtool -K $n tx off gro on; done >/dev/null 2>&1
}
echo_up() { # echo_up PROTOCOL: the host's program
	in_ns h "$TOP/tests/lab/raw_peer.py" echo "$1" >"$DIR/echo.$1.log" 2>&1 &
	OTHERS+=($!)
	until_ok 10 grep -q ready "$DIR/echo.$1.log"
}
peer_asks() { in_ns s "$TOP/tests/lab/raw_peer.py" ask "$1" $WAN; } # peer_asks PROTOCOL
refused() { # refused PROTOCOL SENTENCE
	"$BUILD/wayleave" -r "$DIR/run" forward add "$1" $HOST 2>&1 | tee "$DIR/refusal"
	grep -q "$2" "$DIR/refusal"
}
ctl() { "$BUILD/wayleave" -r "$DIR/run" "$@"; }

passes() { # passes DATAPLANE
	ok "$1: the gateway starts" gateway_start lan0 "dataplane: $1"
	ok "$1: without a forward nothing passes" not peer_asks 41
	for protocol in 4 41 97; do
		ok "$1: $protocol is forwarded" ctl forward add $protocol $HOST
		ok "$1: ... from outside it reaches the host, whose answers leave" until_ok 5 peer_asks $protocol
	done
	ok "$1: ICMP is refused with a sentence" refused 1 "ICMP cannot be forwarded"
	ok "$1: AH is forwarded" ctl forward add 51 $HOST
	ok "$1: ... with a warning in the log" grep -q "AH signs the addresses" "$DIR/wayleaved.log"
	ok "$1: --teardown" gateway_stop
}

net_up || skip_all "network namespaces"
for protocol in 4 41 97; do echo_up $protocol; done
for dataplane in tc xdp; do passes $dataplane; done
echo "1..$COUNT"
