/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ctl/server.h"

#define READ_BYTES (64 * 1024)

struct ctl_client {
	int fd;
	char *input; /* read and not yet taken */
	size_t length, size;
};

/* --- connecting -------------------------------------------------------------------- */

static int connect_to(const char *run_dir)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = CTL_ANSWER_SECONDS};

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/" CTL_SOCKET_NAME, run_dir) >=
	    (int)sizeof(address.sun_path))
		return -ENAMETOOLONG;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

int ctl_client_take(int fd, struct ctl_client **result)
{
	struct ctl_client *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	client->fd = fd;
	*result = client;
	return 0;
}

int ctl_client_open(const char *run_dir, struct ctl_client **result)
{
	int fd = connect_to(run_dir);

	if (fd < 0)
		return fd;
	int rc = ctl_client_take(fd, result);
	if (rc)
		close(fd);
	return rc;
}

void ctl_client_close(struct ctl_client *client)
{
	if (!client)
		return;
	close(client->fd);
	free(client->input);
	free(client);
}

/* --- asking --------------------------------------------------------------------------- */

/* The server may have said "busy" and closed before; its answer is still to be read. */
static int send_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EPIPE ? 0 : errno == EAGAIN ? -ETIMEDOUT : -errno;
		text += sent;
		length -= sent;
	}
	return 0;
}

static int request_send(const struct ctl_client *client, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	int rc = send_all(client->fd, text, strlen(text));
	free(text);
	return rc ? rc : send_all(client->fd, "\n", 1);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int input_grow(struct ctl_client *client)
{
	if (client->size - client->length >= READ_BYTES)
		return 0;
	size_t size = client->size ? 2 * client->size : 2 * READ_BYTES;
	if (client->length >= CTL_ANSWER_MAX_BYTES)
		return -EMSGSIZE;
	char *input = realloc(client->input, size);
	if (!input)
		return -ENOMEM;
	client->input = input;
	client->size = size;
	return 0;
}

/* Reads what there is before DEADLINE_MS. */
static int input_read(struct ctl_client *client, int64_t deadline_ms)
{
	struct pollfd wait = {.fd = client->fd, .events = POLLIN};

	int rc = input_grow(client);
	if (rc)
		return rc;
	int64_t left = deadline_ms - now_ms();
	int ready = left > 0 ? poll(&wait, 1, left) : 0;
	if (ready == 0)
		return -ETIMEDOUT;
	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	ssize_t got = read(client->fd, client->input + client->length, READ_BYTES);
	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	client->length += got;
	return got == 0 ? -EPIPE : 0;
}

/* Waits for a whole line; *LENGTH is without the newline. */
static int line_wait(struct ctl_client *client, size_t *length)
{
	int64_t deadline_ms = now_ms() + CTL_ANSWER_SECONDS * 1000;
	size_t seen = 0;

	for (;;) {
		const char *end = client->length > seen ? memchr(client->input + seen, '\n',
								 client->length - seen)
							: NULL;
		if (end) {
			*length = end - client->input;
			return 0;
		}
		seen = client->length;
		int rc = input_read(client, deadline_ms);
		if (rc)
			return rc;
	}
}

static int answer_take(struct ctl_client *client, json_t **answer)
{
	size_t length;

	int rc = line_wait(client, &length);
	if (rc)
		return rc;
	*answer = json_loadb(client->input, length, 0, NULL);
	client->length -= length + 1;
	memmove(client->input, client->input + length + 1, client->length);
	if (json_is_object(*answer) && json_is_boolean(json_object_get(*answer, "ok")))
		return 0;
	json_decref(*answer);
	*answer = NULL;
	return -EPROTO;
}

int ctl_client_ask(struct ctl_client *client, const json_t *request, json_t **answer)
{
	*answer = NULL;
	int rc = request_send(client, request);
	return rc ? rc : answer_take(client, answer);
}

/* --- lists ------------------------------------------------------------------------------- */

/* Moves the page's items to *WHOLE, which becomes the page when it is the first. */
static int page_add(json_t **whole, json_t *page)
{
	if (!*whole) {
		*whole = page;
		return 0;
	}
	json_t *items = json_object_get(json_object_get(*whole, "result"), "items");
	int rc =
		json_array_extend(items, json_object_get(json_object_get(page, "result"), "items"));
	json_decref(page);
	return rc ? -ENOMEM : 0;
}

/* Cursor of the page after PAGE; 0 at the end, negative when PAGE is no page. */
static json_int_t page_next(const json_t *page)
{
	const json_t *result = json_object_get(page, "result");

	if (!json_is_array(json_object_get(result, "items")))
		return -1;
	return json_integer_value(json_object_get(result, "cursor"));
}

static size_t items_count(const json_t *whole)
{
	return json_array_size(json_object_get(json_object_get(whole, "result"), "items"));
}

static void items_cut(json_t *whole, size_t max)
{
	json_t *items = json_object_get(json_object_get(whole, "result"), "items");

	while (json_array_size(items) > max)
		json_array_remove(items, json_array_size(items) - 1);
}

/* One page from CURSOR on; *NEXT is -1 when the answer is a refusal, which takes *WHOLE's place. */
static int page_ask(struct ctl_client *client, json_t *request, json_int_t cursor, json_t **whole,
		    json_int_t *next)
{
	json_t *page;

	json_object_set_new(request, "cursor", json_integer(cursor));
	int rc = ctl_client_ask(client, request, &page);
	if (rc)
		return rc;
	if (json_is_true(json_object_get(page, "ok"))) {
		*next = page_next(page);
		if (*next >= 0)
			return page_add(whole, page);
		json_decref(page);
		return -EPROTO;
	}
	*next = -1;
	json_decref(*whole);
	*whole = page;
	return 0;
}

int ctl_client_list(struct ctl_client *client, const json_t *request, size_t max, json_t **answer)
{
	json_t *paged = json_copy((json_t *)request);
	json_t *whole = NULL;
	json_int_t cursor = 0;
	int rc = paged ? 0 : -ENOMEM;

	do {
		if (!rc)
			rc = page_ask(client, paged, cursor, &whole, &cursor);
	} while (!rc && cursor > 0 && (max == 0 || items_count(whole) < max));
	json_decref(paged);
	if (rc) {
		json_decref(whole);
		whole = NULL;
	} else if (max) {
		items_cut(whole, max);
	}
	*answer = whole;
	return rc;
}
