/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents as text: figures, columns, cut lines, and bytes that a terminal must not get. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/text.h"

static void sizes_and_durations_are_short(void **state)
{
	static const struct {
		uint64_t value;
		const char *size, *rate, *duration;
	} rows[] = {
		{0, "0", "0", "0s"},
		{59, "59", "59", "59s"},
		{61, "61", "61", "1m01s"},
		{999, "999", "999", "16m39s"},
		{1000, "1.0K", "1.0K", "16m40s"},
		{7385, "7.2K", "7.4K", "2h03m"},
		{1048576, "1.0M", "1.0M", "12d03h"},
		{10188800, "9.7M", "10M", "117d22h"},
		{UINT64_MAX, "16E", "18E", "99999d07h"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[16];
		assert_string_equal(text_size(rows[i].value, text), rows[i].size);
		assert_string_equal(text_rate(rows[i].value, text), rows[i].rate);
		assert_string_equal(text_duration(rows[i].value, text), rows[i].duration);
	}
}

/* Takes ITEMS; the caller frees what it gets. */
static char *rendered(const char *what, json_t *items, struct text_style style)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	text_list(out, what, items, style);
	fclose(out);
	json_decref(items);
	return text;
}

static json_t *vpn(const char *device, const char *state)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:I}", "device", device, "kind", "ipsec", "state",
			 state, "age_s", 61, "bytes_in", (json_int_t)1048576);
}

static void columns_line_up(void **state)
{
	char *text = rendered(
		"vpn",
		json_pack("[o, o]", vpn("10.0.0.2", "up"), vpn("192.168.100.200", "blocked")),
		(struct text_style){0});

	assert_string_equal(
		text, "DEVICE           KIND   STATE      AGE  IDLE  OUT    IN  SERVER  WHY  IDS\n"
		      "10.0.0.2         ipsec  up       1m01s    0s    0  1.0M  -       -    -\n"
		      "192.168.100.200  ipsec  blocked  1m01s    0s    0  1.0M  -       -    -\n");
	free(text);
}

static void lines_are_cut_and_coloured_on_wish(void **state)
{
	char *text = rendered("vpn", json_pack("[o]", vpn("10.0.0.2", "failed")),
			      (struct text_style){.colour = true, .width = 8});

	assert_string_equal(text, "\x1b[1mDEVICE  \x1b[0m\n\x1b[31m10.0.0.2\x1b[0m\n\x1b[31m  -  -\x1b[0m\n");
	free(text);
}

static void an_esp_id_is_an_spi_in_hex(void **state)
{
	json_t *session = json_pack("{s:s, s:s, s:I, s:s, s:i}", "protocol", "esp", "inside",
				    "10.0.0.2", "inside_id", (json_int_t)0xc0ffee01, "remote",
				    "192.0.2.1", "remote_id", 16);
	char *text = rendered("sessions", json_pack("[o]", session), (struct text_style){0});

	assert_non_null(strstr(text, "10.0.0.2/0xc0ffee01"));
	assert_non_null(strstr(text, "192.0.2.1/0x00000010"));
	free(text);
}

static void the_ids_of_a_tunnel_are_those_of_its_sessions(void **state)
{
	json_t *tunnel = vpn("10.0.0.2", "failed");
	json_object_set_new(
		tunnel, "detail",
		json_pack("{s:[{s:s, s:I, s:i}, {s:s, s:i, s:i, s:i}, {s:s, s:i, s:i, s:i}]}",
			  "sessions", "protocol", "esp", "spi_in", (json_int_t)0xc0ffee01,
			  "spi_out", 16, "protocol", "gre", "call_id_device", 7, "call_id_external",
			  5001, "call_id_server", 3, "protocol", "udp", "inside_port", 500,
			  "external_port", 1024, "server_port", 500));
	json_object_set_new(tunnel, "evidence", json_pack("[s]", "Nothing comes back."));
	char *text = rendered("vpn", json_pack("[o]", tunnel), (struct text_style){0});

	assert_non_null(strstr(
		text, "  Nothing comes back.  esp 0xc0ffee01/0x00000010, gre 7/5001/3 +1\n"));
	free(text);
}

/* 80 columns are what a terminal has: the reason is never off the screen. */
static void a_narrow_terminal_has_the_reason_below(void **state)
{
	static const char why[] = "The server has never answered.";
	struct text_style narrow = {.width = 80}, wide = {.width = 200};
	json_t *tunnel = vpn("192.168.100.200", "connecting"), *rows;
	char *text, *below;

	json_object_set_new(tunnel, "evidence", json_pack("[s]", why));
	json_object_set_new(tunnel, "server", json_string("203.0.113.200"));
	rows = json_pack("[o]", tunnel);
	assert_int_equal(text_list_row_lines("vpn", rows, narrow), 2);
	assert_int_equal(text_list_row_lines("vpn", rows, wide), 1);
	text = rendered("vpn", json_incref(rows), narrow);
	below = strstr(text, why);
	assert_non_null(below);
	assert_int_equal(strncmp(below - 3, "\n  ", 3), 0);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 80);
	free(text);
	json_decref(rows);
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	char *text = rendered("vpn", json_pack("[o]", vpn("\x1b]0;x\x07", "up\n\r")),
			      (struct text_style){0});

	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\x07'));
	assert_null(strchr(text, '\r'));
	assert_non_null(strstr(text, "?]0;x?"));
	free(text);
}

/* Whatever an answer has in it, or has not. */
static void documents_of_any_shape_are_survived(void **state)
{
	static const char *const whats[] = {"sessions", "vpn",		 "devices",	"counters",
					    "drops",	"port_forwards", "generations", "nonsense"};
	char *long_text = calloc(1, 5000);

	memset(long_text, 'x', 4999);
	for (size_t i = 0; i < sizeof(whats) / sizeof(*whats); i++) {
		json_t *items = json_pack("[{}, [], n, i, s, {s:s, s:s, s:{s:s, s:s}, s:s}]", 5,
					  "text", "device", long_text, "state", long_text, "detail",
					  "a", long_text, "b", long_text, "sentence", long_text);
		free(rendered(whats[i], items, (struct text_style){.width = 80}));
	}
	FILE *null = fopen("/dev/null", "w");
	json_t *wrong = json_pack("{s:s, s:i, s:[i, o], s:n}", "version", long_text, "wan", 3,
				  "warnings", 1, json_object(), "settings");
	text_status(null, wrong, (struct text_style){0});
	text_status(null, NULL, (struct text_style){0});
	text_config(null, wrong, (struct text_style){0});
	text_config(null, NULL, (struct text_style){0});
	fclose(null);
	json_decref(wrong);
	free(long_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_and_durations_are_short),
		cmocka_unit_test(columns_line_up),
		cmocka_unit_test(lines_are_cut_and_coloured_on_wish),
		cmocka_unit_test(an_esp_id_is_an_spi_in_hex),
		cmocka_unit_test(the_ids_of_a_tunnel_are_those_of_its_sessions),
		cmocka_unit_test(a_narrow_terminal_has_the_reason_below),
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(documents_of_any_shape_are_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
