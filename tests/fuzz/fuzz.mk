# SPDX-License-Identifier: GPL-2.0-or-later
# make fuzz          each target for FUZZ_SECONDS (default 600), corpus kept in build/fuzz/corpus
# make fuzz-smoke    all targets in about 20 seconds together, then done
FUZZ_SECONDS := 600
FUZZ         := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_CFLAGS   = -std=gnu11 $(WARN) -D_GNU_SOURCE -I. -O1 -g -fno-omit-frame-pointer \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_CAPTURES := ../shared/captures
FUZZ_PURE    := pptp pptp_calls pptp_fsm pptp_reader pptp_session pptp_state pptp_wire tcp_stream \
	process answer l2tp l2tp_connection l2tp_fsm l2tp_session l2tp_state l2tp_wire

$(BUILD)/fuzz/fuzz_pptp%: tests/fuzz/fuzz_pptp%.c $(FUZZ_PURE:%=helper/%.c) $(wildcard helper/*.h)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -o $@ $(filter %.c,$^)
# a pattern does not match an empty stem
$(BUILD)/fuzz/fuzz_pptp: tests/fuzz/fuzz_pptp.c $(FUZZ_PURE:%=helper/%.c) $(wildcard helper/*.h)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -o $@ $(filter %.c,$^)

$(BUILD)/fuzz/fuzz_l2tp%: tests/fuzz/fuzz_l2tp%.c $(FUZZ_PURE:%=helper/%.c) $(wildcard helper/*.h)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -o $@ $(filter %.c,$^)
$(BUILD)/fuzz/fuzz_l2tp: tests/fuzz/fuzz_l2tp.c $(FUZZ_PURE:%=helper/%.c) $(wildcard helper/*.h)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -o $@ $(filter %.c,$^)

$(BUILD)/fuzz/fuzz_esp_pairing: tests/fuzz/fuzz_esp_pairing.c $(wildcard pairing/*.[ch] pairing/*.def)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -o $@ $(filter %.c,$^) -lm

$(BUILD)/fuzz/fuzz_ike_port: tests/fuzz/fuzz_ike_port.c pairing/ike_port.c pairing/port_habits.c $(wildcard pairing/*.h)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -o $@ $(filter %.c,$^)

$(BUILD)/fuzz/seeds/made: $(wildcard tests/fuzz/*.py) tests/cases/make_core_seeds.py tests/lab/captures.py tests/lab/replay.py
	python3 tests/fuzz/make_pptp_seeds.py $(@D)
	python3 tests/fuzz/make_l2tp_seeds.py $(@D)
	tests/cases/make_core_seeds.py $(@D)/core
	tests/fuzz/make_capture_seeds.py $(@D) $(FUZZ_CAPTURES)
	@touch $@

# $(1): target, $(2): seconds
fuzz-run = mkdir -p $(BUILD)/fuzz/corpus/$(1) $(BUILD)/fuzz/seeds/$(1) && \
	$(BUILD)/fuzz/fuzz_$(1) -max_total_time=$(2) -max_len=4096 -timeout=5 -rss_limit_mb=1024 \
	-print_final_stats=1 -verbosity=0 -artifact_prefix=$(BUILD)/fuzz/ \
	$(BUILD)/fuzz/corpus/$(1) $(BUILD)/fuzz/seeds/$(1)

fuzz fuzz-smoke: $(FUZZ:%=$(BUILD)/fuzz/fuzz_%) $(BUILD)/fuzz/seeds/made
fuzz:
	$(foreach f,$(FUZZ),$(call fuzz-run,$(f),$(FUZZ_SECONDS)) &&) echo "fuzz: clean"
fuzz-smoke:
	$(foreach f,$(FUZZ),$(call fuzz-run,$(f),$(shell expr 20 / $(words $(FUZZ)))) &&) \
		echo "fuzz-smoke: clean"
.PHONY: fuzz fuzz-smoke
