# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# L2TP (RFC 2661) without IPsec: xl2tpd at both ends, kernel L2TP and PPP.
SCENARIOS+=(l2tp1 l2tp2)
LONG_SCENARIOS+=(l2tp-ids2)

l2tp_server() { # l2tp_server GUEST
	g "$1" 'modprobe l2tp_ppp; modprobe pppox
	mkdir -p /run/xl2tpd /etc/xl2tpd /etc/ppp
	cat > /etc/xl2tpd/xl2tpd.conf <<-X
		[global]
		port = 1701
		[lns default]
		ip range = 172.17.0.10-172.17.0.20
		local ip = 172.17.0.1
		require chap = yes
		refuse pap = yes
		require authentication = yes
		name = lns
		length bit = yes
		pppoptfile = /etc/ppp/options.xl2tpd
	X
	printf "%s\n" noccp nobsdcomp nodeflate novj noipv6 debug "logfile /run/pppd.log" > /etc/ppp/options.xl2tpd
	echo "user lns secret *" >> /etc/ppp/chap-secrets
	ip addr add 172.17.0.1/32 dev lo
	xl2tpd -D > /run/xl2tpd.log 2>&1 &
	i=0; until grep -q "Listening on" /run/xl2tpd.log || [ $i = 50 ]; do sleep 0.1; i=$((i+1)); done'
}
l2tp_client() { # l2tp_client GUEST SERVER-ADDRESS; L2TP_OPTIONS, L2TP_GLOBAL: more for its xl2tpd
	g "$1" "modprobe l2tp_ppp; modprobe pppox
	mkdir -p /run/xl2tpd /etc/xl2tpd /etc/ppp
	cat > /etc/xl2tpd/xl2tpd.conf <<-X
		[global]
		${L2TP_GLOBAL:-}
		[lac vpn]
		lns = $2
		name = user
		require authentication = no
		length bit = yes
		autodial = yes
		${L2TP_OPTIONS:-}
		pppoptfile = /etc/ppp/options.l2
	X
	printf '%s\n' noccp nobsdcomp nodeflate novj noauth noipv6 nodefaultroute refuse-eap 'name user' 'remotename lns' debug 'logfile /run/pppd.l2tp.log' > /etc/ppp/options.l2
	echo 'user lns secret *' >> /etc/ppp/chap-secrets
	xl2tpd -D > /run/xl2tpd.log 2>&1 &
	i=0; while [ \$i -lt 100 ]; do ip -4 addr show | grep -q 'peer 172.17.0.1' && exit 0; sleep 0.2; i=\$((i+1)); done
	tail -20 /run/xl2tpd.log; tail /run/pppd.l2tp.log; exit 1"
}
sc_l2tp1() { # one L2TP client
	guests u1 s1 || return
	l2tp_server s1
	check "u1 dials" l2tp_client u1 $S1
	check "u1 pings through" gping u1 172.17.0.1
}
sc_l2tp2() { # two L2TP clients, one server, both from source port 1701
	guests u1 u2 s1 || return
	l2tp_server s1
	check "u1 dials" l2tp_client u1 $S1
	check "u1 pings through" gping u1 172.17.0.1
	check "u2 dials" l2tp_client u2 $S1
	check "u2 pings through" gping u2 172.17.0.1
	check "u1 still pings" gping u1 172.17.0.1
}
# Its xl2tpd takes tunnel ids from /dev/urandom, two bytes each: there it finds 0x0101 only.
id_is_257() { g "$1" 'head -c 65536 /dev/zero | tr "\0" "\1" > /run/ones && mount --bind /run/ones /dev/urandom'; }
server_has() { g s1 "grep -q '$1' /run/xl2tpd.log"; }
sc_l2tp-ids2() { # two L2TP clients that call their tunnels the same, and xl2tpd, which knows a tunnel by address and id
	COMPARE="--tunnel-ids"
	guests u1 u2 s1 || return
	l2tp_server s1
	id_is_257 u1 && id_is_257 u2 || return
	check "u1 dials" l2tp_client u1 $S1
	check "... as tunnel 257" server_has "Connection established to .*Remote: 257 "
	check "u1 pings through" gping u1 172.17.0.1
	check "u2 dials" l2tp_client u2 $S1
	check "... the server took it for u1 at first" server_has "Peer requested tunnel 257 twice"
	check "u2 pings through" gping u2 172.17.0.1
	check "u1 still pings" gping u1 172.17.0.1
	check "both at once" all_at_once gping u1 u2 -- 172.17.0.1
	check "... under two ids: one tunnel alone is 257" eval '[ "$(g s1 "grep -c \"Connection established to .*Remote: 257\\b\" /run/xl2tpd.log")" = 1 ]'
}
