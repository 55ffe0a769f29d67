# SPDX-License-Identifier: GPL-2.0-or-later
# make simulation        the shipped ESP pairing against 100,000 CHILD_SAs, the other systems',
#                        offices, and an attacker inside: the figures of docs/esp-pairing.md
SIMULATION := $(BUILD)/tests/simulation/simulation

$(SIMULATION): $(call objs,tests/simulation,$(BUILD)) $(BUILD)/libpairing.a
	$(CC) $(LDFLAGS) -o $@ $^ -lm
simulation: $(SIMULATION)
	set -e; for seed in 11000001 12000001; do $< -a wayleave -ff -s $$seed -n 20000; done
	set -e; for seed in 13000001 14000001; do $< -a wayleave -ff -s $$seed -n 30000; done
	$< -ff -s 11000001 -n 8000
	$< -a wayleave -ff -o -s 18000001 -n 1200
	$< -a wayleave -ff -x -s 16000001 -n 1500
.PHONY: simulation
