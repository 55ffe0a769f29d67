# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What real networks have and the lab's does not: DIRTY=NAME[,NAME...]. Sourced.
#
#   pppoe     the WAN is a tun device without Ethernet, MTU 1492, as pppd makes one
#   vlan0     all frames towards the gateway carry the priority tag of VLAN 0
#   resolver  a LAN host beside asks 20 DNS questions a second, each from a socket of its own
#   rule      `ip rule` sends a LAN host beside elsewhere than to the WAN
#   loss      each bridge port loses 1 % of the frames that come in (nftables, numgen)
#   delay     10 ms more on either side of the gateway, each way
#   reorder   2 % of the frames are overtaken
#
# All of it is between the hosts and the gateway; pppoe, vlan0, delay and reorder are
# relay.py's, between the gateway and the port that captures are taken at, so that
# compare.py holds the same bytes against each other as in a clean lab.

# Of `make test`: under two minutes
DIRT_SAMPLE=("wayleave-tc pppoe strongswan-natt2" "wayleave-tc pppoe,reorder wireguard" "wayleave-xdp loss wireguard"
	"wayleave-tc resolver openvpn-udp" "wayleave-xdp delay,reorder openvpn-udp" "wayleave-tc loss l2tp2"
	"wayleave-tc vlan0 wireguard" "wayleave-xdp vlan0 strongswan-natt2")
DIRTY=${DIRTY:-}
DIRT_NAMES="pppoe vlan0 resolver rule loss delay reorder"
DIRT_MTU=1492 DIRT_LOSS=1 DIRT_DELAY_MS=10 DIRT_REORDER=2
RESOLVER=10.10.0.23 ANSWERS=203.0.113.23 RULED=10.10.0.24 RULED_PORT=9999

dirty() { # dirty NAME...: whether one of them is asked for
	local n
	for n; do case ,$DIRTY, in *,"$n",*) return 0 ;; esac; done
	return 1
}
dirt_check() {
	local n
	for n in ${DIRTY//,/ }; do
		case " $DIRT_NAMES " in *" $n "*) ;; *) die "no dirt '$n' (of $DIRT_NAMES)" ;; esac
	done
	# a veth and a tap do without; a relay takes whole frames
	[ -z "$DIRTY" ] || [ "${LAB_OFFLOADS:-off}" = off ] || die "DIRTY is for LAB_OFFLOADS=off"
}

# --- the gateway's wires -----------------------------------------------------------------
wan_is_bare() { dirty pppoe; }
is_relayed() { dirty vlan0 delay reorder; }
wire_name() { if is_relayed; then echo "w-$1"; else echo p-gw; fi; }

relay_start() { # relay_start IF BRIDGE_NS WIRE OPTION...
	local i=$1 b=$2 w=$3
	shift 3
	! dirty delay || set -- "$@" --delay $DIRT_DELAY_MS
	! dirty reorder || set -- "$@" --reorder $DIRT_REORDER
	: > "$LAB/relay.$i"
	setsid ip netns exec "$PFX-$b" nice -n -10 "$HERE/relay.py" "$@" p-gw "$w" > "$LAB/relay.$i" 2>&1 < /dev/null &
	echo $! > "$LAB/relay.$i.pid"
	disown
	wait_for 10 grep -q ready "$LAB/relay.$i" || die "relay: $(cat "$LAB/relay.$i")"
	ns "$b" ip link set p-gw master br0 up
}
relay_stop() { # relay_stop IF
	[ ! -s "$LAB/relay.$1.pid" ] || kill "$(cat "$LAB/relay.$1.pid")" 2>/dev/null
	rm -f "$LAB/relay.$1.pid"
}
wire_relayed() { # wire_relayed IF BRIDGE_NS ADDR: as link(), with a relay before the bridge
	local tag=
	! dirty vlan0 || tag=--tag
	ns "$2" ip link add "w-$1" type veth peer name "$1" netns "$PFX-gw"
	ns "$2" ip link set "w-$1" up
	ns gw ip addr add "$3" dev "$1"
	ns gw ip link set "$1" up
	offloads gw "$1"
	offloads "$2" "w-$1"
	relay_start "$1" "$2" "w-$1" $tag
}
wire_bare() { # wire_bare IF BRIDGE_NS ADDR
	relay_start "$1" "$2" - --bare $DIRT_MTU "$WAN_MAC" "$PFX-gw" "$1" "$WAN_IP,$WAN_NEXT"
	ns gw ip addr add "$3" dev "$1"
	ns gw ip link set "$1" mtu $DIRT_MTU up
}
gateway_wire() { # gateway_wire IF BRIDGE_NS ADDR MAC
	ns gw ip link set lo up
	if [ "$1" = wan ] && wan_is_bare; then wire_bare "$1" "$2" "$3"; return; fi
	if is_relayed; then wire_relayed "$1" "$2" "$3"; else link gw "$1" "$2" p-gw "$3"; fi
	ns gw ip link set "$1" address "$4"
}

