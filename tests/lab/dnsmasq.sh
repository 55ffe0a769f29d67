#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A home network as docs/install.md makes it: the gateway gets its address by DHCP,
# dnsmasq with the block of that page serves the inside, a client gets address and
# names and reaches a server through the translation.
#
#   CLIENT --- eth1 192.168.1.1 GATEWAY eth0 --- 203.0.113.9 PROVIDER (DHCP, DNS)
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wln$$ NAMESPACES="c g p"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"

command -v dnsmasq >/dev/null || skip_all "dnsmasq (package dnsmasq-base)"
busybox udhcpc --help >/dev/null 2>&1 || skip_all "udhcpc (package busybox-static)"

bg() { # bg NAMESPACE LOG COMMAND...
	local n=$1 log=$2
	shift 2
	ip netns exec "$ME-$n" "$@" >"$DIR/$log" 2>&1 &
	OTHERS+=($!)
}

net_up() {
	namespaces_up || return 1
	ip link add eth1 netns "$ME-g" type veth peer name eth0 netns "$ME-c"
	ip link add eth0 netns "$ME-g" type veth peer name eth0 netns "$ME-p"
	ip -n "$ME-g" addr add 192.168.1.1/24 dev eth1
	ip -n "$ME-p" addr add 203.0.113.9/24 dev eth0
	for n in c g p; do ip -n "$ME-$n" link set eth0 up; done
	ip -n "$ME-g" link set eth1 up
}

# --- daemons ----------------------------------------------------------------------------
dnsmasq_run() { # dnsmasq_run NAMESPACE SETTING...
	local n=$1 file
	shift
	file=$DIR/dnsmasq.$n
	cat - >"$file.conf" <<-C
		user=root
		pid-file=
		no-hosts
		dhcp-leasefile=$file.leases
	C
	printf '%s\n' "$@" >>"$file.conf"
	bg "$n" "dnsmasq.$n.log" dnsmasq --keep-in-foreground --log-facility=- --conf-file="$file.conf"
	until_ok 5 grep -q 'started, version' "$DIR/dnsmasq.$n.log"
}
# the block of the page, without its indentation
page_block() { sed -n '/^    interface=eth1$/,/^$/s/^    //p' "$TOP/docs/install.md"; }
provider_run() {
	dnsmasq_run p interface=eth0 bind-interfaces no-resolv dhcp-authoritative \
		dhcp-range=203.0.113.50,203.0.113.59,1h address=/www.example.net/203.0.113.9
}
home_run() { dnsmasq_run g "resolv-file=$DIR/g.resolv" no-poll "$(page_block)"; }

gateway_run() {
	cat >"$DIR/settings.yaml" <<-Y
		wan: {interface: eth0}
		lan: {interfaces: [eth1]}
		limits: {sessions: 20000}
		run_dir: $DIR/run
	Y
	bg g wayleaved.log "$BUILD/wayleaved" -c "$DIR/settings.yaml"
	until_ok 60 grep -q 'LAN eth1: data plane attached' "$DIR/wayleaved.log"
}
status() { "$BUILD/wayleave" -r "$DIR/run" status; }

# --- a DHCP client -------------------------------------------------------------------------
lease_script() {
	cat >"$DIR/lease" <<-'S'
		#!/bin/sh
		# udhcpc's: $1 is the event, the lease is in the environment
		[ "$1" = bound ] || [ "$1" = renew ] || exit 0
		ip addr replace "$ip/$mask" dev "$interface"
		[ -z "$router" ] || ip route replace default via "$router"
		for server in $dns; do echo "nameserver $server"; done > "$RESOLV"
		echo "$1 $ip router $router dns $dns domain $domain"
	S
	chmod +x "$DIR/lease"
}
lease_take() { # lease_take NAMESPACE HOSTNAME
	RESOLV=$DIR/$1.resolv in_ns "$1" busybox udhcpc -f -n -q -t 5 -T 1 -i eth0 -x "hostname:$2" -s "$DIR/lease" \
		>"$DIR/lease.$1.log" 2>&1
	cat "$DIR/lease.$1.log"
	grep -q '^bound' "$DIR/lease.$1.log"
}
leased() { sed -n 's/^bound \([0-9.]*\) .*/\1/p' "$DIR/lease.$1.log"; }
lease_says() { grep '^bound' "$DIR/lease.$1.log" | grep -qE "$2"; }

resolves() { # resolves NAME ADDRESS: by the name server of the client's lease
	in_ns c busybox nslookup "$1" "$(sed -n 's/^nameserver //p' "$DIR/c.resolv")" | grep -q "$2"
}
asks_outside() { in_ns p busybox nslookup www.example.net "$(leased g)"; }
passes() { in_ns c ping -c1 -W2 203.0.113.9; }
end_daemon() { kill "${OTHERS[0]}" && wait "${OTHERS[0]}"; }

net_up || skip_all "network namespaces"
lease_script
ok "wayleaved runs on a WAN without an address" gateway_run
ok "... and says so" not status
provider_run
ok "the WAN gets its address by DHCP through the closed gateway" lease_take g gateway
ok "... which is followed" until_ok 5 status
ok "dnsmasq takes the block of docs/install.md" home_run
ok "a client gets a lease" lease_take c laptop
ok "... an address of the range, router and name server" \
	lease_says c '^bound 192\.168\.1\.(1[0-9]{2}|2[0-4][0-9]|250) router 192\.168\.1\.1 dns 192\.168\.1\.1 domain lan$'
ok "... and goes through the translation" passes
ok "names of outside are resolved, by the gateway's own query" resolves www.example.net 203.0.113.9
ok "names of the inside too" resolves laptop.lan "$(leased c)"
ok "from outside dnsmasq cannot be asked" not asks_outside
end_daemon
ok "without the daemon the WAN's lease is got again" lease_take g gateway
ok "... names are resolved" resolves www.example.net 203.0.113.9
ok "... and packets pass" passes
OTHERS=("${OTHERS[@]:1}")
in_ns g "$BUILD/wayleaved" -c "$DIR/settings.yaml" --teardown 2>/dev/null
echo "1..$COUNT"
