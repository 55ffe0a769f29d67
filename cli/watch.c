/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `watch`: view.c on a terminal, once per second. From the top: state and WAN,
 * switches and rates, figures, what is wrong; then tunnels, devices and drops,
 * which share the rest of the screen; the last line for keys or a question.
 */
#include <errno.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/switch.h"
#include "cli/view.h"

#define REFRESH_MS     1000
#define SECTIONS_COUNT 3

enum { GREEN_PAIR = 1, YELLOW_PAIR, RED_PAIR };

struct watch {
	const struct cli *cli;
	struct ctl_client *client; /* NULL: not connected now */
	struct view view;
	const struct passthrough_switch *asked; /* a question waits for y or n */
	bool help, done;
	char message[160]; /* result of the last key */
};

/* --- members -------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static long long number_of(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

static const char *switch_state(const struct watch *watch, const struct passthrough_switch *which)
{
	return text_of(json_object_get(watch->view.status, "passthrough"), which->class);
}

/* --- drawing ------------------------------------------------------------------------------- */

static void draw(int *row, attr_t attributes, const char *text)
{
	attron(attributes);
	mvaddnstr((*row)++, 0, text, COLS);
	attroff(attributes);
}

static attr_t state_attributes(const json_t *document)
{
	const char *state = text_of(document, "state");

	if (strcmp(state, "blocked") == 0 || strcmp(state, "failed") == 0 ||
	    strcmp(state, "refused") == 0 || strcmp(state, "no-answer") == 0)
		return COLOR_PAIR(RED_PAIR);
	if (strcmp(state, "connecting") == 0 || strcmp(state, "stale") == 0 ||
	    strcmp(state, "one-way") == 0)
		return COLOR_PAIR(YELLOW_PAIR);
	return A_NORMAL;
}

static void draw_head(const struct watch *watch, int *row)
{
	const json_t *status = watch->view.status, *wan = json_object_get(status, "wan");
	bool translating = json_is_true(json_object_get(status, "translating"));
	const char *dataplane = text_of(wan, "dataplane");
	const char *internet = text_of(json_object_get(status, "internet"), "state");
	bool down = strcmp(internet, "down") == 0;
	char line[256], age[12];

	snprintf(line, sizeof(line), "wayleave %s  %s  up %s  WAN %s %s, %s  internet %s",
		 text_of(status, "version"),
		 !watch->client ? "NO DAEMON"
		 : translating	? "translating"
				: "not translating yet",
		 text_duration(number_of(status, "uptime_s"), age), text_of(wan, "interface"),
		 text_of(wan, "address"), *dataplane ? dataplane : "not attached",
		 strcmp(internet, "not-checked") == 0 ? "not checked" : internet);
	draw(row,
	     A_BOLD | COLOR_PAIR(!watch->client || down ? RED_PAIR
				 : translating		? GREEN_PAIR
							: YELLOW_PAIR),
	     line);
}

/* What whoever starts the view wants kept in sight, a line each: `make run` its page. */
static void draw_note(int *row)
{
	const char *note = getenv("WAYLEAVE_WATCH_NOTE");
	char line[256];

	while (note && *note) {
		size_t length = strcspn(note, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)length, note);
		draw(row, A_NORMAL, line);
		note += length + (note[length] == '\n');
	}
}

static void draw_rates(const struct watch *watch, int *row)
{
	const struct view_rates *rates = &watch->view.rates;
	char line[256], sizes[4][8];
	int used = 0;

	for (size_t i = 0; switch_at(i); i++)
		used += snprintf(line + used, sizeof(line) - used, "%s %s  ", switch_at(i)->name,
				 switch_state(watch, switch_at(i)));
	snprintf(line + used, sizeof(line) - used, " out %sbit/s %spkt/s  in %sbit/s %spkt/s",
		 text_rate(rates->bits_out, sizes[0]), text_rate(rates->packets_out, sizes[1]),
		 text_rate(rates->bits_in, sizes[2]), text_rate(rates->packets_in, sizes[3]));
	draw(row, A_NORMAL, line);
}

static void draw_figures(const struct watch *watch, int *row)
{
	const json_t *status = watch->view.status;
	const json_t *sessions = json_object_get(status, "sessions");
	const json_t *helper = json_object_get(status, "helper");
	char line[256];

	snprintf(line, sizeof(line),
		 "sessions %lld of %lld  mappings %lld  devices %lld  helper %s",
		 number_of(sessions, "used"), number_of(sessions, "limit"),
		 number_of(status, "mappings"), number_of(status, "devices"),
		 json_is_true(json_object_get(helper, "running")) ? "running" : "not running");
	draw(row, A_NORMAL, line);
}

