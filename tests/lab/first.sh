#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Starting locks nobody out. A TCP session that comes by the WAN survives the first start, a
# new one is refused unless wan.allow names it; a first start without its LAN closes nothing.
#
#   HOST 10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9, .66 ADMINISTRATOR
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlf$$ NAMESPACES="g a s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
# shellcheck source=first_net.sh
. "$TOP/tests/lab/first_net.sh"

net_up || skip_all "network namespaces"
service 22 4
service 2222 6
session 22
session 2222
session 22

# --- the first start ---------------------------------------------------------------------
ok "before: a session from the WAN speaks" speaks 1 before
ok "the gateway starts for the first time" launch lan0
ok "... and translates" until_ok 5 passes
ok "the session from the WAN speaks on" speaks 1 after
ok "... one whose service listens on IPv6 for both as well" speaks 2 after
ok "... they are the gateway's own flows" grep -q '"local"' <(ctl --json show sessions)
ok "a new one is refused" not reaches 22
ok "... which the log has said, and how to allow it" said '203.0.113.9 is connected to port 22 .* wayleave set wan.allow "ssh from 203.0.113.9"'
ok "... another's with the same port is nobody's" not reaches 22 203.0.113.66
kill "$GATEWAY"
wait "$GATEWAY" 2>/dev/null
ok "a restart keeps a session that was idle all the time" launch lan0
ok "... it speaks" speaks 3 late
ok "... and the others still" speaks 1 again

# --- wan.allow --------------------------------------------------------------------------------
ok "wan.allow lets a source in" ctl set wan.allow "ssh from 203.0.113.9"
ok "... to the port" reaches 22
ok "... from nowhere else" not reaches 22 203.0.113.66
ok "... to no other port" not reaches 2222
ok "... the data plane counts it" grep -q allowed_in <(ctl --json show counters)
ok "... it is in the firewall's table" grep -q 'ip saddr 203.0.113.9 tcp dport 22 accept' <(in_ns g nft list ruleset)
ok "a network and a range" ctl set wan.allow "tcp:2000-3000 from 203.0.113.0/24, udp:5000 from any"
ok "... let the one in and shut the other out" reaches 2222 203.0.113.66
ok "... no longer the first" not reaches 22
forward_meets() { ! ctl forward add tcp:2222 10.0.0.2 >"$DIR/said" 2>&1 && cat "$DIR/said" && grep -q 'tcp port 2222 is forwarded' "$DIR/said"; }
ok "a forward of an allowed port is refused" forward_meets
ok "nobody again" ctl set wan.allow ""
ok "... nobody is" not reaches 2222
ok "... but the sessions that are there go on" speaks 2 still

# --- a first start without its LAN -------------------------------------------------------------
anew
ok "after --teardown all is as before" untouched
ok "... a new session comes in" reaches 22
ok "a first start whose LAN is missing" launch lan9
ok "... closes nothing" untouched
ok "... lets a new session in" reaches 22
ok "... and says so" grep -q 'nothing is closed to the WAN and nothing translated before lan9 is there' <(ctl status)
sleep 5.5
ok "... nor does its upkeep" untouched
ok "the right LAN is named" ctl set lan.interfaces lan0
ok "... it closes then" until_ok 5 table
ok "... and translates" until_ok 5 passes
ok "... a new session is refused" not reaches 22
kill "$GATEWAY"
wait "$GATEWAY" 2>/dev/null
in_ns g "$BUILD/wayleaved" -c "$DIR/settings.yaml" --teardown 2>/dev/null
ok "a later start whose LAN is missing" launch lan9
ok "... closes before everything else" table
ok "... and lets nobody in" not reaches 22
gateway_stop
echo "1..$COUNT"
