# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What is the gateway's own: port forwards, its own connections, and silence.
SCENARIOS+=(forwards own-connections wan-scan restart)

# --- small servers and clients -----------------------------------------------------
# An answer says who asked, as the server saw it: "answer NAME ADDRESS PORT"
answer_server() { # answer_server NAMESPACE tcp|udp PORT
	local listen=TCP4-LISTEN
	[ "$2" = tcp ] || listen=UDP4-RECVFROM
	bg "answer.$1.$2.$3" ip netns exec "$PFX-$1" socat -T3 "$listen:$3,fork,reuseaddr" \
		SYSTEM:"read q; echo answer $1 \$SOCAT_PEERADDR \$SOCAT_PEERPORT"
	wait_for 30 ns "$1" sh -c "ss -Hln --$2 sport = $3 | grep -q ."
}
ask() { # ask NAMESPACE tcp|udp ADDRESS PORT [SOURCE-PORT]: prints the answer
	local from=
	[ -z "${5:-}" ] || from=,sourceport=$5,reuseaddr
	echo question | ns "$1" timeout 4 socat -t2 - "$2:$3:$4$from"
}
answers() { # answers SERVER ask-arguments...: whether SERVER answered
	local server=$1; shift
	ask "$@" | tee /dev/stderr | grep -q "^answer $server "
}

# --- port forwards --------------------------------------------------------------------
esp_manual() { # esp_manual GUEST LOCAL REMOTE INNER PEER-INNER SPI-OUT SPI-IN: keys by hand
	g "$1" "modprobe -a esp4 xfrm_user authenc cbc
	k='auth sha256 0x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef enc aes 0x0123456789abcdef0123456789abcdef mode tunnel'
	ip addr add $4/32 dev lo
	ip xfrm state add src $2 dst $3 proto esp spi $6 \$k
	ip xfrm state add src $3 dst $2 proto esp spi $7 \$k
	ip xfrm policy add src $4 dst $5 dir out tmpl src $2 dst $3 proto esp mode tunnel
	ip xfrm policy add src $5 dst $4 dir in tmpl src $3 dst $2 proto esp mode tunnel"
}
forward_protocols() { # ESP and GRE servers inside, called from outside first
	check "GRE server inside" gre_end u1 10.10.0.11 $S1 10.97.1.1/24 1
	check "GRE client outside" gre_end s1 $S1 $WAN_IP 10.97.1.254/24 1
	check "GRE from outside" gping s1 10.97.1.1
	check "ESP server inside" esp_manual u1 10.10.0.11 $S1 10.96.1.1 10.96.1.254 0x1001 0x1002
	check "ESP client outside" esp_manual s1 $S1 $WAN_IP 10.96.1.254 10.96.1.1 0x1002 0x1001
	check "ESP from outside" gping s1 "-I 10.96.1.254 10.96.1.1"
}
sc_forwards() { # port forwards for TCP, UDP, ESP and GRE, from outside and by hairpin
	gw_translates || { skip "GATEWAY=$GATEWAY forwards no ports"; return; }
	FORWARDS="tcp 8080 10.10.0.21
udp 5353 10.10.0.21
esp - 10.10.0.11
gre - 10.10.0.11"
	DIRT_BREAKS=yes
	gw_start
	guests u1 s1 || return
	answer_server c1 tcp 8080; answer_server c1 udp 5353
	check "TCP from outside" answers c1 h1 tcp $WAN_IP 8080
	check "UDP from outside" answers c1 h1 udp $WAN_IP 5353
	check "TCP by hairpin" answers c1 c2 tcp $WAN_IP 8080
	check "UDP by hairpin" answers c1 c2 udp $WAN_IP 5353
	check "a port beside it stays closed" not answers c1 h1 tcp $WAN_IP 8081
	forward_protocols
}
not() { ! "$@"; }

# --- the gateway's own connections ------------------------------------------------------
sc_own-connections() { # the gateway asks UDP and TCP servers from ports that LAN hosts use too
	local k n
	OWN="udp/5300 tcp/5301"
	for k in "udp 5300" "tcp 5301" "udp 5310" "tcp 5311"; do
		answer_server h1 $k
	done
	for n in c1 c2; do
		check "$n UDP" answers h1 $n udp $H1 5310 40000
		check "$n TCP" answers h1 $n tcp $H1 5311 40001
	done
	check "gateway UDP, port of its choice" answers h1 gw udp $H1 5300
	check "gateway TCP, port of its choice" answers h1 gw tcp $H1 5301
	check "gateway UDP from a LAN host's port" answers h1 gw udp $H1 5300 40000
	check "gateway TCP from a LAN host's port" answers h1 gw tcp $H1 5301 40001
	check "c1 UDP still" answers h1 c1 udp $H1 5310 40000
	check "c2 TCP still" answers h1 c2 tcp $H1 5311 40001
}

# --- silence ------------------------------------------------------------------------------
sc_wan-scan() { # the WAN address answers nothing that it was not asked to
	answer_server h1 udp 5310
	# a service on the gateway: reachable by the kernel, closed to the WAN
	answer_server gw tcp 22; answer_server gw udp 53
	check "c1 has a flow meanwhile" answers h1 c1 udp $H1 5310 40000
	gw_is_wayleave || { skip "GATEWAY=$GATEWAY is not expected to be silent"; return; }
	check "no answer to any probe" ns h1 "$HERE/scan.py" eth0 $WAN_IP
	check "c1's flow goes on" answers h1 c1 udp $H1 5310 40000
}

# --- the daemon dies ------------------------------------------------------------------------
wayleave_again() {
	gw_spawn "$WAYLEAVED" -c "$LAB/wayleave.yaml"
	wait_for 60 gw_translating
}
sc_restart() { # tunnels outlive kill -9, SIGTERM and a new start of the daemon
	gw_is_wayleave || { skip "GATEWAY=$GATEWAY has no daemon"; return; }
	guests u1 s1 || return
	pptp_server s1; wg_server; wg_client c1
	check "PPTP dials" pptp_client u1 $S1
	restart_after KILL
	restart_after TERM
}
tunnels_pass() { gping u1 172.16.0.1 && nping c1 10.98.1.254; }
restart_after() { # restart_after SIGNAL
	check "before $1: tunnels pass" tunnels_pass
	kill -"$1" "$(cat "$LAB/gw.pid")"
	check "$1 ended the daemon" wait_for 5 not process_alive "$LAB/gw.pid"
	check "without a daemon: tunnels pass" tunnels_pass
	check "a new daemon starts" wayleave_again
	check "after $1: tunnels pass" tunnels_pass
}