/* One line for what needs an eye: a pending change before what is waited for before warnings. */
static void draw_concern(const struct watch *watch, int *row)
{
	const json_t *status = watch->view.status;
	const json_t *waiting = json_object_get(status, "waiting_for");
	const json_t *warnings = json_object_get(status, "warnings");
	long long confirm_s = number_of(status, "confirm_within_s");
	char line[512] = "";

	if (confirm_s)
		snprintf(line, sizeof(line),
			 "a change will be undone in %lld s; to keep it: wayleave confirm",
			 confirm_s);
	else if (json_array_size(waiting))
		snprintf(line, sizeof(line), "waiting for %s",
			 json_string_value(json_array_get(waiting, 0)));
	else if (json_array_size(warnings))
		snprintf(line, sizeof(line), "%s (%zu in all: wayleave status)",
			 json_string_value(json_array_get(warnings, 0)), json_array_size(warnings));
	if (*line)
		draw(row, COLOR_PAIR(YELLOW_PAIR), line);
}

/* --- the three lists ---------------------------------------------------------------- */

struct section {
	const char *title, *what;
	const json_t *rows;
	const char *order; /* "by traffic" */
	unsigned int shown;
	unsigned int lines; /* that a row takes */
};

/* Row by row in turn, so that a short list leaves its place to the others. */
static void rows_share(struct section sections[SECTIONS_COUNT], int available)
{
	bool taken = true;

	while (available > 0 && taken) {
		taken = false;
		for (int i = 0; i < SECTIONS_COUNT && available > 0; i++) {
			if (sections[i].shown == json_array_size(sections[i].rows))
				continue;
			sections[i].shown++;
			available -= sections[i].lines;
			taken = true;
		}
	}
}

static void draw_rows(const struct section *section, char *table, int *row)
{
	unsigned int i = 0;
	char *state;

	for (char *line = strtok_r(table, "\n", &state);
	     line && i <= section->shown * section->lines; line = strtok_r(NULL, "\n", &state), i++)
		draw(row,
		     i == 0 ? A_UNDERLINE
			    : state_attributes(
				      json_array_get(section->rows, (i - 1) / section->lines)),
		     line);
}

static void draw_section(const struct section *section, int *row)
{
	size_t count = json_array_size(section->rows), size;
	char title[64], *table = NULL;

	if (section->shown < count)
		snprintf(title, sizeof(title), "%s by %s: %u of %zu", section->title,
			 section->order, section->shown, count);
	else
		snprintf(title, sizeof(title), "%s by %s: %zu", section->title, section->order,
			 count);
	draw(row, A_BOLD, title);
	FILE *out = open_memstream(&table, &size);
	if (!out)
		return;
	text_list(out, section->what, section->rows, (struct text_style){.width = COLS});
	fclose(out);
	draw_rows(section, table, row);
	free(table);
}

static void draw_sections(const struct watch *watch, int *row, int last)
{
	const struct view *view = &watch->view;
	/* devices have no age */
	enum view_order devices_order = view->order == ORDER_AGE ? ORDER_TRAFFIC : view->order;
	struct section sections[SECTIONS_COUNT] = {
		{"Tunnels", "vpn", view->vpns, view_order_name(view->order), 0, 1},
		{"Devices", "devices", view->devices, view_order_name(devices_order), 0, 1},
		{"Drops", "drops", view->counters, "rate", 0, 1},
	};

	for (int i = 0; i < SECTIONS_COUNT; i++)
		sections[i].lines = text_list_row_lines(sections[i].what, sections[i].rows,
							(struct text_style){.width = COLS});
	rows_share(sections, last - *row - 2 * SECTIONS_COUNT);
	for (int i = 0; i < SECTIONS_COUNT && *row < last; i++)
		draw_section(&sections[i], row);
}

/* --- the foot ----------------------------------------------------------------------- */

static bool goes_off(const struct watch *watch)
{
	return strcmp(switch_state(watch, watch->asked), "off") != 0;
}

static int foot_height(const struct watch *watch)
{
	return watch->asked && goes_off(watch) ? 3 : 1;
}

static void draw_question(const struct watch *watch, int row)
{
	char users[256], line[320];

	if (goes_off(watch)) {
		draw(&row, COLOR_PAIR(YELLOW_PAIR), watch->asked->off);
		switch_users(watch->asked, watch->view.vpns, users, sizeof(users));
		snprintf(line, sizeof(line), "In use now by: %s", users);
		draw(&row, COLOR_PAIR(YELLOW_PAIR), line);
	}
	snprintf(line, sizeof(line), "Switch %s passthrough %s? y/N", watch->asked->name,
		 goes_off(watch) ? "off" : "on");
	draw(&row, A_BOLD, line);
}

static void draw_foot(const struct watch *watch)
{
	int row = LINES - foot_height(watch);

	if (row < 0)
		row = 0;
	for (int i = row; i < LINES; i++) {
		move(i, 0);
		clrtoeol();
	}
	if (watch->asked)
		draw_question(watch, row);
	else if (*watch->message)
		draw(&row, A_BOLD, watch->message);
	else
		draw(&row, A_REVERSE, "p PPTP  l L2TP  i IPsec on/off   s sort   ? help   q quit");
}

static void draw_help(void)
{
	static const char *const lines[] = {
		"wayleave watch",
		"",
		"p l i   switch PPTP, L2TP or IPsec passthrough off, or on again;",
		"        asks first and names the devices that use it",
		"s       sort by traffic, age, address",
		"r       refresh now",
		"?       this page, and back",
		"q       quit",
		"",
		"Tunnels in yellow are connecting, stale or one-way, in red blocked, refused,",
		"failed or without an answer.",
		"Drops are those of the data plane; the meaning is in: wayleave show counters",
		"Refreshed once per second; lists end at 500 rows.",
	};

	int row = 0;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines) && row < LINES; i++)
		draw(&row, i ? A_NORMAL : A_BOLD, lines[i]);
}

