#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a running gateway survives, with every packet counted: kill -9 of the daemon
# and of its helper, upgrades of the data plane, a WAN that changes under it.
#
#   HOST 10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER 198.51.100.9
#                                                  \--- 203.0.113.10 (another MAC)
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave, SEED the moments of
# the kills. LONG=1: more kills, and a daemon that stays dead for a minute.
# shellcheck disable=SC2317
# shellcheck disable=SC2034 # stage.sh reads them
ME=wls$$ NAMESPACES="g h s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
HERE=$TOP/tests/lab
LONG=${LONG:-}
KILLS=4 HELPER_KILLS=2 DEAD_S=4
[ -z "$LONG" ] || KILLS=40 HELPER_KILLS=3 DEAD_S=60
SEED=${SEED:-1}
REMOTE=198.51.100.9
EXTERNAL=203.0.113.1
PID='' LOAD=''
RANDOM=$SEED

ok() { # ok NAME COMMAND...: what it says is the evidence
	local name=$1 word=ok
	shift
	COUNT=$((COUNT + 1))
	"$@" >"$DIR/out" 2>&1 || word='not ok'
	echo "$word $COUNT - $name"
	sed 's/^/# /' "$DIR/out" | tail -16
	[ "$word" = ok ] || sed 's/^/# /' "$DIR/daemon.log" | tail -8
}
pause() { sleep "$(awk -v r=$RANDOM -v m="$1" 'BEGIN { printf "%.3f", m * r / 32768 }')"; } # up to SECONDS

gw() { ip netns exec "$ME-g" "$@"; }
host() { ip netns exec "$ME-h" "$@"; }
server() { ip netns exec "$ME-s" "$@"; }
ctl() { "$DIR/bin/wayleave" -r "$DIR/run" "$@"; }
check() { /usr/bin/python3 "$HERE/survival_check.py" "$@"; }
said() { grep -q "$1" "$DIR/daemon.log"; }

# --- the network --------------------------------------------------------------------------
wan_up() { # wan_up NAME ADDRESS
	wire "$1" "$2" s 203.0.113.9
	ip -n "$ME-s" link add eth1 link eth0 type macvlan mode bridge
	ip -n "$ME-s" addr add 203.0.113.10/24 dev eth1
	ip -n "$ME-s" link set eth1 up
	ip -n "$ME-g" route add default via 203.0.113.9
}
net_up() {
	namespaces_up || return 1
	for n in $NAMESPACES; do
		ip netns exec "$ME-$n" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	done
	server sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	wire lan0 10.0.0.1 h 10.0.0.2
	ip -n "$ME-h" route add default via 10.0.0.1
	ip -n "$ME-s" addr add $REMOTE/32 dev lo
	wan_up wan0 203.0.113.1
}

# --- the daemon -----------------------------------------------------------------------------
start_with() { # start_with PROGRAM [PREFIX...]: PREFIX brings it into the namespace
	local program=$1
	shift
	[ $# -gt 0 ] || set -- ip netns exec "$ME-g"
	"$@" "$program" -c "$DIR/settings.yaml" 2>>"$DIR/daemon.log" &
	PID=$!
}
launch() { start_with "$DIR/bin/wayleaved" "$@"; }
runs() { ctl status >/dev/null 2>&1; case $? in 0 | 6) ;; *) return 1 ;; esac; } # 6: no default route
up() {
	launch "$@"
	until_ok 30 runs
}
down() { # down SIGNAL
	kill "-$1" "$PID"
	wait "$PID" 2>/dev/null
}
# Keepers are between, the first the helper's; the web process is off
helper_of() { pgrep -P "$(pgrep -P "$PID" | sort -n | head -n1)"; }
helper_killed() {
	local old
	old=$(helper_of) && kill -9 "$old" && until_ok 5 helper_new "$old"
}
helper_new() { helper_of >"$DIR/helper" && ! grep -qx "$1" "$DIR/helper"; }
sessions() { ctl --json show sessions >"$DIR/$1"; }
counters() { ctl --json show counters >"$DIR/$1"; }
ask() { socat -t5 - "UNIX-CONNECT:$DIR/run/control.sock"; }
armed() { check arm | ask | tee "$DIR/armed" | grep -c '"ok": *true' | grep -qx 2; }

