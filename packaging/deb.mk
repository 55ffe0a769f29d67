# SPDX-License-Identifier: GPL-2.0-or-later
# make deb     $(DEB_DIR)/wayleave_VERSION_ARCH.deb from what is built
#
# dpkg's own tools and nothing else (they come with build-essential): there is one
# binary package, built by the Makefile above, so debhelper would save nothing.
# A tree below $(DEB_DIR) is filled, its libraries become dependencies, and it is packed.
DEB_DIR     ?= $(BUILD)/deb
DEB_VERSION ?= $(shell sed -n 's/.*WAYLEAVE_VERSION "\(.*\)"/\1/p' conf/version.h)
DEB_TREE     = $(DEB_DIR)/debian/wayleave
DEB_DOC      = $(DEB_TREE)/usr/share/doc/wayleave
DEB_MAN      = $(DEB_TREE)/usr/share/man
DEB_INSTALL  = install -D -m 644
# the same sources make the same package, byte for byte
DEB_EPOCH    = SOURCE_DATE_EPOCH=$$(dpkg-parsechangelog -l packaging/debian/changelog -STimestamp)

deb: $(BUILD)/wayleaved $(BUILD)/wayleave
	rm -rf $(DEB_DIR)
	install -d $(DEB_TREE)/DEBIAN
	$(MAKE) -s deb-programs deb-settings deb-documents DEB_DIR=$(DEB_DIR)
	$(MAKE) -s deb-control DEB_DIR=$(DEB_DIR) DEB_VERSION=$(DEB_VERSION)
	$(DEB_EPOCH) dpkg-deb --root-owner-group --build $(DEB_TREE) $(DEB_DIR)

deb-programs:
	install -D -s -m 755 $(BUILD)/wayleaved $(DEB_TREE)/usr/sbin/wayleaved
	install -D -s -m 755 $(BUILD)/wayleave $(DEB_TREE)/usr/bin/wayleave
	strip --remove-section=.comment --remove-section=.note $(DEB_TREE)/usr/sbin/* $(DEB_TREE)/usr/bin/*
	install -d $(DEB_TREE)/lib/systemd/system
	install -m 644 packaging/systemd/*.service $(DEB_TREE)/lib/systemd/system
	install -d $(DEB_TREE)/etc/issue.d
	ln -s /run/wayleave/setup.issue $(DEB_TREE)/etc/issue.d/wayleave.issue
	$(DEB_INSTALL) packaging/completion/wayleave $(DEB_TREE)/usr/share/bash-completion/completions/wayleave

# Nobody's interfaces have the names of the example: they are left for the administrator.
deb-settings:
	install -d $(DEB_TREE)/etc/wayleave
	sed '/^wan:/,/^  interface:/s/^/#/; /^lan:/,/^  interfaces:/s/^/#/' packaging/wayleave.yaml \
		> $(DEB_TREE)/etc/wayleave/wayleave.yaml
	chmod 644 $(DEB_TREE)/etc/wayleave/wayleave.yaml
	echo /etc/wayleave/wayleave.yaml > $(DEB_TREE)/DEBIAN/conffiles

deb-documents:
	for page in packaging/man/*; do install -D -m 644 $$page $(DEB_MAN)/man$${page##*.}/$${page##*/}; done
	$(DEB_INSTALL) packaging/debian/copyright $(DEB_DOC)/copyright
	$(DEB_INSTALL) packaging/debian/changelog $(DEB_DOC)/changelog
	install -m 644 README.md docs/*.md $(DEB_DOC)
	install -d $(DEB_DOC)/examples
	install -m 644 examples/*.yaml packaging/wayleave.yaml $(DEB_DOC)/examples
	gzip -9n $(DEB_MAN)/man*/* $(DEB_DOC)/changelog

# dpkg-shlibdeps looks for debian/control below the directory that it runs in
deb-control:
	cp packaging/debian/control packaging/debian/changelog $(DEB_DIR)/debian
	cd $(DEB_DIR) && dpkg-shlibdeps -Tdebian/substvars debian/wayleave/usr/sbin/wayleaved debian/wayleave/usr/bin/wayleave
	cd $(DEB_DIR) && dpkg-gencontrol -pwayleave -v$(DEB_VERSION) -Tdebian/substvars -Pdebian/wayleave -fdebian/files
	install -m 755 packaging/debian/postinst packaging/debian/prerm packaging/debian/postrm $(DEB_TREE)/DEBIAN
	cd $(DEB_TREE) && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | LC_ALL=C sort | xargs md5sum > DEBIAN/md5sums
	chmod 644 $(DEB_TREE)/DEBIAN/md5sums

.PHONY: deb deb-programs deb-settings deb-documents deb-control
