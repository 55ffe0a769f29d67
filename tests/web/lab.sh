# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The lab under the page's tests: a gateway with its page on, the browser on c1, and
# three tunnels: PPTP u1 - s1, L2TP u2 - s1, IKEv2 (natt) u1 - s1. Sourced, with PFX
# and LAB set.
GATEWAY=wayleave-tc
# shellcheck source=../lab/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../lab/lib.sh"
OUT=$LAB/out

wayleave_settings() {
	cat <<-Y
		wan: {interface: wan}
		lan: {interfaces: [lan]}
		dataplane: tc
		run_dir: $LAB/run
		state_dir: $LAB/state
		web: {enabled: on}
	Y
}

# The gateway is a machine of its own: process 1 of its namespace ends it when it is asked to
# restart
gw_spawn() {
	setsid ip netns exec "$PFX-gw" unshare --pid --fork --kill-child \
		/usr/bin/python3 -B "$TOP/tests/http/init.py" "$LAB/restarted" "$@" >> "$LAB/gw.log" 2>&1 < /dev/null &
	echo $! > "$LAB/gw.pid"
	disown
}

web_servers() {
	{ pptp_server s1; l2tp_server s1; } & local ppp=$!
	ls_server s1 $S1 natt2
	wait $ppp
}
# The page is in question here, not how long a tunnel takes on a busy machine
again() { "$@" || "$@" || "$@"; }
web_clients() {
	{ check "pptp up" again pptp_client u1 $S1; check "natt up" again ls_client u1 $S1 natt2; } & local u1=$!
	check "l2tp up" again l2tp_client u2 $S1
	wait $u1
}
web_pings() { # they keep the tunnels busy, so that they are seen as up
	g u1 "setsid ping -q -i 1 172.16.0.1 >/dev/null 2>&1 &"
	g u2 "setsid ping -q -i 1 172.17.0.1 >/dev/null 2>&1 &"
	g u1 "setsid ping -q -i 1 -I 10.99.1.1 10.99.0.1 >/dev/null 2>&1 &"
}
web_lab_up() {
	mkdir -p "$OUT" "$LAB/state"
	: > "$OUT/notes"
	lab_up && ns gw ip route add default via $H1 && gw_start && guests u1 u2 s1 || return 1
	web_servers
	web_clients
	web_pings
	! grep '^FAIL' "$OUT/notes"
}
web_lab_down() {
	trap '' INT TERM HUP
	[ ! -e "$LAB/serving" ] || xargs -r kill -- < "$LAB/serving" 2>/dev/null
	lab_down
	netns_restore
	rm -rf "$LAB"
}

# --- what the tests ask for ------------------------------------------------------------
setup_code() { wl setup; }

# A server on the device that the browser is on, and a stranger outside who asks it
serve_here() { answer_server c1 tcp 8080; printf -- '-%s\n' "${PIDS[@]}" >> "$LAB/serving"; }
stranger_answered() { answers c1 h1 tcp $WAN_IP "$1"; }

# The machine has ended, as it was asked to, and begins again
machine_ended()  { wait_for 10 test -s "$LAB/restarted"; }
machine_begins() { gw_spawn "$WAYLEAVED" -c "$LAB/wayleave.yaml"; wait_for 60 gw_translating; }

# The WAN gets an address of a provider's NAT, and its own again
wan_shared() { ns gw ip addr add 100.64.7.1/24 dev wan && ns gw ip addr del $WAN_ADDR dev wan; }
wan_own()    { ns gw ip addr add $WAN_ADDR dev wan && ns gw ip addr del 100.64.7.1/24 dev wan; }

# The browser's cable
cable_out() { ns lan ip link set p-c1 down; }
cable_in()  { ns lan ip link set p-c1 up; }

# Something for the plot: downloads that swell and ebb, and large pings
busy() {
	cat > "$LAB/swell" <<-'S'
		while :; do
			for n in 20 60 110 150 90 40 70 120 80 30; do
				for i in 1 2 3 4 5 6 7 8; do head -c ${n}000 /dev/zero; sleep 0.25; done
			done
		done
	S
	bg busy.server ip netns exec "$PFX-h1" socat TCP4-LISTEN:9000,fork,reuseaddr EXEC:"sh $LAB/swell"
	wait_for 5 ns h1 sh -c "ss -Hlnt sport = 9000 | grep -q ."
	bg busy.client ip netns exec "$PFX-c2" socat -u TCP4:$H1:9000 /dev/null
	bg busy.ping ip netns exec "$PFX-c2" ping -q -i 0.1 -s 1400 $H1
	printf -- '-%s\n' "${PIDS[@]}" >> "$LAB/serving"
}
