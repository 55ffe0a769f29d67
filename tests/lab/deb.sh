#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package's life under a real systemd: installed, configured, started in
# its sandbox, upgraded under traffic, removed, purged.
#
#   HOST 192.168.1.2 --- eth1 GATEWAY eth0 203.0.113.1 --- 203.0.113.9 SERVER
#
# The gateway is a container made by hand: this machine's root with a tmpfs laid over
# it, namespaces of its own and systemd as process 1, without the machine's units.
# What dpkg does there is gone with it.
#
# Prints TAP. DEB names a package; without it one is built.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlp$$ NAMESPACES="g h s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
ROOT=$DIR/over/root LOG=/var/log/wayleave-test.log
INIT='' GROUP='' UNSHARE='' PING='' SERVER=''

[ -x /lib/systemd/systemd ] || skip_all "systemd"

why() { { cat "$DIR/out"; inside cat $LOG; } | tail -20; }

# --- the network ------------------------------------------------------------------------
gw() { ip netns exec "$ME-g" "$@"; }
host() { ip netns exec "$ME-h" "$@"; }
passes() { host ping -c1 -W1 203.0.113.9; }

net_up() {
	namespaces_up || return 1
	wire eth1 192.168.1.1 h 192.168.1.2
	wire eth0 203.0.113.1 s 203.0.113.9
	ip -n "$ME-h" route add default via 192.168.1.1
}

