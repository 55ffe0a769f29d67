# SPDX-License-Identifier: GPL-2.0-or-later
# make cases             packet cases in user space, through TC and through XDP; TAP
# make spec              the executable specification against the core, 300,000 packets
# make fuzz-core-smoke   15 seconds of the core's fuzzer
CASE_BIN  := $(BUILD)/san/tests/cases
CASE_SAN  := $(SANITIZE) -fno-sanitize=alignment -fno-strict-aliasing

$(CASE_BIN)/%.o: tests/cases/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CASE_SAN) -MMD -MP -c $< -o $@
$(CASE_BIN)/case_bpf.o: | $(BUILD)/bpf/dataplane.skel.h

CASE_SHARED := $(CASE_BIN)/case_protocol.o $(CASE_BIN)/case_fields.o $(CASE_BIN)/world.o
$(CASE_BIN)/case_run: $(CASE_BIN)/case_memory.o $(CASE_SHARED)
	$(CC) $(CASE_SAN) -o $@ $^
$(CASE_BIN)/case_run_bpf: $(CASE_BIN)/case_bpf.o $(CASE_SHARED)
	$(CC) $(CASE_SAN) -o $@ $^ -lbpf

cases-memory: $(CASE_BIN)/case_run
cases-bpf: $(CASE_BIN)/case_run_bpf
cases:
	@tests/cases/run
.PHONY: cases cases-memory cases-bpf
