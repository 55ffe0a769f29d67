# SPDX-License-Identifier: GPL-2.0-or-later
# make lab-long  eight real clients of one server, and what else takes minutes; every scenario on each dirty network
# make kernels   packet cases and a live gateway inside the kernels of Debian 12 and 13
VM_BIN := $(BUILD)/vm/tests/cases
# without sanitizers: the emulated machine is ten times slower already
$(VM_BIN)/%.o: tests/cases/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -O1 -g -MMD -MP -c $< -o $@
$(VM_BIN)/programs.o: | $(BUILD)/bpf/dataplane.skel.h
$(VM_BIN)/case_run_bpf: $(patsubst %,$(VM_BIN)/%.o,case_bpf programs case_protocol case_fields world)
	$(CC) -o $@ $^ -lbpf -lpthread

# for the guests of the lab, on processors with AMX
$(BUILD)/tests/lab/uml_xstate.so: tests/lab/uml_xstate.c
	@mkdir -p $(@D)
	$(CC) -O2 $(WARN) -D_GNU_SOURCE -shared -fPIC -o $@ $<

kernels-build: $(VM_BIN)/case_run_bpf $(BUILD)/wayleaved $(BUILD)/wayleave $(BUILD)/san/tests/cases/case_run
lab-long: all
	@tests/lab/lab run long
	@tests/lab/lab dirty all
kernels: kernels-build
	@tests/lab/kernels
.PHONY: kernels kernels-build lab-long
