#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What strangers can do to the slow path with many small packets: first packets of
# tunnels, errors and pieces of others still go through, and the daemon has time.
#
#   CLIENT 10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER and flooder
#   neighbours of the client's are forged by the client's own flooder
#
# FLOOD_RATE: packets a second of each kind (10000). Prints TAP.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlf$$ NAMESPACES="g c s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
PEERS=$TOP/tests/lab/flood_peers.py RATE=${FLOOD_RATE:-10000}

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 c 10.0.0.2
	wire wan0 203.0.113.1 s 203.0.113.9
	ip -n "$ME-c" route add default via 10.0.0.1
}
settings() {
	echo "dataplane: tc"
	echo "passthrough: {pptp: false}"
}
ticks() { # of the daemon's processor time
	local stat
	read -r -a stat <"/proc/$GATEWAY/stat"
	echo $((stat[13] + stat[14]))
}
# what a client and its server see while the flood runs: "esp OUT IN, pieces WHOLE, errors TOLD"
measured() { # measured KIND...
	local before after begun ended status kind
	in_ns s "$PEERS" serve 203.0.113.9 203.0.113.1 >"$DIR/serve.log" 2>&1 &
	OTHERS+=($!)
	until_ok 10 grep -q ready "$DIR/serve.log" || return 1
	for kind in "$@"; do
		in_ns "${kind%%-*}" "$PEERS" flood "$kind" "$RATE" 8 "$(mac lan0)" "$(mac wan0)" >"$DIR/flood-$kind.log" 2>&1 &
		OTHERS+=($!)
	done
	sleep 1
	before=$(ticks) begun=$(date +%s%N)
	in_ns c "$PEERS" ask 10.0.0.2 203.0.113.9 >"$DIR/ask.log" 2>&1
	status=$?
	after=$(ticks) ended=$(date +%s%N)
	echo "processor $(((after - before) * 100000000000 / ((ended - begun) * $(getconf CLK_TCK)))) %" >"$DIR/processor.log"
	kill "${OTHERS[@]}" 2>/dev/null
	wait "${OTHERS[@]}" 2>/dev/null
	OTHERS=()
	cat "$DIR"/flood-*.log "$DIR/ask.log" "$DIR/processor.log"
	return $status
}
mac() { in_ns g cat "/sys/class/net/$1/address"; }
says() { grep -qx "$1" "$DIR/ask.log"; }
idle() { # less than half a processor
	local percent
	read -r _ percent _ <"$DIR/processor.log"
	[ "$percent" -lt 50 ]
}
while_flooded() { # while_flooded NAME KIND...
	local name=$1
	shift
	ok "$name: $RATE/s" measured "$@"
	sed 's/^/# /' "$DIR"/flood-*.log "$DIR/ask.log" "$DIR/processor.log"
	ok "... first ESP packets out" says 'esp out: 8 of 8'
	ok "... first ESP packets in" says 'esp in: 8 of 8'
	ok "... datagrams with their last piece first" says 'pieces: 8 of 8'
	ok "... errors towards the internet" says 'errors: 4 of 4'
	ok "... the daemon uses less than half a processor" idle
	rm -f "$DIR"/flood-*.log
}

net_up || skip_all "network namespaces"
ok "the gateway starts" gateway_start lan0 "$(settings)"
while_flooded "lone pieces, packets whose time ran out, a class that is off" s-lone s-ttl c-blocked
gateway_stop
echo "1..$COUNT"
