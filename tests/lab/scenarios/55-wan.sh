# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The WAN changes under live tunnels of real programs: another address, as after
# a forced re-connection, and the same address on a new interface.
SCENARIOS+=(wan-changes)

wan_tunnels_up() { # one of each: what recovers by itself, and what has to be told
	guests u1 s1 || return
	pptp_server s1
	wg_server; wg_client c1
	check "OpenVPN server" ovpn_server udp
	check "OpenVPN up" ovpn_client c2 udp
	check "strongSwan server" ss_start s1 "$(ss_server_conf $S1)"
	check "strongSwan client" ss_start u1 "$(ss_client_conf 2 $S1)"
	g s1 'ip addr add 10.98.5.254/32 dev lo'
	check "strongSwan up" g u1 'swanctl --initiate --child c --timeout 60'
	check "PPTP dials" pptp_client u1 $S1
	wan_tunnels_pass
}
wan_tunnels_pass() {
	check "WireGuard passes" nping c1 10.98.1.254
	check "OpenVPN passes" nping c2 10.98.2.1
	check "strongSwan passes" gping u1 10.98.5.254
	check "PPTP passes" gping u1 172.16.0.1
}
passes_again() { # passes_again SECONDS WHAT COMMAND...: how long it took is in the notes
	local t0 limit=$1 what=$2
	shift 2
	t0=$(date +%s%N)
	check "$what passes again by itself" wait_for "$limit" "$@"
	note "$what was back after $((($(date +%s%N) - t0) / 1000000)) ms"
}
one_ping() { ns "$1" ping -n -q -c 1 -W 1 "$2"; }
one_gping() { g "$1" "ping -n -q -c 1 -W 1 $2"; }

pptp_hung_up() { g "$1" '! pidof pppd'; }
wan_knows() { wl --json show sessions | grep -q "\"external\": *\"$1"; }
renumbered() {
	wan_address $WAN_NEXT
	check "PPTP's client is told" wait_for 10 pptp_hung_up u1
	passes_again 30 WireGuard one_ping c1 10.98.1.254
	passes_again 30 OpenVPN one_ping c2 10.98.2.1
	passes_again 40 strongSwan one_gping u1 10.98.5.254
	check "PPTP dials again" pptp_client u1 $S1
	wan_tunnels_pass
	check "nothing is left of the old address" not wan_knows $WAN_IP
}
redialled() { # the captures end here, with the interface
	wan_ports > "$OUT/ports.before"
	wan_gone
	check "it waits for the interface" wait_for 5 grep -q 'wan is gone' "$LAB/gw.log"
	wan_back $WAN_NEXT
	passes_again 20 WireGuard one_ping c1 10.98.1.254
	passes_again 20 OpenVPN one_ping c2 10.98.2.1
	passes_again 20 strongSwan one_gping u1 10.98.5.254
	passes_again 20 PPTP one_gping u1 172.16.0.1
	wan_ports > "$OUT/ports.after"
	check "each flow has the port that it had" diff "$OUT/ports.before" "$OUT/ports.after"
}
sc_wan-changes() { # another WAN address: tunnels move or hang up at once; a new interface with the same: nothing changes
	gw_is_wayleave || { skip "GATEWAY=$GATEWAY is told its address and interface"; return; }
	COMPARE="$COMPARE --resets" DIRT_BREAKS=yes
	wan_tunnels_up || return
	renumbered
	redialled
}
wan_ports() { # of each flow that lasts
	wl --json show sessions | python3 -c '
import json, sys
for s in sorted((s["protocol"], s["inside"], str(s["inside_id"]), s["external"], str(s["external_id"]), s["remote"],
                 str(s["remote_id"])) for s in json.load(sys.stdin)):
    if s[0] != "icmp":
        print(*s)'
}
