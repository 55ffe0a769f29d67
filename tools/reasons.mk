# SPDX-License-Identifier: GPL-2.0-or-later
# make reasons   docs/reasons.md, from core/reason.def and helper/reason.def
reasons:
	@tools/reasons
.PHONY: reasons
