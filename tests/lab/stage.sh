# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A gateway between namespaces that end with the script, for single questions.
# Sourced, with ME (the namespaces' prefix) and NAMESPACES set; g is the gateway,
# its interfaces are lan0, lan1 and wan0. OTHERS: processes to end as well.
TOP=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
BUILD=${BUILD:-$TOP/build}
DIR=$(mktemp -d)
COUNT=0 GATEWAY='' OTHERS=()

skip_all() { rm -rf "$DIR"; echo "ok 1 - all # SKIP $*"; echo 1..1; exit 0; }
[ "$(id -u)" = 0 ] || skip_all "root, for network namespaces"
[ -x "$BUILD/wayleaved" ] || skip_all "$BUILD/wayleaved"

ok() { # ok NAME COMMAND...
	local name=$1
	shift
	COUNT=$((COUNT + 1))
	if "$@" >"$DIR/out" 2>&1; then
		echo "ok $COUNT - $name"
	else
		echo "not ok $COUNT - $name"
		why 2>/dev/null | sed 's/^/# /'
	fi
}
why() { tail -n 25 "$DIR"/out "$DIR"/*.log; } # a failed check's
not() { ! "$@"; }
until_ok() { # until_ok SECONDS COMMAND...
	local n=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		n=$((n - 1))
		[ $n -gt 0 ] || return 1
		sleep 0.1
	done
}
in_ns() { local n=$1; shift; ip netns exec "$ME-$n" "$@"; }

# --- the network ----------------------------------------------------------------------
namespaces_up() {
	local n
	for n in $NAMESPACES; do
		ip netns add "$ME-$n" || return 1
		ip -n "$ME-$n" link set lo up
	done
}
wire() { # wire DEVICE GATEWAY-ADDRESS NAMESPACE ADDRESS; WIRE: both ends' options
	# shellcheck disable=SC2086 # of several words
	ip link add "$1" netns "$ME-g" ${WIRE:-} type veth peer name eth0 ${WIRE:-} netns "$ME-$3"
	ip -n "$ME-g" addr add "$2/24" dev "$1"
	ip -n "$ME-g" link set "$1" up
	ip -n "$ME-$3" addr add "$4/24" dev eth0
	ip -n "$ME-$3" link set eth0 up
}
# as a card receives them, and XDP wants them: the sender has filled in the checksum
checksums_whole() { # checksums_whole NAMESPACES DEVICES-OF-G
	local n
	for n in $1; do in_ns "$n" ethtool -K eth0 tx off gro on; done
	for n in $2; do in_ns g ethtool -K "$n" tx off gro on; done
} >/dev/null 2>&1
tc_programs() { # tc_programs DEVICE ingress|egress: id and name of each on the gateway's hook
	local id
	{
		in_ns g tc filter show dev "$1" "$2" | sed -n 's/.* id \([0-9]*\) .*/\1/p'
		in_ns g "$TOP/tests/lab/tcx.py" "$1" "$2"
	} 2>/dev/null | while read -r id; do
		bpftool prog show id "$id" | sed -n 's/^\([0-9]*\): .* name \([a-z_]*\).*/\1 \2/p'
	done
}
finish() {
	local n
	[ -z "$GATEWAY${OTHERS[*]}" ] || { kill $GATEWAY "${OTHERS[@]}"; wait; } 2>/dev/null
	for n in $NAMESPACES; do
		ip netns pids "$ME-$n" | xargs -r kill
		ip netns del "$ME-$n"
	done 2>/dev/null
	rm -rf "$DIR"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# 6: and the line is down, for most labs have no default route
translating() { "$BUILD/wayleave" -r "$DIR/run" "$@" status; case $? in 0 | 6) ;; *) return 1 ;; esac; }

# --- the gateway ------------------------------------------------------------------------
# no function in the background: what is killed later has to be the daemon itself
gateway_start() { # gateway_start LANS SETTING: with an empty table
	cat >"$DIR/settings.yaml" <<-Y
		wan: {interface: wan0}
		lan: {interfaces: [$1]}
		limits: {sessions: 20000}
		run_dir: $DIR/run
		$2
	Y
	ip netns exec "$ME-g" "$BUILD/wayleaved" -c "$DIR/settings.yaml" 2>"$DIR/wayleaved.log" &
	GATEWAY=$!
	until_ok 60 translating
}
gateway_stop() {
	{ kill "$GATEWAY" && wait "$GATEWAY"; } 2>/dev/null
	GATEWAY=
	in_ns g "$BUILD/wayleaved" -c "$DIR/settings.yaml" --teardown 2>/dev/null
}