# --- load: a folder for each phase ------------------------------------------------------------
listening() { server ss -Hlnt | grep -q :7100; }
load_on() { # load_on PHASE
	LOAD=$DIR/load.$1
	mkdir "$LOAD"
	server "$HERE/survival_traffic.py" server "$LOAD" $REMOTE $EXTERNAL 2>"$LOAD/server.err" &
	SENDERS=$!
	until_ok 5 listening
	host "$HERE/survival_traffic.py" client "$LOAD" $REMOTE 2>"$LOAD/client.err" &
	SENDERS="$SENDERS $!"
	until_ok 10 test -e "$LOAD/ready"
}
load_off() {
	touch "$LOAD/stop"
	# shellcheck disable=SC2086
	wait $SENDERS
	cat "$LOAD"/*.err
	[ -s "$LOAD/client.json" ] && [ -s "$LOAD/server.json" ]
}
lost() { check loss "$LOAD" "$@"; }
back() { check back "$LOAD" "$@"; }

dropped_nothing() { # since `counters counted`
	counters counted.now
	check drops "$DIR/counted" "$DIR/counted.now" | tee /dev/stderr | not grep -q .
}

# --- PPTP ----------------------------------------------------------------------------------------
pptp_up() {
	server "$HERE/survival_pptp.py" server $REMOTE >"$DIR/pptp.server" 2>&1 &
	until_ok 5 grep -q ready "$DIR/pptp.server" || return 1
	mkfifo "$DIR/pptp.in"
	host "$HERE/survival_pptp.py" client $REMOTE <"$DIR/pptp.in" >"$DIR/pptp.out" 2>&1 &
	exec 9>"$DIR/pptp.in"
}
pptp_begin() { ASKED=$(wc -l <"$DIR/pptp.out") && echo "$1" >&9; }
pptp_answered() { [ "$(wc -l <"$DIR/pptp.out")" -gt "$ASKED" ]; }
pptp_done() { # one command at a time; TCP repeats after twice the time that the daemon was dead
	until_ok $((30 + 2 * DEAD_S)) pptp_answered
	tail -1 "$DIR/pptp.out" | tee /dev/stderr | grep -q "^$1 done$"
}
pptp() { pptp_begin "$1" && pptp_done "$1"; }

# --- kill -9 ---------------------------------------------------------------------------------------
# Each way into the namespace has another /sys and other mounts, and must find what the last one left.
way() { # way NUMBER
	WAY=()
	[ $(($1 % 3)) -ne 1 ] || WAY=(nsenter "--net=/run/netns/$ME-g")
}
kills() { # kills HOW_MANY
	local n
	for ((n = 0; n < $1; n++)); do
		pause 0.5
		down KILL
		way "$n"
		if [ $((n % 2)) = 1 ]; then # die once more while it starts
			launch "${WAY[@]}"
			pause 1.5
			down KILL
		fi
		pause 0.5
		up "${WAY[@]}" || { echo "start $n failed"; return 1; }
	done
}
helper_kills() {
	local n
	for ((n = 0; n < $1; n++)); do
		pause 0.5
		helper_killed || { echo "no new helper after kill $n"; return 1; }
	done
}
no_orphans() {
	ip netns pids "$ME-g" >"$DIR/pids"
	[ "$(wc -l <"$DIR/pids")" = 6 ] || # the daemon, three keepers, the helper, who reads names
		 { xargs ps -o pid,ppid,args -p <"$DIR/pids"; return 1; }
}

net_up
mkdir "$DIR/run" "$DIR/bin"
cp "$BUILD/wayleaved" "$BUILD/wayleave" "$DIR/bin" # a build may go on meanwhile
: >"$DIR/daemon.log"
printf 'wan: {interface: wan0}\nlan: {interfaces: [lan0]}\nlimits: {sessions: 20000}\nrun_dir: %s\n' \
	"$DIR/run" >"$DIR/settings.yaml"
ok "starts" up
runs || { echo "Bail out! wayleaved does not start"; exit 1; }
ok "ESP pairs and GRE calls are armed" armed
ok "a PPTP control connection with a call" pptp_up
ok "... whose GRE passes" pptp "call 700"

load_on control
sleep 3
ok "control run: the load ends in order" load_off
ok "control run: nothing is lost without kills" lost

load_on kills
sessions before
counters counted
ok "kill -9, also of a daemon that starts, and start again" kills $KILLS
ok "... takes over" said 'took over'
ok "kill -9 of the helper" helper_kills $HELPER_KILLS
sessions after
ok "the same sessions, each external id with one owner" check same "$DIR/before" "$DIR/after" 7001
ok "no process of a killed daemon is left" no_orphans
ok "the call of before still passes GRE" pptp "gre 700"
ok "a second call on the same control connection" pptp "call 701"
ok "a call ends in order" pptp "clear 700"
ok "the other one still passes" pptp "gre 701"
down KILL
ok "with the daemon dead the call passes GRE" pptp "gre 701"
pptp_begin echo
sleep "$DEAD_S"
ok "started again" up
ok "a control message sent meanwhile arrives" pptp_done echo
ok "the load ends in order" load_off
ok "not one packet of it was lost" lost
ok "... nor dropped for a reason" dropped_nothing

# --- upgrades --------------------------------------------------------------------------------------
tree() { # tree NAME: the sources once more, with what is built
	mkdir -p "$DIR/$1/build"
	(cd "$TOP" && tar -c --exclude=./build --exclude=./tests --exclude=./.git --exclude=node_modules .) | tar -xC "$DIR/$1"
	(cd "$BUILD" && tar -c --exclude=./san --exclude=./fuzz --exclude=./vm .) | tar -xC "$DIR/$1/build"
}
tree_made() { env -u MAKEFLAGS make -s -j2 -C "$DIR/$1" build/wayleaved; }
program_ids() { # of what is attached
	tc_programs wan0 ingress
	tc_programs lan0 ingress
}
swapped() { program_ids | diff "$DIR/ids" - | grep -q '^>'; }
kept() { program_ids | diff "$DIR/ids" -; }
upgrade() { # upgrade NAME
	program_ids >"$DIR/ids"
	down TERM
	start_with "$DIR/$1/build/wayleaved"
	until_ok 30 runs
}
upgrade_back() {
	down TERM
	up
}
# What the gateway has found out itself about ESP without a key exchange: which SPI out goes with which in
# is a guess within the host, and would be in the way of who arms the same tunnels by request.
upgrade_back_anew() {
	down TERM
	rm -f "$DIR/run/esp_pairs.json"
	up
}
refused() { # refused NAME: ends by itself, saying why
	program_ids >"$DIR/ids"
	down TERM
	: >"$DIR/daemon.log"
	start_with "$DIR/$1/build/wayleaved"
	not wait "$PID"
}

tree changed
echo 'SEC("tc") int surplus(struct __sk_buff *skb) { return skb->len; }' >>"$DIR/changed/bpf/tc.bpf.c"
tree broken
echo 'SEC("tc") int broken(struct __sk_buff *skb) { return *(volatile int *)(long)skb->data; }' \
	>>"$DIR/broken/bpf/tc.bpf.c"
tree layout
sed -i '/define ABI_VERSION/s/.*/#define ABI_VERSION 4711/' "$DIR/layout/core/abi.h"
ok "a data plane with another program is built" tree_made changed
ok "one that the verifier refuses is built" tree_made broken
ok "one with another layout of its maps is built" tree_made layout

load_on upgrade
sessions before
counters counted
ok "upgrade under load" upgrade changed
ok "... swaps the programs" swapped
ok "what the verifier refuses ends by itself" refused broken
ok "... and says why" said 'the kernel refuses the data plane'
ok "... and names the program" said 'broken'
ok "... with the old programs where they were" kept
ok "downgrade under load" up
ok "... swaps the programs" swapped
sessions after
ok "the same sessions" check same "$DIR/before" "$DIR/after" 7001
ok "the load ends in order" load_off
ok "not one packet of it was lost" lost
ok "... nor dropped for a reason" dropped_nothing
ok "the PPTP call still passes" pptp "gre 701"

# Sessions cannot be taken over then; flows begin anew, and the log says so. A TCP connection goes on
# only with the same external port: here of the ports that clients of Linux and all others choose from.
host sysctl -qw net.ipv4.ip_local_port_range="57344 60999"
load_on layout
: >"$DIR/daemon.log"
ok "upgrade to another layout" upgrade layout
ok "... says that sessions end" said 'another version.*running sessions end'
sleep 2
ok "... under a load that ends in order" load_off
ok "... with UDP and TCP passing afterwards" check back "$LOAD" 1 udp tcp
ok "... no more lost than the armed tunnels carried" lost 20000
host sysctl -qw net.ipv4.ip_local_port_range="32768 60999"
ok "downgrade from it" upgrade_back_anew
ok "... with tunnels armed anew" armed

# --- the WAN changes -----------------------------------------------------------------------------------
# A packet or two is on its way to the old place; what counts is that the flows go on, by themselves.
MOST_MS=1500 # a flow may be silent after a change, beyond the time that we kept it down
change() { # change PHASE NAME MILLISECONDS_DOWN COMMAND...
	local phase=$1 name=$2 down=$3
	shift 3
	load_on "$phase"
	sessions before
	ok "$name" "$@"
	sleep 2
	sessions after
	ok "... keeps the sessions" check same "$DIR/before" "$DIR/after" 7001
	ok "... under a load that ends in order" load_off
	ok "... with each flow passing both ways afterwards" back
	ok "... and silent for no longer than it takes" check silence "$LOAD" $((down + MOST_MS))
}
server_mac() { ip -n "$ME-s" link set eth0 address 02:00:00:00:09:01; }
own_mac() { ip -n "$ME-g" link set wan0 address 02:00:00:00:01:02; }
route_moves() {
	ip -n "$ME-g" route replace default via 203.0.113.10
	until_ok 3 frames_at eth1
}
frames_at() { [ "$(server cat "/sys/class/net/$1/statistics/rx_packets")" -gt 200 ]; }
link_flaps() {
	ip -n "$ME-g" link set wan0 down
	sleep 0.5
	ip -n "$ME-g" link set wan0 up
	ip -n "$ME-g" route replace default via 203.0.113.9
}
ifindex() { gw cat "/sys/class/net/$1/ifindex"; }
link_anew() {
	INDEX=$(ifindex wan0)
	ip -n "$ME-g" link del wan0
	sleep 0.5
	wan_up wan0 203.0.113.1
	[ "$(ifindex wan0)" != "$INDEX" ]
}
ppp_up() { # a device without Ethernet header
	ip netns exec "$ME-g" "$HERE/survival_ppp.py" ppp0 192.0.2.1 192.0.2.2 "$DIR/ppp.g" "$DIR/ppp.s" &
	PPP=$!
	until_ok 5 ip -n "$ME-g" route replace default dev ppp0
}
ppp_start() {
	down TERM
	gw "$DIR/bin/wayleaved" -c "$DIR/settings.yaml" --teardown
	sed -i 's/interface: wan0/interface: ppp0/' "$DIR/settings.yaml"
	server "$HERE/survival_ppp.py" ppp0 192.0.2.2 192.0.2.1 "$DIR/ppp.s" "$DIR/ppp.g" &
	ppp_up && up
}
redial() {
	INDEX=$(ifindex ppp0)
	kill "$PPP"
	wait "$PPP" 2>/dev/null
	sleep 0.5
	ppp_up && [ "$(ifindex ppp0)" != "$INDEX" ]
}

server sysctl -qw net.ipv4.conf.eth0.arp_notify=1 net.ipv4.conf.eth1.arp_notify=1
gw sysctl -qw net.ipv4.conf.wan0.arp_notify=1 net.ipv4.conf.default.arp_notify=1
change mac "the neighbour's MAC address changes" 0 server_mac
change own "the WAN's own MAC address changes" 0 own_mac
change route "the route moves to another neighbour" 0 route_moves
change flap "the WAN link goes down and up" 500 link_flaps
change anew "the WAN interface is made anew" 500 link_anew
EXTERNAL=192.0.2.1
ok "WAN without Ethernet header" ppp_start
ok "... with tunnels" armed
change redial "ppp0 goes and comes back" 500 redial
down TERM
gw "$DIR/bin/wayleaved" -c "$DIR/settings.yaml" --teardown 2>/dev/null
echo "1..$COUNT"
