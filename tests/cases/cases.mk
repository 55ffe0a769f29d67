# SPDX-License-Identifier: GPL-2.0-or-later
# make cases             packet cases in user space, through TC and through XDP; TAP
# make spec              the executable specifications (NAT, VPN) against the core, 300,000 packets;
#                        BACKEND=tc or xdp: against the programs in the kernel, as root
# make fuzz-core-smoke   15 seconds of the core's fuzzer
CASE_BIN  := $(BUILD)/san/tests/cases
CASE_SAN  := $(SANITIZE) -fno-sanitize=alignment -fno-strict-aliasing

$(CASE_BIN)/%.o: tests/cases/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CASE_SAN) -MMD -MP -c $< -o $@
$(CASE_BIN)/programs.o: | $(BUILD)/bpf/dataplane.skel.h

CASE_BPF    := $(addprefix $(CASE_BIN)/,case_bpf.o programs.o)
CASE_SHARED := $(CASE_BIN)/case_protocol.o $(CASE_BIN)/case_fields.o $(CASE_BIN)/world.o
$(CASE_BIN)/case_run: $(CASE_BIN)/case_memory.o $(CASE_SHARED)
	$(CC) $(CASE_SAN) -o $@ $^
$(CASE_BIN)/case_run_bpf: $(CASE_BPF) $(CASE_SHARED)
	$(CC) $(CASE_SAN) -o $@ $^ -lbpf -lpthread

# --- the specification: PACKETS=10000000 SEED=7 BACKEND=tc for a long run --------------------
PACKETS := 300000
SEED    := 1
BACKEND := spec
SPEC_SHARED := $(addprefix $(CASE_BIN)/,spec_run.o world.o forge.o) $(BUILD)/san/daemon/expiry.o
SPEC_VPN    := $(addprefix $(BUILD)/san/daemon/,claims.o esp_records.o owner.o tunnels.o)
SPEC_BPF    := $(addprefix $(CASE_BIN)/,subject_bpf.o programs.o)
$(CASE_BIN)/spec: $(CASE_BIN)/spec.o $(CASE_BIN)/subject_memory.o $(SPEC_SHARED)
	$(CC) $(CASE_SAN) -o $@ $^
$(CASE_BIN)/spec_vpn: $(CASE_BIN)/spec_vpn.o $(CASE_BIN)/subject_memory.o $(SPEC_SHARED) $(SPEC_VPN)
	$(CC) $(CASE_SAN) -o $@ $^
$(CASE_BIN)/spec_bpf: $(CASE_BIN)/spec.o $(SPEC_BPF) $(SPEC_SHARED)
	$(CC) $(CASE_SAN) -o $@ $^ -lbpf
$(CASE_BIN)/spec_vpn_bpf: $(CASE_BIN)/spec_vpn.o $(SPEC_BPF) $(SPEC_SHARED) $(SPEC_VPN)
	$(CC) $(CASE_SAN) -o $@ $^ -lbpf
spec-build: $(CASE_BIN)/spec $(CASE_BIN)/spec_vpn
spec-bpf-build: $(CASE_BIN)/spec_bpf $(CASE_BIN)/spec_vpn_bpf
spec:
	@tests/cases/run $(BACKEND) -k $(BACKEND)/spec --packets $(PACKETS) --seeds $(SEED)
.PHONY: spec spec-build spec-bpf-build

# --- the core's fuzzer: in `make fuzz` and `make fuzz-smoke` too -----------------------
FUZZ_CORE_SECONDS := 15
FUZZ_CORE_SRC     := tests/fuzz/fuzz_core.c tests/cases/world.c tests/cases/forge.c
$(BUILD)/fuzz/fuzz_core: $(FUZZ_CORE_SRC) $(wildcard core/*.h core/*.def tests/cases/*.h)
	@mkdir -p $(@D)
	$(CLANG) -std=gnu11 $(WARN) -D_GNU_SOURCE -I. -O2 -g -fno-omit-frame-pointer -fno-strict-aliasing \
		-fsanitize=fuzzer,address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all \
		-o $@ $(filter %.c,$^)
fuzz-core-smoke: $(BUILD)/fuzz/fuzz_core $(BUILD)/fuzz/seeds/made
	@mkdir -p $(BUILD)/fuzz/corpus/core
	$< -max_total_time=$(FUZZ_CORE_SECONDS) -max_len=4096 -timeout=5 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/corpus/core $(BUILD)/fuzz/seeds/core
.PHONY: fuzz-core-smoke

cases-memory: $(CASE_BIN)/case_run
cases-bpf: $(CASE_BIN)/case_run_bpf
cases:
	@tests/cases/run
.PHONY: cases cases-memory cases-bpf