# --- the container ----------------------------------------------------------------------
inside() { nsenter -t "$INIT" -m -p -n -u -i -C -r -w "$@"; }
# in a shell of the new namespaces; becomes process 1
container_init() {
	mount --make-rprivate /
	mount -t tmpfs -o mode=755 tmpfs "$DIR/over"
	mkdir "$DIR/over/up" "$DIR/over/work" "$ROOT"
	mount -t overlay -o "lowerdir=/,upperdir=$DIR/over/up,workdir=$DIR/over/work" overlay "$ROOT" || exit 1
	mount -t proc proc "$ROOT/proc"
	mount -t sysfs -o ro sysfs "$ROOT/sys"
	mount -t tmpfs -o mode=755 tmpfs "$ROOT/run"
	mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
	mount -t tmpfs tmpfs "$ROOT/sys/fs/cgroup"
	mount -t cgroup2 cgroup2 "$ROOT/sys/fs/cgroup" || exit 1
	cp -a --parents /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/net/tun "$ROOT"
	container_clear
	exec env -i container=wayleave "PATH=$PATH" chroot "$ROOT" /lib/systemd/systemd --unit=lab.target
}
# Nothing that belongs to the machine starts, is mounted or set in there.
container_clear() {
	rm -rf "$ROOT"/etc/systemd/system/* "$ROOT"/lib/systemd/system/*.wants "$ROOT"/lib/systemd/system-generators \
		"$ROOT/etc/fstab" "$ROOT/usr/sbin/policy-rc.d" "$ROOT/etc/wayleave"
	printf '[Unit]\nDefaultDependencies=no\n' >"$ROOT/etc/systemd/system/lab.target"
	mkdir -p "$ROOT/etc/systemd/system/wayleave.service.d"
	printf '[Unit]\nDefaultDependencies=no\n' >"$ROOT/etc/systemd/system/ctrl-alt-del.target"
	printf '[Service]\nStandardOutput=append:%s\nStandardError=append:%s\n' $LOG $LOG \
		>"$ROOT/etc/systemd/system/wayleave.service.d/log.conf"
}
# A control group of its own: systemd takes the one that it is in for the topmost.
group_make() {
	local top
	top=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	[ -n "$top" ] && mkdir "$top/$ME" && GROUP=$top/$ME
}
container_up() {
	group_make || return 1
	mkdir "$DIR/over"
	export -f container_init container_clear
	export DIR ROOT LOG
	# the subshell enters the group, its children are born there
	(
		echo $BASHPID >"$GROUP/cgroup.procs"
		exec ip netns exec "$ME-g" unshare -m -p -f -C -u -i bash -c container_init
	) >"$DIR/console" 2>&1 &
	UNSHARE=$!
	until_ok 10 init_found && until_ok 10 container_ready
}
init_found() { INIT=$(pgrep -P $UNSHARE -f '^/lib/systemd/systemd'); }
container_ready() { inside systemctl is-active lab.target && inside test -e /var/lib/dpkg/status; }

container_down() {
	[ -z "$INIT" ] || kill -9 "$INIT"
	[ -z "$UNSHARE" ] || { kill "$UNSHARE"; wait "$UNSHARE"; }
	[ -n "$GROUP" ] && until_ok 5 group_empty
	find "$GROUP" -depth -type d -exec rmdir {} +
}
group_empty() { ! grep -q 1 <(sed -n 's/^populated //p' "$GROUP/cgroup.events"); }
trap 'container_down 2>/dev/null; finish' EXIT

# --- the package ---------------------------------------------------------------------------
package_make() {
	if [ -n "$DEB" ]; then cp "$DEB" "$DIR/old.deb"; return; fi
	make -s -C "$TOP" deb "DEB_DIR=$DIR/build" && mv "$DIR"/build/*.deb "$DIR/old.deb"
}
package_next() { # the same programs with a higher version
	dpkg-deb -R "$DIR/old.deb" "$DIR/next" &&
		sed -i 's/^Version:.*/&+next/' "$DIR/next/DEBIAN/control" &&
		dpkg-deb -b "$DIR/next" "$DIR/next.deb"
}
changelog_agrees() {
	[ "$(dpkg-parsechangelog -l "$TOP/packaging/debian/changelog" -SVersion)" = "$(dpkg-deb -f "$DIR/old.deb" Version)" ]
}
lint() {
	if command -v lintian >/dev/null; then
		ok "lintian finds no error" lintian --allow-root --tag-display-limit 0 --fail-on error "$DIR/old.deb"
	else
		COUNT=$((COUNT + 1))
		echo "ok $COUNT - lintian finds no error # SKIP lintian"
	fi
}
install_deb() { # install_deb FILE: as dpkg, for apt would ask for a network; without man-db's work
	inside sh -c 'cat > /wayleave.deb' <"$1" &&
		inside env DEBIAN_FRONTEND=noninteractive dpkg --no-triggers -i /wayleave.deb
}
# until the new daemon answers: only then it has taken the place of the old one
upgrade() { install_deb "$DIR/next.deb" && until_ok 30 status_good; }
version_is() { [ "$(inside dpkg-query -W -f '${Version}' wayleave)" = "$(dpkg-deb -f "$1" Version)" ]; }

# all that a package of a daemon owes: its programs' pages, completion, settings, units
package_has() {
	local file
	dpkg-deb -c "$DIR/old.deb" >"$DIR/contents"
	for file in man/man8/wayleaved.8.gz man/man1/wayleave.1.gz completions/wayleave /etc/wayleave/wayleave.yaml \
		system/wayleave.service system/wayleave@.service system/wayleave-teardown.service; do
		grep -q "$file$" "$DIR/contents" || { echo "no $file"; return 1; }
	done
}
# behind whoever flushes nftables at boot, before what wants a network
in_boot_order() {
	grep -qw nftables.service <(inside systemctl show -P After wayleave) &&
		grep -qw network-online.target <(inside systemctl show -P Before wayleave)
}
units_verify() {
	inside systemd-analyze verify --man=no wayleave.service wayleave@two.service wayleave-teardown.service
}

