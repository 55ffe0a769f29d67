# SPDX-License-Identifier: GPL-2.0-or-later
# The page's files (WEB_FILES, of web/web.mk) and the API's description go into the library.
.SECONDEXPANSION:
$(BUILD)/http/assets.c: $$(WEB_FILES) http/openapi.yaml http/embed
	@mkdir -p $(@D)
	http/embed $(@D) $(WEB_FILES) > $@.new && mv $@.new $@

$(BUILD)/http/assets.o $(BUILD)/san/http/assets.o: $(BUILD)/http/assets.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -O2 -fPIE -c $< -o $@
$(BUILD)/libhttp.a: $(BUILD)/http/assets.o
$(BUILD)/san/libhttp.a: $(BUILD)/san/http/assets.o

# --- the fuzzer of uploads: in `make fuzz` and `make fuzz-smoke` too ------------------------
$(BUILD)/fuzz/fuzz_restore: tests/fuzz/fuzz_restore.c tests/fuzz/restore.json $(wildcard conf/*.c conf/*.h)
	@mkdir -p $(@D)/seeds/restore
	@cp tests/fuzz/restore.json $(@D)/seeds/restore
	$(CLANG) -std=gnu11 $(WARN) -D_GNU_SOURCE -I. -O1 -g -fno-omit-frame-pointer \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ $(filter %.c,$^) $(shell pkg-config --cflags --libs jansson libcyaml libmnl gnutls) -lunistring

# --- and of the headers that say whose page it is: a line of host.txt is a seed ----------------
$(BUILD)/fuzz/fuzz_host: tests/fuzz/fuzz_host.c tests/fuzz/host.txt http/host.c http/host.h
	@mkdir -p $(@D)/seeds/host
	@tr ' ' '\n' < tests/fuzz/host.txt | split -l 2 - $(@D)/seeds/host/
	$(CLANG) $(FUZZ_CFLAGS) -o $@ $(filter %.c,$^) $(shell pkg-config --cflags --libs jansson)
