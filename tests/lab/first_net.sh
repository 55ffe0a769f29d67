# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What first.sh and trial.sh share: an administrator beyond the WAN, services on the gateway.
# Sourced after stage.sh.
PEER=$TOP/tests/lab/first_peer.py SESSIONS=0

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 a 10.0.0.2
	wire wan0 203.0.113.1 s 203.0.113.9
	ip -n "$ME-s" addr add 203.0.113.66/24 dev eth0
	ip -n "$ME-a" route add default via 10.0.0.1
	ip -n "$ME-s" route add 10.0.0.0/24 via 203.0.113.1
	for n in lan0 wan0; do in_ns g ethtool -K $n tx off gro on; done >/dev/null 2>&1
}
ctl() { in_ns g "$BUILD/wayleave" -r "$DIR/run" "$@" </dev/null; }
service() { # service PORT FAMILY: echoes, as sshd would answer
	ip netns exec "$ME-g" "$PEER" serve "$1" "$2" >"$DIR/serve-$1" 2>&1 &
	OTHERS+=($!)
	until_ok 5 grep -q ready "$DIR/serve-$1"
}
session() { # session PORT: an administrator's, which speaks when told; its number is SESSIONS
	SESSIONS=$((SESSIONS + 1))
	mkfifo "$DIR/in-$SESSIONS"
	ip netns exec "$ME-s" "$PEER" session 203.0.113.1 "$1" <"$DIR/in-$SESSIONS" >"$DIR/out-$SESSIONS" 2>&1 &
	OTHERS+=($!)
	eval "exec $((SESSIONS + 20))>'$DIR/in-$SESSIONS'"
	until_ok 5 grep -q open "$DIR/out-$SESSIONS"
}
speaks() { # speaks SESSION WORD: and is answered
	echo "$2" >&$(($1 + 20))
	until_ok 3 grep -qx "echo $2" "$DIR/out-$1"
}
reaches() { in_ns s timeout 1.2 "$PEER" once "${2:-203.0.113.9}" 203.0.113.1 "$1"; } # reaches PORT [FROM]: a new connection
passes() { in_ns a ping -c1 -W1 203.0.113.9; }
table() { in_ns g nft list tables | grep -q wayleave_; }
forwarding() { [ "$(in_ns g cat /proc/sys/net/ipv4/ip_forward)" = "$1" ]; }
programs() { tc_programs wan0 ingress; tc_programs lan0 ingress; }
said() { grep -q -- "$1" "$DIR/wayleaved.log"; }
launch() { # launch LANS [ARGUMENTS]
	local lans=$1
	shift
	printf 'wan: {interface: wan0%s}\nlan: {interfaces: [%s]}\nlimits: {sessions: 20000}\nrun_dir: %s\n' "$ALLOW" "$lans" "$DIR/run" \
		>"$DIR/settings.yaml"
	# a shell's "&" ignores SIGQUIT
	ip netns exec "$ME-g" env --default-signal=QUIT "$BUILD/wayleaved" -c "$DIR/settings.yaml" "$@" 2>"$DIR/wayleaved.log" &
	GATEWAY=$!
	until_ok 20 answers
}
answers() { ctl status >"$DIR/status"; grep -q WAN "$DIR/status"; } # translating or not
anew() { # nothing of us has ever been on this machine
	[ -z "$GATEWAY" ] || gateway_stop
	rm -rf "$DIR/settings.yaml.d" "$DIR/run"
}
untouched() { ! table && forwarding 0 && [ -z "$(programs)" ]; }
gone() { ! kill -0 "$GATEWAY"; } 2>/dev/null
capabilities() { grep -q "CapEff:.0000008000001400" "/proc/$(pgrep -P "$GATEWAY" | head -1)/status"; }
ALLOW=

