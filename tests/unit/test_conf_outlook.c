/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings against a machine that is made up here: what refuses, what only warns, and that
 * an old fault stops no other change. And which word is near to which.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "conf/load.h"
#include "conf/near.h"
#include "conf/outlook.h"
#include "daemon/cut_off.h"

/* --- a machine: group staff; wan0, lan0 with 10.0.0.1/24; lan1 without an address --------- */

static bool lan0_serves;

static bool group(void *context, const char *name)
{
	return strcmp(name, "staff") == 0;
}

static bool interface(void *context, const char *name)
{
	return strcmp(name, "wan0") == 0 || strncmp(name, "lan", 3) == 0;
}

static bool serving(void *context, const char *name)
{
	return strcmp(name, "lan0") == 0 && lan0_serves;
}

static bool interface_like(void *context, const char *name, char *like)
{
	strcpy(like, "wan0");
	return strcmp(name, "wna0") == 0;
}

static enum way way(void *context, struct in_addr to, char *by)
{
	uint32_t host = ntohl(to.s_addr);

	strcpy(by, host >> 8 == 0x0a0000 ? "lan0" : "wan0");
	if (host == 0x0a000001)
		return WAY_SELF;
	if (host == 0x0a0000ff)
		return WAY_MANY;
	return host >> 24 == 198 ? WAY_NONE : WAY_OUT;
}

static bool certificate(void *context, const char *path, const char *key, char *why, size_t size)
{
	snprintf(why, size, "%s cannot be read", path);
	return strcmp(path, "/good.pem") == 0;
}

static const struct settings_facts facts = {
	.group = group,
	.interface = interface,
	.serving = serving,
	.interface_like = interface_like,
	.way = way,
	.certificate = certificate,
};

static struct settings *parsed(const char *text)
{
	struct settings *settings;
	struct settings_error error;

	if (settings_parse(text, strlen(text), "test", &settings, &error))
		fail_msg("%s: %s", error.field, error.message);
	return settings;
}

#define WAN_LAN	     "wan: {interface: wan0}\nlan: {interfaces: [lan0]}\n"
#define FORWARD(...) "port_forwards:\n - {protocol: tcp, port: 80, to: " __VA_ARGS__ "}\n"

static struct outlook outlook_of(const char *text)
{
	struct settings *settings = parsed(text);
	struct outlook outlook;

	outlook_read(&outlook, settings, &facts);
	settings_free(settings);
	return outlook;
}

static void expect(const char *text, bool refuses, const char *sentence)
{
	struct outlook outlook = outlook_of(text);

	assert_int_equal(outlook.count, 1);
	assert_int_equal(outlook.finding[0].refuses, refuses);
	assert_string_equal(outlook.finding[0].sentence, sentence);
}

static void expect_nothing(const char *text)
{
	assert_int_equal(outlook_of(text).count, 0);
}

/* --- the tests ---------------------------------------------------------------------------- */

static void what_cannot_work_refuses(void **state)
{
	expect(WAN_LAN "control_group: stuff\n", true, "there is no group 'stuff'");
	expect(WAN_LAN "web: {certificate: /bad.pem, key: /k}\n", true, "/bad.pem cannot be read");
	expect(WAN_LAN FORWARD("10.0.0.1"), true,
	       "10.0.0.1 is this gateway itself; a forward leads to a device behind it (wan.allow "
	       "lets somebody reach the gateway)");
	expect(WAN_LAN FORWARD("10.0.0.255"), true, "10.0.0.255 is not the address of one device");
	expect(WAN_LAN FORWARD("8.8.8.8"), true,
	       "8.8.8.8 is on no LAN: the way to it is wan0, which is none of lan.interfaces");
	expect(WAN_LAN FORWARD("198.51.100.1"), true,
	       "198.51.100.1 is on no LAN: no route leads to it");
}

static void what_works_is_not_mentioned(void **state)
{
	expect_nothing(WAN_LAN
		       "control_group: staff\nweb: {certificate: /good.pem, key: /k}\n" FORWARD(
			       "10.0.0.2"));
}

static void what_may_come_later_only_warns(void **state)
{
	expect("wan: {interface: wna0}\nlan: {interfaces: [lan0]}\n", false,
	       "wna0 does not exist now (did you mean wan0?); nothing is translated until it "
	       "appears");
	expect("wan: {interface: wan0}\nlan: {interfaces: [lan0, usb0]}\n", false,
	       "usb0 does not exist now; no device behind it is served until it appears");
}

