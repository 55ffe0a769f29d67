/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings are changed in place: what people wrote around them stays, byte for byte, and
 * what cannot be changed safely is written anew with a word about it.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/edit.h"
#include "conf/field.h"
#include "conf/load.h"
#include "conf/store.h"

#define BEGIN "wan: {interface: wan0}\nlan: {interfaces: [lan0]}\n"

static struct settings *parse(const char *text)
{
	struct settings *settings;
	struct settings_error error = {0};
	char words[512];

	if (settings_parse(text, strlen(text), "test", &settings, &error) != 0)
		fail_msg("%s\n%s", settings_error_text(&error, words, sizeof(words)), text);
	return settings;
}

/* Is TEXT read as WANTED? */
static void assert_reads_as(const char *text, const struct settings *wanted)
{
	struct settings *again = parse(text);
	char *a, *b;
	size_t a_length, b_length;

	assert_int_equal(settings_format(again, &a, &a_length), 0);
	assert_int_equal(settings_format(wanted, &b, &b_length), 0);
	assert_int_equal(a_length, b_length);
	assert_memory_equal(a, b, a_length);
	free(a);
	free(b);
	settings_free(again);
}

/* BEFORE with WANTED: the text, which is read as WANTED, or NULL where that is not safe. */
static char *edit(const char *before, const struct settings *wanted)
{
	char *after = NULL;
	size_t length;

	if (settings_edit(before, strlen(before), wanted, &after, &length) != 0)
		return NULL;
	assert_int_equal(strlen(after), length);
	assert_reads_as(after, wanted);
	return after;
}

static char *with(const char *before, const char *name, const char *value)
{
	struct settings *wanted = parse(before);
	struct settings_error error = {0};

	if (settings_set(wanted, name, value, &error) != 0)
		fail_msg("%s: %s", name, error.message);
	char *after = edit(before, wanted);
	settings_free(wanted);
	return after;
}

