/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XDP where cards take VLAN tags off: daemon/vlan_offload.h. This file's ioctl() is the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/ethtool.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/ethtool.h"
#include "daemon/vlan_offload.h"

#define CTAG "rx-vlan-hw-parse"
#define STAG "rx-vlan-stag-hw-parse"

/* A kernel with more features than one word holds. */
static struct {
	const char *name[40];
	uint32_t active[2];
	uint32_t fixed[2]; /* the driver keeps them */
	int error;	   /* of every call */
} card;

/* What the interface is called by now. */
static const char *present_name = "lan0";

char *if_indextoname(unsigned int ifindex, char name[IF_NAMESIZE])
{
	return strcpy(name, present_name);
}

static uint32_t words_set(const struct ethtool_sfeatures *set)
{
	for (uint32_t i = 0; i < set->size; i++) {
		uint32_t valid = set->features[i].valid & ~card.fixed[i];

		card.active[i] = (card.active[i] & ~valid) | (set->features[i].requested & valid);
	}
	return 0;
}

static int answer(void *data)
{
	struct ethtool_gfeatures *got = data;
	struct ethtool_sset_info *info = data;
	struct ethtool_gstrings *strings = data;

	switch (*(uint32_t *)data) {
	case ETHTOOL_GSSET_INFO:
		info->data[0] = 40;
		return 0;
	case ETHTOOL_GSTRINGS:
		for (uint32_t i = 0; i < 40; i++)
			snprintf((char *)strings->data + i * ETH_GSTRING_LEN, ETH_GSTRING_LEN, "%s",
				 card.name[i] ? card.name[i] : "another");
		return 0;
	case ETHTOOL_GFEATURES:
		for (uint32_t i = 0; i < got->size; i++)
			got->features[i].active = card.active[i];
		return 0;
	default:
		return words_set(data);
	}
}

int ioctl(int fd, unsigned long number, ...)
{
	struct ifreq *request;
	va_list arguments;

	va_start(arguments, number);
	request = va_arg(arguments, struct ifreq *);
	va_end(arguments);
	if (!card.error && strcmp(request->ifr_name, present_name) == 0)
		return answer(request->ifr_data);
	errno = card.error ? card.error : ENODEV;
	return -1;
}

static struct instance instance;
static const struct link link_ = {.name = "lan0", .ifindex = 3};

static int with_card(void **state)
{
	char directory[] = "/tmp/test_vlan_offload.XXXXXX";

	memset(&card, 0, sizeof(card));
	card.name[7] = CTAG;
	card.name[35] = STAG;
	assert_non_null(mkdtemp(directory));
	instance_name(&instance, directory);
	return instance_lock(&instance);
}

static int without(void **state)
{
	char command[PATH_MAX + 16];

	instance_unlock(&instance);
	snprintf(command, sizeof(command), "rm -rf %s", instance.run_dir);
	return system(command);
}

static bool is_on(const char *feature)
{
	bool on = false;

	assert_int_equal(ethtool_feature("lan0", feature, &on), 0);
	return on;
}

static void what_was_on_is_off_and_on_again(void **state)
{
	card.active[0] = 1u << 7 | 1u << 8;
	card.active[1] = 1u << 3 | 1u << 4;
	assert_int_equal(vlan_offload_stop(&link_, &instance), 0);
	assert_false(is_on(CTAG) || is_on(STAG));
	assert_int_equal(card.active[0], 1u << 8);
	assert_int_equal(card.active[1], 1u << 4);
	vlan_offload_restore(&link_, &instance);
	assert_true(is_on(CTAG) && is_on(STAG));
}

/* The features are the device's, whatever it is called when it gets them back. */
static void renamed_it_gets_them_back(void **state)
{
	card.active[0] = 1u << 7;
	assert_int_equal(vlan_offload_stop(&link_, &instance), 0);
	assert_false(is_on(CTAG));
	present_name = "port0";
	vlan_offload_restore(&link_, &instance);
	present_name = "lan0";
	assert_true(is_on(CTAG));
}

static void what_was_off_stays_off(void **state)
{
	card.active[1] = 1u << 3;
	assert_int_equal(vlan_offload_stop(&link_, &instance), 0);
	vlan_offload_restore(&link_, &instance);
	assert_false(is_on(CTAG));
	assert_true(is_on(STAG));
}

static void what_comes_back_on_goes_off(void **state)
{
	card.active[0] = 1u << 7;
	assert_int_equal(vlan_offload_stop(&link_, &instance), 0);
	card.active[0] = 1u << 7;
	assert_int_equal(vlan_offload_stop(&link_, &instance), 0);
	assert_false(is_on(CTAG));
	vlan_offload_restore(&link_, &instance);
	assert_true(is_on(CTAG));
}

static void a_card_that_keeps_it_on_has_no_xdp(void **state)
{
	card.active[0] = card.fixed[0] = 1u << 7;
	assert_int_equal(vlan_offload_stop(&link_, &instance), -EOPNOTSUPP);
	card.active[0] = 0;
	card.active[1] = card.fixed[1] = 1u << 3;
	assert_int_equal(vlan_offload_stop(&link_, &instance), -EOPNOTSUPP);
}

static void one_that_cannot_be_asked_has_none(void **state)
{
	card.error = EPERM;
	assert_int_equal(vlan_offload_stop(&link_, &instance), -EPERM);
}

static void an_older_kernel_without_the_feature(void **state)
{
	card.name[35] = NULL;
	assert_int_equal(vlan_offload_stop(&link_, &instance), 0);
	assert_int_equal(ethtool_feature("lan0", STAG, &(bool){false}), -ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_card, without)
	const struct CMUnitTest tests[] = {
		TEST(what_was_on_is_off_and_on_again),
		TEST(renamed_it_gets_them_back),
		TEST(what_was_off_stays_off),
		TEST(what_comes_back_on_goes_off),
		TEST(a_card_that_keeps_it_on_has_no_xdp),
		TEST(one_that_cannot_be_asked_has_none),
		TEST(an_older_kernel_without_the_feature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
