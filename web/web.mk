# SPDX-License-Identifier: GPL-2.0-or-later
# The page: what lies in web/, put one after another, so that a browser asks four
# times for its first view. Nothing is compiled: edit a file, run make.
WEB := $(BUILD)/web
WEB_FILES := $(WEB)/index.html $(WEB)/app.css $(WEB)/app.js
WEB_TEXTS := $(sort $(wildcard web/text/*.json))
# what all others stand on; main starts the page
WEB_FIRST := web/js/dom.js web/js/icons.js web/js/text.js web/js/api.js web/js/live.js web/js/shell.js
WEB_JS := $(WEB_FIRST) $(filter-out $(WEB_FIRST) web/js/main.js,$(sort $(wildcard web/js/*.js))) web/js/main.js

web: $(WEB_FILES)
$(WEB)/index.html: web/index.html
	@mkdir -p $(@D)
	cp $< $@
$(WEB)/app.css: web/css/base.css web/css/parts.css web/css/layout.css web/vendor/uplot/uPlot.min.css
	@mkdir -p $(@D)
	cat $^ > $@
$(WEB)/app.js: $(WEB_JS) $(WEB_TEXTS) web/vendor/uplot/uPlot.iife.min.js web/web.mk
	@mkdir -p $(@D)
	{ cat web/vendor/uplot/uPlot.iife.min.js; echo 'const CATALOGUES = {'; \
	  for f in $(WEB_TEXTS); do printf '"%s":' $$(basename $$f .json); cat $$f; echo ,; done; \
	  echo '};'; cat $(WEB_JS); } > $@.new && mv $@.new $@
.PHONY: web

# The pictures in docs/screenshots, taken of the real page in the lab
screenshots: all
	@mkdir -p docs/screenshots
	tests/web/run --screenshots
# The vendored library again, as tests/web/package-lock.json has it
web-vendor:
	cp tests/web/node_modules/uplot/dist/uPlot.iife.min.js tests/web/node_modules/uplot/dist/uPlot.min.css tests/web/node_modules/uplot/LICENSE web/vendor/uplot/
.PHONY: screenshots web-vendor
