# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# VPN servers inside behind port forwards, and a client outside behind a NAT of its own that changes
# ports, as at home: the first message of IKE, L2TP and PPTP comes from any port.
SCENARIOS+=(servers-inside esp-inside)

# S1 stands behind H1: other ports for TCP and UDP, which start anywhere, its own for the rest. GRE
# passes by address, as with a home router that lets the PPTP of its one client through.
behind_nat() {
	ns net ip link add br1 type bridge
	ns net ip link set br1 up
	ns net ip link set t-s1 master br1
	ns net ip link add p-h1b type veth peer name eth1 netns "$PFX-h1"
	ns net ip link set p-h1b master br1 up
	ns h1 ip link set eth1 up
	ns h1 ip route add $S1/32 dev eth1
	ns h1 sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.eth1.proxy_arp=1
	ns h1 nft -f - <<-N
		table ip home {
			chain post {
				type nat hook postrouting priority 100
				oifname eth0 ip saddr $S1 meta l4proto { tcp, udp } masquerade to :20000-60000 random
				oifname eth0 ip saddr $S1 ip protocol != gre masquerade
			}
			chain gre_in {
				type filter hook prerouting priority -300
				ip protocol gre notrack
				iifname eth0 ip protocol gre ip daddr set $S1
			}
			chain gre_out {
				type filter hook postrouting priority 300
				oifname eth0 ip protocol gre ip saddr set $H1
			}
		}
	N
}
nat_gone() {
	ns h1 nft delete table ip home
	ns h1 ip link del eth1
	ns net ip link set t-s1 master br0
	ns net ip link del br1
}
forwarded_to_u1() { # forwarded_to_u1 LINE...: "PROTOCOL PORT" or "PROTOCOL -"
	local line
	FORWARDS=
	for line in "$@"; do FORWARDS+="$line 10.10.0.11"$'\n'; done
	gw_start
}
came_from_elsewhere() { # came_from_elsewhere PORT: no packet to our PORT had it as its source
	tcpdump -nr "$OUT/wan.pcap" "udp and dst host $WAN_IP and dst port $1" 2>/dev/null | grep -q . &&
		! tcpdump -nr "$OUT/wan.pcap" "udp and dst host $WAN_IP and src port $1 and dst port $1" 2>/dev/null | grep .
}

sc_servers-inside() { # servers of PPTP, L2TP and IKEv2 inside, a client behind another NAT
	gw_translates || { skip "GATEWAY=$GATEWAY forwards no ports"; return; }
	forwarded_to_u1 "tcp 1723" "udp 1701" "udp 500" "udp 4500"
	guests u1 s1 || return
	behind_nat
	pptp_server u1
	check "PPTP: s1 dials" pptp_client s1 $WAN_IP
	check "PPTP: s1 pings through" gping s1 172.16.0.1
	l2tp_server u1
	check "L2TP: s1 dials" l2tp_client s1 $WAN_IP
	check "L2TP: s1 pings through" gping s1 172.17.0.1
	check "IKEv2: the server starts" ss_start u1 "$(ss_server_conf 10.10.0.11)"
	check "IKEv2: the client starts" ss_start s1 "$(ss_client_conf 1 $WAN_IP)"
	g u1 'ip addr add 10.98.5.254/32 dev lo'
	check "IKEv2: s1 up" g s1 'swanctl --initiate --child c --timeout 60'
	check "IKEv2: s1 pings through" gping s1 10.98.5.254
	check "PPTP: s1 still pings" gping s1 172.16.0.1
	check "the other NAT has changed ports" came_from_elsewhere 500
	nat_gone
}
sc_esp-inside() { # an IKEv2 server with plain ESP inside, a client behind another NAT
	gw_translates || { skip "GATEWAY=$GATEWAY forwards no ports"; return; }
	forwarded_to_u1 "udp 500" "udp 4500" "esp -"
	guests u1 s1 || return
	behind_nat
	LS_CLIENTS=1 ls_server u1 10.10.0.11 raw2
	# shellcheck disable=SC2046
	ls_start s1 "
conn vpn$(ls_lines authby=secret $(ls_opts raw2))
 left=$S1
 leftid=@u1
 leftsubnet=10.99.1.1/32
 leftsourceip=10.99.1.1
 right=$WAN_IP
 rightid=@server
 rightsubnet=10.99.0.1/32" 10.99.1.1/32 vpn
	check "s1 up" g s1 "timeout 60 ipsec auto --up vpn"
	check "s1 pings through" gping s1 "-I 10.99.1.1 10.99.0.1"
	check "raw ESP on the wire" wire_has_esp raw
	nat_gone
}
