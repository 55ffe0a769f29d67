#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Interfaces that become something else under a running gateway, and while it is down:
# renamed, a bridge's port, in another network namespace, made anew, on the other side.
# Wherever the data plane is not wanted any more, none of its programs may stay.
#
#   HOST 10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave. DATAPLANE: tc or xdp.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlk$$ NAMESPACES="g h s o"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
SERVER=203.0.113.9

gw() { in_ns g "$@"; }
ip_gw() { ip -n "$ME-g" "$@"; }
for_xdp() { # for_xdp NAMESPACE DEVICE: what XDP on the other end of a veth needs
	in_ns "$1" ethtool -K "$2" tx off gro on >/dev/null 2>&1
}
lan_up() { # the host's cable, in a new lan0
	wire lan0 10.0.0.1 h 10.0.0.2
	ip -n "$ME-h" route add default via 10.0.0.1
	for_xdp h eth0
	for_xdp g lan0
}
net_up() {
	namespaces_up || return 1
	lan_up
	wire wan0 203.0.113.1 s $SERVER
	for_xdp s eth0
	for_xdp g wan0
}
net_anew() { # as at the beginning
	local device
	for device in lan0 port0 br0 peer0 wan0; do ip_gw link del $device; done 2>/dev/null
	ip -n "$ME-o" link del port0 2>/dev/null
	lan_up
	wire wan0 203.0.113.1 s $SERVER
	for_xdp s eth0
	for_xdp g wan0
}

ctl() { "$BUILD/wayleave" -r "$DIR/run" "$@"; }
host_pings() { in_ns h ping -c1 -W1 "$1"; }
passes() { until_ok 8 host_pings $SERVER; }
status_is() { # status_is PYTHON-EXPRESSION of the status s
	ctl --json status | python3 -c "import json, sys; s = json.load(sys.stdin); sys.exit(not ($1))"
}
translates() { status_is 's["translating"] and not s["waiting_for"]'; }
waits() { until_ok 5 status_is "not s['translating'] and '$1' in s['waiting_for']"; }
free() { # free DEVICE [NAMESPACE]: of all our programs
	[ -z "$(tc_programs "$1" ingress)$(tc_programs "$1" egress)" ] &&
		! in_ns "${2:-g}" ip -d link show "$1" | grep -q 'prog/xdp'
}
kept_neighbour() { # kept_neighbour DEVICE: by the daemon, for as long as it runs
	sleep 5.5 # it looks after them every five seconds
	ip_gw neigh show dev "$1" | grep managed
}
carries() { # carries DEVICE HOOK PROGRAM: and no other one
	[ "$(tc_programs "$1" "$2" | cut -d' ' -f2)" = "$3" ]
}

