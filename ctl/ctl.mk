# SPDX-License-Identifier: GPL-2.0-or-later
# ctl calls conf, but conf stands before it in LIBS, where a linker takes from an archive
# only what is missing so far: conf once more at the end, for whoever links it.
PKG_LIBS = $(filter %/libconf.a,$^) $(shell pkg-config --libs $(PACKAGES)) $(OTHER_LIBS)
