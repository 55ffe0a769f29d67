#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# "done" means that it also works tomorrow: settings that would break the next start or do
# nothing are refused or explained when they are made, by the command line, the page's API,
# `check` and SIGHUP alike; a start survives them; a dry run says whom a change cuts off.
#
#   HOST 10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlc$$ NAMESPACES="g a s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"

net_up() {
	namespaces_up || return 1
	wire lan0 10.0.0.1 a 10.0.0.2
	wire wan0 203.0.113.1 s 203.0.113.9
	ip -n "$ME-g" route add default via 203.0.113.9
	ip -n "$ME-a" route add default via 10.0.0.1
}
ctl() { in_ns g "$BUILD/wayleave" -r "$DIR/run" "$@" </dev/null; }
says() { # says WORDS COMMAND...: it succeeds, and says so
	local words=$1
	shift
	"$@" >"$DIR/said" 2>&1 || { cat "$DIR/said"; return 1; }
	cat "$DIR/said"
	grep -qF -- "$words" "$DIR/said"
}
refuses() { # refuses WORDS COMMAND...: it fails, and says why
	local words=$1
	shift
	"$@" >"$DIR/said" 2>&1 && { cat "$DIR/said"; return 1; }
	cat "$DIR/said"
	grep -qF -- "$words" "$DIR/said"
}
unchanged() { ctl --json show config | python3 -c '
import json, sys
config = json.load(sys.stdin)["settings"]
assert config["control_group"] is None and config["wan"]["interface"] == "wan0", config
assert not config["port_forwards"], config'; }
passes() { in_ns a ping -c1 -W1 203.0.113.9; }
restarted() { # as the machine does tomorrow: nothing of today is left
	gateway_stop
	ip netns exec "$ME-g" "$BUILD/wayleaved" -c "$DIR/settings.yaml" 2>"$DIR/wayleaved.log" &
	GATEWAY=$!
	until_ok 60 translating && until_ok 5 passes
}
certificate() { # certificate NAME: a pair of its own
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -days 9 \
		-keyout "$DIR/$1.key" -out "$DIR/$1.pem"
}
asked() { # asked JSON: the daemon's answer
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1] + "/control.sock")
s.sendall(sys.argv[2].encode() + b"\n")
print(s.makefile().readline())' "$DIR/run" "$1"
}
completed() { # completed WORD...: what bash would offer for the last one
	# shellcheck disable=SC1091
	in_ns g bash -c '. "$1/packaging/completion/wayleave"; shift; COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1)); _wayleave; printf "%s\n" "${COMPREPLY[@]}"' _ "$TOP" "$@"
}
reload_refused() {
	cp "$DIR/settings.yaml" "$DIR/good.yaml"
	echo 'control_group: nosuchgroup' >>"$DIR/settings.yaml"
	kill -HUP "$GATEWAY"
	until_ok 5 grep -q "no group 'nosuchgroup'" "$DIR/wayleaved.log" && unchanged
}
wrong_file_ends_with() { # wrong_file_ends_with STATUS
	printf 'wan: {interface: wan0}\nlan: {interfaces: [lan0]}\npasstrough: {pptp: off}\nrun_dir: %s\n' "$DIR/run2" >"$DIR/wrong.yaml"
	in_ns g "$BUILD/wayleaved" -c "$DIR/wrong.yaml" 2>"$DIR/wrong.log"
	[ $? = "$1" ]
}

net_up || skip_all "network namespaces"
ok "the gateway starts" gateway_start lan0 "web: {enabled: on}"

# --- each "done" that broke the next boot or did nothing --------------------------------
ok "a group that does not exist is refused" refuses "there is no group 'nosuchgroup'" ctl set control_group nosuchgroup
ok "... in a dry run too" refuses "there is no group 'nosuchgroup'" ctl set control_group nosuchgroup --dry-run
ok "... and by check" refuses "there is no group 'nosuchgroup'" in_ns g "$BUILD/wayleave" check \
	<(sed '$a control_group: nosuchgroup' "$DIR/settings.yaml")
ok "... and by wayleaved --check" refuses "there is no group 'nosuchgroup'" in_ns g "$BUILD/wayleaved" --check -c \
	<(sed '$a control_group: nosuchgroup' "$DIR/settings.yaml")
ok "a WAN that is not there is taken, and said" says \
	"done; wan9 does not exist now (did you mean wan0?); nothing is translated until it appears" ctl set wan.interface wan9
ok "... going back shows what changes and wants a yes" refuses "wan.interface: wan9 -> wan0" ctl rollback
ok "... which a script gives" says "done" ctl rollback --yes
ok "a forward to the gateway itself is refused" refuses "10.0.0.1 is this gateway itself" ctl forward add tcp:22 10.0.0.1
ok "... and to its WAN address" refuses "203.0.113.1 is this gateway itself" ctl forward add tcp:22 203.0.113.1
ok "... and to a stranger" refuses "8.8.8.8 is on no LAN: the way to it is wan0" ctl forward add tcp:443 8.8.8.8
ok "... and to everybody" refuses "10.0.0.255 is not the address of one device" ctl forward add tcp:443 10.0.0.255
ok "a certificate that is not there is refused" says "$DIR/no.pem cannot be read" asked \
	'{"request": "set", "values": {"web.certificate": "'"$DIR/no.pem"'", "web.key": "/dev/null"}}'
ok "an SSH session is told when its interface becomes the WAN" says \
	"Your SSH session from 10.0.0.2 comes in by lan0, which becomes the WAN" asked \
	'{"request": "set", "values": {"wan.interface": "lan0", "lan.interfaces": "wan0"}, "dry_run": true, "from": "10.0.0.2"}'
