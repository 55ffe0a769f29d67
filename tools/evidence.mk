# SPDX-License-Identifier: GPL-2.0-or-later
# make evidence   docs/evidence.md: each requirement, its tests, their results; as root the lab's too
evidence: all unit
	@tools/evidence
.PHONY: evidence
