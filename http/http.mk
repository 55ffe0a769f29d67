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