# --- what there is to see --------------------------------------------------------------------
unit_is() { [ "$(inside systemctl show -P "$1" wayleave)" = "$2" ]; }
unit_pid() { inside systemctl show -P MainPID wayleave; }
unit_skipped() {
	unit_is ActiveState inactive && inside grep -q 'names no wan and lan yet' $LOG
}
status_good() { inside sh -c 'wayleave status; case $? in 0 | 6) ;; *) exit 1 ;; esac'; } # 6: no default route
traces() { # what a run leaves, one word each
	ip -n "$ME-g" -br link | grep -o '^wl-'
	ip -n "$ME-g" -d link | grep -o 'prog/xdp'
	gw nft list tables | grep -o wayleave_
	gw tc qdisc show | grep -o clsact
	tc_programs eth0 ingress
	tc_programs eth1 ingress
	gw cat /proc/sys/net/ipv4/ip_forward | grep 1
	gw cat /proc/sys/net/ipv4/ip_local_port_range | diff - "$DIR/ports"
	inside pgrep -a wayleave
}
traceless() { test -z "$(traces)" || { traces; return 1; }; }
# as an administrator would: the interfaces of the example are ours
name_interfaces() {
	inside sed -i 's/^#\(wan:\|  interface: eth0\|lan:\|  interfaces: \[eth1\]\)$/\1/' /etc/wayleave/wayleave.yaml
	inside wayleave check /etc/wayleave/wayleave.yaml
}
web_has_user() { inside ps -o user:20=,args= -C wayleaved | tee /dev/stderr | grep -q '^wayleave-web'; }
page_answers() {
	host sh -c 'printf "GET /api/v1/session HTTP/1.1\r\nHost: 192.168.1.1\r\nConnection: close\r\n\r\n" |
		timeout 10 openssl s_client -quiet -connect 192.168.1.1:443' | grep '"setup_needed":true'
}
screen_shows() { # what agetty reads
	local code
	code=$(inside wayleave --json setup | sed -n 's/.*"code": *"\([^"]*\)".*/\1/p')
	[ -n "$code" ] && inside grep -F "$code" /etc/issue.d/wayleave.issue
}
# The sandbox lets the daemon write its own files and no others, and systemd restarts what reads
# them: here units that only leave a mark, for the addresses of this lab have to stay.
network_folders() {
	inside mkdir -p /etc/systemd/network /etc/dnsmasq.d
	for unit in systemd-networkd dnsmasq; do
		printf '[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/touch /run/%s.restarted\n' $unit |
			inside sh -c "cat > /etc/systemd/system/$unit.service"
	done
	inside sh -c '[ -e /usr/sbin/dnsmasq ] || : > /usr/sbin/dnsmasq'
}
network_written() {
	inside wayleave setup network wan=eth0 line=dhcp inside=192.168.1.1/24 lan=eth1 manager=networkd --yes &&
		inside grep -qx 'Address=192.168.1.1/24' /etc/systemd/network/05-wayleave-lan.network &&
		until_ok 10 inside test -e /run/dnsmasq.restarted && inside test -e /run/systemd-networkd.restarted
}
network_undone() { inside wayleave setup network undo && inside sh -c '! ls /etc/systemd/network/*wayleave* /etc/dnsmasq.d/wayleave.conf'; }
page_restarts() { # page_restarts services|machine: asked for by a browser of the LAN
	local code
	code=$(inside wayleave --json setup | sed -n 's/.*"code": *"\([^"]*\)".*/\1/p')
	host "$TOP/tests/lab/page_restart.py" 192.168.1.1 192.168.1.2 "${code:--}" "$1"
}
page_restarts_services() { # by exit status 75, and systemd starts it again
	local before
	before=$(unit_pid)
	page_restarts services && until_ok 20 unit_has_other_pid "$before" && until_ok 30 status_good &&
		unit_is Result success && inside grep -q 'ending with status 75' $LOG
}
# systemd reboots at once when it gets what process 1 gets at Ctrl-Alt-Del; here it begins a target
page_restarts_machine() { page_restarts machine && until_ok 10 inside systemctl is-active ctrl-alt-del.target; }
helper_has_user() { inside ps -o user:20=,args= -C wayleaved | tee /dev/stderr | grep -q '^wayleave-helper'; }
sandboxed() {
	inside sh -c 'grep "^NoNewPrivs:.1" /proc/$0/status && grep "^Seccomp:.2" /proc/$0/status &&
		grep "^CapEff:.0000008000001400" /proc/$0/status && grep " / / ro" /proc/$0/mountinfo' "$(unit_pid)"
}
wrong_reload() {
	inside cp /etc/wayleave/wayleave.yaml /root/good.yaml
	inside sh -c 'echo "dataplane: wrong" >> /etc/wayleave/wayleave.yaml'
	inside systemctl reload wayleave
	local status=$?
	inside cp /root/good.yaml /etc/wayleave/wayleave.yaml
	[ $status != 0 ] && unit_is ActiveState active
}