/* At boot the LAN may come last: what lies behind it cannot be told yet. */
static void behind_a_lan_that_is_not_ready_nothing_is_judged(void **state)
{
	expect_nothing(
		"wan: {interface: wan0}\nlan: {interfaces: [lan0, lan1]}\n" FORWARD("8.8.8.8"));
	lan0_serves = false;
	expect_nothing(WAN_LAN FORWARD("8.8.8.8"));
	expect(WAN_LAN FORWARD("10.0.0.1"), true,
	       "10.0.0.1 is this gateway itself; a forward leads to a device behind it (wan.allow "
	       "lets somebody reach the gateway)");
}

static int change(const char *before, const char *after, struct settings_error *error)
{
	struct outlook present = outlook_of(before), wanted = outlook_of(after);

	return outlook_refuses(&present, &wanted, error);
}

static void an_old_fault_stops_no_other_change(void **state)
{
	static const char with[] = WAN_LAN FORWARD("8.8.8.8");
	static const char moved[] = WAN_LAN "port_forwards:\n"
					    " - {protocol: tcp, port: 81, to: 10.0.0.2}\n"
					    " - {protocol: tcp, port: 80, to: 8.8.8.8}\n";
	struct settings_error error;

	assert_int_equal(change(WAN_LAN, with, &error), -EINVAL);
	assert_string_equal(error.field, "port_forwards[0].to");
	assert_int_equal(change(with, moved, &error), 0);
	assert_int_equal(change(with, WAN_LAN, &error), 0);
	assert_int_equal(
		change(WAN_LAN, "wan: {interface: ppp0}\nlan: {interfaces: [lan0]}\n", &error), 0);
}

static void more_findings_than_room_are_dropped(void **state)
{
	char text[4096] = WAN_LAN "port_forwards:\n";

	for (int i = 0; i < 2 * FINDINGS_MAX; i++)
		sprintf(text + strlen(text), " - {protocol: tcp, port: %d, to: 8.8.8.%d}\n", i + 1,
			i + 1);
	assert_int_equal(outlook_of(text).count, FINDINGS_MAX);
}

static void what_only_a_restart_follows_is_known(void **state)
{
	struct settings *a = parsed(WAN_LAN);
	struct settings *b =
		parsed(WAN_LAN "control_group: staff\nstate_dir: /s\nmss_clamp: off\n");

	assert_string_equal(outlook_restarts(a, b, 0), "control_group");
	assert_string_equal(outlook_restarts(a, b, 1), "state_dir");
	assert_null(outlook_restarts(a, b, 2));
	assert_null(outlook_restarts(b, b, 0));
	settings_free(a);
	settings_free(b);
}

/* --- near ------------------------------------------------------------------------------------ */

static const char *nearest(const char *given)
{
	static const char *const words[] = {"status",	       "show",	"set",
					    "confirm",	       "ipsec", "passthrough.pptp",
					    "passthrough.l2tp"};
	struct near near = {.given = given};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		near_look(&near, words[i]);
	return near.word ? near.word : "";
}

static void near_words_are_found(void **state)
{
	assert_string_equal(nearest("stauts"), "status"); /* two that changed places */
	assert_string_equal(nearest("statu"), "status");
	assert_string_equal(nearest("shpw"), "show");
	assert_string_equal(nearest("ipsecc"), "ipsec");
	assert_string_equal(nearest("passthru.pptp"), "passthrough.pptp");
	assert_string_equal(nearest("passthrough.l2pt"), "passthrough.l2tp");
	assert_string_equal(nearest("foo"), "");
	assert_string_equal(nearest(""), "");
	assert_string_equal(nearest("a word that is much longer than any that we ever had here"),
			    "");
}

/* --- whom a change cuts off --------------------------------------------------------------------
 */

static const char *because(const char *before, const char *after, const char *class)
{
	struct settings *present = parsed(before), *wanted = parsed(after);
	struct cut_tunnel tunnel = {.class = class, .interface = "lan0"};

	inet_pton(AF_INET, "10.0.0.2", &tunnel.device);
	const char *why = cut_off_tunnel(present, wanted, &tunnel);
	settings_free(present);
	settings_free(wanted);
	return why ? why : "";
}

