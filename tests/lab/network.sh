#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The three questions of the first visit on a fresh machine: their answers become a router that
# works, by the programs that they are written for. systemd-networkd takes the WAN's address by
# DHCP and makes the bridge of the LAN ports, dnsmasq leases to a client, wayleaved translates.
# Then with the daemon: commit-confirm, undo, a daemon that is killed meanwhile.
#
#   CLIENT --- eth1 \
#                    br-lan 192.168.50.1 GATEWAY eth0 --- 203.0.113.9 PROVIDER (DHCP)
#   CLIENT --- eth2 /
#
# /etc is an overlay, in a mount namespace of this script. Prints TAP. BUILD names the directory
# of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
[ "$(id -u)" != 0 ] || [ -n "${OWN_MOUNTS:-}" ] || OWN_MOUNTS=1 exec unshare -m --propagation slave "$0" "$@"
ME=wnw$$ NAMESPACES="g c d p"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
NETWORKD=/lib/systemd/systemd-networkd
export TMPDIR=$DIR

command -v dnsmasq >/dev/null || skip_all "dnsmasq (package dnsmasq-base)"
busybox udhcpc --help >/dev/null 2>&1 || skip_all "udhcpc (package busybox-static)"
[ -x $NETWORKD ] || skip_all "systemd-networkd (package systemd)"

