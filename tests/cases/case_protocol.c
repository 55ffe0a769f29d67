/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cases/case_fields.h"
#include "tests/cases/case_protocol.h"

#define SEPARATORS " \n"

static const struct case_backend *backend;

static char *next_word(void)
{
	return strtok(NULL, SEPARATORS);
}

static __u32 next_number(void)
{
	const char *word = next_word();

	return word ? strtoul(word, NULL, 0) : 0;
}

static int next_fields(const struct field *table, void *object)
{
	for (char *word = next_word(); word; word = next_word())
		if (field_set(table, object, word)) {
			printf("error field %s\n", word);
			return -EINVAL;
		}
	return 0;
}

static void answer(int error, const char *what)
{
	if (!error)
		printf("ok\n");
	else if (what)
		printf("error %s\n", what);
}

/* --- settings ---------------------------------------------------------------------- */

static void do_reset(void)
{
	world_reset();
	backend->clock(world.now);
	answer(0, NULL);
}

static void do_config(void)
{
	answer(next_fields(config_fields, arena.config), NULL);
}

static void do_clock(void)
{
	backend->clock(next_number());
	answer(0, NULL);
}

static void do_interface(void)
{
	struct interface *interface = interface_at(next_number());

	answer(interface ? next_fields(interface_fields, interface) : -ENOENT, NULL);
	own_macs_write(arena.config, arena.interfaces);
}

static void next_mac(__u8 *mac)
{
	const struct field field[] = {{"mac", 0, 6, FIELD_MAC}, {}};
	char text[32];

	snprintf(text, sizeof(text), "mac=%s", next_word());
	field_set(field, mac, text);
}

static void do_route(void)
{
	const __u8 none[6] = {};
	__be32 prefix = 0, neighbour = 0;
	struct world_route *r;
	__u32 length, ifindex;

	inet_pton(AF_INET, next_word(), &prefix);
	length = next_number();
	ifindex = next_number();
	inet_pton(AF_INET, next_word(), &neighbour);
	r = world_route_add(prefix, length, ifindex, neighbour);
	if (!r) {
		answer(-ENOSPC, "too many routes");
		return;
	}
	next_mac(r->route.source);
	next_mac(r->route.destination);
	r->is_unresolved = !memcmp(r->route.destination, none, 6);
	answer(0, NULL);
}

/* Memory only: what the kernel has of its own. Device and hop, then what the rule takes. */
static void do_rule(void)
{
	struct world_rule *rule = &world.rules[world.rule_count];

	if (world.rule_count == WORLD_RULES) {
		answer(-ENOSPC, "too many rules");
		return;
	}
	*rule = (struct world_rule){.route.ifindex = next_number()};
	inet_pton(AF_INET, next_word(), &rule->route.next_hop);
	world.rule_count++;
	answer(next_fields(marked_route_fields, &rule->takes), NULL);
}

static void do_unrule(void)
{
	world.rule_count = 0;
	answer(0, NULL);
}

/* The stack's MTU of the newest route. */
static void do_stack_mtu(void)
{
	struct world_route *newest = &world.routes[world.route_count - 1];

	if (world.route_count) {
		newest->stack_mtu = next_number();
		newest->is_learned = true;
	}
	answer(world.route_count ? 0 : -ENOENT, "no route");
}

static void do_route_mtu(void)
{
	struct route_mtu *entry = route_mtu_at(next_number());

	answer(entry ? next_fields(route_mtu_fields, entry) : -ENOENT, NULL);
}

static void do_marked_route(void)
{
	struct marked_route *rule = marked_route_at(next_number());

	answer(rule ? next_fields(marked_route_fields, rule) : -ENOENT, NULL);
}

static void do_unroute(void)
{
	answer(world.route_count ? 0 : -ENOENT, "no route");
	world.route_count -= !!world.route_count;
}

static void do_mtu(void)
{
	__u32 ifindex = next_number(), mtu = next_number();

	for (__u32 i = 0; i < world.route_count; i++)
		if (world.routes[i].route.ifindex == ifindex && !world.routes[i].is_learned)
			world.routes[i].stack_mtu = mtu;
	answer(0, NULL);
}

/* --- records ------------------------------------------------------------------------ */

static int record_set_fields(struct record *r)
{
	for (char *word = next_word(); word; word = next_word())
		if (field_set(key_fields, r, word) &&
		    field_set(record_fields(r->key.kind), r, word)) {
			printf("error field %s\n", word);
			return -EINVAL;
		}
	return 0;
}

static void do_insert(void)
{
	struct record wanted = {.partner = NO_RECORD}, *r;
	__u32 index;

	if (record_set_fields(&wanted))
		return;
	if (table_claim(&wanted.key, &index) != CLAIM_OK) {
		answer(-EEXIST, "not claimed");
		return;
	}
	r = record_at(index);
	r->partner = wanted.partner;
	memcpy((void *)&r->session, &wanted.session, sizeof(wanted.session));
	table_publish(r);
	printf("ok %u\n", index);
}

static void do_change(void)
{
	struct record *r = record_at(next_number());

	answer(r ? record_set_fields(r) : -ENOENT, NULL);
}

static void do_kill(void)
{
	struct record *r = record_at(next_number());

	answer(r && table_kill(r) ? 0 : -ENOENT, "not live");
}

