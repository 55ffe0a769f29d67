# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# base: guests reach the server at all. PPTP (RFC 2637): pptpd in the server,
# pptp-linux in the clients, MPPE in their kernels.
SCENARIOS+=(base pptp1 pptp2 pptp2servers pptp-inside)

sc_base() { # guests boot and ping the server through the gateway
	guests u1 u2 s1 || return
	check "u1 pings server" gping u1 $S1
	check "u2 pings server" gping u2 $S1
}

pptp_server() { # pptp_server GUEST
	g "$1" 'modprobe ppp_async; modprobe ppp_mppe
	mkdir -p /etc/ppp
	cat > /etc/pptpd.conf <<-X
		option /etc/ppp/pptpd-options
		localip 172.16.0.1
		remoteip 172.16.0.10-20
	X
	cat > /etc/ppp/pptpd-options <<-X
		name pptpd
		refuse-pap
		refuse-chap
		refuse-mschap
		require-mschap-v2
		require-mppe-128
		nobsdcomp
		nodeflate
		novj
		debug
		logfile /run/pppd.log
	X
	echo "user pptpd secret *" >> /etc/ppp/chap-secrets
	ip addr add 172.16.0.1/32 dev lo
	/usr/sbin/pptpd && sleep 0.3'
}
pptp_client() { # pptp_client GUEST SERVER-ADDRESS; PPTP_OPTIONS: more for pppd
	g "$1" "modprobe ppp_async; modprobe ppp_mppe
	echo 'user pptpd secret *' >> /etc/ppp/chap-secrets
	timeout 60 pppd pty '/usr/sbin/pptp $2 --nolaunchpppd' noauth nodefaultroute name user \
		remotename pptpd require-mppe-128 nobsdcomp nodeflate novj lcp-max-configure 6 \
		noipv6 debug logfile /run/pppd.pptp.log updetach ${PPTP_OPTIONS:-}; rc=\$?
	[ \$rc = 0 ] || tail -15 /run/pppd.pptp.log; exit \$rc"
}
sc_pptp1() { # one PPTP client
	guests u1 s1 || return
	pptp_server s1
	check "u1 dials" pptp_client u1 $S1
	check "u1 pings through" gping u1 172.16.0.1
}
sc_pptp2() { # two PPTP clients, one server, at the same time
	guests u1 u2 s1 || return
	pptp_server s1
	check "u1 dials" pptp_client u1 $S1
	check "u1 pings through" gping u1 172.16.0.1
	check "u2 dials" pptp_client u2 $S1
	check "u2 pings through" gping u2 172.16.0.1
	check "both at the same time" both_ping u1 u2 172.16.0.1
}
both_ping() { # both_ping GUEST GUEST ADDRESS: through both tunnels at the same time
	local first
	gping "$1" "$3" & first=$!
	gping "$2" "$3" && wait $first
}
sc_pptp2servers() { # two PPTP clients, a server each
	guests u1 u2 s1 s2 || return
	pptp_server s1; pptp_server s2
	check "u1 dials s1" pptp_client u1 $S1
	check "u2 dials s2" pptp_client u2 $S2
	check "u1 pings through" gping u1 172.16.0.1
	check "u2 pings through" gping u2 172.16.0.1
}
sc_pptp-inside() { # a PPTP server inside behind a port forward, two clients outside
	gw_translates || { skip "GATEWAY=$GATEWAY forwards no ports"; return; }
	FORWARDS="tcp 1723 10.10.0.11"
	gw_start
	guests u1 s1 s2 || return
	pptp_server u1
	check "s1 dials" pptp_client s1 $WAN_IP
	check "s2 dials" pptp_client s2 $WAN_IP
	check "both ping through at the same time" both_ping s1 s2 172.16.0.1
}