etc_up() { # nothing of this stays on the machine
	mkdir "$DIR/etc" && mount -t tmpfs none "$DIR/etc" && mkdir "$DIR/etc/up" "$DIR/etc/work" &&
		mount -t overlay none -o "lowerdir=/etc,upperdir=$DIR/etc/up,workdir=$DIR/etc/work" /etc || return 1
	mount -t tmpfs none /run/systemd && mkdir -p /run/systemd/netif/{links,leases,lldp} &&
		chown -R systemd-network: /run/systemd/netif
	mkdir -p /var/lib && mount -t tmpfs none /var/lib
	rm -rf /etc/network/interfaces /etc/network/interfaces.d /etc/systemd/network/* /etc/wayleave
	mkdir -p /etc/ppp/peers /etc/dnsmasq.d /etc/wayleave
	sed '/^wan:/,/^  interface:/s/^/#/; /^lan:/,/^  interfaces:/s/^/#/' "$TOP/packaging/wayleave.yaml" \
		>/etc/wayleave/wayleave.yaml
	printf 'limits: {sessions: 20000}\nrun_dir: %s\nstate_dir: /var/lib/wayleave\n' "$DIR/run" >"$DIR/more"
	sed -i '/^limits:/,/^[^ #]/{/^limits:/d}; /^run_dir:/d; /^state_dir:/d' /etc/wayleave/wayleave.yaml
	cat "$DIR/more" >>/etc/wayleave/wayleave.yaml
	cp /etc/wayleave/wayleave.yaml "$DIR/fresh.yaml"
}
net_up() {
	namespaces_up || return 1
	ip link add eth0 netns "$ME-g" type veth peer name eth0 netns "$ME-p"
	ip link add eth1 netns "$ME-g" type veth peer name eth0 netns "$ME-c"
	ip link add eth2 netns "$ME-g" type veth peer name eth0 netns "$ME-d"
	ip -n "$ME-p" addr add 203.0.113.9/24 dev eth0
	local n
	for n in c d p; do ip -n "$ME-$n" link set eth0 up; done
}
bg() { # bg NAMESPACE LOG COMMAND...
	local n=$1 log=$2
	shift 2
	ip netns exec "$ME-$n" "$@" >"$DIR/$log" 2>&1 &
	OTHERS+=($!)
}
end_last() { kill "${OTHERS[-1]}" 2>/dev/null; wait "${OTHERS[-1]}" 2>/dev/null; unset 'OTHERS[-1]'; }

ctl() { in_ns g "$BUILD/wayleave" -r "$DIR/run" "$@" </dev/null; }
network() { ctl setup network "$@"; }
says() { local words=$1; shift; "$@" >"$DIR/said" 2>&1 || { cat "$DIR/said"; return 1; }; cat "$DIR/said"; grep -qF -- "$words" "$DIR/said"; }
refuses() { local words=$1; shift; "$@" >"$DIR/said" 2>&1 && { cat "$DIR/said"; return 1; }; cat "$DIR/said"; grep -qF -- "$words" "$DIR/said"; }
ANSWERS=(wan=eth0 line=dhcp inside=192.168.50.1/24 "lan=eth1,eth2")
OTHER=(wan=eth0 line=dhcp inside=192.168.60.1/24 "lan=eth1,eth2")
answered() { # a person at a terminal, who waits for each question; then says no
	local line
	for line in eth0 me@isp my-secret 192.168.50.1/24 eth1,eth2 n; do
		sleep 1
		echo "$line"
	done | in_ns g script -qc "'$BUILD/wayleave' -r '$DIR/run' setup network" /dev/null | tr -d '\r' >"$DIR/terminal"
	cat "$DIR/terminal"
	grep -q '1. Which port is the internet?' "$DIR/terminal" && nothing_written
}
nothing_written() { ! find /etc/systemd/network /etc/network /etc/ppp/peers /etc/dnsmasq.d -name '*wayleave*' 2>/dev/null | grep . && cmp /etc/wayleave/wayleave.yaml "$DIR/fresh.yaml"; }
address_is() { grep -qx "Address=$1/24" /etc/systemd/network/05-wayleave-lan.network; }

# udev does not know these interfaces: where /sys is read-only, networkd does not wait for it
networkd() { bg g networkd.log sh -c "mount -o remount,ro /sys && exec $NETWORKD"; }
has() { ip -n "$ME-g" addr show dev "$1" | grep -q "inet $2"; }
provider() {
	bg p provider.log dnsmasq --keep-in-foreground --log-facility=- --conf-file=/dev/null --user=root --pid-file= \
		--interface=eth0 --bind-interfaces --no-ping --no-resolv --dhcp-authoritative --dhcp-leasefile="$DIR/p.leases" \
		--dhcp-range=203.0.113.50,203.0.113.59,1h
	until_ok 5 grep -q 'started, version' "$DIR/provider.log"
}
home_dnsmasq() { # as Debian's unit runs it, with the folder
	bg g home.log dnsmasq --keep-in-foreground --log-facility=- --conf-file=/dev/null --user=root --pid-file= \
		--no-ping --dhcp-leasefile="$DIR/g.leases" --conf-dir=/etc/dnsmasq.d
	until_ok 5 grep -q 'started, version' "$DIR/home.log"
}
gateway() {
	ip netns exec "$ME-g" "$BUILD/wayleaved" -c /etc/wayleave/wayleave.yaml 2>>"$DIR/wayleaved.log" &
	GATEWAY=$!
	until_ok 60 ctl status
}
lease_take() { # lease_take NAMESPACE
	cat >"$DIR/lease" <<-'S'
		#!/bin/sh
		[ "$1" = bound ] || [ "$1" = renew ] || exit 0
		ip addr replace "$ip/$mask" dev "$interface"
		ip route replace default via "$router"
		echo "$1 $ip/$mask router $router dns $dns"
	S
	chmod +x "$DIR/lease"
	in_ns "$1" busybox udhcpc -f -n -q -t 5 -T 1 -i eth0 -s "$DIR/lease" >"$DIR/lease.log" 2>&1
	cat "$DIR/lease.log"
	grep -qE '^bound 192\.168\.50\.(1[0-9]{2}|2[0-4][0-9]|250)/24 router 192\.168\.50\.1 dns 192\.168\.50\.1$' "$DIR/lease.log"
}

trap 'finish 2>/dev/null; umount -l /etc "$DIR/etc" 2>/dev/null; rm -rf "$DIR"' EXIT
etc_up || skip_all "an overlay on /etc"
net_up || skip_all "network namespaces"
networkd
until_ok 10 test -e /run/systemd/netif/state || skip_all "systemd-networkd does not run in a namespace"
end_last

# --- a fresh machine, without a daemon ---------------------------------------------------------
ok "a plan is shown" says "+DHCP=ipv4" network "${ANSWERS[@]}" --plan
ok "... with the manager that runs" says '"manager": "networkd"' network "${ANSWERS[@]}" --plan --json
ok "... and nothing is written" nothing_written
ok "... nor without a yes" refuses "--yes writes it" network "${ANSWERS[@]}"
ok "... really not" nothing_written
ok "on a terminal it asks" answered
ok "... shows the plan of the answers" grep -q '^+user "me@isp"' "$DIR/terminal"
ok "... and no password" not grep -q 'my-secret' "$DIR/terminal"
ok "a wrong answer is said with its name" refuses "inside: is not private" network "${ANSWERS[@]/#inside=*/inside=8.8.8.8/24}" --plan
printf '# \374\n' >>/etc/wayleave/wayleave.yaml
ok "a settings file that cannot be kept is named" refuses "wayleave.yaml is not UTF-8" network "${ANSWERS[@]}" --yes
cp "$DIR/fresh.yaml" /etc/wayleave/wayleave.yaml
ok "... and nothing is written" nothing_written
ok "it is written" says "Written." network "${ANSWERS[@]}" --yes
ok "... the settings name the two" says "OK" ctl check
ok "... and dnsmasq takes its file" dnsmasq --test --conf-file=/etc/dnsmasq.d/wayleave.conf
ok "it can be taken back without a daemon" says "done" network undo
ok "... wholly" nothing_written
network "${ANSWERS[@]}" --yes >/dev/null
provider
networkd
ok "networkd makes the bridge and gives it the address" until_ok 10 has br-lan 192.168.50.1/24
ok "... and takes the WAN's by DHCP" until_ok 15 has eth0 203.0.113.5
home_dnsmasq
ok "wayleaved starts with it" gateway
ok "a client at the first port gets a lease" lease_take c
ok "... and goes through the translation" in_ns c ping -c1 -W2 203.0.113.9
ok "one at the second port too" lease_take d
ok "... and goes through it as well" in_ns d ping -c1 -W2 203.0.113.9

