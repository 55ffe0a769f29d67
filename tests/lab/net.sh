# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The network that the gateway stands in: namespaces, bridges and links. Sourced.
#
#   PFX-lan  bridge: u1 .11, u2 .12 (guests)  c1 .21, c2 .22 (namespaces)   10.10.0.0/24
#      |  lan 10.10.0.1
#   PFX-gw
#      |  wan 203.0.113.1
#   PFX-net  bridge: s1 .10, s2 .11 (guests)  h1 .20 (namespace)            203.0.113.0/24
#
# Servers and h1 have no way back to LAN addresses, so a packet that leaks
# untranslated gets no answer and cannot make a test pass.

LAN_NET=10.10.0.0/24 LAN_ADDR=10.10.0.1/24 WAN_ADDR=203.0.113.1/24
LAN_IF=lan WAN_IF=wan
WAN_IP=${WAN_ADDR%/*} H1=203.0.113.20 S1=203.0.113.10 S2=203.0.113.11
# fixed, so that captures tell what the gateway sent from what it received
LAN_MAC=02:1a:b0:00:00:01 WAN_MAC=02:1a:b0:00:01:01
WAN_NEXT=203.0.113.2 # another one, later
NAMESPACES="lan gw net c1 c2 h1"
export LAN_NET LAN_ADDR WAN_ADDR LAN_IF WAN_IF

ns() { local n=$1; shift; ip netns exec "$PFX-$n" "$@"; }

offloads() { # offloads NS IF: whole frames with whole checksums, or as the kernel likes it
	local v=off
	[ "${LAB_OFFLOADS:-off}" = off ] || v=on
	ns "$1" ethtool -K "$2" tx $v gso $v gro $v tso $v >/dev/null 2>&1
}

link() { # link NS IF BRIDGE_NS PORT ADDR [GATEWAY]: NS's IF plugged into a bridge
	local n=$1 i=$2 b=$3 p=$4 a=$5 via=${6:-}
	ns "$b" ip link add "$p" type veth peer name "$i" netns "$PFX-$n"
	ns "$b" ip link set "$p" master br0 up
	ns "$n" ip addr add "$a" dev "$i"
	ns "$n" ip link set "$i" up
	ns "$n" ip link set lo up
	offloads "$n" "$i"
	offloads "$b" "$p"
	[ -z "$via" ] || ns "$n" ip route add default via "$via"
}

tap() { # tap NS GUEST
	ns "$1" ip tuntap add "t-$2" mode tap
	ns "$1" ip link set "t-$2" master br0 up
}

namespace() {
	ip netns add "$PFX-$1" || return 1
	ns "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
}

bridge() {
	ns "$1" ip link add br0 type bridge
	ns "$1" ip link set br0 up
	ns "$1" sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null
	return 0
}

wan_back() { # wan_back ADDRESS: the interface, made anew
	gateway_wire wan net "$1/24" $WAN_MAC
	[ "$GATEWAY" != wayleave-xdp ] || net_for_xdp
}
wan_gone() {
	relay_stop wan
	wan_is_bare || ns gw ip link del wan
}
wan_address() { # wan_address ADDRESS: in place of what it has
	ns gw ip addr flush dev wan
	ns gw ip addr add "$1/24" dev wan
}

net_up() {
	local n
	for n in $NAMESPACES; do namespace "$n" || return 1; done
	bridge lan; bridge net
	gateway_wire lan lan $LAN_ADDR $LAN_MAC
	wan_back $WAN_IP
	link c1 eth0 lan p-c1 10.10.0.21/24 10.10.0.1
	link c2 eth0 lan p-c2 10.10.0.22/24 10.10.0.1
	link h1 eth0 net p-h1 $H1/24
	for n in u1 u2; do tap lan $n; done
	for n in s1 s2; do tap net $n; done
	beside_up
	loss_up
	ns gw sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0
}

# XDP on veth: the peer has to take XDP frames (NAPI: gro on) and must not hand
# over frames with half a checksum (tx off), or both are lost uncounted.
net_for_xdp() {
	ns lan ethtool -K "$(wire_name lan)" tx off gro on >/dev/null
	wan_is_bare || ns net ethtool -K "$(wire_name wan)" tx off gro on >/dev/null
}

net_is_up() { [ -e "/run/netns/$PFX-gw" ]; }

# What a client may have left in its namespace: tunnels, policy rules
net_tidy() {
	local n i
	ns gw ip addr show dev wan | grep -q "$WAN_ADDR" || wan_address $WAN_IP
	for n in c1 c2 h1; do
		for i in $(ns $n ip -o link show | sed -n 's/^[0-9]*: \([a-z0-9_-]*\)[:@].*/\1/p'); do
			case $i in lo|eth0) ;; *) ns $n ip link del "$i" 2>/dev/null ;; esac
		done
		for i in $(ns $n ip rule | sed -n 's/^\([0-9]*\):.*lookup 220.*/\1/p'); do ns $n ip rule del pref "$i"; done
	done
}

net_pids() { # every process that lives in our namespaces
	local n
	for n in $NAMESPACES; do ip netns pids "$PFX-$n" 2>/dev/null; done
}

net_down() {
	local n
	net_pids | xargs -r kill 2>/dev/null
	wait_for 3 eval '[ -z "$(net_pids)" ]' || net_pids | xargs -r kill -9 2>/dev/null
	for n in $NAMESPACES; do
		[ ! -e "/run/netns/$PFX-$n" ] || ip netns del "$PFX-$n"
	done
}

# The first `ip netns add` since boot leaves a mount and a directory behind
NETNS_MOUNTED=$(mountpoint -q /run/netns && echo yes)
netns_restore() {
	[ -z "$NETNS_MOUNTED" ] || return 0
	[ -z "$(ls -A /run/netns 2>/dev/null)" ] || return 0
	mountpoint -q /run/netns || return 0
	umount /run/netns && rmdir /run/netns
}
