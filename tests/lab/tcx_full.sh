#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tcx has as many programs of others as it takes: the gateway hangs on the older hook, says
# so, and translates.
#
#   A 10.0.0.2 --- lan0 10.0.0.1 GATEWAY wan0 203.0.113.1 --- 203.0.113.9 SERVER
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlx$$ NAMESPACES="g a s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
SERVER=203.0.113.9

told() { grep -q 'hangs on lan0 as a filter of clsact.*: Numerical result out of range' "$DIR/wayleaved.log"; }
passes() { in_ns a ping -c1 -W2 $SERVER; }

namespaces_up || skip_all "network namespaces"
wire lan0 10.0.0.1 a 10.0.0.2
wire wan0 203.0.113.1 s $SERVER
ip -n "$ME-g" route add default via $SERVER
ip -n "$ME-a" route add default via 10.0.0.1
in_ns g "$TOP/tests/lab/tcx.py" lan0 ingress fill || skip_all "tcx (Linux 6.6)"
ok "the gateway starts" gateway_start lan0 "dataplane: tc"
ok "it says that it had to use the older hook" told
ok "of that interface only" not grep -q 'hangs on wan0' "$DIR/wayleaved.log"
ok "a host's ping passes" passes
ok "--teardown" gateway_stop
echo "1..$COUNT"