static const struct {
	const char *before, *name, *value, *after; /* after NULL: written anew */
} changes[] = {
	/* a value that is there: the rest of its line stays */
	{BEGIN "# top\ntimeouts:\n  udp: 300   # ours\n  # between\n  icmp: 60\n", "timeouts.udp",
	 "400", BEGIN "# top\ntimeouts:\n  udp: 400   # ours\n  # between\n  icmp: 60\n"},
	{BEGIN "passthrough: {pptp: on, l2tp: off} # both\n", "passthrough.l2tp", "on",
	 BEGIN "passthrough: {pptp: on, l2tp: on} # both\n"},
	{BEGIN "\"passthrough\":\n    'pptp'  :   \"on\"   #x\n", "passthrough.pptp", "off",
	 BEGIN "\"passthrough\":\n    'pptp'  :   off   #x\n"},
	{BEGIN "timeouts:\n  udp:\n    # on a line of its own\n    300\n", "timeouts.udp", "301",
	 BEGIN "timeouts:\n  udp:\n    # on a line of its own\n    301\n"},
	{BEGIN "# 300 \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\ntimeouts: {udp: 300} # \xc3\xa4\n",
	 "timeouts.udp", "400",
	 BEGIN "# 300 \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\ntimeouts: {udp: 400} # \xc3\xa4\n"},
	{BEGIN "timeouts:\r\n  udp: 300\r\n# end\r\n", "timeouts.icmp", "70",
	 BEGIN "timeouts:\r\n  udp: 300\r\n  icmp: 70\n# end\r\n"},
	/* one that is not there: at the end of its section, before the comments that follow it */
	{BEGIN "web:\n  enabled: on\n#  metrics: off # at /metrics\n\n# more\nmss_clamp: auto\n",
	 "web.metrics", "on",
	 BEGIN "web:\n  enabled: on\n  metrics: on\n#  metrics: off # at /metrics\n\n# more\n"
	       "mss_clamp: auto\n"},
	{BEGIN "web: {enabled: on # yes\n  }\n", "web.metrics", "on",
	 BEGIN "web: {enabled: on, metrics: on # yes\n  }\n"},
	{BEGIN "web: {}\n", "web.language", "de", BEGIN "web: {language: de}\n"},
	/* a section that is not there: at the end, with or without a line break */
	{BEGIN "# the end", "timeouts.udp", "400", BEGIN "# the end\ntimeouts:\n  udp: 400\n"},
	{BEGIN, "mss_clamp", "off", BEGIN "mss_clamp: off\n"},
	/* quotes where they are needed */
	{BEGIN, "web.names", "a.lan,b.lan", BEGIN "web:\n  names: 'a.lan,b.lan'\n"},
	{BEGIN "state_dir: /var/it's # mine\n", "state_dir", "/srv/it's: so",
	 BEGIN "state_dir: '/srv/it''s: so' # mine\n"},
	/* one that is not wanted any more */
	{BEGIN "# group\ncontrol_group: netdev # ours\n# end\n", "control_group", "",
	 BEGIN "# group\n# end\n"},
	{BEGIN "web:\n  # names\n  names: a.lan\n  enabled: on\n", "web.names", "",
	 BEGIN "web:\n  # names\n  enabled: on\n"},
	{BEGIN "web:\n  names: a.lan # x\n", "web.names", "", BEGIN "web:\n  {} # x\n"},
	{"wan: {interface: wan0, allow: 'ssh from any'} # why\nlan: {interfaces: [lan0]}\n",
	 "wan.allow", "", "wan: {interface: wan0} # why\nlan: {interfaces: [lan0]}\n"},
	{BEGIN "web: {names: a.lan , enabled: on} # x\n", "web.names", "",
	 BEGIN "web: {enabled: on} # x\n"},
	{BEGIN "web: {enabled: on, names: a.lan,\n  metrics: on}\n", "web.names", "",
	 BEGIN "web: {enabled: on,\n  metrics: on}\n"},
	{BEGIN "web: {names: a.lan} # x\n", "web.names", "", BEGIN "web: {} # x\n"},
	{BEGIN "web: {enabled: on, # x\n  names: a.lan}\n", "web.names", "", NULL},
	/* the interfaces */
	{BEGIN, "lan.interfaces", "lan0,lan1",
	 "wan: {interface: wan0}\nlan: {interfaces: [lan0, lan1]}\n"},
	{"wan: {interface: wan0}\nlan:\n  interfaces:\n  # first\n  - lan0 # a\n  # second\n"
	 "  - lan1 # b\n  - lan2\n",
	 "lan.interfaces", "lan0,lan2",
	 "wan: {interface: wan0}\nlan:\n  interfaces:\n  # first\n  - lan0 # a\n  # second\n"
	 "  - lan2\n"},
	{"wan: {interface: wan0}\nlan: {interfaces: [lan0, lan1, lan2]} # x\n", "lan.interfaces",
	 "lan3,lan2", "wan: {interface: wan0}\nlan: {interfaces: [lan3, lan2]} # x\n"},
	/* not safe */
	{"wan: {interface: wan0}\nlan: {interfaces: [lan0, # a\n  lan1]}\n", "lan.interfaces",
	 "lan2", NULL},
	{"{wan: {interface: wan0}, lan: {interfaces: [lan0]}}\n", "mss_clamp", "off", NULL},
	{BEGIN "state_dir: |-\n  /var/x\n", "state_dir", "/var/y", NULL},
	{"---\n" BEGIN "...\n", "mss_clamp", "off", NULL},
};

static void a_change_leaves_the_rest(void **state)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		char *after = with(changes[i].before, changes[i].name, changes[i].value);

		if (!changes[i].after)
			assert_null(after);
		else if (!after)
			fail_msg("%zu: not changed in place:\n%s", i, changes[i].before);
		else
			assert_string_equal(after, changes[i].after);
		free(after);
	}
}

/* --- forwards ------------------------------------------------------------------------------- */

static void forward_add(struct settings *settings, const char *name, int port)
{
	struct settings_error error = {0};
	json_t *forward = json_pack("{s:s, s:s, s:i, s:s}", "name", name, "protocol", "tcp", "port",
				    port, "to", "10.0.0.2");

	assert_int_equal(settings_forward_add(settings, forward, &error), 0);
	json_decref(forward);
}

static char *after_remove(const char *before, const char *key)
{
	struct settings *wanted = parse(before);
	struct settings_error error = {0};

	assert_int_equal(settings_forward_remove(wanted, key, &error), 0);
	char *after = edit(before, wanted);
	settings_free(wanted);
	return after;
}

static void assert_after(char *after, const char *wanted)
{
	assert_non_null(after);
	assert_string_equal(after, wanted);
	free(after);
}

static char *after_add(const char *before, int count)
{
	struct settings *wanted = parse(before);

	for (int i = 0; i < count; i++)
		forward_add(wanted, i ? "it's" : "one", 80 + i);
	char *after = edit(before, wanted);
	settings_free(wanted);
	return after;
}

