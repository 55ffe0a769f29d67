#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A LAN host sends in the names of neighbours that do not exist, to use up ports,
# PPTP connections, ESP pairs and next hops: its neighbour's new flows pass.
#
#   A 10.0.0.2 --- lan0 (10.0.0.1/24, 10.1.255.1/16) GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wli$$ NAMESPACES="g a s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
INVENTED=$TOP/tests/lab/invented.py
SERVER=203.0.113.9

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 a 10.0.0.2
	wire wan0 203.0.113.1 s $SERVER
	in_ns g ip addr add 10.1.255.1/16 dev lan0
	in_ns g ip route add default via $SERVER
	checksums_whole "a s" "lan0 wan0"
	ip -n "$ME-a" route add default via 10.0.0.1
}
mac() { in_ns g cat "/sys/class/net/$1/address"; }
flood() { in_ns a "$INVENTED" "$1" "$(mac lan0)" $SERVER "$2" "$3"; }
all_of() { # all_of COUNT COMMAND...: as many as were tried
	local result count=$1
	shift
	result=$(in_ns a "$INVENTED" "$@" $SERVER "$count")
	echo "# $result of $count"
	[ "$result" = "$count" ]
}
esp_of_a() { # ten first packets, each with an SPI of its own, and what the server sees of them
	local n before
	before=$(wc -l <"$DIR/s.log")
	for n in 0 1 2 3 4 5 6 7 8 9; do
		in_ns a "$TOP/tests/lab/forge.py" proto "$(mac lan0)" 50 10.0.0.2 $SERVER "0077000${n}00000001$(printf %064d 0)"
	done
	until_ok 5 eval "[ \$(tail -n +$((before + 1)) '$DIR/s.log' | grep -c 'proto 50') -ge 10 ]"
}

net_up || skip_all "network namespaces"
ip netns exec "$ME-s" "$INVENTED" serve >"$DIR/serve.log" 2>&1 &
OTHERS+=($!)
until_ok 10 grep -q ready "$DIR/serve.log"
ok "the gateway starts" gateway_start "lan0" "dataplane: tc"
ok "a host's flows pass" all_of 20 ask
flood udp 20 3300
ok "20 invented addresses with 3,300 UDP flows each leave it ports" all_of 100 ask
flood pptp 5 260
ok "5 with 260 PPTP connections each leave it some" all_of 10 dial
flood way 6000 1
ok "6,000 of a /16 leave it a way" all_of 20 ask
ip netns exec "$ME-s" "$TOP/tests/lab/forge.py" watch >"$DIR/s.log" 2>&1 &
OTHERS+=($!)
until_ok 10 grep -q ready "$DIR/s.log"
flood esp 66 66
ok "66 with 66 ESP tunnels each leave it some" esp_of_a
ok "--teardown" gateway_stop
echo "1..$COUNT"
