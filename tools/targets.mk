# SPDX-License-Identifier: GPL-2.0-or-later
# Targets for people: what to install, see, and test.
deps:
	@tools/install-deps

# Each of these installs what is missing, builds, and then does its work; the
# scripts call make themselves, for before `deps` there may be no compiler.
run:
	@tools/demo
test:
	@tests/run
test-fast:
	@tests/run --fast

.PHONY: deps run test test-fast
