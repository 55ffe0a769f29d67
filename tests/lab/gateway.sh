# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The gateway under test, in namespace PFX-gw. Sourced.
#
#   GATEWAY=wayleave-tc | wayleave-xdp   build/wayleaved with that data plane
#   GATEWAY=nft         plain nft masquerade, for comparison
#   GATEWAY=nft-pptp    the same with the kernel's pptp helper assigned
#   GATEWAY=route       no NAT at all: the control; what fails here is the lab's fault
#   GATEWAY='command'   run in the foreground with LAN_IF WAN_IF LAN_NET LAN_ADDR
#                       WAN_ADDR exported; GATEWAY_READY='cmd' is polled until it succeeds
#
# FORWARDS holds the scenario's port forwards, one "PROTOCOL PORT TO" per line.

TOP=$(cd "$HERE/../.." && pwd)
WAYLEAVED=${WAYLEAVED:-$TOP/build/wayleaved}
WAYLEAVE=${WAYLEAVE:-$TOP/build/wayleave}
FORWARDS=

gw_is_wayleave() { case $GATEWAY in wayleave-*) return 0 ;; *) return 1 ;; esac; }
gw_translates()  { [ "$GATEWAY" != route ]; }
gw_name()        { case $GATEWAY in route|nft|nft-pptp|wayleave-*) echo "$GATEWAY" ;; *) echo command ;; esac; }
wl()             { ns gw "$WAYLEAVE" -r "$LAB/run" "$@"; }

# --- plain Linux ------------------------------------------------------------------
nft_helper() {
	[ "$GATEWAY" = nft-pptp ] || return 0
	cat <<-'N'
		ct helper pptp { type "pptp" protocol tcp; }
		chain help { type filter hook prerouting priority -150;
			iifname "lan" tcp dport 1723 ct helper set "pptp"; }
	N
}
nft_forwards() {
	local protocol port to
	while read -r protocol port to; do
		case $protocol in
		tcp|udp) echo "ip daddr $WAN_IP $protocol dport $port dnat to $to" ;;
		?*)      echo "ip daddr $WAN_IP ip protocol $protocol dnat to $to" ;;
		esac
	done <<< "$FORWARDS"
}
nft_rules() {
	cat <<-N
		table ip labnat {
			$(nft_helper)
			chain pre { type nat hook prerouting priority dstnat;
				$(nft_forwards)
			}
			chain post { type nat hook postrouting priority srcnat;
				oifname "wan" masquerade
				iifname "lan" oifname "lan" masquerade; }
			chain through { type filter hook forward priority filter; policy drop;
				iifname "lan" accept
				ct status dnat accept
				ct state established,related accept
				iifname "wan" counter drop; }
			chain in { type filter hook input priority filter; policy accept;
				iifname "wan" ct state new drop; }
		}
	N
}

# --- wayleaved ----------------------------------------------------------------------
wayleave_forwards() {
	local protocol port to
	[ -z "$FORWARDS" ] || echo "port_forwards:"
	while read -r protocol port to; do
		case $protocol in
		tcp|udp) echo "  - {protocol: $protocol, port: $port, to: $to}" ;;
		?*)      echo "  - {protocol: $protocol, to: $to}" ;;
		esac
	done <<< "$FORWARDS"
}
wayleave_settings() {
	cat <<-Y
		wan: {interface: wan}
		lan: {interfaces: [lan${MORE_LANS:-}]}
		dataplane: ${GATEWAY#wayleave-}
		run_dir: $LAB/run
		${MORE_SETTINGS:-}
	Y
	wayleave_forwards
}
wayleave_start() {
	[ -x "$WAYLEAVED" ] || die "$WAYLEAVED is not built (make)"
	[ "$GATEWAY" != wayleave-xdp ] || net_for_xdp
	wayleave_settings > "$LAB/wayleave.yaml"
	gw_spawn "$WAYLEAVED" -c "$LAB/wayleave.yaml"
	wait_for 60 gw_translating || gw_failed
}
# 6: and the line is down, for most labs have no default route
gw_translating() { wl status; case $? in 0 | 6) ;; *) return 1 ;; esac; }
# SIGTERM leaves the data plane attached, by contract: take it away as well
wayleave_teardown() {
	[ -s "$LAB/wayleave.yaml" ] || return 0
	ns gw "$WAYLEAVED" -c "$LAB/wayleave.yaml" --teardown >> "$LAB/gw.log" 2>&1
	rm -rf "$LAB"/wayleave.yaml* "$LAB/run"
}

# --- any -------------------------------------------------------------------------------
gw_failed() {
	tail -5 "$LAB/gw.log" >&2
	die "the gateway ($GATEWAY) is not ready; its log is $LAB/gw.log"
}
gw_spawn() {
	setsid ip netns exec "$PFX-gw" "$@" >> "$LAB/gw.log" 2>&1 < /dev/null &
	echo $! > "$LAB/gw.pid"
	disown
}
gw_command() {
	gw_spawn bash -c "exec $GATEWAY"
	wait_for 60 ns gw sh -c "${GATEWAY_READY:-true}" || gw_failed
	process_alive "$LAB/gw.pid" || gw_failed
}
process_alive() { kill -0 "$(cat "$1")" 2>/dev/null; }

gw_start() {
	gw_stop
	: > "$LAB/gw.log"
	case $GATEWAY in
	wayleave-tc|wayleave-xdp) wayleave_start ;;
	route)
		ns gw sysctl -qw net.ipv4.ip_forward=1
		ns h1 ip route replace $LAN_NET via $WAN_IP ;;
	nft|nft-pptp)
		ns gw sysctl -qw net.ipv4.ip_forward=1
		nft_rules | ns gw nft -f - || gw_failed ;;
	*)  gw_command ;;
	esac
}

gw_end_process() {
	local p
	[ -s "$LAB/gw.pid" ] || return 0
	p=$(cat "$LAB/gw.pid")
	kill "$p" 2>/dev/null
	wait_for 5 eval "! kill -0 $p 2>/dev/null" || kill -9 -- -"$p" 2>/dev/null
	rm -f "$LAB/gw.pid"
}

gw_stop() {
	gw_end_process
	wayleave_teardown
	ns gw nft flush ruleset
	ns gw sysctl -qw net.ipv4.ip_forward=0
	ns gw conntrack -F >/dev/null 2>&1
	ns h1 ip route del $LAN_NET 2>/dev/null
	return 0
}
