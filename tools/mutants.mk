# SPDX-License-Identifier: GPL-2.0-or-later
# make mutants   break the packet core a line at a time; the rows that keep an RFC must notice
mutants: $(BUILD)/bpf/dataplane.skel.h
	@tools/mutants
.PHONY: mutants
