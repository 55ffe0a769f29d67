# SPDX-License-Identifier: GPL-2.0-or-later
# make coverage   docs/coverage.md: which lines of the parsers and the core are run by unit
#                 tests, packet cases and the fuzzers' corpus and seeds; some minutes
COV      := $(BUILD)/cov
COV_MAKE  = $(MAKE) --no-print-directory -s BUILD=$(COV)
COV_GCC  := -O0 -g --coverage
COV_FUZZ := -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping
# not the one of threads, which takes minutes without optimisation
COV_UNITS = $(filter-out test_core_table,$(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c)))

coverage: $(BUILD)/fuzz/seeds/made
	$(COV_MAKE) SANITIZE="$(COV_GCC)" CASE_SAN="$(COV_GCC) -fno-strict-aliasing" unit cases-memory
	$(COV_MAKE) FUZZ_SANITIZE="$(COV_FUZZ)" $(FUZZ:%=$(COV)/fuzz/fuzz_%)
	@find $(COV) -name '*.gcda' -delete
	@for t in $(COV_UNITS); do timeout 300 $(COV)/san/tests/unit/$$t >/dev/null 2>&1 || echo "coverage: $$t failed"; done
	@BUILD=$(COV) tests/cases/run memory | grep '^not ok' || true
	@for f in $(FUZZ); do mkdir -p $(BUILD)/fuzz/corpus/$$f $(BUILD)/fuzz/seeds/$$f $(COV)/fuzz/seeds/$$f; \
		LLVM_PROFILE_FILE=$(COV)/fuzz/$$f.profraw $(COV)/fuzz/fuzz_$$f -runs=0 -max_len=4096 -verbosity=0 \
			$(BUILD)/fuzz/corpus/$$f $(BUILD)/fuzz/seeds/$$f $(COV)/fuzz/seeds/$$f >/dev/null 2>&1 || echo "coverage: fuzz_$$f stopped"; \
		llvm-profdata merge -o $(COV)/fuzz/fuzz_$$f.profdata $(COV)/fuzz/$$f.profraw; done
	tests/coverage/coverage.py $(COV) docs/coverage.md
.PHONY: coverage
