#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What was learned of servers, and what they do later: ports that they accept or insist
# on, clients that they cannot tell apart. L2TP from port 1701, IKE from port 500.
#
#   CLIENTS 10.0.0.11 to 18 ----- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9, .10 SERVERS
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave. DATAPLANE: tc or xdp.
ME=wlf$$ NAMESPACES="g c s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"

net_up() {
	local n
	namespaces_up || return 1
	wire lan0 10.0.0.1 c 10.0.0.2
	wire wan0 203.0.113.1 s 203.0.113.9
	for n in 1 2 3 4 5 6 7 8; do ip -n "$ME-c" addr add "10.0.0.1$n/24" dev eth0; done
	ip -n "$ME-s" addr add 203.0.113.10/24 dev eth0
	ip -n "$ME-c" route add default via 10.0.0.1
	[ "${DATAPLANE:-tc}" = tc ] || for n in c s; do in_ns $n ethtool -K eth0 tx off gro on >/dev/null; done
}

net_up || skip_all "network namespaces"
cat >"$DIR/settings.yaml" <<-Y
	wan: {interface: wan0}
	lan: {interfaces: [lan0]}
	limits: {sessions: 20000}
	run_dir: $DIR/run
	state_dir: $DIR/state
	dataplane: ${DATAPLANE:-tc}
Y
/usr/bin/python3 "$TOP/tests/lab/learned_check.py" "$ME-c" "$ME-s" "$ME-g" "$DIR/settings.yaml" "$DIR/run" "$BUILD"
CODE=$?
[ $CODE = 0 ] || { echo "not ok - learned_check.py ended with $CODE"; tail -n 20 "$DIR/run.log" | sed 's/^/# /'; }
in_ns g "$BUILD/wayleaved" -c "$DIR/settings.yaml" --teardown 2>/dev/null
exit $CODE
