#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon's life in three namespaces: start, refusals, kill -9 and adoption,
# interfaces that come and go, addresses that change, the second wall, teardown.
#
#   HOST 10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wld$$ NAMESPACES="g h s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
PID=

gw() { ip netns exec "$ME-g" "$@"; }
host() { ip netns exec "$ME-h" "$@"; }
server() { ip netns exec "$ME-s" "$@"; }
ctl() { "$BUILD/wayleave" -r "$DIR/run" "$@"; }
passes() { host ping -c1 -W1 203.0.113.9; }
said() { grep -q "$1" "$DIR/daemon.log"; }

wan_up() { wire wan0 "$1" s 203.0.113.9; } # wan_up ADDRESS
net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 h 10.0.0.2
	ip -n "$ME-h" route add default via 10.0.0.1
	wan_up 203.0.113.1
}
settings() { # settings RUN_DIR [MORE LINES]
	printf 'wan: {interface: wan0}\nlan: {interfaces: [lan0]}\nlimits: {sessions: 20000}\n'
	printf 'run_dir: %s\n%s\n' "$1" "${2:-}"
}
launch() { # launch [WRAPPER...]
	ip netns exec "$ME-g" "$@" "$BUILD/wayleaved" -c "$DIR/settings.yaml" 2>"$DIR/daemon.log" &
	PID=$!
}
start() {
	launch
	until_ok 60 translating
}
keepers() { pgrep -P "$PID"; }
keepers_are_new() { # keepers_are_new OLD: three, OLD is gone, and the daemon answers
	[ "$(keepers | wc -l)" = 3 ] && ! keepers | grep -qx "$1" && translating --json
}
end() { # end SIGNAL
	kill "-$1" "$PID"
	wait "$PID" 2>/dev/null
}
refused() { # refused SETTINGS SENTENCE: starts, must say so and end
	gw "$BUILD/wayleaved" -c "$1" 2>"$DIR/refusal" && return 1
	cat "$DIR/refusal"
	grep -q "$2" "$DIR/refusal"
}
refused_options() { # refused_options ARGUMENTS
	"$BUILD/wayleaved" "$@" 2>&1
	[ $? = 2 ]
}
powerless() {
	gw setpriv --bounding-set=-bpf --inh-caps=-all "$BUILD/wayleaved" -c "$DIR/settings.yaml" \
		2>"$DIR/refusal" && return 1
	grep -q cap_bpf "$DIR/refusal"
}
hooks_are_ours() { # one program at each TC hook that we use
	[ "$(tc_programs wan0 egress | wc -l) $(tc_programs wan0 ingress | wc -l) $(tc_programs lan0 ingress | wc -l)" = "1 1 1" ]
}
traces() { # what a run leaves in the kernel, one word each
	ip -n "$ME-g" -br link | grep -o '^wl-'
	gw nft list tables | grep -o wayleave_
	gw tc qdisc show | grep -o clsact
	tc_programs lan0 ingress
	tc_programs wan0 ingress
	tc_programs wan0 egress
	cat "$DIR/forward" 2>/dev/null
}
forwarding() { [ "$(gw cat /proc/sys/net/ipv4/ip_forward)" = "$1" ]; }
capabilities() { grep -q "CapEff:.0000008000001400" "/proc/$PID/status"; }
foreign_xdp() {
	printf 'int x(void *c) { return 2; }\n' >"$DIR/x.c"
	sed -i 's/^int/__attribute__((section("xdp"), used)) int/' "$DIR/x.c"
	clang -O2 -g -target bpf -c "$DIR/x.c" -o "$DIR/x.o" &&
		ip -n "$ME-g" link set dev wan0 xdpdrv obj "$DIR/x.o" sec xdp
}
external_is() { ctl show sessions --json | grep -q "\"external\":\"$1"; }

net_up
mkdir "$DIR/run"
settings "$DIR/run" >"$DIR/settings.yaml"
settings "$DIR/run2" >"$DIR/other.yaml"
settings "$DIR/run" 'dataplane: xdp' >"$DIR/xdp.yaml"
echo 'wan: {interface: wan0}' >"$DIR/wrong.yaml"

