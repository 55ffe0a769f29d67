# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Many and large packets: TCP both ways at once, datagrams of several fragments.
SCENARIOS+=(bulk)

BULK_BYTES=3000000
bulk_files() {
	head -c $BULK_BYTES /dev/urandom > "$OUT/sent"
	head -c 4000 /dev/urandom > "$OUT/datagram"
}
bulk_servers() {
	bg bulk.down ip netns exec "$PFX-h1" socat -u "FILE:$OUT/sent" TCP4-LISTEN:5400,reuseaddr
	bg bulk.up ip netns exec "$PFX-h1" socat -u TCP4-LISTEN:5401,reuseaddr "CREATE:$OUT/up"
	bg bulk.echo ip netns exec "$PFX-h1" socat -b 8192 UDP4-LISTEN:5402,fork EXEC:cat
	wait_for 30 ns h1 sh -c '[ $(ss -Hlntu | grep -c ":540[012] ") = 3 ]'
}
bulk_both_ways() {
	ns c1 timeout 60 socat -u TCP4:$H1:5400 "CREATE:$OUT/down" & local down=$!
	ns c2 timeout 60 socat -u "FILE:$OUT/sent" TCP4:$H1:5401
	wait $down
	wait_for 30 cmp "$OUT/sent" "$OUT/up"
}
bulk_datagram() { # bulk_datagram NAMESPACE: 4000 bytes there and back, in fragments
	ns "$1" timeout 5 socat -t1 -b 8192 - UDP4:$H1:5402 < "$OUT/datagram" > "$OUT/echo.$1"
	cmp "$OUT/datagram" "$OUT/echo.$1"
}
sc_bulk() { # TCP both ways at once, UDP and ping in fragments; every byte compared
	local n
	bulk_files
	check "servers" bulk_servers
	check "TCP both ways" bulk_both_ways
	check "what c1 loaded" cmp "$OUT/sent" "$OUT/down"
	check "what c2 sent" cmp "$OUT/sent" "$OUT/up"
	for n in c1 c2; do
		check "$n: UDP in fragments" bulk_datagram $n
		check "$n: ping in fragments" ns $n ping -q -c 2 -i 0.2 -s 4000 $H1
	done
}
