#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where the kernel would send it: policy rules, marks and MTUs of routes, through TC
# and XDP. The same address exists behind the WAN and behind a company's line, and
# each says its name.
#
#   A 10.0.0.2 --- lan0 +---------+ wan0 203.0.113.1 --- 203.0.113.9  ISP     198.51.100.1
#   B 10.0.1.2 --- lan1 | GATEWAY | vpn0 192.0.2.1   --- 192.0.2.9    COMPANY 198.51.100.1
#                       +---------+
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlt$$ NAMESPACES="g a b s v"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
PEER=$TOP/tests/lab/route_peer.py
FAR=198.51.100.1 OTHER=198.51.100.2 NARROW=198.51.100.3

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 a 10.0.0.2
	wire lan1 10.0.1.1 b 10.0.1.2
	wire wan0 203.0.113.1 s 203.0.113.9
	wire vpn0 192.0.2.1 v 192.0.2.9
	in_ns g sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	in_ns g ip route add default via 203.0.113.9
	in_ns g ip route add $NARROW via 203.0.113.9 mtu 1400
	in_ns g ip route add default via 192.0.2.9 table 100
	in_ns g ip route add unreachable default table 101
	in_ns a ip route add default via 10.0.0.1
	in_ns b ip route add default via 10.0.1.1
	in_ns v ip route add 10.0.0.0/16 via 192.0.2.1
	checksums_whole "a b s v" "lan0 lan1 wan0"
	for n in s v; do
		for address in $FAR $OTHER $NARROW; do in_ns $n ip addr add $address/32 dev lo; done
	done
	line_up s isp && line_up v company
}
line_up() { # line_up NAMESPACE NAME
	ip netns exec "$ME-$1" "$PEER" line "$2" $FAR $OTHER $NARROW >"$DIR/$2.log" 2>&1 &
	OTHERS+=($!)
	until_ok 10 grep -q ready "$DIR/$2.log"
}
rule() { in_ns g ip rule "$@"; }
goes_by() { # goes_by LINE HOST ARGUMENTS-OF-ASK...
	local line=$1 host=$2
	shift 2
	local said
	said=$(in_ns "$host" "$PEER" ask "$@")
	echo "$host $*: $said"
	[ "$said" = "$line" ]
}
# A change of rules is noticed by the daemon: not before the packets that come with it
until_goes_by() { until_ok 2 goes_by "$@" || goes_by "$@"; }
counter() { # counter REASON: packets
	"$BUILD/wayleave" -r "$DIR/run" show counters --json | python3 -c 'import json, sys
print(sum(c["count"] for c in json.load(sys.stdin) if c["name"] == sys.argv[1]))' "$1"
}
isp_counts() { # what of LAN addresses or of port 7 came to the ISP
	in_ns s nft -f - <<-N
		table ip t {
			counter from_lan {}
			counter asked {}
			chain in { type filter hook prerouting priority -300
				iifname eth0 ip saddr 10.0.0.0/8 counter name from_lan
				iifname eth0 udp dport 7 counter name asked
			}
		}
	N
}
asked() { in_ns s nft list counter ip t asked | awk '/packets/ { print $2 }'; }
leaked() { in_ns s nft list counter ip t from_lan | awk '/packets/ { print $2 }'; }
nothing_leaked() { [ "$(leaked)" = 0 ]; }

