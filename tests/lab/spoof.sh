#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who speaks in whose name: attacks of a guest on another LAN's host and on the
# gateway, through TC and XDP (RFC 2827, BCP 38).
#
#   A 10.0.0.2     --- lan0 +---------+
#                           | GATEWAY | wan0 203.0.113.1 --- 203.0.113.9 SERVER
#   GUEST 10.0.1.2 --- lan1 +---------+
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlf$$ NAMESPACES="g a b s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
FORGE=$TOP/tests/lab/forge.py
SERVER=203.0.113.9 WAN=203.0.113.1 STRANGER=198.18.0.66

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 a 10.0.0.2
	wire lan1 10.0.1.1 b 10.0.1.2
	wire wan0 $WAN s $SERVER
	in_ns g ip route add default via $SERVER
	checksums_whole "a b s" "lan0 lan1 wan0"
	ip -n "$ME-a" route add default via 10.0.0.1
	ip -n "$ME-b" route add default via 10.0.1.1
}
mac() { in_ns g cat "/sys/class/net/$1/address"; }
guest() { local what=$1; shift; in_ns b "$FORGE" "$what" "$(mac lan1)" "$@"; }
counter() { # counter REASON: packets
	"$BUILD/wayleave" -r "$DIR/run" show counters --json | python3 -c 'import json, sys
print(sum(c["count"] for c in json.load(sys.stdin) if c["name"] == sys.argv[1]))' "$1"
}
watch() { # watch NAMESPACE: what comes in there, in a log
	ip netns exec "$ME-$1" "$FORGE" watch >"$DIR/$1.log" 2>&1 &
	OTHERS+=($!)
	until_ok 10 grep -q ready "$DIR/$1.log"
}
# Does NAMESPACE see a line like PATTERN when COMMAND has been run?
somebody_sees() { # somebody_sees NAMESPACE PATTERN COMMAND...
	local log=$DIR/$1.log pattern=$2 before
	before=$(wc -l <"$log")
	shift 2
	"$@"
	until_ok 3 grep -q "$pattern" <(tail -n +$((before + 1)) "$log")
}
nobody_sees() { # nobody_sees NAMESPACE PATTERN COMMAND...
	local log=$DIR/$1.log pattern=$2 before
	before=$(wc -l <"$log")
	shift 2
	"$@"
	sleep 0.4
	! grep "$pattern" <(tail -n +$((before + 1)) "$log")
}

session_begins() { in_ns a "$FORGE" udp "$(mac lan0)" 10.0.0.2 4000 $SERVER 5000 of-host-a; }
guest_as_a() { guest udp 10.0.0.2 4000 $SERVER 5000 of-the-guest; }
refused_as() { # refused_as REASON COMMAND...: counted once more
	local reason=$1 before
	shift
	before=$(counter "$reason")
	"$@"
	[ "$(counter "$reason")" -gt "$before" ]
}
gateway_asks_as_lan() { # an own packet from its LAN address towards the internet
	in_ns g ping -c1 -W1 -I 10.0.0.1 $STRANGER
	:
}
gateway_asks() { in_ns g ping -c1 -W1 $SERVER; }
second_wan_address() {
	ip -n "$ME-g" addr add 203.0.113.2/32 dev wan0
	in_ns g ping -c1 -W1 -I 203.0.113.2 $SERVER
	local result=$?
	ip -n "$ME-g" addr del 203.0.113.2/32 dev wan0
	return $result
}
has_default_route() { in_ns g ip -6 route show dev "$1" | grep -q default; }
advertised() { # advertised NAMESPACE DEVICE: a default route of that advertisement
	in_ns "$1" "$FORGE" router
	sleep 0.3
	has_default_route "$2"
}
parameter() { [ "$(in_ns g cat "/proc/sys/net/$1")" = "$2" ]; }

attacks() { # attacks DATAPLANE
	ok "$1: the gateway starts" gateway_start "lan0, lan1" "dataplane: $1"
	in_ns g ping -c1 -W1 $SERVER >/dev/null
	ok "$1: a host has a session" somebody_sees s of-host-a session_begins
	ok "$1: a guest says nothing in it" nobody_sees s of-the-guest guest_as_a
	ok "$1: ... which is counted" refused_as spoofed_source guest_as_a
	ok "$1: ... and the host goes on" somebody_sees s of-host-a session_begins
	for to in 10.0.1.1 10.0.0.1 $WAN; do
		ok "$1: a ping of $to as a stranger gets no answer, out of the WAN" \
			nobody_sees s "$STRANGER" guest ping $STRANGER $to
	done
	ok "$1: ... nor as a host of the other LAN" nobody_sees a 10.0.0.2 guest ping 10.0.0.2 10.0.1.1
	ok "$1: ... nor to everybody on the link" nobody_sees s "$STRANGER" guest udp $STRANGER 4000 255.255.255.255 53
	ok "$1: a guest that is itself gets one" in_ns b ping -c1 -W1 10.0.1.1
	# a tag of VLAN 0 is no way round the source check, neither here nor in the kernel
	ok "$1: with a VLAN tag of 0 there is no answer either" \
		nobody_sees s "$STRANGER" guest ping $STRANGER 10.0.1.1 tag
	ok "$1: ... nothing goes to another LAN in a stranger's name" \
		nobody_sees a of-the-guest guest udp $STRANGER 4000 10.0.0.2 5000 of-the-guest tag
	ok "$1: ... nothing in another's session" nobody_sees s of-the-guest guest udp 10.0.0.2 4000 $SERVER 5000 of-the-guest tag
	ok "$1: ... and nothing untranslated out of the WAN" \
		nobody_sees s "10.0.1.2 >" guest udp 10.0.1.2 4000 $SERVER 5000 of-the-guest tag
	ok "$1: the gateway sends no LAN address out of the WAN" nobody_sees s "10.0.0.1" gateway_asks_as_lan
	ok "$1: ... its own it does" gateway_asks
	ok "$1: ... a second WAN address too" second_wan_address
	ok "$1: ARP on the WAN does not know the LAN's address" \
		nobody_sees s "arp 10.0.0.1 answers" in_ns s "$FORGE" arp $SERVER 10.0.0.1
	ok "$1: ... but the WAN's" somebody_sees s "arp $WAN answers" in_ns s "$FORGE" arp $SERVER $WAN
	ok "$1: a host's router advertisement is not believed" not advertised a lan0
	ok "$1: --teardown" gateway_stop
}

net_up || skip_all "network namespaces"
watch a
watch s
in_ns g sysctl -qw net.ipv6.conf.lan0.accept_ra=1 net.ipv6.conf.lan0.disable_ipv6=0 2>/dev/null
ok "without a gateway such an advertisement is believed" until_ok 5 advertised a lan0
in_ns g ip -6 route flush dev lan0 proto ra
attacks tc
ok "... puts accept_ra back" parameter ipv6/conf/lan0/accept_ra 1
ok "... and ARP" parameter ipv4/conf/wan0/arp_ignore 0
attacks xdp
echo "1..$COUNT"
