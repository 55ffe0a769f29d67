#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# PPTP (RFC 2637) at length, between peers whose every byte is known: hundreds of
# calls with the same ids, calls of both directions, servers inside, and each way
# in which a call can end.
#
#   CLIENTS 10.0.0.2..5 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9..11 SERVERS
#   servers 10.0.0.6, .7 -/                              \--- clients 203.0.113.20, .21
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlp$$ NAMESPACES="g c s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
CALLS=$TOP/tests/lab/pptp_calls.py
EXTERNAL=203.0.113.1 S=203.0.113.9 T=203.0.113.10 U=203.0.113.11 V=203.0.113.20 W=203.0.113.21 DEAF=203.0.113.12

net_up() {
	local n
	namespaces_up || return 1
	wire lan0 10.0.0.1 c 10.0.0.2
	for n in 3 4 5 6 7; do ip -n "$ME-c" addr add 10.0.0.$n/24 dev eth0; done
	wire wan0 $EXTERNAL s $S
	for n in $T $U $V $W $DEAF; do ip -n "$ME-s" addr add $n/24 dev eth0; done
	ip -n "$ME-c" route add default via 10.0.0.1
}
servers() { # servers NAMESPACE ADDRESS...
	local log=$DIR/server.$1.log n=$1
	shift
	ip netns exec "$ME-$n" "$CALLS" server "$@" >"$log" 2>&1 &
	OTHERS+=($!)
	until_ok 10 grep -q ready "$log"
}
clients() { # clients NAMESPACE FD: their commands come from descriptor FD
	mkfifo "$DIR/in.$1"
	ip netns exec "$ME-$1" "$CALLS" client <"$DIR/in.$1" >"$DIR/client.$1.log" 2>&1 &
	OTHERS+=($!)
	eval "exec $2>'$DIR/in.$1'"
}
tell() { # tell NAMESPACE COMMAND...: waits for its answer
	local log=$DIR/client.$1.log fd=8 asked
	[ "$1" = c ] || fd=9
	shift
	asked=$(wc -l <"$log")
	echo "$*" >&$fd
	until_ok 60 eval "[ \$(wc -l <'$log') -gt $asked ]"
	tail -1 "$log" | tee /dev/stderr | grep -qx "$* done"
}
say() { tell c "$@"; }
nothing_wrong() { ! grep -h wrong "$DIR"/server.*.log; }
counted() { # counted REASON
	"$BUILD/wayleave" -r "$DIR/run" --json show counters |
		python3 -c 'import json,sys; print(*(c["count"] for c in json.load(sys.stdin) if c["name"] == sys.argv[1]))' "$1"
}

# --- hundreds of calls ----------------------------------------------------------------
at_one_server() { # four clients, five connections each, five calls each: 100
	local a k
	for a in 2 3 4 5; do
		for k in 0 1 2 3 4; do
			say open "$a$k" 10.0.0.$a $S 1723 $((1 + 5 * k)) 5 || return 1
		done
	done
}
at_several_servers() { # the same ids again, at two more servers: 104
	local a
	for a in 2 3 4 5; do
		say open "${a}t" 10.0.0.$a $T 1723 1 13 || return 1
		say open "${a}u" 10.0.0.$a $U 1723 1 13 || return 1
	done
}

# --- servers inside ----------------------------------------------------------------------
from_outside() { # two servers behind one address, each at a port of its own, with the same ids
	tell s open p $V $EXTERNAL 1723 1 4 &&
		tell s open q $V $EXTERNAL 1724 11 4 &&
		tell s open r $W $EXTERNAL 1724 1 4 && tell s gre
}

# --- ends ------------------------------------------------------------------------------------
ends() { # ends COMMAND NAME...: the others go on
	say "$@" && say silent "$2" && say forget "$2" && say gre
}
dropped() { [ "$(counted gre_no_call)" -gt 0 ]; }
strays() { # from inside and from outside
	say stray 10.0.0.2 $S 99 && tell s stray $V $EXTERNAL 99 && until_ok 5 eval '[ "$(counted gre_no_call)" = 2 ]'
}

# --- the WAN address -------------------------------------------------------------------------
renumbered() {
	ip -n "$ME-g" addr del $EXTERNAL/24 dev wan0 && ip -n "$ME-g" addr add 203.0.113.2/24 dev wan0
}

net_up || skip_all "network namespaces"
ok "the gateway starts" gateway_start lan0 "port_forwards:
  - {protocol: tcp, port: 1723, to: 10.0.0.6}
  - {protocol: tcp, port: 1724, to: 10.0.0.7, to_port: 1723}"
ok "servers on both sides" eval "servers s $S $T $U deaf $DEAF && servers c 10.0.0.6 10.0.0.7"
clients c 8
clients s 9
ok "GRE without a call is dropped, from inside and from outside" strays
ok "a hundred calls of four clients with equal ids, at one server" at_one_server
ok "... each passes its own bytes both ways" say gre
ok "a hundred more, with the same ids, at two others" at_several_servers
ok "... all two hundred at the same time" say gre
ok "a call that the server begins, over the client's connection" say incoming 20 100
ok "... passes too" say gre
ok "two servers inside, called from two clients outside" from_outside
ok "... a call that the inside server begins" eval "tell s incoming p 100 && tell s gre"
ok "... while all others still pass" say gre
ok "no server got GRE of another's call" nothing_wrong
ok "Call-Clear ends one call, and no others" eval "say clear 20 1 && say gre"
ok "Stop-Control-Connection ends its calls, and no others" ends stop 21
ok "... but not what is on its way then" eval "say grace 24 && say silent 24 && say forget 24"
ok "FIN does" ends close 22
ok "... and what comes without a call is counted" dropped
ok "after an RST calls pass for a while (RFC 7857 2.2)" eval "say reset 23 && say gre 23"
ok "no server got GRE of another's call" nothing_wrong
ok "an ICMP error about a call's GRE reaches its client, quoting what it sent" eval \
	"say open deaf 10.0.0.2 $DEAF 1723 7 1 && say refused deaf && say close deaf && say forget deaf"
ok "a client inside calls the server inside by the WAN address" eval \
	"say open hairpin 10.0.0.2 $EXTERNAL 1723 500 3 && say gre hairpin"
ok "... and another one the other, with the same ids" eval \
	"say open turned 10.0.0.3 $EXTERNAL 1724 500 3 && say incoming turned 600 && say gre hairpin turned"
ok "... whose calls end as any" eval "say close turned && say silent turned && say forget turned"

ok "the WAN gets another address" renumbered
ok "... clients inside are reset at once" say over 20
ok "... servers inside too" until_ok 5 grep -q '10.0.0.7 connection ended.*reset' "$DIR/server.c.log"
ok "... a client dials again" eval "say open again 10.0.0.2 $S 1723 1 5 && say gre again"
ok "... and a client outside reaches the server inside at the new address" eval \
	"tell s open again $V 203.0.113.2 1723 1 2 && tell s gre again"
gateway_stop
echo "1..$COUNT"