static void tunnels_are_cut_off_by_what_they_need(void **state)
{
	static const char off[] = WAN_LAN "passthrough: {pptp: off}\n";
	static const char esp[] = WAN_LAN "port_forwards: [{protocol: esp, to: 10.0.0.2}]\n";

	assert_string_equal(because(WAN_LAN, off, "pptp"), "its passthrough switch goes off");
	assert_string_equal(because(WAN_LAN, off, "ipsec"), "");
	assert_string_equal(because(off, off, "pptp"), ""); /* is off already */
	assert_string_equal(because(WAN_LAN, WAN_LAN "passthrough: {pptp: nat-only}\n", "pptp"),
			    "");
	assert_string_equal(because(WAN_LAN, "wan: {interface: ppp0}\nlan: {interfaces: [lan0]}\n",
				    "wireguard"),
			    "the WAN changes");
	assert_string_equal(
		because(WAN_LAN, "wan: {interface: wan0}\nlan: {interfaces: [lan1]}\n", "ipsec"),
		"its LAN is no longer served");
	assert_string_equal(because(esp, WAN_LAN, "ipsec"), "its port forward goes");
	assert_string_equal(because(esp, WAN_LAN, "pptp"), "");
	assert_string_equal(because(WAN_LAN, esp, "ipsec"), "");
}

static bool cut(const char *before, const char *after, bool page, const char *at, char *sentence)
{
	struct settings *present = parsed(before), *wanted = parsed(after);
	struct cut_asker asker = {.page = page};

	inet_pton(AF_INET, "10.0.0.2", &asker.address);
	strcpy(asker.interface, at);
	bool is_cut = cut_off_asker(present, wanted, &asker, sentence);
	settings_free(present);
	settings_free(wanted);
	return is_cut;
}

static void who_asks_is_told(void **state)
{
	static const char on[] = WAN_LAN "web: {enabled: on}\n";
	static const char two[] = "wan: {interface: wan0}\nlan: {interfaces: [lan0, lan10]}\n"
				  "web: {enabled: on, interfaces: lan10}\n";
	char sentence[CUT_OFF_SENTENCE];

	assert_true(cut(on, WAN_LAN, true, "lan0", sentence));
	assert_non_null(strstr(sentence, "switched off"));
	assert_true(cut(on, two, true, "lan0", sentence));
	assert_non_null(strstr(sentence, "no page on lan0"));
	assert_false(cut(two, two, true, "lan10", sentence));
	assert_true(
		cut(on, WAN_LAN "web: {enabled: on, https_port: 8443}\n", true, "lan0", sentence));
	assert_non_null(strstr(sentence, "port 8443"));
	assert_false(cut(on, WAN_LAN, false, "lan0", sentence));
	assert_true(cut(WAN_LAN, "wan: {interface: lan0}\nlan: {interfaces: [wan0]}\n", false,
			"lan0", sentence));
	assert_false(cut(WAN_LAN, "wan: {interface: lan0}\nlan: {interfaces: [wan0]}\n", false, "",
			 sentence));
	static const char allowed[] = "wan: {interface: wan0, allow: ssh from 10.0.0.0/24}\n"
				      "lan: {interfaces: [lan0]}\n";
	assert_true(cut(allowed, WAN_LAN, false, "wan0", sentence));
	assert_non_null(strstr(sentence, "from 10.0.0.2 comes in by wan0, the WAN"));
	assert_false(cut(WAN_LAN, allowed, false, "wan0", sentence));
	assert_false(cut(WAN_LAN, WAN_LAN, false, "wan0", sentence));
}

static int ready(void **state)
{
	lan0_serves = true;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_cannot_work_refuses, ready),
		cmocka_unit_test_setup(what_works_is_not_mentioned, ready),
		cmocka_unit_test_setup(what_may_come_later_only_warns, ready),
		cmocka_unit_test_setup(behind_a_lan_that_is_not_ready_nothing_is_judged, ready),
		cmocka_unit_test_setup(an_old_fault_stops_no_other_change, ready),
		cmocka_unit_test_setup(more_findings_than_room_are_dropped, ready),
		cmocka_unit_test(what_only_a_restart_follows_is_known),
		cmocka_unit_test(near_words_are_found),
		cmocka_unit_test(tunnels_are_cut_off_by_what_they_need),
		cmocka_unit_test(who_asks_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
