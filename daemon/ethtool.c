/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/ethtool.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FEATURES_MAX 256 /* Linux 6.18 has about 64 */
#define WORDS_MAX    (FEATURES_MAX / 32)

/* DATA: a structure of linux/ethtool.h, which begins with its command. */
static int command(const char *interface, void *data)
{
	struct ifreq request = {.ifr_data = data};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (ioctl(fd, SIOCETHTOOL, &request) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* How many features the kernel knows, or -errno. */
static int features_count(const char *interface)
{
	struct {
		struct ethtool_sset_info head;
		uint32_t count;
	} info = {.head = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1 << ETH_SS_FEATURES}};
	int err = command(interface, &info);

	if (err)
		return err;
	return info.count && info.count <= FEATURES_MAX ? (int)info.count : -EOVERFLOW;
}

/* Its number, -ENOENT or another -errno; COUNT: of all. */
static int feature_number(const char *interface, const char *feature, int *count)
{
	struct {
		struct ethtool_gstrings head;
		char name[FEATURES_MAX][ETH_GSTRING_LEN];
	} strings = {.head = {.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES}};
	int err;

	*count = features_count(interface);
	if (*count < 0)
		return *count;
	err = command(interface, &strings);
	if (err)
		return err;
	for (int i = 0; i < *count; i++)
		if (!strncmp(strings.name[i], feature, ETH_GSTRING_LEN))
			return i;
	return -ENOENT;
}

int ethtool_feature(const char *interface, const char *feature, bool *on)
{
	struct {
		struct ethtool_gfeatures head;
		struct ethtool_get_features_block block[WORDS_MAX];
	} got = {.head = {.cmd = ETHTOOL_GFEATURES}};
	int count, err, number = feature_number(interface, feature, &count);

	if (number < 0)
		return number;
	got.head.size = (count + 31) / 32;
	err = command(interface, &got);
	*on = got.block[number / 32].active & 1u << number % 32;
	return err;
}

int ethtool_feature_set(const char *interface, const char *feature, bool on)
{
	struct {
		struct ethtool_sfeatures head;
		struct ethtool_set_features_block block[WORDS_MAX];
	} set = {.head = {.cmd = ETHTOOL_SFEATURES}};
	int count, err, number = feature_number(interface, feature, &count);
	bool is_on;

	if (number < 0)
		return number;
	set.head.size = (count + 31) / 32;
	set.block[number / 32].valid = 1u << number % 32;
	set.block[number / 32].requested = on ? 1u << number % 32 : 0;
	err = command(interface, &set);
	if (!err) /* a driver may refuse without an error */
		err = ethtool_feature(interface, feature, &is_on);
	return !err && is_on != on ? -EOPNOTSUPP : err;
}