static void do_records(void)
{
	static const char *const states[] = {"free", "busy", "wanted", "claimed", "live",
					     "dead", "?",    "?",      "?"};

	for (__u32 i = 0; i < world.sets * RECORDS_A_SET; i++) {
		const struct record *r = &arena.sets[i / RECORDS_A_SET].way[i % RECORDS_A_SET];

		if (record_state(r) == SLOT_FREE)
			continue;
		printf("record=%u state=%s references=%u", i, states[record_state(r)],
		       record_references(r));
		fields_print(key_fields, r, stdout);
		fields_print(record_fields(r->key.kind), r, stdout);
		putchar('\n');
	}
	answer(0, NULL);
}

static void do_complaints(void)
{
	for (__u32 i = 0; i < COMPLAINTS; i++) {
		if (!arena.complaints[i].inside)
			continue;
		fields_print(complaint_fields, &arena.complaints[i], stdout);
		putchar('\n');
	}
	answer(0, NULL);
}

/* --- frames --------------------------------------------------------------------------- */

const char *case_sent(const struct case_frame *frame)
{
	switch (frame->data[0]) {
	case PUNT_DOWN:
		return "punt";
	case PUNT_CUT:
		return "cut";
	default:
		return "forward";
	}
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static __u32 from_hex(__u8 *data, const char *text)
{
	__u32 length = 0;

	while (length < CASE_FRAME_BYTES && nibble(text[0]) >= 0 && nibble(text[1]) >= 0) {
		data[length++] = nibble(text[0]) << 4 | nibble(text[1]);
		text += 2;
	}
	return length;
}

static void print_changes(const struct counter *before, const struct counter *after)
{
	for (int i = 0; i < REASON_COUNT; i++)
		if (after[i].packets != before[i].packets)
			printf(" %s=%llu/%llu", reason_name(i),
			       (unsigned long long)(after[i].packets - before[i].packets),
			       (unsigned long long)(after[i].bytes - before[i].bytes));
}

static void print_frame(const char *word, const struct case_frame *frame)
{
	printf(" %s ", word);
	for (__u32 i = 0; i < frame->length; i++)
		printf("%02x", frame->data[i]);
}

static void run_frame(struct case_frame *frame)
{
	struct counter before[REASON_COUNT] = {}, after[REASON_COUNT] = {};
	const char *word;

	backend->counters(before);
	word = backend->run(frame);
	if (!word) {
		answer(-ENOENT, "no such program, or it did not run");
		return;
	}
	backend->counters(after);
	printf("ok");
	print_frame(word, frame);
	print_changes(before, after);
	putchar('\n');
}

/* Hex in, hex out: frames are small and their memory is the stack's. */
static void do_frame(void)
{
	__u8 data[CASE_FRAME_BYTES] = {};
	struct case_frame frame = {.program = next_word(), .data = data};
	const char *hex;

	frame.ifindex = next_number();
	frame.segment = next_number();
	hex = next_word();
	frame.length = hex ? from_hex(data, hex) : 0;
	run_frame(&frame);
}

static void run_race(struct case_frame *frames)
{
	struct counter before[REASON_COUNT] = {}, after[REASON_COUNT] = {};
	const char *words[CASE_RACERS] = {};

	backend->counters(before);
	backend->race(frames, words);
	if (!words[0] || !words[1]) {
		answer(-ENOENT, "no such program, or it did not run");
		return;
	}
	backend->counters(after);
	printf("ok");
	for (int i = 0; i < CASE_RACERS; i++)
		print_frame(words[i], &frames[i]);
	print_changes(before, after);
	putchar('\n');
}

static void do_race(void)
{
	__u8 data[CASE_RACERS][CASE_FRAME_BYTES] = {};
	struct case_frame frames[CASE_RACERS] = {{.program = next_word()}};
	__u32 ifindex = next_number();

	for (int i = 0; i < CASE_RACERS; i++) {
		const char *hex = next_word();

		frames[i] = (struct case_frame){.program = frames[0].program,
						.ifindex = ifindex,
						.data = data[i],
						.length = hex ? from_hex(data[i], hex) : 0};
	}
	if (backend->race)
		run_race(frames);
	else
		answer(-ENOTSUP, "one processor");
}

/* --- service ---------------------------------------------------------------------------- */

static const struct command {
	const char *name;
	void (*run)(void);
} commands[] = {
	{"reset", do_reset},
	{"config", do_config},
	{"clock", do_clock},
	{"interface", do_interface},
	{"route", do_route},
	{"mtu", do_mtu},
	{"unroute", do_unroute},
	{"insert", do_insert},
	{"change", do_change},
	{"kill", do_kill},
	{"records", do_records},
	{"frame", do_frame},
	{"race", do_race},
	{"rule", do_rule},
	{"unrule", do_unrule},
	{"complaints", do_complaints},
	{"stack_mtu", do_stack_mtu},
	{"route_mtu", do_route_mtu},
	{"marked_route", do_marked_route},
};

static void serve_line(char *line)
{
	const char *name = strtok(line, SEPARATORS);

	for (size_t i = 0; name && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(name, commands[i].name)) {
			commands[i].run();
			return;
		}
	printf("error command\n");
}

int case_serve(const struct case_backend *b)
{
	char *line = NULL;
	size_t size = 0;

	backend = b;
	while (getline(&line, &size, stdin) > 0) {
		serve_line(line);
		fflush(stdout);
	}
	free(line);
	return 0;
}