waited_for() { # waited_for INTERFACE: under another name it is gone
	ip -n "$ME-g" link set "$1" down name gone && until_ok 10 unit_is StatusText "waiting for interface $1"
	local status=$?
	ip -n "$ME-g" link set gone name "$1" up
	[ $status = 0 ] && until_ok 10 unit_is StatusText "translating on eth0" && until_ok 10 passes
}
pptp_call() { # one through the sandboxed helper, another call id outside
	ip netns exec "$ME-s" "$TOP/tests/lab/daemon_pptp.py" server >"$DIR/pptp" 2>&1 &
	SERVER=$!
	until_ok 10 grep -q ready "$DIR/pptp" && host "$TOP/tests/lab/daemon_pptp.py" client 203.0.113.9 777
	local status=$?
	kill "$SERVER" 2>/dev/null
	wait "$SERVER" 2>/dev/null
	cat "$DIR/pptp"
	[ $status = 0 ] && grep -q '^call' "$DIR/pptp" && ! grep -q 'call 777' "$DIR/pptp"
}
killed_comes_back() {
	local before
	before=$(unit_pid)
	inside kill -9 "$before"
	until_ok 20 unit_has_other_pid "$before" && until_ok 30 status_good
}
unit_has_other_pid() { case $(unit_pid) in 0 | "$1") return 1 ;; esac; }
stays_with_wrong_settings() { # a package that cannot take its data plane away is not removed
	inside sed -i '$a wrong: 1' /etc/wayleave/wayleave.yaml
	inside dpkg --no-triggers -r wayleave
	local status=$?
	inside sed -i '$d' /etc/wayleave/wayleave.yaml
	[ $status != 0 ] && passes
}

