#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where XDP is attached no VLAN tag is taken off beside the frame: rx-vlan-offload is off
# while the gateway runs by XDP, and what it was before when it has gone.
#
# A veth's other end decides about tags, so this shows the settings; what they do on a card
# no device here shows. Prints TAP. BUILD names the directory of wayleaved and wayleave.
# shellcheck disable=SC2034 # stage.sh reads them
ME=wlo$$ NAMESPACES="g a s"
# shellcheck source=stage.sh
. "$(dirname "$(readlink -f "$0")")/stage.sh"

offload() { in_ns g ethtool -k "$1" | sed -n 's/^rx-vlan-offload: //p'; }
is() { # is DEVICE on|off
	[ "$(offload "$1")" = "$2" ]
}
both_are() { is lan0 "$1" && is wan0 "$2"; }
killed() { { kill -9 "$GATEWAY" && wait "$GATEWAY"; } 2>/dev/null; GATEWAY=; }
torn_down() { in_ns g "$BUILD/wayleaved" -c "$DIR/settings.yaml" --teardown; }
switched_on() { in_ns g ethtool -K lan0 rx-vlan-offload on && until_ok 15 is lan0 off; }

namespaces_up || skip_all "network namespaces"
command -v ethtool >/dev/null || skip_all "ethtool"
wire lan0 10.0.0.1 a 10.0.0.2
wire wan0 203.0.113.1 s 203.0.113.9
for n in a s; do in_ns $n ethtool -K eth0 tx off gro on; done >/dev/null 2>&1
in_ns g ethtool -K wan0 rx-vlan-offload off
is lan0 on || skip_all "a device with rx-vlan-offload"
ok "the gateway starts by XDP" gateway_start lan0 "dataplane: xdp"
ok "rx-vlan-offload is off" both_are off off
ok "somebody switches it on: it goes off" switched_on
killed
ok "the daemon is killed, and so it stays" both_are off off
ok "--teardown" torn_down
ok "it is as it was, on one device" both_are on off
ok "the gateway starts by XDP" gateway_start lan0 "dataplane: xdp"
killed
ok "and then by TC" gateway_start lan0 "dataplane: tc"
ok "it is as it was" both_are on off
ok "--teardown" gateway_stop
ok "and stays so" both_are on off
echo "1..$COUNT"
