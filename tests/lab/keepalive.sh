#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# keepalive.interval_s: a provider's NAT with a short memory in front of our WAN, and
# VPN clients that say nothing (RFC 3948 section 2.3).
#
#   CLIENT 10.0.0.2 --- lan0 GATEWAY wan0 100.64.0.1 --- 100.64.0.9 PROVIDER 203.0.113.1 --- 203.0.113.9 SERVER
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlk$$ NAMESPACES="g c p s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
PEERS=$TOP/tests/lab/keepalive_peers.py
SERVER=203.0.113.9 MEMORY_S=7 INTERVAL_S=5 TALKER=

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 c 10.0.0.2
	wire wan0 100.64.0.1 p 100.64.0.9
	ip link add eth1 netns "$ME-p" type veth peer name eth0 netns "$ME-s"
	ip -n "$ME-p" addr add 203.0.113.1/24 dev eth1
	ip -n "$ME-s" addr add $SERVER/24 dev eth0
	ip -n "$ME-p" link set eth1 up
	ip -n "$ME-s" link set eth0 up
	ip -n "$ME-c" route add default via 10.0.0.1
	ip -n "$ME-g" route add default via 100.64.0.9
	provider
}
provider() { # as carriers do it, but with less patience
	in_ns p sysctl -qw net.ipv4.ip_forward=1
	in_ns p nft -f - <<-N || return 1
		table ip carrier {
			chain post { type nat hook postrouting priority srcnat; oifname "eth1" masquerade; }
			chain through { type filter hook forward priority filter; policy drop;
				iifname "eth0" accept
				ct state established accept; }
		}
	N
	in_ns p sysctl -qw net.netfilter.nf_conntrack_udp_timeout=$MEMORY_S \
		net.netfilter.nf_conntrack_udp_timeout_stream=$MEMORY_S
}
remembers() { in_ns p conntrack -L -p udp --dport "$1" 2>/dev/null | grep -q .; }

server_start() {
	mkfifo "$DIR/in"
	ip netns exec "$ME-s" "$PEERS" serve $SERVER 4500 4501 <"$DIR/in" >>"$DIR/server.log" 2>&1 &
	OTHERS+=($!)
	exec 8>"$DIR/in"
	until_ok 5 grep -q ready "$DIR/server.log"
}
client_start() { # its flows are there, both ways
	[ -z "$TALKER" ] || { kill "$TALKER" && wait "$TALKER"; } 2>/dev/null
	: >"$DIR/server.log"
	: >"$DIR/client.log"
	ip netns exec "$ME-c" "$PEERS" ask $SERVER 4500 4501 >>"$DIR/client.log" 2>&1 &
	TALKER=$!
	OTHERS+=("$TALKER")
	until_ok 5 grep -q '^4500 hello' "$DIR/server.log" && until_ok 5 grep -q '^4501 hello' "$DIR/server.log" &&
		called 4500 && called 4501
}
called() { # called PORT: the server reaches the client there
	: >"$DIR/client.log"
	echo "call $1" >&8
	until_ok 1 grep -q "^$1 call" "$DIR/client.log"
}
from_where_hello_came() {
	sed -n 's/^4500 hello //p' "$DIR/server.log" >"$DIR/hello"
	[ -s "$DIR/hello" ] && grep -qxf <(sed 's/^/4500 ff /' "$DIR/hello") "$DIR/server.log"
}
sent() { "$BUILD/wayleave" -r "$DIR/run" show counters | grep -q keepalive_sent; }

restart_with_interval() { # as an earlier run has left it
	{ kill "$GATEWAY" && wait "$GATEWAY"; } 2>/dev/null
	cat >"$DIR/run/rekeys.json" <<-J
		{"version": 1, "tunnels": [{"class": "ipsec", "inside": "10.0.0.2", "remote": "$SERVER", "interval_s": 3600}]}
	J
	gateway_start lan0 ""
}
interval_is_shown() { "$BUILD/wayleave" -r "$DIR/run" --json show vpn | grep -q '"rekey_interval_s": *3600'; }

net_up || skip_all "network namespaces"
ok "the gateway starts" gateway_start lan0 ""
ok "a server" server_start
ok "a client is reached at two ports" client_start
ok "the provider forgets a silent client" until_ok 15 not remembers 4500
ok "... whom the server cannot reach then" not called 4500
ok "keepalives are switched on" "$BUILD/wayleave" -r "$DIR/run" set --yes keepalive.interval_s $INTERVAL_S
ok "a client is reached again" client_start
ok "the provider forgets what is not IPsec in UDP" until_ok 15 not remembers 4501
ok "... and still knows the silent tunnel" remembers 4500
ok "... whose client the server reaches" called 4500
ok "the server has got single bytes 0xFF, from where the client's hello came" from_where_hello_came
ok "... and no other port any" not grep -q '^4501 ff' "$DIR/server.log"
ok "they are counted" sent
ok "a restart, after a run that has learned how often keys are renewed" restart_with_interval
ok "... and knows it" until_ok 15 interval_is_shown
gateway_stop
echo "1..$COUNT"