ok "nothing of it is in the settings" unchanged
ok "a file that SIGHUP reads is asked the same" reload_refused
cp "$DIR/good.yaml" "$DIR/settings.yaml"
ip -n "$ME-g" route add 192.168.7.0/24 via 10.0.0.2
ok "a forward to a device is made" says "done" ctl forward add tcp:443 10.0.0.2 "web server"
ok "... to one behind a router on the LAN as well" says "done" ctl forward add tcp:444 192.168.7.2 'a$(touch x)b'
ok "a LAN that is not there yet is taken, and said" says "lan9 does not exist now (did you mean lan0?); no device behind it is served" \
	ctl set lan.interfaces lan0,lan9
ok "a group is taken, with when it takes effect" says "control_group takes effect after: systemctl restart wayleave" \
	ctl set control_group daemon
ok "what was done today works tomorrow" restarted
ok "... with the group" test "$(stat -c %G "$DIR/run/control.sock")" = daemon
sed -i 's/^control_group: .*/control_group: nosuchgroup/' "$DIR/settings.yaml"
ok "a group that is deleted meanwhile does not keep it from starting" restarted
ok "... which status says" says "no group nosuchgroup" translating
ok "other changes go on beside an old fault" says "done" ctl set timeouts.udp 400

# --- certificates ---------------------------------------------------------------------------
certificate one >/dev/null 2>&1
certificate two >/dev/null 2>&1
cat >"$DIR/mixed.yaml" <<-Y
	wan: {interface: wan0}
	lan: {interfaces: [lan0]}
	web: {enabled: on, certificate: $DIR/one.pem, key: $DIR/two.key}
Y
ok "a key of another certificate is said by check" refuses "the key in web.key is not that of $DIR/one.pem" \
	in_ns g "$BUILD/wayleave" check "$DIR/mixed.yaml"
sed "s/two.key/one.key/" "$DIR/mixed.yaml" >"$DIR/pair.yaml"
ok "... a pair is good" says OK in_ns g "$BUILD/wayleave" check "$DIR/pair.yaml"
sed "s/one.key/one.pem/" "$DIR/pair.yaml" >"$DIR/mixed.yaml"
ok "... what is no key is not" refuses "are no certificate and key in PEM" in_ns g "$BUILD/wayleave" check "$DIR/mixed.yaml"

# --- whom it cuts off ----------------------------------------------------------------------
ctl set control_group '' >/dev/null
armed() { # a PPTP call that is up, without a server
	asked '{"request": "arm", "kind": "pptp", "inside": "10.0.0.2", "inside_id": 7, "remote": "203.0.113.9", "remote_id": 9}' &&
		until_ok 5 sh -c "'$BUILD/wayleave' -r '$DIR/run' show vpn | grep -q 10.0.0.2"
}
ok "a tunnel is up" armed
ok "a dry run says that it would be cut off" says "10.0.0.2  pptp to 203.0.113.9: its passthrough switch goes off" \
	ctl set passthrough.pptp off --dry-run
ok "... and has changed nothing" says '"pptp": "on"' translating --json
ok "... so does one of another WAN" says "10.0.0.2  pptp to 203.0.113.9: the WAN changes" ctl set wan.interface wan9 --dry-run
ok "... and of a LAN less" says "its LAN is no longer served" ctl set lan.interfaces lan9 --dry-run
ok "what touches no tunnel says that" says "No live tunnel is cut off" ctl set passthrough.l2tp off --dry-run
ctl set passthrough.pptp off --yes >/dev/null
ctl set passthrough.pptp on >/dev/null
ok "rollback says that the tunnel would be cut off, and does nothing by itself" refuses \
	"10.0.0.2  pptp to 203.0.113.9: its passthrough switch goes off" ctl rollback
ok "... nor a dry run of it" says "passthrough.pptp: on -> off" ctl rollback --dry-run
ok "... and the tunnel's switch is on still" says '"pptp": "on"' translating --json
ctl set --confirm timeouts.udp 500 >/dev/null
ok "a change that waits is taken back without a question" says "done" ctl rollback
ok "... which took the right one back" says '"udp": 400' ctl --json show config

# --- names ------------------------------------------------------------------------------------
ok "a class that is none is refused, not an empty list" refuses "did you mean ipsec?" ctl show sessions --class ipsek
ok "... and a protocol" refuses "'tpc' is none of tcp" ctl show sessions --protocol tpc
ok "... a setting" refuses "did you mean passthrough.pptp?" ctl set passthru.pptp off
ok "... a value" refuses "did you mean nat-only?" ctl set passthrough.pptp nat-onyl
ok "... a command" refuses "did you mean show vpn?" ctl vpn
ok "... a forward" refuses "did you mean web server?" ctl forward remove "web sever"
ok "... a name in a file, which ends the start with a status of its own" wrong_file_ends_with 78
ok "... with what was meant" grep -q 'did you mean passthrough?' "$DIR/wrong.log"
ok "completion offers the forwards' names" grep -qx 'web\\ server' <(completed "$BUILD/wayleave" -r "$DIR/run" forward remove we)
ok "... and expands nothing of theirs" grep -qF 'touch' <(completed "$BUILD/wayleave" -r "$DIR/run" forward remove a)
ok "... really not" not test -e x

# --- a LAN without an address -----------------------------------------------------------------
warned() { grep -q 'lan0 has no IPv4 address' <(ctl status); }
ok "a LAN with an address is not warned of" not warned
ip -n "$ME-g" addr flush dev lan0
ok "... without one it is" warned
gateway_stop
echo "1..$COUNT"
