# SPDX-License-Identifier: GPL-2.0-or-later
# make prove     Frama-C's Eva over the parsers of hostile bytes; no alarm is left
prove:
	@tests/prove/run
.PHONY: prove
