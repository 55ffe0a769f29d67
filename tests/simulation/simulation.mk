# SPDX-License-Identifier: GPL-2.0-or-later
# make simulation        the shipped ESP pairing against 100,000 CHILD_SAs, then the other systems'
SIMULATION := $(BUILD)/tests/simulation/simulation

$(SIMULATION): $(call objs,tests/simulation,$(BUILD)) $(BUILD)/libpairing.a
	$(CC) $(LDFLAGS) -o $@ $^ -lm
simulation: $(SIMULATION)
	set -e; for seed in 1000001 2000001 4000001 5000001; do $< -a wayleave -f -s $$seed -n 25000; done
	$< -f -s 1000001 -n 15000
.PHONY: simulation
