# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# User-space VPNs, straight in the namespaces: clients c1 and c2, server h1.
# The tunnel address of h1 ends in 254 or 1. Plain GRE between guests.
SCENARIOS+=(wireguard openvpn-udp openvpn-tcp openconnect gre1)

# --- WireGuard ---------------------------------------------------------------------
# wireguard-go's control sockets are in one directory for the whole machine
wg_if() { echo "$PFX$1"; }
wg_device() { # wg_device NAMESPACE ADDRESS
	local i; i=$(wg_if "$1")
	(umask 077; wg genkey > "$OUT/$1.key"); wg pubkey < "$OUT/$1.key" > "$OUT/$1.pub"
	bg "wg.$1" ip netns exec "$PFX-$1" env WG_PROCESS_FOREGROUND=1 wireguard-go -f "$i"
	wait_for 30 test -S "/var/run/wireguard/$i.sock"
	# every end from one port, as clients with a fixed ListenPort are
	ns "$1" wg set "$i" private-key "$OUT/$1.key" listen-port 51820
	ns "$1" ip addr add "$2" dev "$i"; ns "$1" ip link set "$i" up
}
wg_server() { wg_device h1 10.98.1.254/24; }
wg_client() { # wg_client NAMESPACE
	local k=${1#c}
	wg_device "$1" "10.98.1.$k/24"
	ns h1 wg set "$(wg_if h1)" peer "$(cat "$OUT/$1.pub")" allowed-ips "10.98.1.$k/32"
	ns "$1" wg set "$(wg_if "$1")" peer "$(cat "$OUT/h1.pub")" endpoint $H1:51820 allowed-ips 10.98.1.254/32
}
sc_wireguard() { # two WireGuard clients from one source port, one server
	wg_server; wg_client c1; wg_client c2
	check "c1 pings through" nping c1 10.98.1.254
	check "c2 pings through" nping c2 10.98.1.254
	check "c1 still pings" nping c1 10.98.1.254
}

# --- OpenVPN -------------------------------------------------------------------------
cert() { # cert FILE NAME: FILE.key and FILE.crt
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$2" \
		-addext "subjectAltName=IP:$H1" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
fingerprint() { openssl x509 -in "$1.crt" -noout -fingerprint -sha256 | cut -d= -f2; }
ovpn_ready()  { wait_for 60 grep -q 'Initialization Sequence Completed' "$OUT/ovpn.$1"; }

ovpn_server() { # ovpn_server udp|tcp-server
	local n
	for n in h1 c1 c2; do cert "$OUT/$n" $n; done
	# shellcheck disable=SC2046
	bg ovpn.h1 $(aside h1 openvpn) --dev tun0 --proto "$1" --port 1194 --server 10.98.2.0 255.255.255.0 \
		--topology subnet --dh none --cert "$OUT/h1.crt" --key "$OUT/h1.key" --duplicate-cn --verb 3 \
		--keepalive 5 30 \
		--peer-fingerprint "$(printf '%s\n%s' "$(fingerprint "$OUT/c1")" "$(fingerprint "$OUT/c2")")"
	ovpn_ready h1
}
ovpn_client() { # ovpn_client NAMESPACE udp|tcp-client
	# shellcheck disable=SC2046
	bg "ovpn.$1" $(aside "$1" openvpn) --dev tun0 --proto "$2" --client --remote $H1 1194 --nobind \
		--cert "$OUT/$1.crt" --key "$OUT/$1.key" --peer-fingerprint "$(fingerprint "$OUT/h1")" --verb 3
	ovpn_ready "$1"
}
ovpn_two() { # ovpn_two SERVER-PROTO CLIENT-PROTO
	local n
	check "server" ovpn_server "$1"
	for n in c1 c2; do
		check "$n up" ovpn_client $n "$2"
		check "$n pings through" nping $n 10.98.2.1
	done
	check "c1 still pings" nping c1 10.98.2.1
}
sc_openvpn-udp() { # two OpenVPN clients over UDP
	ovpn_two udp udp; }
sc_openvpn-tcp() { # two OpenVPN clients over TCP
	ovpn_two tcp-server tcp-client; }

# --- OpenConnect: TLS first, then DTLS over UDP beside it -------------------------------
oc_server() {
	cert "$OUT/oc" h1
	echo labsecret | ns h1 openssl passwd -6 -stdin | sed 's/^/user:*:/' > "$OUT/ocpasswd"
	cat > "$OUT/ocserv.conf" <<-X
		auth = "plain[passwd=$OUT/ocpasswd]"
		tcp-port = 443
		udp-port = 443
		run-as-user = root
		run-as-group = root
		socket-file = $OUT/ocserv.sock
		server-cert = $OUT/oc.crt
		server-key = $OUT/oc.key
		isolate-workers = false
		max-same-clients = 4
		keepalive = 300
		device = vpns
		ipv4-network = 10.98.3.0
		ipv4-netmask = 255.255.255.0
		route = 10.98.3.0/255.255.255.0
		cisco-client-compat = true
		dtls-legacy = true
	X
	# shellcheck disable=SC2046
	bg ocserv $(aside h1 ocserv) -f -d 1 -c "$OUT/ocserv.conf"
	wait_for 30 ns h1 sh -c 'ss -Hltn sport = 443 | grep -q .'
}
oc_client() { # oc_client NAMESPACE
	local pin
	pin=$(openssl x509 -in "$OUT/oc.crt" -pubkey -noout | openssl pkey -pubin -outform der |
		openssl dgst -sha256 -binary | base64)
	cat > "$OUT/oc-script" <<-'X'
		#!/bin/sh
		[ "$reason" = connect ] || exit 0
		ip link set "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1300}"
		ip addr add "$INTERNAL_IP4_ADDRESS/24" dev "$TUNDEV"
	X
	chmod +x "$OUT/oc-script"
	echo labsecret > "$OUT/oc.secret"
	bg "oc.$1" ip netns exec "$PFX-$1" sh -c "exec openconnect --user=user --passwd-on-stdin -v \
		--interface=oc0 --script '$OUT/oc-script' --servercert pin-sha256:$pin $H1 < '$OUT/oc.secret'"
	wait_for 60 grep -q 'DTLS connection\|DTLS.*established\|Established DTLS' "$OUT/oc.$1"
}
sc_openconnect() { # two OpenConnect clients, TLS and DTLS
	local n
	check "server" oc_server
	for n in c1 c2; do
		check "$n up with DTLS" oc_client $n
		check "$n pings through" nping $n 10.98.3.1
	done
	check "c1 still pings" nping c1 10.98.3.1
}

# --- plain GRE (version 0, RFC 2784 and 2890), kernel to kernel, as site routers do ------
gre_end() { # gre_end GUEST LOCAL REMOTE INNER KEY
	g "$1" "modprobe ip_gre; ip link add g$5 type gre local $2 remote $3 key $5 ttl 64 &&
		ip addr add $4 dev g$5 && ip link set g$5 up"
}
seen_from_outside() { if gw_translates; then echo $WAN_IP; else echo "$1"; fi; }
sc_gre1() { # one GRE tunnel; the client speaks first
	guests u1 s1 || return
	check "server" gre_end s1 $S1 "$(seen_from_outside 10.10.0.11)" 10.97.1.254/24 1
	check "u1" gre_end u1 10.10.0.11 $S1 10.97.1.1/24 1
	check "u1 pings through" gping u1 10.97.1.254
}
