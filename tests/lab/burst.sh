#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bursts of 128 datagrams from sockets that are new, by two processors at once,
# through TC and XDP: none is lost, and each socket has one port outside.
#
#   CLIENT 10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlu$$ NAMESPACES="g a s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
PEERS=$TOP/tests/lab/burst_peers.py
SERVER=203.0.113.9 ROUNDS=200

[ "$(nproc)" -ge 2 ] || skip_all "a second processor"
queues() { # queues NAMESPACE DEVICE: each processor sends by a queue of its own
	in_ns "$1" sh -c "cd /sys/class/net/$2/queues && echo 1 >tx-0/xps_cpus && echo 2 >tx-1/xps_cpus"
}
net_up() {
	namespaces_up || return 1
	WIRE="numtxqueues 2 numrxqueues 2"
	wire lan0 10.0.0.1 a 10.0.0.2
	wire wan0 203.0.113.1 s $SERVER
	queues a eth0
	queues g wan0
	in_ns g ip route add default via $SERVER
	ip -n "$ME-a" route add default via 10.0.0.1
	for n in a s; do in_ns $n ethtool -K eth0 tx off gro on; done >/dev/null 2>&1
}
refused() { # what a race, or too little room, has cost
	"$BUILD/wayleave" -r "$DIR/run" show counters --json | grep -E '"(insert_race|next_hops_full|table_full)"' | grep -v '"count":0,'
}
bursts() { # bursts DATAPLANE
	ok "$1: the gateway starts" gateway_start lan0 "dataplane: $1"
	ok "$1: it passes a ping" until_ok 5 in_ns a ping -c1 -W1 $SERVER
	ok "$1: $ROUNDS bursts on new sockets lose nothing" in_ns a "$PEERS" client $SERVER $ROUNDS
	refused | sed 's/^/# /'
	ok "$1: --teardown" gateway_stop
}

net_up || skip_all "network namespaces"
ip netns exec "$ME-s" "$PEERS" server $SERVER >"$DIR/server.log" 2>&1 &
OTHERS+=($!)
until_ok 10 grep -q ready "$DIR/server.log"
bursts tc
bursts xdp
echo "1..$COUNT"
