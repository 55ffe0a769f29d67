/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests as bytes: whatever comes, one answer of the documented shape, and nothing changes. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/document.h"
#include "ctl/request.h"

/* --- a provider that checks what it is handed ------------------------------------------ */

static int provide_status(void *daemon, json_t **result)
{
	struct ctl_status status = {.version = "test"};

	*result = ctl_status_json(&status);
	return 0;
}

static int provide_list(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next)
{
	assert_in_range(query->limit, 1, CTL_PAGE_MAX);
	assert_true(query->cursor <= INT64_MAX);
	*next = query->cursor;
	return 0;
}

static int provide_counters(void *daemon, json_t *items)
{
	return -EIO;
}

static int provide_arm(void *daemon, const struct ctl_arm *arm, json_t **result)
{
	assert_true(arm->count > 0 && arm->inside.s_addr && arm->remote.s_addr);
	assert_true(arm->kind == CTL_ARM_ESP ||
		    (arm->inside_id <= 65535 && arm->remote_id <= 65535));
	*result = json_object();
	return 0;
}

static const struct ctl_provider provider = {
	.status = provide_status,
	.sessions = provide_list,
	.vpns = provide_list,
	.devices = provide_list,
	.counters = provide_counters,
	.arm = provide_arm,
};

static const struct request_context root = {.provider = &provider,
					    .peer = {.uid = 0, .may_change = true}};

/* --- answers ------------------------------------------------------------------------------ */

/* "ok" with a result, or an error with a known code and a sentence. Returns the code, "" if ok. */
static const char *judge(const struct request_context *context, const char *line, size_t length)
{
	static char code[32];
	json_t *answer = request_answer(context, line, length);
	const json_t *error = json_object_get(answer, "error");

	assert_non_null(answer);
	char *text = json_dumps(answer, JSON_COMPACT);
	assert_non_null(text);
	assert_null(strchr(text, '\n'));
	free(text);
	*code = '\0';
	if (json_is_true(json_object_get(answer, "ok"))) {
		assert_non_null(json_object_get(answer, "result"));
	} else {
		assert_true(json_is_string(json_object_get(error, "message")));
		strncpy(code, json_string_value(json_object_get(error, "code")), sizeof(code) - 1);
	}
	json_decref(answer);
	return code;
}

static const char *const requests[] = {
	"{\"request\":\"status\",\"id\":[1,{\"a\":null}]}",
	"{\"request\":\"show\",\"what\":\"sessions\",\"cursor\":1234,\"limit\":100,"
	"\"filter\":{\"protocol\":\"tcp\",\"class\":\"pptp\",\"inside\":\"10.0.0.2\","
	"\"remote\":\"192.0.2.1\"}}",
	"{\"request\":\"arm\",\"kind\":\"esp\",\"inside\":\"10.0.0.2\",\"remote\":\"192.0.2.1\","
	"\"inside_id\":4294967295,\"external_id\":0,\"remote_id\":8192,\"count\":1000}",
	"{\"request\":\"arm\",\"kind\":\"pptp\",\"inside\":\"10.0.0.2\",\"remote\":\"192.0.2.1\","
	"\"inside_id\":65535,\"remote_id\":1}",
};
#define REQUESTS_COUNT (sizeof(requests) / sizeof(*requests))

static void the_requests_themselves_are_right(void **state)
{
	for (size_t i = 0; i < REQUESTS_COUNT; i++)
		assert_string_equal(judge(&root, requests[i], strlen(requests[i])), "");
}

static void truncated_at_every_byte(void **state)
{
	for (size_t i = 0; i < REQUESTS_COUNT; i++)
		for (size_t length = 0; length < strlen(requests[i]); length++)
			assert_string_equal(judge(&root, requests[i], length), "bad-request");
}

static uint32_t random_state = 7;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % limit;
}

/* A number, word or byte in the place of what was there. */
static size_t mutate(char *text, size_t length, size_t size)
{
	static const char *const scraps[] = {"-1",  "0",    "4294967296", "18446744073709551616",
					     "1e9", "null", "\"\"",	  "[]",
					     "{}",  "true"};
	const char *scrap = scraps[random_below(sizeof(scraps) / sizeof(*scraps))];
	size_t at = random_below(length), count = strlen(scrap);

	if (random_below(3) == 0) {
		text[at] = random_below(256);
		return length;
	}
	char *colon = memchr(text + at, ':', length - at);
	size_t begin = colon ? (size_t)(colon - text) + 1 : at;
	size_t end = begin;
	while (end < length && !strchr(",}]", text[end]))
		end++;
	if (length - (end - begin) + count > size)
		return length;
	memmove(text + begin + count, text + end, length - end);
	memcpy(text + begin, scrap, count);
	return length - (end - begin) + count;
}

