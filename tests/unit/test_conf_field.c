/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings by name: every one can be read, written and refused; port forwards as JSON. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/field.h"
#include "conf/load.h"

static struct settings *settings;
static struct settings_error error;

static int start(void **state)
{
	static const char text[] = "wan: {interface: wan0}\nlan: {interfaces: [lan0]}\n";
	return settings_parse(text, sizeof(text) - 1, "test", &settings, &error);
}

static int stop(void **state)
{
	settings_free(settings);
	return 0;
}

static void expect(const char *name, const char *wanted)
{
	char *value;

	assert_int_equal(settings_get(settings, name, &value), 0);
	assert_string_equal(value, wanted);
	free(value);
}

static void set(const char *name, const char *value)
{
	assert_int_equal(settings_set(settings, name, value, &error), 0);
}

static void refused(const char *name, const char *value, const char *field)
{
	char *before, *after;
	size_t length_before, length_after;

	assert_int_equal(settings_format(settings, &before, &length_before), 0);
	assert_int_equal(settings_set(settings, name, value, &error), -EINVAL);
	assert_string_equal(error.field, field);
	assert_true(*error.message);
	assert_int_equal(settings_format(settings, &after, &length_after), 0);
	assert_int_equal(length_before, length_after);
	assert_memory_equal(before, after, length_after);
	free(before);
	free(after);
}

static void every_setting_takes_its_own_value_back(void **state)
{
	const char *name;
	size_t count = 0;

	for (; (name = settings_name(count)); count++) {
		char *value;
		assert_int_equal(settings_get(settings, name, &value), 0);
		set(name, value);
		expect(name, value);
		free(value);
	}
	/* wan and whom it lets in, lan, 3 switches, 2 filters, 5 limits, 12 timeouts, dataplane, mss, keepalive,
	   run_dir, state_dir, group, 10 of the page */
	assert_int_equal(count, 41);
}

static void values_are_words_numbers_and_names(void **state)
{
	set("passthrough.pptp", "off");
	expect("passthrough.pptp", "off");
	set("passthrough.pptp", "true");
	expect("passthrough.pptp", "on");
	set("filtering.tcp", "endpoint-independent");
	assert_int_equal(settings->filtering.tcp, FILTERING_ENDPOINT_INDEPENDENT);
	set("mss_clamp", "1360");
	expect("mss_clamp", "1360");
	set("mss_clamp", "auto");
	assert_int_equal(settings->mss_clamp, 1);
	set("keepalive.interval_s", "20");
	assert_int_equal(settings->keepalive.interval_s, 20);
	set("keepalive.interval_s", "off");
	assert_int_equal(settings->keepalive.interval_s, 0);
	set("lan.interfaces", "lan0,lan1,br0");
	expect("lan.interfaces", "lan0,lan1,br0");
	set("control_group", "netadmin");
	set("control_group", "");
	assert_null(settings->control_group);
	assert_int_equal(settings_set(settings, "passthrough", "off", &error), -ENOENT);
	assert_string_equal(error.field, "passthrough");
}

static void a_refused_value_changes_nothing(void **state)
{
	refused("passthrough.pptp", "maybe", "passthrough.pptp");
	refused("timeouts.tcp_established", "60", "timeouts.tcp_established");
	refused("timeouts.udp", "", "timeouts.udp");
	refused("lan.interfaces", "", "lan.interfaces");
	refused("lan.interfaces", "wan0", "lan.interfaces[0]");
	refused("lan.interfaces", "a,,b", "lan.interfaces[1]");
	refused("wan.interface", "lan0", "lan.interfaces[0]");
	refused("wan.interface", "", "wan.interface");
	refused("run_dir", "", "run_dir");
	refused("mss_clamp", "65536", "mss_clamp");
	refused("keepalive.interval_s", "4", "keepalive.interval_s");
}

/* Takes FORWARD. */
static int add(json_t *forward)
{
	int rc = settings_forward_add(settings, forward, &error);

	json_decref(forward);
	return rc;
}

static void forwards_are_added_read_and_removed(void **state)
{
	assert_int_equal(
		add(json_pack("{s:s, s:s, s:i, s:i, s:s, s:i}", "name", "game", "protocol", "udp",
			      "port", 6000, "port_last", 6009, "to", "10.0.0.2", "to_port", 7000)),
		0);
	assert_int_equal(add(json_pack("{s:s, s:s}", "protocol", "gre", "to", "10.0.0.3")), 0);
	json_t *all = settings_json(settings);
	json_t *first = json_array_get(json_object_get(all, "port_forwards"), 0);
	assert_int_equal(json_integer_value(json_object_get(first, "port_last")), 6009);
	/* what is shown can be added again once it is removed */
	assert_int_equal(settings_forward_remove(settings, "game", &error), 0);
	assert_int_equal(settings_forward_add(settings, first, &error), 0);
	assert_int_equal(settings_forward_remove(settings, "#1", &error), 0);
	assert_int_equal(settings->port_forwards_count, 1);
	assert_string_equal(settings->port_forwards[0].name, "game");
	assert_int_equal(settings_forward_remove(settings, "#2", &error), -ENOENT);
	assert_int_equal(settings_forward_remove(settings, "#0", &error), -ENOENT);
	assert_int_equal(settings_forward_remove(settings, "-1", &error), -ENOENT);
	json_decref(all);
}