# --- the page ------------------------------------------------------------------------------------
CHROMIUM=/usr/bin/chromium-headless-shell
if command -v node >/dev/null && [ -x $CHROMIUM ] && [ -e "$TOP/tests/web/node_modules/playwright-core" ]; then
	CODE=$(ctl --json setup | sed -n 's/.*"code": "\(.*\)".*/\1/p')
	ok "the first visit in a browser" in_ns c env CODE="$CODE" CHROMIUM=$CHROMIUM SHOT="${SHOT:-}" node --test "$TOP/tests/web/network.js"
else
	ok "the first visit in a browser # SKIP node, $CHROMIUM, playwright-core" true
fi

# --- with the daemon ---------------------------------------------------------------------------
ok "another address is written, and waits" says "taken back in 300 s unless" network "${OTHER[@]}" --yes
ok "... in the file" address_is 192.168.60.1
ok "... what was there is root's alone" test "$(stat -c %a /var/lib/wayleave/network.json)" = 600
ok "a second one has to wait" refuses "waits for confirmation" network "${ANSWERS[@]}" --yes
kill -9 "$GATEWAY"; wait "$GATEWAY" 2>/dev/null
ok "the daemon is killed and starts again" gateway
ok "... it waits still" says '"confirm_within_s": ' network undo --json
ok "undo puts the first one back" address_is 192.168.50.1
ok "... and there is no second undo" refuses "no network setup to undo" network undo
ok "one that nobody confirms" says "taken back in 10 s" network "${OTHER[@]}" within_s=10 --yes
ok "... is taken back by itself" until_ok 15 address_is 192.168.50.1
ok "... and the log says so" says "nobody confirmed it" ctl show audit
ok "one that is confirmed" says "done" sh -c "'$BUILD/wayleave' -r '$DIR/run' setup network ${OTHER[*]} within_s=10 --yes && '$BUILD/wayleave' -r '$DIR/run' setup network confirm"
ok "... waits no more" grep -q '"waiting":false' /var/lib/wayleave/network.json
ok "... and stays" address_is 192.168.60.1

# --- PPPoE -----------------------------------------------------------------------------------------
SECRET='a"b\c #d'"'"'$(id)'
pppoe() { printf '%s\n' "$SECRET" | in_ns g "$BUILD/wayleave" -r "$DIR/run" setup network wan=eth0 line=pppoe 'user=me"x\y@isp' password=- inside=192.168.50.1/24 lan=eth1 --yes; }
# Without the line's own two words: its plugin wants a kernel with PPPoE before it reads on.
# 4: every word was taken, but this kernel has no PPP.
pppd_takes() {
	grep -vE '^(plugin|nic-)' "$1" >"$DIR/peer"
	in_ns g pppd file "$DIR/peer" notty dryrun
	local rc=$?
	[ $rc = 0 ] || [ $rc = 4 ]
}
if command -v pppd >/dev/null; then
	ok "PPPoE is written" pppoe
	ok "... for root alone" test "$(stat -c %a /etc/ppp/peers/wayleave)" = 600
	ok "... pppd takes the file" pppd_takes /etc/ppp/peers/wayleave
	ok "... and not one with a wrong word" not pppd_takes <(sed 's/^persist/persists/' /etc/ppp/peers/wayleave)
	ok "... the settings follow" says '"interface": "ppp-wan"' ctl --json show config
	ok "... the password is in no audit" not grep -rqF 'a\"b' /var/lib/wayleave/audit.jsonl
	ok "... undo takes all of it away" network undo
	ok "... really" not test -e /etc/ppp/peers/wayleave
	ok "... and the settings are those of before" says '"interface": "eth0"' ctl --json show config
else
	ok "PPPoE # SKIP pppd (package ppp)" true
fi
kill "$GATEWAY"; wait "$GATEWAY" 2>/dev/null
in_ns g "$BUILD/wayleaved" -c /etc/wayleave/wayleave.yaml --teardown 2>/dev/null
echo "1..$COUNT"
