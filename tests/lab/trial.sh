#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A trial (wayleaved --trial) takes itself away, whole, unless it is confirmed: when its time
# is over, when it is ended and when it is killed.
#
#   HOST 10.0.0.2 --- lan0 GATEWAY wan0 203.0.113.1 --- 203.0.113.9, .66 ADMINISTRATOR
#
# Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlt$$ NAMESPACES="g a s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"
# shellcheck source=first_net.sh
. "$TOP/tests/lab/first_net.sh"

net_up || skip_all "network namespaces"
service 22 4
ok "a trial" launch lan0 --trial 10
ok "... is a start as any" passes
ok "... refuses a new session" not reaches 22
ok "... says how long it has" grep -q 'A trial: everything is taken away in .* wayleave confirm' <(ctl status)
ok "unconfirmed it ends by itself" until_ok 20 gone
ok "... all is as before" untouched
ok "... and a new session comes in" reaches 22
ok "... it was no first start" not test -e "$DIR/settings.yaml.d/started"
ok "a trial that is killed" launch lan0 --trial 60
ok "... all of it" kill -KILL "$(pgrep -P "$GATEWAY" | head -1)"
ok "... takes itself away too" until_ok 20 untouched
wait "$GATEWAY" 2>/dev/null
ok "one at whose terminal somebody quits" launch lan0 --trial 60
kill -QUIT "$GATEWAY" # and so does what it started, as Ctrl-\\ has it
ok "... too" until_ok 20 untouched
wait "$GATEWAY" 2>/dev/null
ok "one that is ended" launch lan0 --trial 60
kill -TERM "$GATEWAY"
ok "... too" until_ok 20 gone
ok "... all is as before" untouched
ok "a confirmed one" launch lan0 --trial 10
ok "... is confirmed from where one is" ctl confirm
ok "... has the powers of a daemon that runs, no more" capabilities
ok "... stays" not until_ok 11 gone
ok "... with packets passing" passes
ok "... there is nothing more to confirm" not ctl confirm
refused_beside() { ! in_ns g "$BUILD/wayleaved" -c "$DIR/settings.yaml" --trial 10 2>"$DIR/said" && cat "$DIR/said"; }
kill -TERM "$GATEWAY"
wait "$GATEWAY" 2>/dev/null
ok "... ended it leaves translation running, as any" passes
ok "no trial of what runs already" refused_beside
ok "... for it would take that away" grep -q 'start from nothing' "$DIR/said"
ok "... which it has not" passes
gateway_stop
echo "1..$COUNT"
