/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/vlan_offload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/ethtool.h"
#include "daemon/log.h"

static const char *const features[] = {"rx-vlan-hw-parse", "rx-vlan-stag-hw-parse"};
#define FEATURES (sizeof(features) / sizeof(features[0]))

struct remembered {
	char name[64];
};

/* By number: the interface may have another name when the feature is given back. */
static struct remembered remembered_name(const char *feature, const struct link *link)
{
	struct remembered remembered;

	snprintf(remembered.name, sizeof(remembered.name), "%s/%u", feature, link->ifindex);
	return remembered;
}

static int feature_stop(const char *feature, const struct link *link,
			const struct instance *instance)
{
	bool on = false;
	int err = ethtool_feature(link->name, feature, &on);

	if (err == -ENOENT || (!err && !on))
		return 0;
	if (!err)
		err = instance_remember(instance, remembered_name(feature, link).name, "on");
	return err ? err : ethtool_feature_set(link->name, feature, false);
}

int vlan_offload_stop(const struct link *link, const struct instance *instance)
{
	for (unsigned int i = 0; i < FEATURES; i++) {
		int err = feature_stop(features[i], link, instance);

		if (!err)
			continue;
		log_warning("%s takes VLAN tags off (%s) and this cannot be switched off: %s; "
			    "XDP would take other VLANs' frames for its own and is not used there",
			    link->name, features[i], strerror(-err));
		return err;
	}
	return 0;
}

void vlan_offload_restore(const struct link *link, const struct instance *instance)
{
	char name[IFNAMSIZ];

	if (!if_indextoname(link->ifindex, name))
		return;
	for (unsigned int i = 0; i < FEATURES; i++) {
		int err;

		if (!instance_remembers(instance, remembered_name(features[i], link).name))
			continue;
		err = ethtool_feature_set(name, features[i], true);
		if (err && err != -ENODEV) /* the interface may be gone */
			log_warning("%s of %s stays off, it was on: %s", features[i], name,
				    strerror(-err));
	}
}
