# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Guests: User-Mode Linux machines with a kernel of their own for ESP, PPTP,
# L2TP and GRE. Their root is the machine's own, read-only, with the VPN
# programs laid over it and a private tmpfs on top (guest-init). Sourced.

GUESTS="u1 u2 s1 s2"

guest_address() { # guest_address NAME: sets br ip gw mac
	# mac: the same at each boot, or the others' ARP caches go stale
	case $1 in
	u1) br=lan ip=10.10.0.11/24 gw=10.10.0.1 mac=02:1a:b0:00:00:11 ;;
	u2) br=lan ip=10.10.0.12/24 gw=10.10.0.1 mac=02:1a:b0:00:00:12 ;;
	s1) br=net ip=$S1/24 gw=none mac=02:1a:b0:00:01:10 ;;
	s2) br=net ip=$S2/24 gw=none mac=02:1a:b0:00:01:11 ;;
	*)  die "no such guest: $1" ;;
	esac
	# Servers have a default route (IPsec wants one before it encrypts), but to a
	# router that is not there. Only in the no-NAT control is it the gateway.
	[ $br = lan ] || gw=203.0.113.254
	[ $br = lan ] || [ "$GATEWAY" != route ] || gw=$WAN_IP
}

guest_start() { # guest_start NAME
	local n=$1 d=$LAB/g/$1 br ip gw mac
	guest_address "$n"
	rm -rf "$d"; mkdir -p "$d"; mkfifo "$d/tty"; echo 0 > "$d/seq"
	LD_PRELOAD=$XSTATE setsid ip netns exec "$PFX-$br" linux.uml umid="$PFX-$n-$$" uml_dir="$d/uml/" mem=160M quiet \
		root=/dev/root rootfstype=hostfs rootflags=/ ro init="$HERE/guest-init" \
		con=null con0=fd:0,fd:1 ipv6.disable_ipv6=1 "vec0:transport=tap,ifname=t-$n,depth=64,mac=$mac" \
		"lab.name=$n" "lab.ip=$ip" "lab.gw=$gw" "lab.ctl=$d" "lab.extra=$ASIDE/root" \
		"lab.offloads=${LAB_OFFLOADS:-off}" <> "$d/tty" > "$d/console" 2>&1 &
	echo $! > "$d/pid"
	disown
}

# Made once; where it cannot be, guests start all the same on most processors (uml_xstate.c)
XSTATE=$HERE/../../build/tests/lab/uml_xstate.so
guest_xstate() {
	[ -e "$XSTATE" ] && return
	flock "$HERE" make -s -C "$HERE/../.." build/tests/lab/uml_xstate.so 2>/dev/null || XSTATE=''
}

guest_alive() { kill -0 "$(cat "$LAB/g/$1/pid" 2>/dev/null)" 2>/dev/null; }

guest_wait() {
	local d=$LAB/g/$1
	wait_for 120 eval "[ -e $d/up ] || ! guest_alive $1"
	[ -e "$d/up" ] && return 0
	check "guest $1 boots" false
	return 1
}

guests() { # guests NAME...: fresh ones, all at once
	local n
	guest_xstate
	for n; do guest_start "$n"; done
	for n; do guest_wait "$n" || return 1; done
}

# A guest has nothing to save: its disk is a tmpfs. Power off as by the plug.
guest_stop() {
	local d=$LAB/g/$1
	[ -s "$d/pid" ] || return 0
	kill -9 -- -"$(cat "$d/pid")" 2>/dev/null
	wait_for 5 eval "! guest_alive $1"
	[ -z "${OUT:-}" ] || cp "$d/console" "$OUT/console.$1" 2>/dev/null
	rm -rf "$d"
}

guests_stop() {
	local n
	for n in $GUESTS; do guest_stop "$n"; done
}

# Several LAN hosts in one guest: u13 is the third one of guest u1 (guest-host)
hosts() { # hosts GUEST NUMBER...: once the guest is up
	local n=$1; shift
	cp "$HERE/guest-host" "$LAB/g/$n/" # the guest has a /tmp of its own, where the sources may be
	check "hosts $* in $n" g "$n" "for h in $*; do
		setsid /ctl/guest-host \$h 10.10.0.1${n#u}\$h/24 10.10.0.1 > /run/log.\$h 2>&1 < /dev/null &
	done
	for h in $*; do
		i=0; until [ -e /run/host.\$h ]; do sleep 0.1; i=\$((i+1)); [ \$i -lt 200 ] || { cat /run/log.\$h; exit 1; }; done
	done"
}

g() { # g GUEST|HOST 'shell text': run it there; its output and status here. GT: seconds
	local d=$LAB/g/${1:0:2} host=${1:2} n t=${GT:-120}; shift
	n=$( { flock 9; read -r n < "$d/seq"; echo $((n + 1)) > "$d/seq"; echo "$n"; } 9>"$d/lock" )
	printf '%s\n' "$*" > "$d/$n.sh"
	echo "${host:+nsenter -m -n -r -w -t \$(cat /run/host.$host) }sh /ctl/$n.sh" > "$d/$n.cmd"
	echo "$n" > "$d/tty"
	wait_for "$t" test -e "$d/$n.rc" || { echo "(no answer in $t s)"; return 124; }
	cat "$d/$n.out"
	return "$(cat "$d/$n.rc")"
}
