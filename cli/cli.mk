# SPDX-License-Identifier: GPL-2.0-or-later
# The commands as a library without main(), for tests/unit/test_cli_*.c. It comes before
# the libraries that it uses.
CLI_SAN_A := $(BUILD)/san/libcli.a
CLI_UNIT  := $(filter $(BUILD)/san/tests/unit/test_cli_%,$(UNIT))

$(CLI_SAN_A): $(filter-out %/main.o,$(call objs,cli,$(BUILD)/san)); rm -f $@; $(AR) rcs $@ $^
$(CLI_UNIT): $(CLI_SAN_A)
$(CLI_UNIT): PKG_LIBS = $(CLI_SAN_A) $(SAN_A) $(shell pkg-config --libs $(PACKAGES)) $(OTHER_LIBS) $(CLI_LIBS)
