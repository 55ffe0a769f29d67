#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Several clients and one server of L2TP and of keyed GRE, at the same time: each
# client's tunnel carries its own payload, and only that.
#
#   A 10.0.0.2 --- lan0 +---------+
#   B 10.0.1.2 --- lan1 | GATEWAY | wan0 203.0.113.1 --- 203.0.113.9 SERVER
#   C 10.0.2.2 --- lan2 +---------+
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave. DATAPLANE: tc or xdp.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlt$$ NAMESPACES="g a b c s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
PEER=$TOP/tests/lab/l2tp_peer.py
TUNNEL=$TOP/tests/lab/tunnel_peer.py
SERVER=203.0.113.9
declare -A HAND=() PID=()

net_up() {
	local n i=0
	namespaces_up || return 1
	for n in a b c; do
		wire lan$i 10.0.$i.1 $n 10.0.$i.2
		ip -n "$ME-$n" route add default via 10.0.$i.1
		i=$((i + 1))
	done
	wire wan0 203.0.113.1 s $SERVER
	[ "${DATAPLANE:-tc}" = tc ] || for n in a b c s; do in_ns $n ethtool -K eth0 tx off gro on >/dev/null; done
}
serve() { # serve VERSION OPTIONS...
	: >"$DIR/server.log"
	ip netns exec "$ME-s" "$PEER" serve "$1" $SERVER "${@:2}" >>"$DIR/server.log" 2>&1 &
	PID[s]=$!
	OTHERS+=($!)
	until_ok 10 grep -q ready "$DIR/server.log"
}
dial() { # dial CLIENT VERSION ID [PORT]: in the background; its input stays open
	rm -f "$DIR/$1.in"
	: >"$DIR/$1.log" # what the former one said is no answer
	mkfifo "$DIR/$1.in"
	ip netns exec "$ME-$1" "$PEER" dial "$2" $SERVER "${@:3}" <"$DIR/$1.in" >"$DIR/$1.log" 2>&1 &
	PID[$1]=$!
	OTHERS+=($!)
	sleep 1000 >"$DIR/$1.in" & # holds it open
	HAND[$1]=$!
	OTHERS+=($!)
}
is_up() { until_ok 20 grep -qx up "$DIR/$1.log"; }
echoes() { grep -cx echo "$DIR/$1.log"; }
carries() { # carries CLIENT...: all at once, each its own payload, ten times more
	local c i
	local -A wanted=()
	for c; do wanted[$c]=$(($(echoes "$c") + 10)); done
	for i in 1 2 3 4 5 6 7 8 9 10; do
		for c; do echo "round $i" >"$DIR/$c.in"; done
	done
	for c; do until_ok 30 is_done "$c" "${wanted[$c]}" || return 1; done
}
is_done() { [ "$(echoes "$1")" -ge "$2" ] && ! grep -qx lost "$DIR/$1.log"; }
hang_up() { # hang_up CLIENT...
	local c
	for c; do
		{ kill "${HAND[$c]}" && wait "${HAND[$c]}"; } 2>/dev/null
		wait "${PID[$c]}" || return 1
	done
}
server_stop() { { kill "${PID[s]}" && wait "${PID[s]}"; } 2>/dev/null; }
asked_as() { # asked_as N: tunnel ids that the server was asked for
	[ "$(grep "^request " "$DIR/server.log" | cut -d' ' -f4 | sort -u | wc -l)" = "$1" ]
}
requests_from() { # requests_from PORT N: different tunnels that asked from this port
	[ "$(grep "^request 203.0.113.1 $1 " "$DIR/server.log" | sort -u | wc -l)" = "$2" ]
}
vpn_says() { "$BUILD/wayleave" -r "$DIR/run" show vpn --json | grep -q "$1"; }
counted() { # counted REASON
	"$BUILD/wayleave" -r "$DIR/run" show counters --json |
		python3 -c 'import json,sys; print(*(c["count"] for c in json.load(sys.stdin) if c["name"] == sys.argv[1]))' "$1"
}
shows() { until_ok 15 vpn_says "$1"; }
start() { gateway_start lan0,lan1,lan2 "dataplane: ${DATAPLANE:-tc}"; }