static void forwards_come_and_go(void **state)
{
	static const char two[] =
		BEGIN "# ours\nport_forwards: # list\n  # first\n"
		      "  - name: a # A\n    protocol: tcp\n    port: 1 # one\n"
		      "    to: 10.0.0.3\n  # second\n"
		      "  - {name: b, protocol: esp, to: 10.0.0.4}\n# end\nweb: {}\n";

	assert_after(after_add(BEGIN, 2),
		     BEGIN "port_forwards:\n"
			   "  - {name: one, protocol: tcp, port: 80, to: 10.0.0.2}\n"
			   "  - {name: 'it''s', protocol: tcp, port: 81, to: 10.0.0.2}\n");
	assert_after(after_add(BEGIN "port_forwards: [] # none\n", 1),
		     BEGIN "port_forwards: [{name: one, protocol: tcp, port: 80, to: 10.0.0.2}] "
			   "# none\n");
	assert_after(after_remove(two, "a"),
		     BEGIN "# ours\nport_forwards: # list\n  # first\n  # second\n"
			   "  - {name: b, protocol: esp, to: 10.0.0.4}\n# end\nweb: {}\n");
	assert_after(after_remove(two, "b"),
		     BEGIN "# ours\nport_forwards: # list\n  # first\n"
			   "  - name: a # A\n    protocol: tcp\n    port: 1 # one\n"
			   "    to: 10.0.0.3\n  # second\n# end\nweb: {}\n");
	assert_after(after_add(two, 1), BEGIN
		     "# ours\nport_forwards: # list\n  # first\n"
		     "  - name: a # A\n    protocol: tcp\n    port: 1 # one\n"
		     "    to: 10.0.0.3\n  # second\n"
		     "  - {name: b, protocol: esp, to: 10.0.0.4}\n"
		     "  - {name: one, protocol: tcp, port: 80, to: 10.0.0.2}\n# end\nweb: {}\n");
	assert_after(
		after_remove(BEGIN "port_forwards: # list\n- {protocol: esp, to: 10.0.0.4}", "1"),
		BEGIN "port_forwards: [] # list\n");
}

/* --- the files that come with it ---------------------------------------------------------------
 */

static char *file_text(const char *path)
{
	static char text[16384];
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static size_t comments_count(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '#';
	return count;
}

/* A value that each setting takes and that is not its default. */
static const char *const others[] = {
	"off", "nat-only", "endpoint-independent", "de", "on", "12345", "lan7,lan8", "tc"};

static void every_setting_of_the_packaged_file(void **state)
{
	const char *before = file_text("packaging/wayleave.yaml"), *name;
	struct settings *wanted = parse(before);
	struct settings_error error;

	for (size_t i = 0; (name = settings_name(i)); i++) {
		for (size_t k = 0; k < sizeof(others) / sizeof(*others); k++)
			if (strcmp(name, "web.key") && strcmp(name, "web.certificate") &&
			    settings_set(wanted, name, others[k], &error) == 0)
				break;
		char *after = edit(before, wanted);
		assert_non_null(after);
		assert_true(comments_count(after) >= comments_count(before));
		free(after);
	}
	forward_add(wanted, "last", 4242);
	char *after = edit(before, wanted);
	assert_non_null(after);
	assert_int_equal(comments_count(after), comments_count(before));
	free(after);
	settings_free(wanted);
}

/* --- on disk -----------------------------------------------------------------------------------
 */

static void store(const char *path, const char *before, char after[4096])
{
	struct settings *wanted = parse(before);
	struct settings_error error = {0};
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(before, file);
	fclose(file);
	assert_int_equal(settings_set(wanted, "mss_clamp", "off", &error), 0);
	assert_int_equal(settings_store_save(path, wanted, false, &error), 0);
	settings_free(wanted);
	snprintf(after, 4096, "%s", file_text(path));
}

static void what_is_written_anew_says_so(void **state)
{
	char directory[] = "/tmp/wayleave-edit-XXXXXX", path[64], after[4096], command[64];

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/w.yaml", directory);
	store(path, "# mine\n" BEGIN, after);
	assert_string_equal(after, "# mine\n" BEGIN "mss_clamp: off\n");
	store(path, "# mine\n{wan: {interface: wan0}, lan: {interfaces: [lan0]}}\n", after);
	assert_non_null(strstr(after, "# Wayleave has written this file anew"));
	assert_non_null(strstr(after, "w.yaml.d"));
	store(path, "{wan: {interface: wan0}, lan: {interfaces: [lan0]}}\n", after);
	assert_null(strchr(after, '#'));
	snprintf(command, sizeof(command), "rm -r %s", directory);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_leaves_the_rest),
		cmocka_unit_test(forwards_come_and_go),
		cmocka_unit_test(every_setting_of_the_packaged_file),
		cmocka_unit_test(what_is_written_anew_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
