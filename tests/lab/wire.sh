# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What really crossed the wire: checks on the captures, run after every
# scenario. Sourced.

wire_has_esp() { # wire_has_esp raw|natt: what crossed the outside wire
	local n filter='ip proto 50'
	# nobody encapsulates where there is no NAT
	! gw_translates || [ "$1" = raw ] || filter='udp port 4500 and udp[8:4] != 0'
	n=$(tcpdump -nr "$OUT/wan.pcap" "$filter" 2>/dev/null | wc -l)
	echo "$n packets of '$filter'"
	[ "$n" -gt 0 ]
}

# The kernel's own NAT must have had no part in it
kernel_knows_no_lan_flow() { ! ns gw conntrack -L 2>/dev/null | grep '10\.10\.0\.'; }
kernel_has_no_nat_chain()  { ! ns gw nft list ruleset | grep 'type nat hook'; }

wire_equal() {
	local mode=()
	[ "${LAB_OFFLOADS:-off}" = off ] || mode=(--offloads)
	# shellcheck disable=SC2086 # COMPARE: options of the scenario's own
	"$HERE/compare.py" "${mode[@]}" $COMPARE --own "$OWN" --lan-mac "$LAN_MAC" --wan-mac "$WAN_MAC" \
		--lan-net "$LAN_NET" --wan-address "$WAN_IP" "$OUT/lan.pcap" "$OUT/wan.pcap"
}

wire_checks() {
	gw_translates || return 0
	check "both sides carry the same bytes" wire_equal
	gw_is_wayleave || return 0
	check "conntrack has no LAN flow" kernel_knows_no_lan_flow
	check "no nat chain in nftables" kernel_has_no_nat_chain
}