static void mutated_requests_get_one_answer_each(void **state)
{
	unsigned int right = 0, refused = 0;

	for (int i = 0; i < 20000; i++) {
		char text[1024];
		const char *request = requests[random_below(REQUESTS_COUNT)];
		size_t length = strlen(request);
		memcpy(text, request, length);
		for (uint32_t k = random_below(3) + 1; k > 0; k--)
			length = mutate(text, length, sizeof(text));
		if (*judge(&root, text, length))
			refused++;
		else
			right++;
	}
	print_message("%u right, %u refused\n", right, refused);
	assert_true(right > 500 && refused > 5000);
}

static void deep_nesting_is_refused(void **state)
{
	static char deep[60000];

	memset(deep, '[', sizeof(deep));
	assert_string_equal(judge(&root, deep, sizeof(deep)), "bad-request");
	memcpy(deep, "{\"request\":", 11);
	assert_string_equal(judge(&root, deep, sizeof(deep)), "bad-request");
}

static void permissions_come_before_the_request(void **state)
{
	static const char set[] = "{\"request\":\"set\",\"name\":\"x\",\"value\":\"y\"}";
	struct request_context reader = root;

	reader.peer = (struct peer){.uid = 1000};
	assert_string_equal(judge(&reader, set, strlen(set)), "not-allowed");
	assert_string_equal(judge(&reader, requests[2], strlen(requests[2])), "not-allowed");
	assert_string_equal(judge(&reader, requests[1], strlen(requests[1])), "");
	reader.peer.may_change = true;
	assert_string_equal(judge(&reader, requests[2], strlen(requests[2])), "not-allowed");
	/* this context has no settings to change */
	assert_string_equal(judge(&reader, set, strlen(set)), "unknown-request");
}

static int web_nothing(void *daemon, json_t **result)
{
	*result = json_object();
	return 0;
}

static int web_keep(void *daemon, const json_t *state)
{
	return json_is_object(state) ? 0 : -EINVAL;
}

static int web_claim(void *daemon, const char *code)
{
	return strcmp(code, "right") ? -EACCES : 0;
}

static int web_setup(void *daemon, bool reset, bool unlock, json_t **result)
{
	return web_nothing(daemon, result);
}

/* The web process asks what its list has, and everybody else nothing of what is its own. */
static void the_web_process_has_a_list(void **state)
{
	static const struct {
		const char *line;
		bool web, root; /* may ask */
	} rows[] = {
		{"{\"request\":\"status\"}", true, true},
		{"{\"request\":\"show\",\"what\":\"vpn\"}", true, true},
		{"{\"request\":\"arm\",\"kind\":\"esp\",\"inside\":\"10.0.0.1\",\"remote\":"
		 "\"1.2.3.4\",\"inside_id\":1,\"remote_id\":2}",
		 false, true},
		{"{\"request\":\"setup\",\"reset\":true}", false, true},
		{"{\"request\":\"web-state\"}", true, false},
		{"{\"request\":\"web-keep\",\"state\":{}}", true, false},
		{"{\"request\":\"web-claim\",\"code\":\"right\"}", true, false},
		{"{\"request\":\"web-note\",\"who\":\"page\",\"action\":\"login\",\"result\":"
		 "\"ok\"}",
		 true, false},
	};
	static const struct ctl_web_provider web = {
		.state = web_nothing, .keep = web_keep, .claim = web_claim, .setup = web_setup};
	struct ctl_provider with_web = provider;
	struct request_context page = root, console = root;

	with_web.web = &web;
	page.provider = console.provider = &with_web;
	/* uid 0 is no help to it */
	page.peer = (struct peer){.uid = 0, .may_change = true, .web = true};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *line = rows[i].line;

		assert_int_equal(strcmp(judge(&page, line, strlen(line)), "not-allowed") != 0,
				 rows[i].web);
		assert_int_equal(strcmp(judge(&console, line, strlen(line)), "not-allowed") != 0,
				 rows[i].root);
	}
}

static void a_provider_that_fails_is_said_so(void **state)
{
	static const char counters[] = "{\"request\":\"show\",\"what\":\"counters\"}";
	assert_string_equal(judge(&root, counters, strlen(counters)), "failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_requests_themselves_are_right),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(mutated_requests_get_one_answer_each),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(permissions_come_before_the_request),
		cmocka_unit_test(the_web_process_has_a_list),
		cmocka_unit_test(a_provider_that_fails_is_said_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
