#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Captures of other projects, replayed through a running gateway by TC and by XDP:
# replay.py says what has to become of each packet, replay.table which captures hold
# what must be refused. A ping and a WireGuard session run beside them.
#
#   REPLAYED 10.0.N.x ---- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER, 198.18.N.x
#   NEIGHBOUR 10.1.0.2 --- lan1
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave, CAPTURES that of the captures.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlr$$ NAMESPACES="g c n s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
HERE=$TOP/tests/lab
CAPTURES=${CAPTURES:-$TOP/../shared/captures}
SERVER=203.0.113.9 REMOTES=198.18.0.0/15
[ -d "$CAPTURES" ] || skip_all "${CAPTURES#"$TOP"/} (captures to replay)"
shopt -s nullglob
FILES=("$CAPTURES"/*.pcap "$CAPTURES"/*.pcapng "$CAPTURES"/*.gz)

# --- the network ----------------------------------------------------------------------
mac() { in_ns "$1" cat "/sys/class/net/$2/address"; }
neighbours_known() { # the replayed hosts are the one at lan0, so that nobody has to answer ARP
	local n x mac
	mac=$(mac c eth0)
	for n in $(seq ${#FILES[@]}); do
		for x in $(seq 80); do echo "neigh replace 10.0.$n.$x lladdr $mac nud permanent dev lan0"; done
	done | ip -n "$ME-g" -batch -
	ip -n "$ME-g" neigh replace $SERVER lladdr "$(mac s eth0)" nud permanent dev wan0
}
net_up() {
	namespaces_up || return 1
	for n in $NAMESPACES; do
		in_ns "$n" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 \
			net.ipv4.neigh.default.gc_thresh3=8192 2>/dev/null
	done
	wire lan0 10.0.0.1 c 10.0.0.2
	wire lan1 10.1.0.1 n 10.1.0.2
	wire wan0 203.0.113.1 s $SERVER
	ip -n "$ME-g" addr add 10.0.0.1/16 dev lan0
	ip -n "$ME-g" addr del 10.0.0.1/24 dev lan0
	ip -n "$ME-g" route add $REMOTES via $SERVER
	ip -n "$ME-n" route add default via 10.1.0.1
	for n in c n s; do in_ns $n ethtool -K eth0 tx off gro on; done >/dev/null 2>&1
	neighbours_known
}

# --- who runs beside ---------------------------------------------------------------------
# wireguard-go's control sockets are in one directory for the machine
wg_end() { # wg_end NAMESPACE ADDRESS
	local i=$ME$1
	(umask 077; wg genkey >"$DIR/$1.key"); wg pubkey <"$DIR/$1.key" >"$DIR/$1.pub"
	ip netns exec "$ME-$1" env WG_PROCESS_FOREGROUND=1 wireguard-go -f "$i" >>"$DIR/wg.log" 2>&1 &
	OTHERS+=($!)
	until_ok 30 test -S "/var/run/wireguard/$i.sock"
	in_ns "$1" wg set "$i" private-key "$DIR/$1.key" listen-port 51820
	ip -n "$ME-$1" addr add "$2/24" dev "$i"
	ip -n "$ME-$1" link set "$i" up
}
wg_up() {
	wg_end s 10.98.1.254
	wg_end n 10.98.1.1
	in_ns s wg set "${ME}s" peer "$(cat "$DIR/n.pub")" allowed-ips 10.98.1.1/32
	in_ns n wg set "${ME}n" peer "$(cat "$DIR/s.pub")" endpoint $SERVER:51820 allowed-ips 10.98.1.254/32
}
BESIDE=()
beside_start() {
	local to
	BESIDE=()
	for to in $SERVER 10.98.1.254; do
		in_ns n ping -n -i 0.1 $to >"$DIR/ping.$to" 2>&1 &
		BESIDE+=($!)
	done
}
beside_lost() { # prints how many; the last may be on its way
	sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$1" |
		while read -r sent got; do [ $((sent - got)) -le 1 ] && [ "$got" -gt 3 ] || echo "$sent sent, $got answered"; done
}
beside_ends() {
	local lost
	for p in "${BESIDE[@]}"; do
		pkill -INT -P "$p" ping || kill -INT "$p"
		wait "$p"
	done 2>/dev/null
	lost=$(beside_lost "$DIR/ping.$SERVER"; beside_lost "$DIR/ping.10.98.1.254")
	grep -h transmitted "$DIR"/ping.*
	[ -z "$lost" ] && [ "$(grep -c transmitted "$DIR/ping.$SERVER" "$DIR/ping.10.98.1.254" | grep -c ':1$')" = 2 ]
}

# --- the replay ----------------------------------------------------------------------------
processes() { # the daemon and all below it, by id
	local at=$GATEWAY
	while [ -n "$at" ]; do
		echo "$at"
		at=$(pgrep -d, -P "$at")
	done
}
replay() {
	"$HERE/replay.py" "$ME-c" "$ME-s" "$(mac g lan0)" "$(mac g wan0)" "$DIR/run" "$BUILD/wayleave" \
		"$HERE/replay.table" "${FILES[@]}" 2>"$DIR/replay.log" >"$DIR/replayed"
	echo "exit status $?" >>"$DIR/replay.log"
}
replay_results() { # one result for each capture
	local f
	for f in "${FILES[@]}"; do
		COUNT=$((COUNT + 1))
		if grep -q "^ok ${f##*/}:" "$DIR/replayed"; then
			echo "ok $COUNT - $1: $(sed -n "s/^ok \(${f##*/}: .*\)/\1/p" "$DIR/replayed")"
		elif grep -q "^not ok ${f##*/}:" "$DIR/replayed"; then
			echo "not ok $COUNT - $1: $(sed -n "s/^not ok \(${f##*/}: .*\)/\1/p" "$DIR/replayed")"
			sed -n "/^not ok ${f##*/}:/,/^\(not \)\?ok/p" "$DIR/replayed" | grep '^#'
		else
			echo "not ok $COUNT - $1: ${f##*/}: was not reached"
			tail -n 2 "$DIR/replay.log" | sed 's/^/# /'
		fi
	done
}
by() { # by tc|xdp
	ok "$1: the gateway starts" gateway_start "lan0, lan1" "dataplane: $1"
	ok "$1: WireGuard passes" until_ok 20 in_ns n ping -qnc1 -W1 10.98.1.254
	beside_start
	processes >"$DIR/before"
	replay
	processes >"$DIR/after"
	replay_results "$1"
	ok "$1: no process has died" diff "$DIR/before" "$DIR/after"
	ok "$1: ping and WireGuard beside lost nothing" beside_ends
	gateway_stop
}

command -v wireguard-go >/dev/null || skip_all "wireguard-go"
net_up >"$DIR/net.log" 2>&1 || skip_all "network namespaces"
wg_up
for plane in ${PLANES:-tc xdp}; do by $plane; done
echo "1..$COUNT"