ok "--check takes good settings" gw "$BUILD/wayleaved" -c "$DIR/settings.yaml" --check
ok "wrong settings are refused with file and field" refused "$DIR/wrong.yaml" 'wrong.yaml.*lan'
ok "without a capability it says which" powerless
ok "nothing is left of refused starts" test -z "$(traces)"
ok "starts" start
ok "translates" passes
ok "no destination is logged" not said 203.0.113.9
ok "keeps three capabilities" capabilities
ok "forwarding is on" forwarding 1
ok "each hook has one program" hooks_are_ours
ok "the wall is up" gw nft list chain inet "$(gw nft list tables | cut -d' ' -f3)" forward
ip -n "$ME-g" addr add 10.0.0.200/24 dev wan0
ok "a WAN with the LAN's network is warned of" grep -q 'lan0 has the same network' <(ctl status)
ok "and packets go on" passes
ip -n "$ME-g" addr del 10.0.0.200/24 dev wan0
ok "no warning without" not grep -q 'same network' <(ctl status)
ok "a second one with the same run_dir is refused" refused "$DIR/settings.yaml" 'same run_dir\|with run_dir'
ok "one with another run_dir is refused" refused "$DIR/other.yaml" 'another Wayleave'
ok "... and leaves the first one's work alone" passes

server "$TOP/tests/lab/daemon_pptp.py" server >"$DIR/pptp" 2>&1 &
until_ok 5 grep -q ready "$DIR/pptp"
mkfifo "$DIR/go"
host "$TOP/tests/lab/daemon_pptp.py" client 203.0.113.9 777 hold <"$DIR/go" >"$DIR/call" 2>&1 &
CALL=$!
exec 9>"$DIR/go"
ok "a PPTP call comes up" until_ok 10 grep -q up "$DIR/call"
ok "... by a call id of the gateway's own" not grep -q '^call 777$' "$DIR/pptp"

end KILL
ok "kill -9: packets still pass" passes
ok "starts again" start
ok "... and takes the data plane over" said 'took over'
ok "... with its programs in the old ones' places" hooks_are_ours
ok "... with its sessions" external_is 203.0.113.1
echo >&9
ok "the PPTP call of before ends in order" wait "$CALL"
ok "its GRE goes a few seconds later" until_ok 12 not sh -c \
	"$BUILD/wayleave -r $DIR/run show sessions --json | grep -q '\"gre\"'"

gw nft flush ruleset
ok "a wall that was taken down comes back" until_ok 10 sh -c \
	"ip netns exec $ME-g nft list tables | grep -q wayleave_"
ip -n "$ME-g" addr flush dev wan0
ok "without an address it waits" until_ok 5 sh -c "$BUILD/wayleave -r $DIR/run status | grep -q 'address on wan0'"
ip -n "$ME-g" addr add 203.0.113.5/24 dev wan0
ok "a new address is taken" until_ok 5 passes
ok "sessions of the old one end" until_ok 5 not external_is 203.0.113.1
ok "... and come from the new one" until_ok 5 external_is 203.0.113.5
ip -n "$ME-g" link del wan0
ok "an interface that vanishes is waited for" until_ok 5 said 'wan0 is gone'
wan_up 203.0.113.6
ok "... and taken when it is back" until_ok 10 passes
ok "... with a program at each hook" hooks_are_ours

echo 'passthrough: {pptp: perhaps}' >>"$DIR/settings.yaml"
kill -HUP "$PID"
ok "SIGHUP with wrong settings keeps the old ones" until_ok 5 said 'passthrough.pptp.*stay as they were'
ok "... and goes on" passes
settings "$DIR/run" 'passthrough: {ipsec: off}' >"$DIR/settings.yaml"
kill -HUP "$PID"
ok "SIGHUP takes good ones" until_ok 5 sh -c "$BUILD/wayleave -r $DIR/run status | grep -q 'IPsec off'"

ok "the data plane moves to XDP while it runs" ctl set --yes dataplane xdp
ok "... and says so" sh -c "$BUILD/wayleave -r $DIR/run status | grep -q 'wan0.*xdp'"
ok "... and back" ctl set --yes dataplane tc
ok "... with one program at each hook still" hooks_are_ours
ok "... with packets passing" passes

