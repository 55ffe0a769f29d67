#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The internet line, as `status` tells it: all right, the provider's switch down, its
# router deaf to ARP, the WAN interface down, no default route.
#
#   CLIENT 10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- br0 --- 203.0.113.254 ROUTER, 198.51.100.9 behind it
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wln$$ NAMESPACES="g c b s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
ROUTER=203.0.113.254 FAR=198.51.100.9

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 c 10.0.0.2
	ip -n "$ME-c" route add default via 10.0.0.1
	ip -n "$ME-b" link add br0 type bridge
	ip -n "$ME-b" link set br0 up
	wire wan0 203.0.113.1 b 203.0.113.200
	ip -n "$ME-b" addr flush dev eth0
	ip -n "$ME-b" link set eth0 master br0
	ip link add far netns "$ME-b" type veth peer name eth0 netns "$ME-s"
	ip -n "$ME-b" link set far master br0 up
	ip -n "$ME-s" addr add $ROUTER/24 dev eth0
	ip -n "$ME-s" addr add $FAR/32 dev lo
	ip -n "$ME-s" link set eth0 up
	route_up
}
route_up() { ip -n "$ME-g" route add default via $ROUTER; }
line() { "$BUILD/wayleave" -r "$DIR/run" --json status; }
line_is() { # line_is STATE [MEMBER VALUE]...: and the exit status goes with it
	local code
	line >"$DIR/status"
	code=$?
	python3 -c '
import json, sys
code, state, *more = sys.argv[1:]
line = json.load(sys.stdin)["internet"]
print(code, line)
wanted = dict(zip(more[::2], more[1::2]), state=state)
assert all(str(line.get(k)) == v for k, v in wanted.items())
assert int(code) == (6 if state == "down" else 0)' "$code" "$@" <"$DIR/status"
}
becomes() { # becomes SECONDS STATE [MEMBER VALUE]...
	local end=$((SECONDS + $1))
	until line_is "${@:2}"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}
says() { grep -q "$1" <("$BUILD/wayleave" -r "$DIR/run" status); }
history() { # history "BEFORE > AFTER, ...": next hops, the newest first
	"$BUILD/wayleave" -r "$DIR/run" --json show history | python3 -c '
import json, sys
seen = [e for e in json.load(sys.stdin) if e["action"] == "next-hop"]
print(seen)
assert ", ".join("%s > %s" % (e.get("before"), e.get("after")) for e in seen) == sys.argv[1]' "$1"
}
pings() { in_ns c ping -n -q -c 1 -W 2 $FAR; }

net_up || skip_all "network namespaces"
ok "the gateway starts" gateway_start lan0 ""
ok "nothing has been sent: the router answers, the rest is not checked" \
	becomes 15 not-checked carrier True address True route True neighbour answers next_hop $ROUTER
ok "... and nothing but ARP has been sent to find out" test "$(in_ns s awk '/^(Icmp|Udp): [0-9]/ { sum += $2 } END { print sum }' /proc/net/snmp)" = 0
ip -n "$ME-b" link set br0 down
ok "the provider's switch is down: the router is silent" becomes 25 down carrier True route True neighbour silent
ok "... in words" says 'down. The provider.s router does not answer'
ip -n "$ME-b" link set br0 up
ok "... it is up again" becomes 15 not-checked neighbour answers
ip -n "$ME-s" link set eth0 arp off
ok "the router does not answer ARP any more" becomes 25 down neighbour silent
ip -n "$ME-s" link set eth0 arp on
ok "... and does again" becomes 15 not-checked neighbour answers
ip -n "$ME-g" neigh add 203.0.113.77 lladdr 02:00:00:00:00:77 nud stale dev wan0
ip -n "$ME-g" route replace default via 203.0.113.77
ok "of another router it is not known yet" becomes 3 not-checked neighbour not-checked next_hop 203.0.113.77
ip -n "$ME-g" route replace default via $ROUTER
ok "... the first one is back" becomes 15 not-checked neighbour answers
ok "the history has both" history '203.0.113.77 > 203.0.113.254, 203.0.113.254 > 203.0.113.77'
ok "a client has an answer from beyond" until_ok 10 pings
ok "... online" becomes 10 online neighbour answers online True
ip -n "$ME-g" route del default
ok "without a default route: down, at once" becomes 5 down route False carrier True
ok "... in words" says 'no default route'
route_up
ok "... with it" becomes 5 online route True
ip -n "$ME-g" route del default
ip -n "$ME-g" route add default via $ROUTER table 100
ip -n "$ME-g" rule add from 10.0.0.0/24 lookup 100
ok "a rule that leads the LAN to the WAN is a route" becomes 5 online route True next_hop $ROUTER
ip -n "$ME-g" rule del from 10.0.0.0/24
ip -n "$ME-g" route flush table 100
route_up
ip -n "$ME-g" link set wan0 down
ok "the WAN interface is down" becomes 5 down carrier False
ok "... in words" says 'no carrier, or is down'
ip -n "$ME-g" link set wan0 up
route_up
ok "... up again" becomes 10 online carrier True route True
ip -n "$ME-g" addr del 203.0.113.1/24 dev wan0
no_address() { line; [ $? = 3 ] && grep -q '"address": *false' <(line); }
ok "without an address it translates nothing" until_ok 5 no_address
gateway_stop
echo "1..$COUNT"
