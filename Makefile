# SPDX-License-Identifier: GPL-2.0-or-later
# make              build everything into build/
# sudo make run     the embedded network with live tunnels; Ctrl-C ends it
# sudo make test    install what is missing, build, run every test
# make test-fast    what needs no root and no lab; under a minute
# make bench        nanoseconds per packet against masquerade and bare redirect
#
# A C file belongs to the library or program that its folder names:
#   http netsetup conf ctl helper pairing   static libraries        daemon  wayleaved        cli  wayleave
#   bpf               one object, one skeleton (build/bpf/dataplane.skel.h)
#   tests/unit/test_X.c   a cmocka program with sanitizers, linked with every library
#   tests/fuzz/fuzz_X.c   a libFuzzer target
BUILD    := build
CC       := gcc
CLANG    := clang
BPFTOOL  := $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
ARCH     := $(shell uname -m)
ifneq ($(ARCH),x86_64)
$(error Wayleave builds for x86-64 only: its table relies on loads in program order (core/table.h))
endif

PACKAGES := libbpf libmnl libnftables libcyaml jansson libevent libseccomp libcap-ng libsystemd ncursesw libmicrohttpd gnutls libsodium
# Expanded when used, not when read: `make deps` has to work before they are there.
PKG_CFLAGS = $(shell pkg-config --cflags $(PACKAGES))
CLI_LIBS   := -lqrencode # of the command line alone
OTHER_LIBS := -lunistring -lpthread -lm # without a .pc file
PKG_LIBS   = $(shell pkg-config --libs $(PACKAGES)) $(OTHER_LIBS)

WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter
HARDEN   := -O2 -g -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2
CFLAGS   = -std=gnu11 -fno-strict-aliasing $(WARN) -D_GNU_SOURCE -I. -I$(BUILD) $(PKG_CFLAGS)
LDFLAGS  := -pie -Wl,-z,relro,-z,now
SANITIZE := -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

LIBS     := http netsetup conf ctl helper pairing
LIB_A    := $(LIBS:%=$(BUILD)/lib%.a)
SAN_A    := $(LIBS:%=$(BUILD)/san/lib%.a)
src       = $(wildcard $(1)/*.c)
objs      = $(patsubst %.c,$(2)/%.o,$(call src,$(1)))

all: $(BUILD)/wayleaved $(BUILD)/wayleave

# --- libraries and programs ------------------------------------------------------
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(HARDEN) -MMD -MP -c $< -o $@
$(BUILD)/san/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@

define library
$(BUILD)/lib$(1).a: $(call objs,$(1),$(BUILD)); rm -f $$@; $(AR) rcs $$@ $$^
$(BUILD)/san/lib$(1).a: $(call objs,$(1),$(BUILD)/san); rm -f $$@; $(AR) rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call library,$(l))))

$(BUILD)/wayleaved: $(call objs,daemon,$(BUILD)) $(LIB_A)
	$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(BUILD)/wayleave: $(call objs,cli,$(BUILD)) $(LIB_A)
	$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(CLI_LIBS)

# --- data plane ---------------------------------------------------------------------
BPF_SRC    := $(wildcard bpf/*.bpf.c)
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -std=gnu11 -fno-strict-aliasing -Wall -Wextra -Werror -Wno-unused-function \
	-Wno-unused-parameter -I. -I/usr/include/$(ARCH)-linux-gnu
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
$(BUILD)/bpf/dataplane.o: $(BPF_SRC:bpf/%.c=$(BUILD)/bpf/%.o)
	$(BPFTOOL) gen object $@ $^
$(BUILD)/bpf/dataplane.skel.h: $(BUILD)/bpf/dataplane.o
	$(BPFTOOL) gen skeleton $< name dataplane > $@
$(call objs,daemon,$(BUILD)): | $(BUILD)/bpf/dataplane.skel.h

# --- unit tests ------------------------------------------------------------------------
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/san/tests/unit/%,$(wildcard tests/unit/test_*.c))
# daemon/*.c but its main: for tests of what the daemon does without a kernel
SAN_DAEMON = $(filter-out %/main.o,$(call objs,daemon,$(BUILD)/san))
$(call objs,daemon,$(BUILD)/san): | $(BUILD)/bpf/dataplane.skel.h
$(UNIT): $(BUILD)/san/%: $(BUILD)/san/%.o $(SAN_DAEMON) $(SAN_A)
	$(CC) $(SANITIZE) -o $@ $^ $(PKG_LIBS) -lcmocka
unit: $(UNIT)

# --- what the other folders bring ---------------------------------------------------------
-include $(wildcard */*.mk tests/*/*.mk)

clean:
	rm -rf $(BUILD)
-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)
.PHONY: all unit clean
.SECONDARY:
