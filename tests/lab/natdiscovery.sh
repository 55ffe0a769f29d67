#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a stranger's program says of this NAT: coturn's turnutils_natdiscovery
# (RFC 5780) from inside, its server with two addresses and two ports outside.
# A neighbour holds the client's source port first, for without that even an
# endpoint-dependent NAT looks endpoint-independent.
#
#   CLIENT 10.0.0.2 ----- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9, .10 SERVER
#   NEIGHBOUR 10.0.1.2 -- lan1
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
ME=wlt$$ NAMESPACES="g c n s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
ASIDE=${WAYLEAVE_LAB_CACHE:-/var/cache/wayleave-lab}/root
MAPPING_PORT=40000 FILTER_PORT=40002 S1=203.0.113.9 S2=203.0.113.10
[ -x "$ASIDE/usr/bin/turnutils_natdiscovery" ] || skip_all "turnutils_natdiscovery (tools/install-deps unpacks coturn)"

# coturn is unpacked aside, with the libraries beside it
LIBRARIES=$(echo "$ASIDE"/usr/lib/*-linux-gnu)

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 c 10.0.0.2
	wire lan1 10.0.1.1 n 10.0.1.2
	wire wan0 203.0.113.1 s $S1
	ip -n "$ME-s" addr add $S2/24 dev eth0
	ip -n "$ME-c" route add default via 10.0.0.1
	ip -n "$ME-n" route add default via 10.0.1.1
}

server_start() {
	# no function in the background: what is killed later has to be the server itself
	ip netns exec "$ME-s" env LD_LIBRARY_PATH="$LIBRARIES" "$ASIDE/usr/bin/turnserver" -c /dev/null \
		--stun-only --no-tls --no-dtls --no-cli --userdb "$DIR/turndb" --pidfile "$DIR/turn.pid" \
		--log-file stdout -L $S1 -L $S2 >"$DIR/turnserver.log" 2>&1 &
	OTHERS+=($!)
	until_ok 20 sh -c "ip netns exec $ME-s ss -Hlnu | grep -c -E '($S1|$S2):(3478|3479)' | grep -qx '[4-9]\|[1-9][0-9]*'"
}

# --- what is asked --------------------------------------------------------------------------
# The filter is asked from a socket of its own: by the first one both addresses have been contacted
neighbour_first() { # takes both source ports towards both addresses
	local to port
	for to in $S1 $S2; do
		for port in $MAPPING_PORT $FILTER_PORT; do
			echo x | in_ns n socat -u - "UDP4:$to:3478,sourceport=$port,reuseaddr" || return 1
		done
	done
	until_ok 5 sh -c "'$BUILD/wayleave' -r '$DIR/run' show sessions --json | grep -q 10.0.1.2"
}
discover() { # discover -m|-f SOURCE-PORT
	in_ns c env LD_LIBRARY_PATH="$LIBRARIES" "$ASIDE/usr/bin/turnutils_natdiscovery" \
		"$1" -L 10.0.0.2 -l "$2" $S1 >"$DIR/discovery.log" 2>&1
	grep -q 'NAT with' "$DIR/discovery.log"
}
says() { grep -F "$1" "$DIR/discovery.log"; }
other_port() { # the neighbour has the client's port, so the client has another
	grep -i 'reflexive' "$DIR/discovery.log" && ! grep -q "203.0.113.1:$MAPPING_PORT\$" "$DIR/discovery.log"
}

probe() { # probe SETTING WORDS-OF-FILTERING
	ok "${1:-by default}: the gateway starts" gateway_start lan0,lan1 "$1"
	ok "... a neighbour takes the source port first" neighbour_first
	ok "... the mapping is looked at" discover -m $MAPPING_PORT
	ok "... it is endpoint-independent" says "NAT with Endpoint Independent Mapping!"
	ok "... on another port than the neighbour's" other_port
	ok "... the filter is looked at" discover -f $FILTER_PORT
	ok "... it is $2" says "NAT with $2 Filtering!"
	gateway_stop
}

net_up || skip_all "network namespaces"
ok "a STUN server with two addresses and two ports" server_start
probe "" "Address Dependent"
probe "filtering: {udp: endpoint-independent}" "Endpoint Independent"
probe "filtering: {udp: address-and-port-dependent}" "Address and Port Dependent"
echo "1..$COUNT"