# one rule: those whom it names go by the company's line and others do not
rule_by() { # rule_by SELECTOR...: of host B
	rule add "$@" lookup 100 pref 100 || return 1
	until_goes_by company b $FAR && goes_by isp a $FAR
	local result=$?
	rule del pref 100
	[ $result = 0 ] && until_goes_by isp b $FAR
}
rule_by_tos() {
	rule add tos 0x10 lookup 100 pref 100 || return 1
	until_goes_by company b $FAR 0x10 && goes_by isp b $FAR && goes_by isp b $FAR 0x08 &&
		goes_by company a $FAR 0x10
	local result=$?
	rule del pref 100
	[ $result = 0 ] && until_goes_by isp b $FAR 0x10
}
rule_by_port() {
	rule add ipproto udp sport 4999 lookup 100 pref 100 || return 1
	until_goes_by company b $FAR 0 4999 && goes_by isp b $FAR 0 4998
	local result=$?
	rule del pref 100
	return $result
}
says() { [ "$(tail -n1 "$1")" = "$2" ]; }
moved_more() { [ "$(counter session_moved)" -gt "$1" ]; }
live_session_moves() { # a rule about a session that is under way
	local before moved result=1
	before=$(counter session_moved)
	ip netns exec "$ME-b" "$PEER" talk $FAR "$DIR/talk" &
	OTHERS+=($!)
	until_ok 10 says "$DIR/talk" isp && rule add from 10.0.1.2 lookup 100 pref 100 &&
		until_ok 10 says "$DIR/talk" company &&
		until_ok 10 moved_more "$before" && result=0
	rule del pref 100
	kill "${OTHERS[-1]}"
	return $result
}
unreachable_is_refused() { # nothing of it leaves by the WAN, and the host is told
	local before result=1
	before=$(asked)
	rule add from 10.0.1.2 lookup 101 pref 100
	until_goes_by unreachable b $FAR && before=$(asked) && goes_by unreachable b $FAR &&
		[ "$(asked)" = "$before" ] && result=0
	rule del pref 100
	return $result
}
marks_are_refused() { # what a mark might send elsewhere is not leaked, and status tells
	local result=1 before
	rule add from 10.0.1.0/24 fwmark 0x7 lookup 100 pref 100
	until_ok 5 refused_by_mark && before=$(asked) && goes_by unreachable b $FAR &&
		[ "$(asked)" = "$before" ] && goes_by isp a $FAR &&
		"$BUILD/wayleave" -r "$DIR/run" status | tee "$DIR/status" | grep -q "fwmark 0x7" && result=0
	cat "$DIR/status"
	rule del pref 100
	[ $result = 0 ] && until_goes_by isp b $FAR
}
refused_by_mark() {
	local before
	before=$(counter mark_rule)
	goes_by unreachable b $FAR
	[ "$(counter mark_rule)" -gt "$before" ]
}
# as wg-quick sets up for AllowedIPs 0.0.0.0/0: what has no mark goes by the tunnel
as_wg_quick() {
	local result=1
	rule add not fwmark 0xca6c lookup 100 pref 100
	rule add lookup main suppress_prefixlength 0 pref 99
	until_goes_by company a $FAR && goes_by company b $FAR && nothing_leaked && result=0
	rule del pref 100
	rule del pref 99
	[ $result = 0 ] && until_goes_by isp a $FAR
}

told() { # told HOST ADDRESS BYTES WHAT
	local said
	said=$(in_ns "$1" "$PEER" size "$2" "$3")
	echo "$1 $2 $3: $said"
	[ "$said" = "$4" ]
}
mtu_of_a_route() { # its own: another destination by the same neighbour has 1,500
	told a $OTHER 1500 isp && told a $NARROW 1500 "too big: 1400" && told b $NARROW 1400 isp &&
		told a $OTHER 1500 isp
}
learned() { in_ns g ip route get "$1" | tee "$DIR/out" | grep -q "mtu $2"; }
# An ICMP error about the gateway's own packets is believed by its stack alone
pmtu_is_the_stacks() {
	local result=1
	in_ns s "$PEER" error $OTHER 1000 >"$DIR/error.log" &
	OTHERS+=($!)
	until_ok 10 grep -q ready "$DIR/error.log"
	in_ns g ping -c3 -i0.3 -W1 $OTHER
	until_ok 5 learned $OTHER 1000 && told a $OTHER 1500 isp && result=0
	in_ns g ip route flush cache
	return $result
}

checks() { # checks TC|XDP
	ok "rules: all by the WAN without any ($1)" goes_by isp b $FAR
	ok "rules: from an address ($1)" rule_by from 10.0.1.2
	ok "rules: from an interface ($1)" rule_by iif lan1
	ok "rules: by TOS ($1)" rule_by_tos
	ok "rules: by port ($1)" rule_by_port
	ok "rules: a live session moves and is counted ($1)" live_session_moves
	ok "rules: unreachable is refused, nothing leaks ($1)" unreachable_is_refused
	ok "rules: by fwmark, refused and told ($1)" marks_are_refused
	ok "rules: as wg-quick has them ($1)" as_wg_quick
	ok "mtu: of one route, not of its neighbour ($1)" mtu_of_a_route
	ok "mtu: what the gateway's stack has learned is not the hosts' ($1)" pmtu_is_the_stacks
	ok "no LAN address on the ISP's line ($1)" nothing_leaked
}
net_up || skip_all "namespaces and veth devices"
isp_counts
gateway_start "lan0, lan1" "dataplane: tc" && checks TC
gateway_stop
gateway_start "lan0, lan1" "dataplane: xdp" && checks XDP
echo "1..$COUNT"
