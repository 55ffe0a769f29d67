/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/view.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- members ------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static double number_of(const json_t *object, const char *member)
{
	return json_number_value(json_object_get(object, member));
}

const char *view_order_name(enum view_order order)
{
	static const char *const names[] = {"traffic", "age", "address"};
	return names[order % ORDER_COUNT];
}

/* --- order ------------------------------------------------------------------------------ */

static int compare(double a, double b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static double traffic(const json_t *row)
{
	return number_of(row, "bytes_out") + number_of(row, "bytes_in");
}

static int by_traffic(const void *a, const void *b)
{
	return compare(traffic(*(json_t *const *)a), traffic(*(json_t *const *)b));
}

static int by_age(const void *a, const void *b)
{
	return compare(number_of(*(json_t *const *)a, "age_s"),
		       number_of(*(json_t *const *)b, "age_s"));
}

/* By number: 10.0.0.9 before 10.0.0.10. A tunnel's address is its device's. */
static uint32_t address(const json_t *row)
{
	struct in_addr number;
	const char *text = text_of(row, "device");

	return inet_pton(AF_INET, *text ? text : text_of(row, "address"), &number) == 1
		       ? ntohl(number.s_addr)
		       : 0;
}

static int by_address(const void *a, const void *b)
{
	return -compare(address(*(json_t *const *)a), address(*(json_t *const *)b));
}

static int by_rate(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int order = compare(number_of(x, "rate"), number_of(y, "rate"));

	return order ? order : compare(number_of(x, "count"), number_of(y, "count"));
}

/* A new array in that order; takes ROWS. */
static json_t *sorted(json_t *rows, int (*order)(const void *, const void *))
{
	size_t count = json_array_size(rows);
	json_t **list = calloc(count + 1, sizeof(*list));
	json_t *result = json_array();

	for (size_t i = 0; list && i < count; i++)
		list[i] = json_array_get(rows, i);
	if (list)
		qsort(list, count, sizeof(*list), order);
	for (size_t i = 0; list && i < count; i++)
		json_array_append(result, list[i]);
	free(list);
	json_decref(rows);
	return result;
}

void view_sort(struct view *view)
{
	/* devices have no age */
	bool address_first = view->order == ORDER_ADDRESS;

	view->vpns = sorted(view->vpns, address_first		   ? by_address
					: view->order == ORDER_AGE ? by_age
								   : by_traffic);
	view->devices = sorted(view->devices, address_first ? by_address : by_traffic);
}

/* --- rates ---------------------------------------------------------------------------------- */

static double rate(const json_t *now, const json_t *before, const char *member, double seconds)
{
	double difference = number_of(now, member) - number_of(before, member);
	return seconds > 0 && difference > 0 ? difference / seconds : 0;
}

/*
 * The daemon adds up its table every few seconds, so the totals move in steps:
 * a rate is taken from one step to the next, and is nothing after two missed ones.
 */
#define TOTALS_STALE_S 12.0

static void rates_update(struct view *view, const json_t *status, double now_s)
{
	json_t *now = json_object_get(status, "traffic");
	double seconds = now_s - view->totals_s;

	if (!now)
		return;
	if (view->totals && json_equal(now, view->totals)) {
		if (seconds > TOTALS_STALE_S)
			view->rates = (struct view_rates){0};
		return;
	}
	if (view->totals)
		view->rates = (struct view_rates){
			.bits_out = 8 * rate(now, view->totals, "bytes_out", seconds),
			.bits_in = 8 * rate(now, view->totals, "bytes_in", seconds),
			.packets_out = rate(now, view->totals, "packets_out", seconds),
			.packets_in = rate(now, view->totals, "packets_in", seconds),
		};
	json_decref(view->totals);
	view->totals = json_incref(now);
	view->totals_s = now_s;
}

static const json_t *counter_find(const json_t *counters, const char *name)
{
	size_t i;
	json_t *counter;

	json_array_foreach ((json_t *)counters, i, counter) {
		if (strcmp(text_of(counter, "name"), name) == 0)
			return counter;
	}
	return NULL;
}

/* The drops that have counted, with their rates; takes COUNTERS. */
static json_t *drops_make(json_t *counters, const json_t *before, double seconds)
{
	json_t *drops = json_array(), *counter;
	size_t i;

	json_array_foreach (counters, i, counter) {
		if (strcmp(text_of(counter, "kind"), "drop") != 0 ||
		    number_of(counter, "count") == 0)
			continue;
		const json_t *old = counter_find(before, text_of(counter, "name"));
		/* a counter that was 0 before is not in the list of before */
		double per_second = before ? rate(counter, old, "count", seconds) : 0;
		json_object_set_new(counter, "rate", json_real(per_second));
		json_array_append(drops, counter);
	}
	json_decref(counters);
	return sorted(drops, by_rate);
}

/* --- refresh ------------------------------------------------------------------------ */

void view_update(struct view *view, json_t *status, json_t *vpns, json_t *devices, json_t *counters,
		 double now_s)
{
	double seconds = now_s - view->taken_s;

	json_t *drops = drops_make(counters, view->counters, seconds);

	rates_update(view, status, now_s);
	json_decref(view->status);
	json_decref(view->vpns);
	json_decref(view->devices);
	json_decref(view->counters);
	view->status = status;
	view->vpns = vpns;
	view->devices = devices;
	view->counters = drops;
	view->taken_s = now_s;
	view_sort(view);
}

/* The result's "items", empty when refused. */
static int items_ask(struct ctl_client *client, const char *what, json_t **items)
{
	json_t *answer;
	json_t *request = json_pack("{s:s, s:s}", "request", "show", "what", what);
	int rc = ctl_client_list(client, request, VIEW_ROWS_MAX, &answer);

	json_decref(request);
	json_t *list = json_object_get(json_object_get(answer, "result"), "items");
	*items = list ? json_incref(list) : json_array();
	json_decref(answer);
	return rc;
}

static int status_ask(struct ctl_client *client, json_t **status)
{
	json_t *answer;
	json_t *request = json_pack("{s:s}", "request", "status");
	int rc = ctl_client_ask(client, request, &answer);

	json_decref(request);
	*status = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	return rc;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

int view_refresh(struct view *view, struct ctl_client *client)
{
	json_t *status, *vpns = NULL, *devices = NULL, *counters = NULL;

	int rc = status_ask(client, &status);
	if (!rc)
		rc = items_ask(client, "vpn", &vpns);
	if (!rc)
		rc = items_ask(client, "devices", &devices);
	if (!rc)
		rc = items_ask(client, "counters", &counters);
	if (!rc) {
		view_update(view, status, vpns, devices, counters, now());
		return 0;
	}
	json_decref(status);
	json_decref(vpns);
	json_decref(devices);
	json_decref(counters);
	return rc;
}

void view_clear(struct view *view)
{
	json_decref(view->status);
	json_decref(view->vpns);
	json_decref(view->devices);
	json_decref(view->counters);
	json_decref(view->totals);
	*view = (struct view){.order = view->order};
}
