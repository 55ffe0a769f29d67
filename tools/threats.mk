# SPDX-License-Identifier: GPL-2.0-or-later
# make threats    docs/threats.md: each attack, what is promised, what its tests have just seen; as root
threats: all unit
	@tools/threats
.PHONY: threats
