# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Scenario x switch: six tunnels through one gateway at the same time, and each
# switch stops exactly its own class.
#
#   pptp  u1 - s1     l2tp  u2 - s1     natt  u1 - s1 (IKEv2, ESP in UDP)
#   raw   u2 - s2 (IKEv2, plain ESP)    wg    c1 - h1     ovpn  c2 - h1
SCENARIOS+=(matrix)
TUNNELS="pptp l2tp natt raw wg ovpn"

matrix_servers() {
	{ pptp_server s1; l2tp_server s1; ls_server s1 $S1 natt2; } >> "$OUT/s1.log" 2>&1 &
	local s1=$!
	ls_server s2 $S2 raw2 >> "$OUT/s2.log" 2>&1 &
	wait $s1 $!
}
matrix_clients() {
	{ check "pptp up" pptp_client u1 $S1; check "natt up" ls_client u1 $S1 natt2; } &
	local u1=$!
	{ check "l2tp up" l2tp_client u2 $S1; check "raw up" ls_client u2 $S2 raw2; } &
	wait $u1 $!
}
matrix_userspace() { # not in the background: their programs end with the scenario
	wg_server; wg_client c1
	check "ovpn server" ovpn_server udp
	check "ovpn up" ovpn_client c2 udp
}

tunnel_run() { # tunnel_run TUNNEL 'shell text with ADDRESS in it': on the tunnel's client
	case $1 in
	pptp) g u1 "${2//ADDRESS/172.16.0.1}" ;;
	l2tp) g u2 "${2//ADDRESS/172.17.0.1}" ;;
	natt) g u1 "${2//ADDRESS/-I 10.99.1.1 10.99.0.1}" ;;
	raw)  g u2 "${2//ADDRESS/-I 10.99.2.1 10.99.0.1}" ;;
	wg)   ns c1 sh -c "${2//ADDRESS/10.98.1.254}" ;;
	ovpn) ns c2 sh -c "${2//ADDRESS/10.98.2.1}" ;;
	esac
}
tunnel_passes() { tunnel_run "$1" "$(pinger ADDRESS)"; }
# From the moment the command returned: none of three within a second
tunnel_blocked() { tunnel_run "$1" "ping -n -q -c 3 -i 0.2 -W 1 ADDRESS | grep ' 100% packet loss'"; }
# What a redial would change: interface index, SPIs
tunnel_identity() {
	case $1 in
	pptp|l2tp) tunnel_run "$1" 'cat /sys/class/net/ppp0/ifindex; cat /run/ppp0.pid' ;;
	natt|raw)  tunnel_run "$1" 'ip xfrm state | grep -o "spi 0x[0-9a-f]*" | sort' ;;
	esac
}

class_of() { # the switch that a tunnel belongs to
	case $1 in natt|raw) echo ipsec ;; *) echo "$1" ;; esac
}
counter() { # counter NAME: its value now
	wl --json show counters | /usr/bin/python3 -c 'import json, sys
def rows(d):
    if isinstance(d, dict):
        if d.get("name") == sys.argv[1]: yield int(d["count"])
        d = d.values()
    if not isinstance(d, (str, int, float, bool, type(None))):
        for v in d: yield from rows(v)
print(next(rows(json.load(sys.stdin)), 0))' "$1"
}
switch() { wl set "passthrough.$1" "$2" --yes; }

others_unchanged() { # others_unchanged CLASS BEFORE: only this class's drops rose
	local c i=0 before
	read -ra before <<< "$2"
	for c in pptp l2tp ipsec; do
		if [ $c = "$1" ]; then
			check "$1 off: blocked_$c rises" [ "$(counter blocked_$c)" -gt "${before[$i]}" ]
		else
			check "$1 off: blocked_$c does not" [ "$(counter blocked_$c)" -eq "${before[$i]}" ]
		fi
		i=$((i + 1))
	done
}
class_off() { # class_off CLASS
	local t before
	before="$(counter blocked_pptp) $(counter blocked_l2tp) $(counter blocked_ipsec)"
	check "$1 off" switch "$1" off
	for t in $TUNNELS; do
		[ "$(class_of "$t")" != "$1" ] || check "$1 off: $t stops within 1 s" tunnel_blocked "$t"
	done
	for t in $TUNNELS; do
		[ "$(class_of "$t")" = "$1" ] || check "$1 off: $t passes" tunnel_passes "$t"
	done
	others_unchanged "$1" "$before"
}
class_on_again() { # class_on_again CLASS IDENTITIES-BEFORE
	local t
	check "$1 on again" switch "$1" on
	for t in $TUNNELS; do
		[ "$(class_of "$t")" != "$1" ] || check "$1 on again: $t goes on" tunnel_passes "$t"
	done
	check "$1 on again: the same tunnels, nobody redialled" [ "$(identities)" = "$2" ]
}
identities() { local t; for t in pptp l2tp natt raw; do tunnel_identity "$t"; done; }

sc_matrix() { # every tunnel at once; each switch stops exactly its class and lets it go on
	local c t same
	guests u1 u2 s1 s2 || return
	matrix_servers; matrix_clients; matrix_userspace
	for t in $TUNNELS; do check "all on: $t passes" tunnel_passes "$t"; done
	gw_is_wayleave || return 0
	same=$(identities)
	for c in pptp l2tp ipsec; do class_off "$c"; class_on_again "$c" "$same"; done
	check "pptp nat-only" switch pptp nat-only
	for t in $TUNNELS; do check "pptp nat-only: $t passes" tunnel_passes "$t"; done
}