static void draw_all(const struct watch *watch)
{
	int row = 0;

	erase();
	if (watch->help) {
		draw_help();
	} else {
		draw_head(watch, &row);
		draw_note(&row);
		draw_rates(watch, &row);
		draw_figures(watch, &row);
		draw_concern(watch, &row);
		draw_sections(watch, &row, LINES - foot_height(watch));
		draw_foot(watch);
	}
	refresh();
}

/* --- keys --------------------------------------------------------------------------- */

static void refresh_now(struct watch *watch)
{
	if (!watch->client && ctl_client_open(watch->cli->run_dir, &watch->client) != 0) {
		watch->client = NULL;
		return;
	}
	if (view_refresh(&watch->view, watch->client) != 0) {
		ctl_client_close(watch->client);
		watch->client = NULL;
	}
}

static void switch_turn(struct watch *watch)
{
	const char *value = goes_off(watch) ? "off" : "on";
	const char *setting = watch->asked->setting;
	json_t *answer = NULL;

	json_t *request =
		json_pack("{s:s, s:s, s:s}", "request", "set", "name", setting, "value", value);
	int rc = watch->client ? ctl_client_ask(watch->client, request, &answer) : -ENOTCONN;
	json_decref(request);
	const json_t *error = json_object_get(answer, "error");
	if (rc)
		snprintf(watch->message, sizeof(watch->message), "%s", strerror(-rc));
	else
		snprintf(watch->message, sizeof(watch->message), "%s %s%s%s", setting, value,
			 error ? " refused: " : "", error ? text_of(error, "message") : "");
	json_decref(answer);
	refresh_now(watch);
}

static void question_answered(struct watch *watch, int key)
{
	if (key == 'y' || key == 'Y')
		switch_turn(watch);
	watch->asked = NULL;
}

static void key_pressed(struct watch *watch, int key)
{
	*watch->message = '\0';
	for (size_t i = 0; switch_at(i); i++)
		if (switch_at(i)->key == key && watch->view.status)
			watch->asked = switch_at(i);
	switch (key) {
	case 'q':
		watch->done = true;
		break;
	case '?':
	case 'h':
		watch->help = !watch->help;
		break;
	case 's':
		watch->view.order = (watch->view.order + 1) % ORDER_COUNT;
		view_sort(&watch->view);
		break;
	case 'r':
		refresh_now(watch);
		break;
	default:
		break;
	}
}

static long long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void watch_loop(struct watch *watch)
{
	long long next_ms = now_ms() + REFRESH_MS;

	while (!watch->done) {
		draw_all(watch);
		long long left = next_ms - now_ms();
		timeout(left > 0 ? (int)left : 0);
		int key = getch();
		if (key == ERR || key == KEY_RESIZE) {
			/* a resize only draws anew */
		} else if (watch->asked) {
			question_answered(watch, key);
		} else {
			key_pressed(watch, key);
		}
		if (now_ms() >= next_ms) {
			refresh_now(watch);
			next_ms = now_ms() + REFRESH_MS;
		}
	}
}

/* --- start and end ------------------------------------------------------------------ */

static void screen_start(void)
{
	initscr();
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	set_escdelay(50);
	if (!cli_style().colour || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(GREEN_PAIR, COLOR_GREEN, -1);
	init_pair(YELLOW_PAIR, COLOR_YELLOW, -1);
	init_pair(RED_PAIR, COLOR_RED, -1);
}

static void snapshot_print(const struct view *view)
{
	struct text_style style = {0};

	text_status(stdout, view->status, style);
	putchar('\n');
	text_list(stdout, "vpn", view->vpns, style);
	putchar('\n');
	text_list(stdout, "devices", view->devices, style);
	putchar('\n');
	text_list(stdout, "drops", view->counters, style);
}

static void snapshot_print_json(const struct view *view)
{
	json_t *all = json_pack("{s:O, s:O, s:O, s:O}", "status", view->status, "vpn", view->vpns,
				"devices", view->devices, "drops", view->counters);

	cli_print_json(all);
	json_decref(all);
}

int cli_watch(const struct cli *cli)
{
	struct watch watch = {.cli = cli};

	int rc = cli_open(cli, &watch.client);
	if (rc)
		return rc;
	refresh_now(&watch);
	if (!watch.client) {
		fprintf(stderr, "wayleave: the daemon does not answer\n");
		return CLI_NO_DAEMON;
	}
	if (cli->json) {
		snapshot_print_json(&watch.view);
	} else if (isatty(STDOUT_FILENO) && isatty(STDIN_FILENO)) {
		screen_start();
		watch_loop(&watch);
		endwin();
	} else {
		snapshot_print(&watch.view);
	}
	view_clear(&watch.view);
	ctl_client_close(watch.client);
	return CLI_OK;
}