/* By name, by number as text and as a number; shown by name where there is one. */
static void any_protocol_is_forwarded(void **state)
{
	static const struct {
		const char *given, *shown;
	} protocols[] = {{"4", "4"},   {"41", "41"},	{"47", "gre"}, {"51", "51"},
			 {"97", "97"}, {"115", "l2tp"}, {"254", "254"}};
	size_t count = sizeof(protocols) / sizeof(*protocols);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(add(json_pack("{s:s, s:s}", "protocol", protocols[i].given, "to",
					       "10.0.0.3")),
				 0);
	assert_int_equal(add(json_pack("{s:i, s:s}", "protocol", 200, "to", "10.0.0.3")), 0);
	json_t *all = settings_json(settings);
	const json_t *list = json_object_get(all, "port_forwards");
	for (size_t i = 0; i < count; i++)
		assert_string_equal(
			json_string_value(json_object_get(json_array_get(list, i), "protocol")),
			protocols[i].shown);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(list, count), "protocol")), "200");
	json_decref(all);
}

/* Takes FORWARD. */
static void add_refused(json_t *forward, const char *field)
{
	unsigned int count = settings->port_forwards_count;

	assert_int_equal(add(forward), -EINVAL);
	assert_string_equal(error.field, field);
	assert_int_equal(settings->port_forwards_count, count);
}

static void wrong_forwards_name_their_member(void **state)
{
	add_refused(json_pack("{s:s}", "to", "10.0.0.2"), "protocol");
	add_refused(json_pack("{s:s}", "protocol", "tcp"), "to");
	add_refused(json_pack("{s:s, s:s}", "protocol", "tcp", "to", "10.0.0.2"), "port");
	add_refused(json_pack("{s:s, s:s, s:i}", "protocol", "tcp", "to", "10.0.0.2", "port", 0),
		    "port");
	add_refused(json_pack("{s:s, s:s, s:s}", "protocol", "tcp", "to", "10.0.0.2", "port", "80"),
		    "port");
	add_refused(json_pack("{s:s, s:s, s:i, s:i}", "protocol", "tcp", "to", "10.0.0.2", "port",
			      80, "to_port", 65536),
		    "to_port");
	add_refused(json_pack("{s:s, s:i, s:i}", "protocol", "tcp", "to", 5, "port", 80), "to");
	add_refused(json_pack("{s:s, s:s, s:i, s:i}", "protocol", "tcp", "to", "10.0.0.2", "port",
			      80, "name", 3),
		    "name");
	add_refused(json_pack("{s:s, s:s, s:i, s:i}", "protocol", "tcp", "to", "10.0.0.2", "port",
			      80, "zone", 3),
		    "zone");
	add_refused(json_pack("{s:s, s:s, s:i}", "protocol", "esp", "to", "10.0.0.2", "port", 80),
		    "port");
	static const char *const wrong[] = {"0", "1", "255", "256", "41x", "-4", " 4", "sctp", ""};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		add_refused(json_pack("{s:s, s:s}", "protocol", wrong[i], "to", "10.0.0.2"),
			    "protocol");
	add_refused(json_pack("{s:i, s:s}", "protocol", -1, "to", "10.0.0.2"), "protocol");
	add_refused(json_pack("{s:i, s:s}", "protocol", 300, "to", "10.0.0.2"), "protocol");
}

/* Whoever adds a setting writes about it. Run from the top of the repository. */
static void every_setting_is_in_documents_and_completion(void **state)
{
	static const char *const files[] = {"docs/settings.md", "packaging/wayleave.yaml",
					    "packaging/man/wayleave.yaml.5",
					    "packaging/completion/wayleave"};
	static char text[32768];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		FILE *file = fopen(files[i], "r");
		if (!file) {
			print_message("skipped: %s is not here\n", files[i]);
			skip();
		}
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
		for (size_t k = 0; settings_name(k); k++) {
			const char *dot = strrchr(settings_name(k), '.');
			if (!strstr(text, dot ? dot + 1 : settings_name(k)))
				fail_msg("%s is not in %s", settings_name(k), files[i]);
		}
	}
}

static void the_example_file_is_right(void **state)
{
	struct settings *example;

	int rc = settings_load("packaging/wayleave.yaml", &example, &error);
	if (rc == -ENOENT) {
		print_message("skipped: packaging/wayleave.yaml is not here\n");
		skip();
	}
	assert_int_equal(rc, 0);
	settings_free(example);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_setting_takes_its_own_value_back, start,
						stop),
		cmocka_unit_test_setup_teardown(values_are_words_numbers_and_names, start, stop),
		cmocka_unit_test_setup_teardown(a_refused_value_changes_nothing, start, stop),
		cmocka_unit_test_setup_teardown(forwards_are_added_read_and_removed, start, stop),
		cmocka_unit_test_setup_teardown(any_protocol_is_forwarded, start, stop),
		cmocka_unit_test_setup_teardown(wrong_forwards_name_their_member, start, stop),
		cmocka_unit_test(every_setting_is_in_documents_and_completion),
		cmocka_unit_test(the_example_file_is_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