# --- hosts beside and what the bridges lose --------------------------------------------------
beside_up() {
	! dirty resolver || {
		link c3 eth0 lan p-c3 $RESOLVER/24 10.10.0.1
		link h2 eth0 net p-h2 $ANSWERS/24
	}
	! dirty rule || {
		link c4 eth0 lan p-c4 $RULED/24 10.10.0.1
		ns gw ip link add side type veth peer name eth0 netns "$PFX-v"
		ns gw ip addr add 10.66.0.1/30 dev side
		ns gw ip link set side up
		ns v ip addr add 10.66.0.2/30 dev eth0
		ns v ip link set eth0 up
		ns gw ip route add default via 10.66.0.2 table 100
		ns gw ip rule add from $RULED lookup 100 pref 100
	}
}
beside_namespaces() {
	! dirty resolver || echo c3 h2
	! dirty rule || echo c4 v
}
loses() { # loses NS PORT: of what comes in there
	ns "$1" nft "table netdev dirt-$2 { chain in { type filter hook ingress device \"$2\" priority 0;
		numgen random mod 100 < $DIRT_LOSS drop; }; }"
}
loss_up() {
	local p
	dirty loss || return 0
	for p in p-gw p-c1 p-c2 t-u1 t-u2; do loses lan $p; done
	for p in p-gw p-h1 t-s1 t-s2; do loses net $p; done
}

# --- in each scenario ---------------------------------------------------------------------------
# What scenarios allow for: pings that may be sent again, and what the wires' comparison has to know
dirt_start() {
	PING_SPARE=1
	# WireGuard asks again for a lost handshake after 5 s (its paper, section 6.1)
	! dirty loss || PING_SPARE=8 PATIENCE_S=20
	! dirty pppoe || COMPARE="$COMPARE --pieces"
	! dirty resolver || {
		bg answers ip netns exec "$PFX-h2" "$HERE/resolver.py" answer
		bg questions ip netns exec "$PFX-c3" "$HERE/resolver.py" ask $ANSWERS "$OUT/resolver"
	}
	! dirty rule || bg ruled ip netns exec "$PFX-c4" sh -c "while :; do
		echo elsewhere | socat -u - UDP4:$H1:$RULED_PORT; sleep 0.2; done"
}
resolver_served() { # DIRT_BREAKS: the scenario takes the gateway or its WAN away
	local asked answered
	read -r asked answered < "$OUT/resolver" || return 1
	echo "$asked asked, $answered answered"
	if dirty loss || [ -n "${DIRT_BREAKS:-}" ]; then [ $((answered * 2)) -gt "$asked" ]; else [ $((asked - answered)) -le 1 ]; fi
}
ruled_stays_off() { ! tcpdump -nr "$OUT/wan.pcap" "udp dst port $RULED_PORT" 2>/dev/null | grep .; }
dirt_checks() {
	gw_translates || return 0
	! dirty resolver || check "the resolver beside is served" resolver_served
	! dirty rule || check "what a rule sends elsewhere is not on the WAN" ruled_stays_off
}
