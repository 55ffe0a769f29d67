# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What scenarios are written with: conditions, background programs, captures
# and checks. Sourced. OUT is the scenario's directory; its result is OUT/notes.

wait_for() { # wait_for SECONDS CMD...
	local end=$(( $(date +%s%N) + $1 * 1000000000 )); shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s%N)" -lt $end ] || return 1
		sleep 0.1
	done
}

bg() { # bg LOG CMD...: a daemon of this scenario, ended after it
	local l=$1; shift
	setsid "$@" > "$OUT/$l" 2>&1 < /dev/null &
	PIDS+=($!)
	disown
}
bg_stop() {
	local p
	for p in "${PIDS[@]}"; do kill -- -"$p" 2>/dev/null || kill "$p" 2>/dev/null; done
	PIDS=()
}

# Programs that install-deps unpacked aside, with the libraries beside them
aside() { # aside NS PROGRAM...
	local n=$1 lib; shift
	lib=$(echo "$ASIDE"/root/usr/lib/*-linux-gnu)
	echo ip netns exec "$PFX-$n" env "LD_LIBRARY_PATH=$lib" "PATH=$ASIDE/root/usr/sbin:$PATH" "$@"
}

# Both sides as the neighbours see them: what XDP takes never shows on the
# gateway's own interfaces.
# A buffer of 128 MiB holds about two thousand frames of the largest size in a burst, and
# tcpdump comes before others: what it has missed cannot be compared.
capture() {
	local side n
	for side in lan wan; do
		n=lan; [ $side = lan ] || n=net
		setsid ip netns exec "$PFX-$n" nice -n -15 tcpdump -i p-gw -n -U --immediate-mode -s 65535 -B 131072 -w "$OUT/$side.pcap" \
			2> "$OUT/tcpdump.$side.err" < /dev/null &
		CAPTURES+=($!)
	done
	for side in lan wan; do wait_for 30 grep -q 'listening on' "$OUT/tcpdump.$side.err"; done
}

capture_stop() {
	[ ${#CAPTURES[@]} = 0 ] || kill "${CAPTURES[@]}" 2>/dev/null
	[ ${#CAPTURES[@]} = 0 ] || wait "${CAPTURES[@]}" 2>/dev/null
	CAPTURES=()
}

note()  { echo "$*" >> "$OUT/notes"; }
check() { # check WHAT CMD...: one test of the scenario
	local w=$1; shift
	echo "== $w" >> "$OUT/check.log"
	if "$@" >> "$OUT/check.log" 2>&1; then note "ok   $w"; else note "FAIL $w"; fi
}
skip() { SKIP=$*; } # the scenario cannot run here: say what is missing

# A tunnel test: up to PATIENCE_S (5) for the first answer (guests load crypto modules on
# first use), then 5 large pings of which none may be lost. One ping each: of
# several it would wait for the last only twice the round trip, which a busy
# machine exceeds. One may be sent again: on a busy machine guests have missed an answer
# that was on their network within a millisecond. Whether the gateway loses one is asked
# of the captures ("both sides carry the same bytes").
pinger() {
	cat <<-P
		i=0
		until ping -n -q -c 1 -W 1 $1 >/dev/null 2>&1; do
			i=\$((i+1)); [ \$i -lt ${PATIENCE_S:-5} ] || { echo 'no answer: $1'; exit 1; }
		done
		spare=${PING_SPARE:-1}
		for i in 1 2 3 4 5; do
			until ping -n -q -c 1 -W ${PING_WAIT_S:-10} -s 1000 $1 > /dev/null; do
				[ \$spare -gt 0 ] || { echo "ping \$i was lost: $1"; exit 1; }
				spare=\$((spare-1)); echo "ping \$i has to be sent again: $1"
			done
		done
	P
}
gping() { g "$1" "$(pinger "$2")"; }     # gping GUEST ADDRESS
nping() { ns "$1" sh -c "$(pinger "$2")"; } # nping NAMESPACE ADDRESS