# --- traffic that must not notice --------------------------------------------------------------
ping_start() {
	ip netns exec "$ME-h" ping -i 0.01 203.0.113.9 >"$DIR/ping" 2>&1 &
	PING=$!
	until_ok 5 grep -q icmp_seq=20 "$DIR/ping"
}
answered() { sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' "$DIR/ping"; }
# the last answers are still to come when ping ends: gaps count, not the end
ping_lost() { answered | awk 'NR > 1 { lost += $1 - last - 1 } { last = $1 } END { print lost + 0 }'; }
ping_goes_on() { [ "$(answered | tail -1)" -gt $((MARK + 20)) ]; }
ping_end() { # prints how many were lost; they went on after the event
	MARK=$(answered | tail -1)
	until_ok 5 ping_goes_on || echo "no answer after icmp_seq $MARK"
	kill "$PING"
	wait "$PING"
	PING=
	echo "$(ping_lost) lost of $(answered | tail -1)"
}
undisturbed() { # undisturbed COMMAND...: no ping of a hundred a second is lost
	ping_start || return 1
	"$@" || return 1
	ping_end >"$DIR/loss"
	cat "$DIR/loss"
	grep -q '^0 lost' "$DIR/loss" && [ "$(wc -l <"$DIR/loss")" = 1 ]
}

ok "make deb" package_make
[ -s "$DIR/old.deb" ] || { echo "1..$COUNT"; exit 1; }
ok "... with man pages, completion, default settings and units" package_has
ok "changelog and programs have one version" changelog_agrees
lint
package_next >/dev/null
net_up || skip_all "network namespaces"
gw cat /proc/sys/net/ipv4/ip_local_port_range >"$DIR/ports"
if ! container_up; then
	COUNT=$((COUNT + 1))
	echo "ok $COUNT - the package under systemd # SKIP a container: $(tail -1 "$DIR/console"), control groups v2, /usr and /var on /"
	echo "1..$COUNT"
	exit 0
fi

ok "dpkg installs it" install_deb "$DIR/old.deb"
ok "... with a user for the helper" inside getent passwd wayleave-helper
ok "... enabled" inside systemctl is-enabled wayleave
ok "... with units that systemd understands" units_verify
ok "... in their place at boot" in_boot_order
ok "without interfaces in the settings it is skipped, with a sentence" unit_skipped
ok "... and touches nothing" traceless
ok "the settings need no more than the interfaces" name_interfaces
network_folders
ok "it starts" inside systemctl start wayleave
ok "... and translates" until_ok 30 status_good
ok "... what passes" passes
ok "... and tells systemd so" unit_is StatusText "translating on eth0"
ok "... which watches it" unit_is WatchdogUSec 30s
ok "an interface that goes is waited for, and systemd told" waited_for eth1
ok "... in its sandbox" sandboxed
ok "... with the helper as its own user" until_ok 5 helper_has_user
ok "... which translates PPTP calls" pptp_call
ok "... and the web process as its own" until_ok 5 web_has_user
ok "... whose page answers inside" until_ok 5 page_answers
ok "... whose code the login screen shows" until_ok 5 screen_shows
ok "... and restarts the services: systemd starts them again" undisturbed page_restarts_services
ok "... or the machine: process 1 is told" page_restarts_machine
ok "settings can be changed from within the sandbox" inside wayleave set mss_clamp 1400
ok "... and are saved" inside grep -q 'mss_clamp: 1400' /etc/wayleave/wayleave.yaml
ok "the network setup is written from within it, and what reads it restarted" network_written
ok "... and taken back" network_undone
ok "reload refuses wrong settings and goes on" wrong_reload
BEFORE=$(unit_pid)
ok "an upgrade loses no packet" undisturbed upgrade
[ ! -s "$DIR/loss" ] || echo "# $(cat "$DIR/loss")"
ok "... is one" version_is "$DIR/next.deb"
ok "... runs the new daemon" not unit_is MainPID "$BEFORE"
ok "... which took the old one's sessions over" inside grep -q 'took over the data plane' $LOG
ok "... and keeps the settings" inside grep -q 'mss_clamp: 1400' /etc/wayleave/wayleave.yaml
ok "a stopped daemon loses no packet" undisturbed inside systemctl stop wayleave
inside systemctl start wayleave
until_ok 30 status_good
ok "a killed daemon is started again" killed_comes_back
ok "wayleave-teardown.service ends it" inside systemctl start wayleave-teardown
ok "... with all that it had set up" traceless
inside systemctl start wayleave
until_ok 30 status_good
ok "wrong settings, which cannot say what to take away, stop the removal" stays_with_wrong_settings
ok "dpkg removes it" inside dpkg --no-triggers -r wayleave
ok "... with all that it had set up" traceless
ok "... so nothing passes" not passes
ok "... but the settings" inside test -e /etc/wayleave/wayleave.yaml
ok "dpkg purges it" inside dpkg --no-triggers -P wayleave
ok "... with settings, older ones and run directory" not inside sh -c 'ls -d /etc/wayleave /run/wayleave'
ok "... and the helper's user" not inside getent passwd wayleave-helper
echo "1..$COUNT"
