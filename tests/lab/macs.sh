#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whom frames are for: the interface's own MAC address, also when it has just been
# changed, and that of a virtual router while the gateway is one; by TC and by XDP.
#
#   A 10.0.0.2 --- lan0 10.0.0.1 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlm$$ NAMESPACES="g a s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
FORGE=$TOP/tests/lab/forge.py INVENTED=$TOP/tests/lab/invented.py
SERVER=203.0.113.9 STRANGER=02:00:00:77:77:77 VIRTUAL=00:00:5e:00:01:33

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 a 10.0.0.2
	wire wan0 203.0.113.1 s $SERVER
	in_ns g ip route add default via $SERVER
	checksums_whole "a s" "lan0 wan0"
	ip -n "$ME-a" route add default via 10.0.0.1
}
mac() { in_ns g cat "/sys/class/net/$1/address"; }
counter() { # counter REASON: packets
	"$BUILD/wayleave" -r "$DIR/run" show counters --json | tr '{' '\n' |
		sed -n "s/.*\"$1\".*\"count\": *\([0-9]*\).*/\1/p"
}
redirected() { in_ns g ethtool -S "$1" | sed -n 's/ *rx_queue_0_xdp_redirect: //p'; } # by XDP
asks() { # asks DATAPLANE: with xdp it is that which forwards
	local lan wan
	lan=$(redirected lan0) wan=$(redirected wan0)
	[ "$(in_ns a "$INVENTED" ask $SERVER 5)" = 5 ] || return 1
	[ "$1" = tc ] && return
	[ "$(redirected lan0)" -gt "$lan" ] && [ "$(redirected wan0)" -gt "$wan" ]
}
is_silent() { [ "$(in_ns a "$INVENTED" ask $SERVER 1)" = 0 ]; }
is_left() { # is_left FROM MAC SOURCE PORT DESTINATION PORT: counted, and not forwarded
	local before forwarded from=$1
	shift
	before=$(counter other_station) forwarded=$(counter forwarded)
	in_ns "$from" "$FORGE" udp "$@" text
	until_ok 3 eval "[ \$(counter other_station) -gt $before ]" && [ "$(counter forwarded)" = "$forwarded" ]
}
forget_neighbours() { for n in a s; do in_ns $n ip neigh flush dev eth0; done; }
changes_mac() { # changes_mac DEVICE MAC: while the gateway runs
	in_ns g ip link set "$1" address "$2" && sleep 0.3 && forget_neighbours
}
virtual_router() {
	in_ns g ip link add vrrp1 link lan0 address $VIRTUAL type macvlan mode private &&
		in_ns g ip link set vrrp1 up && sleep 0.3
}
to_virtual() { in_ns a ip neigh replace 10.0.0.1 lladdr $VIRTUAL dev eth0 nud permanent; }

addressed() { # addressed DATAPLANE NUMBER
	local old
	ok "$1: the gateway starts" gateway_start "lan0" "dataplane: $1"
	ok "$1: a host's flows pass" asks "$1"
	ok "$1: what it sends to another station is left alone" is_left a $STRANGER 10.0.0.2 4000 $SERVER 7
	ok "$1: and what the server does" is_left s $STRANGER $SERVER 7 203.0.113.1 4000
	old=$(mac lan0)
	changes_mac lan0 "02:00:00:00:01:$2"
	ok "$1: lan0 has another address: flows pass" asks "$1"
	ok "$1: what is for the old one is left alone" is_left a "$old" 10.0.0.2 4001 $SERVER 7
	changes_mac wan0 "02:00:00:00:02:$2"
	ok "$1: wan0 too: flows pass" asks "$1"
	to_virtual
	ok "$1: there is no virtual router" is_silent
	ok "$1: there is one" virtual_router
	ok "$1: flows pass by its address" asks tc
	in_ns g ip link del vrrp1
	sleep 0.3
	ok "$1: it is gone" is_silent
	in_ns a ip neigh del 10.0.0.1 dev eth0
	ok "$1: --teardown" gateway_stop
}

net_up || skip_all "network namespaces"
ip netns exec "$ME-s" "$INVENTED" serve >"$DIR/serve.log" 2>&1 &
OTHERS+=($!)
until_ok 10 grep -q ready "$DIR/serve.log"
addressed tc 01
addressed xdp 02
echo "1..$COUNT"
