# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The lab as a library: everything but the command. The caller may set PFX, LAB
# and GATEWAY before; the command `lab` says what they mean. Sourced.

HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
PATH=$PATH:/usr/sbin:/sbin
PFX=${PFX:-lab}
LAB=${LAB:-${TMPDIR:-/tmp}/wayleave-lab/$PFX}
ASIDE=${WAYLEAVE_LAB_CACHE:-/var/cache/wayleave-lab}
GATEWAY=${GATEWAY:-wayleave-tc}
OUT='' SKIP='' OWN='' COMPARE='' SCENARIOS=() LONG_SCENARIOS=() PIDS=() CAPTURES=()

die() { echo "${0##*/}: $*" >&2; exit 2; }

# shellcheck source=check.sh
. "$HERE/check.sh"
# shellcheck source=net.sh
. "$HERE/net.sh"
# shellcheck source=dirt.sh
. "$HERE/dirt.sh"
NAMESPACES="$NAMESPACES $(beside_namespaces | tr '\n' ' ')"
# shellcheck source=guest.sh
. "$HERE/guest.sh"
# shellcheck source=gateway.sh
. "$HERE/gateway.sh"
# shellcheck source=wire.sh
. "$HERE/wire.sh"
for f in "$HERE"/scenarios/*.sh; do
	# shellcheck source=/dev/null
	. "$f"
done

lab_up() {
	dirt_check
	mkdir -p "$LAB/g"
	net_is_up && die "$PFX is already up (lab down first)"
	net_up
}

lab_down() {
	guests_stop
	if net_is_up; then gw_stop; net_down; fi
	rm -rf "$LAB/g" "$LAB/run" "$LAB"/gw.* "$LAB"/relay.* "/var/run/wireguard/$PFX"*.sock
	return 0
}