# Under XDP the new lan0 is a veth into the bridge, for a bridge has no native XDP
renamed() { # lan0 becomes port0, a bridge's; another device gets its name and address
	ip_gw link set lan0 down
	ip_gw link set lan0 name port0
	ip_gw addr flush dev port0
	if [ "$1" = tc ]; then
		ip_gw link add lan0 type bridge
		ip_gw link set port0 master lan0
	else
		ip_gw link add br0 type bridge
		ip_gw link set br0 arp off # the address is lan0's
		ip_gw link add lan0 type veth peer name peer0
		for_xdp g lan0
		for_xdp g peer0
		for device in port0 peer0; do ip_gw link set $device master br0 up; done
		ip_gw link set br0 up
	fi
	ip_gw link set port0 up
	ip_gw addr add 10.0.0.1/24 dev lan0
	ip_gw link set lan0 up
}
into_bridge() {
	ip_gw link add br0 type bridge
	ip_gw link set lan0 master br0
	ip_gw addr flush dev lan0
	ip_gw addr add 10.0.0.1/24 dev br0
	ip_gw link set br0 up
}
out_of_bridge() {
	ip_gw link set lan0 nomaster
	ip_gw link del br0
	ip_gw addr add 10.0.0.1/24 dev lan0
}
elsewhere() { # the host's gateway is another network namespace now
	ip_gw link set lan0 netns "$ME-o"
	ip -n "$ME-o" addr add 10.0.0.1/24 dev lan0
	ip -n "$ME-o" link set lan0 up
}
back() { # back NAME
	ip -n "$ME-o" link set lan0 down
	ip -n "$ME-o" link set lan0 name "$1"
	ip -n "$ME-o" link set "$1" netns "$ME-g"
	ip_gw addr add 10.0.0.1/24 dev "$1"
	ip_gw link set "$1" up
}
lan_anew() {
	ip_gw link del lan0
	lan_up
}
taken_off() { # by somebody else's hand
	if [ "$1" = xdp ]; then
		ip_gw link set dev lan0 xdpdrv off
	else
		gw tc qdisc del dev lan0 clsact 2>/dev/null
		gw "$TOP/tests/lab/tcx.py" lan0 ingress detach
	fi
}
has_all() { # has_all DATAPLANE: lan0, of our programs
	carries lan0 ingress tc_inside && { [ "$1" = tc ] || ip_gw -d link show lan0 | grep -q 'prog/xdp'; }
}
end() { { kill "$GATEWAY" && wait "$GATEWAY"; } 2>/dev/null; }
sides_change() {
	sed -i 's/wan0/lan1/; s/lan0/wan0/; s/lan1/lan0/' "$DIR/settings.yaml"
	kill -HUP "$GATEWAY"
}
sides_have_changed() {
	carries lan0 ingress tc_outside && carries lan0 egress tc_local &&
		carries wan0 ingress tc_inside && [ -z "$(tc_programs wan0 egress)" ]
}

running() { # running DATAPLANE
	ok "$1: the gateway starts" gateway_start lan0 "dataplane: $1"
	ok "$1: a host passes" passes
	renamed "$1"
	ok "$1: another device has lan0's name: the host passes through it" passes
	ok "$1: ... the old device carries no program" free port0
	[ "$1" = xdp ] || ok "$1: ... no neighbour is kept on it" not kept_neighbour port0
	ok "$1: ... and status knows nothing missing" translates
	ip_gw link del lan0
	ok "$1: lan0 is deleted: status waits for it" waits "interface lan0"
	ok "$1: --teardown" gateway_stop
}
moved() { # moved DATAPLANE
	ok "$1: the gateway starts once more" gateway_start lan0 "dataplane: $1"
	ok "$1: the host passes" passes
	lan_anew
	ok "$1: lan0 is made anew: it passes again" passes
	taken_off "$1"
	ok "$1: somebody takes a program off: it is attached again" until_ok 12 has_all "$1"
	into_bridge
	ok "$1: lan0 becomes a bridge's port: status says so" \
		waits "interface lan0, which is a port of br0: name br0 in the settings instead"
	ok "$1: ... lan0 carries no program" free lan0
	ok "$1: ... and the host reaches the bridge" until_ok 8 host_pings 10.0.0.1
	out_of_bridge
	ok "$1: lan0 leaves the bridge: the host passes again" passes
	elsewhere
	ok "$1: lan0 is in another network namespace: the host reaches that one" until_ok 8 host_pings 10.0.0.1
	ok "$1: ... status waits for it" waits "interface lan0"
	back lan0
	ok "$1: it comes back: the host passes again" passes
	elsewhere
	back port0
	ok "$1: it comes back as port0: no program is on it" until_ok 5 free port0
	ok "$1: --teardown" gateway_stop
}
down() { # down DATAPLANE
	ok "$1: the gateway starts a third time" gateway_start lan0 "dataplane: $1"
	ok "$1: the host passes" passes
	end
	renamed "$1"
	ok "$1: renamed while the daemon is down, which starts again" gateway_start lan0 "dataplane: $1"
	ok "$1: ... the host passes" passes
	ok "$1: ... the old device carries no program" free port0
	net_anew
	ok "$1: all is made anew" passes
	sides_change
	ok "$1: LAN and WAN change sides" until_ok 8 sides_have_changed
	ok "$1: --teardown" gateway_stop
}

net_up || skip_all "network namespaces"
for part in running moved down; do
	$part "${DATAPLANE:-tc}"
	net_anew
done
echo "1..$COUNT"
