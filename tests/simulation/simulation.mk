# SPDX-License-Identifier: GPL-2.0-or-later
# make simulation        the shipped ESP pairing against 120,000 CHILD_SAs, then the other systems'
SIMULATION := $(BUILD)/tests/simulation/simulation

$(SIMULATION): $(call objs,tests/simulation,$(BUILD)) $(BUILD)/libpairing.a
	$(CC) $(LDFLAGS) -o $@ $^ -lm
simulation: $(SIMULATION)
	$< -a wayleave -f -s 1000001 -n 60000
	$< -a wayleave -f -s 2000001 -n 60000
	$< -f -s 1000001 -n 15000
.PHONY: simulation
