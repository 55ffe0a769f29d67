# SPDX-License-Identifier: GPL-2.0-or-later
# The bench: see docs/performance.md. Both need root.
#   make bench         a few minutes; the table and build/bench/results.json
#   make bench-quick   under 40 seconds; UDP, 1,000 flows
#   make bench-steps   where a hit's nanoseconds go
#   make bench-steps AGAINST=../base/build/bench/steps [FLOWS=1000]
#                      what a hit costs more than by the steps program of another commit
BENCH := $(BUILD)/bench

$(BENCH)/%.bpf.o: bench/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
$(BENCH)/%.skel.h: $(BENCH)/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@
$(BENCH)/generator.o: $(BENCH)/generator.skel.h
$(BENCH)/station.o: $(BENCH)/station.skel.h
$(BENCH)/steps.o: $(BENCH)/steps.skel.h
$(BENCH)/generator $(BENCH)/station: $(BENCH)/%: $(BENCH)/%.o $(BENCH)/options.o
	$(CC) $(LDFLAGS) -o $@ $^ -lbpf -lpthread
$(BENCH)/steps: $(BENCH)/steps.o
	$(CC) $(LDFLAGS) -o $@ $^ -lbpf
bench-programs: all $(BENCH)/generator $(BENCH)/station

bench: bench-programs
	bench/run --json $(BENCH)/results.json
bench-quick: bench-programs
	bench/run --quick --json $(BENCH)/quick.json
bench-steps: $(BENCH)/steps
	$(if $(AGAINST),bench/against.py --flows $(or $(FLOWS),1000) $(AGAINST) $<,$<)
.PHONY: bench bench-programs bench-quick bench-steps