keeper=$(keepers | head -1)
kill -KILL "$keeper"
ok "a killed keeper of the helper is noticed" until_ok 5 said 'keeper of the PPTP helper was killed'
ok "... and the daemon starts again" until_ok 60 keepers_are_new "$keeper"
ok "... over the same data plane" said 'took over'
ok "... with packets passing" passes
keeper=$(keepers | tail -1)
kill -KILL "$keeper"
ok "so is one of the web process" until_ok 5 said 'keeper of the web process was killed'
ok "... and the daemon starts again" until_ok 60 keepers_are_new "$keeper"
keeper=$(keepers | sed -n 2p)
kill -KILL "$keeper"
ok "and one of the reader of names" until_ok 5 said 'keeper of the reader of device names was killed'
ok "... and the daemon starts again" until_ok 60 keepers_are_new "$keeper"

end TERM
ok "SIGTERM leaves translation running" passes
settings "$DIR/run" >"$DIR/kept.yaml"
gw ip link add lan1 type veth peer name other1
sed 's/lan0/lan0, lan1/' "$DIR/kept.yaml" >"$DIR/settings.yaml"
ok "a second LAN interface" start
has_program() { tc_programs "$1" ingress | grep -q tc_inside; }
ok "... is attached to" until_ok 5 has_program lan1
end TERM
cp "$DIR/kept.yaml" "$DIR/settings.yaml"
ok "settings that leave it out while nothing runs" start
ok "... free it" not filters
for pid in $(keepers) "$PID"; do kill -TERM "$pid"; done
ok "SIGTERM to all of its processes, the keepers first, ends it" until_ok 30 not kill -0 "$PID"
launch setpriv --no-new-privs
ok "without the right to gain privileges it starts as well" until_ok 60 translating
kill -KILL "$(keepers | head -1)"
wait "$PID"
ok "... but ends for the service manager when a keeper is killed" test $? = 75
ok "... and says who has to start it" said 'ending with status 75'
ok "... with packets passing" passes
ok "--teardown" gw "$BUILD/wayleaved" -c "$DIR/settings.yaml" --teardown
ok "... takes everything away" test -z "$(traces)"
ok "... and puts forwarding back" forwarding 0
ok "... so nothing passes" not passes

if foreign_xdp >"$DIR/out" 2>&1; then
	ok "somebody else's XDP program is respected" refused "$DIR/xdp.yaml" 'holds the XDP hook of wan0'
	ok "... with nothing left behind" test -z "$(traces)"
	ip -n "$ME-g" link set dev wan0 xdpdrv off
else
	COUNT=$((COUNT + 1))
	echo "ok $COUNT - somebody else's XDP program is respected # SKIP clang or ip cannot attach one"
fi

ip -n "$ME-g" link set lan0 name later0
launch
ok "without its LAN interface it says what it waits for" until_ok 60 sh -c \
	"$BUILD/wayleave -r $DIR/run status | grep -q 'waiting for.*interface lan0'"
ip -n "$ME-g" link set later0 name lan0
ip -n "$ME-g" link set lan0 up
ok "... and goes on when it appears" until_ok 10 passes
end TERM
ip -n "$ME-g" link set lan0 down
ip -n "$ME-g" link set lan0 name later0
ok "--teardown with wrong settings says how it goes without" \
	grep -q -e '-r RUN_DIR' <(gw "$BUILD/wayleaved" -c "$DIR/wrong.yaml" --teardown 2>&1)
ok "... and has taken nothing away" not test -z "$(traces)"
other_takes_nothing() {
	gw "$BUILD/wayleaved" --teardown -r "$DIR/run2" && grep -q wayleave_ <(gw nft list tables) &&
		has_program later0
}
ok "... and with -r of another run takes nothing of this one" other_takes_nothing
ok "with -r it does" gw "$BUILD/wayleaved" -c "$DIR/wrong.yaml" --teardown -r "$DIR/run"
ok "... takes everything away" test -z "$(gw nft list tables; tc_programs later0 ingress)"
ok "... and puts forwarding back" forwarding 0
ok "-r goes with --teardown only" refused_options -c "$DIR/kept.yaml" -r "$DIR/run"
echo "1..$COUNT"