# --- tunnels without control messages ---------------------------------------------------------
tunnel_server() { # tunnel_server PROTOCOL KEY-OFFSET
	: >"$DIR/tunnel.log"
	ip netns exec "$ME-s" "$TUNNEL" serve "$1" "$2" >>"$DIR/tunnel.log" 2>&1 &
	PID[t]=$!
	OTHERS+=($!)
	until_ok 10 grep -q ready "$DIR/tunnel.log"
}
tunnel_stop() { { kill "${PID[t]}" && wait "${PID[t]}"; } 2>/dev/null; }
carry() { in_ns "$1" "$TUNNEL" ask "$2" $SERVER "$3" "$4"; } # carry CLIENT PROTOCOL KEY-OUT KEY-IN
all_carry() {
	carry a 47 1 1 & carry b 47 2 2 & carry c 47 3 3 && wait -n && wait -n
}
refused() { ! carry "$@"; }

net_up || skip_all "network namespaces"
ok "the gateway starts" start

serve 2 other-port
dial a 2 1; dial b 2 1
ok "a server that answers from another port (RFC 2661 8.1): A's tunnel comes up" is_up a
ok "... and B's" is_up b
ok "... both carry" carries a b
hang_up a b
server_stop

serve 2
dial a 2 1; dial b 2 1
ok "a server that answers any port: A and B from 1701, both call their tunnel 1" is_up a
ok "... B's too" is_up b
ok "... both carry" carries a b
hang_up a b
server_stop

serve 2 one-id
dial a 2 1; dial b 2 2
ok "a server that knows a tunnel by address and id: A calls it 1, B 2" is_up a
ok "... B's is up" is_up b
ok "... under the ids that they chose" asked_as 2
dial c 2 1 5000
ok "... C, from port 5000, calls it 1 as A does: it is up" is_up c
ok "... under an id that nobody chose" asked_as 3
ok "... and all three carry at the same time" carries a b c
ok "... show vpn says which" shows '"external_tunnel_id"'
kill -KILL "$GATEWAY"; wait "$GATEWAY" 2>/dev/null
ok "kill -9: they carry on" carries a b c
ok "the daemon starts again" start
ok "... and they still carry" carries a b c
hang_up b
dial b 2 1
ok "B dials again from its old port, 1 this time: it is up" is_up b
ok "... and all three carry" carries a b c
hang_up a b c
server_stop
gateway_stop
ok "the gateway starts again" start

serve 2 insist
dial a 2 1
ok "a server that answers port 1701 only: A's tunnel comes up" is_up a
dial b 2 1; dial c 2 1
ok "... B's, which calls it 1 as A does" is_up b
ok "... and C's" is_up c
ok "... all three came from port 1701, with three tunnel ids" requests_from 1701 3
ok "... and carry at the same time" carries a b c
hang_up a
ok "... A hangs up, B and C go on" carries b c
hang_up b c
dial a 2 1; dial b 2 1; dial c 2 1
ok "what works with the server is remembered: all three dial at once" is_up a
ok "... B" is_up b
ok "... C" is_up c
ok "... and carry" carries a b c
kill -KILL "$GATEWAY"; wait "$GATEWAY" 2>/dev/null
ok "kill -9: they carry on" carries a b c
ok "the daemon starts again" start
ok "... and they still carry" carries a b c
hang_up a b c
server_stop

serve 3
dial a 3 286331153; dial b 3 572662306; dial c 3 858993459
ok "L2TPv3 over IP: A's connection and session come up" is_up a
ok "... B's" is_up b
ok "... C's" is_up c
ok "... and carry at the same time" carries a b c
hang_up a b c
server_stop

tunnel_server 47 0
ok "keyed GRE: three hosts, one server, a key each, at the same time" all_carry
ok "... a key that another host uses is refused" refused b 47 1 1
ok "... and show vpn says so" shows "already uses GRE with key 1"
tunnel_stop
gateway_stop
start
tunnel_server 47 100
ok "keyed GRE: another key each way, one host" carry a 47 11 111
ok "... and another host with a key of its own" refused b 47 12 112
ok "... leaves the first one alone" carry a 47 11 111
tunnel_stop
for KIND in "4 IPIP" "41 6in4" "97 EtherIP"; do
	tunnel_server ${KIND% *} 0
	ok "${KIND#* }: one host" carry a ${KIND% *} 0 0
	ok "... the second one is refused" refused b ${KIND% *} 0 0
	ok "... for the reason that show vpn says" shows "10.0.0.2 already uses ${KIND#* } with this server"
	ok "... the first one goes on" carry a ${KIND% *} 0 0
	tunnel_stop
done
ok "... and each refusal is counted" eval '[ "$(counted server_taken)" -ge 3 ]'
gateway_stop
echo "1..$COUNT"
