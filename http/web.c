/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/web.h"

#include <errno.h>
#include <malloc.h>
#include <seccomp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "http/certificate.h"
#include "http/events.h"
#include "http/process.h"
#include "http/server.h"
#include "http/web_link.h"

/* Hashing a password takes 64 MiB, the rest are connections. */
#define MEMORY_BYTES ((size_t)512 << 20)
#define DESCRIPTORS  1280

/* Connections that others have opened, and waiting for them; no file, no path, no new socket. */
static const int calls[] = {
	SCMP_SYS(accept4),	 SCMP_SYS(close),	  SCMP_SYS(shutdown),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),	  SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),	 SCMP_SYS(poll),	  SCMP_SYS(ppoll),
	SCMP_SYS(eventfd2),	 SCMP_SYS(fcntl),	  SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt),	 SCMP_SYS(getsockname),	  SCMP_SYS(getpeername),
	SCMP_SYS(readv),	 SCMP_SYS(writev),	  SCMP_SYS(mremap),
	SCMP_SYS(madvise),	 SCMP_SYS(futex),	  SCMP_SYS(getrandom),
	SCMP_SYS(getpid),	 SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
};

const struct sandbox_rules web_rules = {
	.memory_bytes = MEMORY_BYTES,
	.descriptors = DESCRIPTORS,
	.calls = calls,
	.calls_count = sizeof(calls) / sizeof(*calls),
};

/* --- time ------------------------------------------------------------------------------ */

uint64_t web_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t web_now_s(void)
{
	return web_now_ms() / 1000;
}

/* --- the daemon -------------------------------------------------------------------------- */

int web_ask(struct web *web, json_t *request, json_t **answer)
{
	int rc =
		request && web->control ? ctl_client_ask(web->control, request, answer) : -ENOTCONN;

	json_decref(request);
	if (!rc)
		return 0;
	*answer = NULL;
	ctl_client_close(web->control);
	web->control = NULL;
	web->ended = true;
	return rc;
}

json_t *web_ask_result(struct web *web, json_t *request)
{
	json_t *answer, *result;

	if (web_ask(web, request, &answer))
		return NULL;
	result = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	return result;
}

/* --- start ---------------------------------------------------------------------------------- */

static int certificate_first(struct web *web)
{
	char *certificate, *key;
	int rc = certificate_make(json_object_get(web->state.whole, "names"),
				  json_object_get(web->state.whole, "addresses"), &certificate,
				  &key);

	/* the key first: a certificate without one would be of no use for ever */
	if (!rc)
		rc = web_state_keep(web, "key", json_string(key));
	if (!rc)
		rc = web_state_keep(web, "certificate", json_string(certificate));
	free(certificate);
	if (key)
		sodium_memzero(key, strlen(key));
	free(key);
	return rc;
}

/* One that the administrator installed and that is of no use must not take the page away. */
static int secure_start(struct web *web)
{
	const struct web_state *state = &web->state;
	const char *certificate = web_state_text(state, "installed_certificate");

	web->installed = certificate && !server_secure(web->server, certificate,
						       web_state_text(state, "installed_key"));
	if (web->installed)
		return 0;
	if (certificate)
		json_decref(web_ask_result(
			web, json_pack("{s:s, s:s, s:s, s:s, s:s}", "request", "web-note", "who",
				       "page", "action", "web.certificate", "detail",
				       "cannot be used: its own is", "result", "failed")));
	return server_secure(web->server, web_state_text(state, "certificate"),
			     web_state_text(state, "key"));
}

static int control_begin(struct web *web, int fd)
{
	int rc = ctl_client_take(fd, &web->control);

	if (rc) {
		close(fd);
		return rc;
	}
	if (web_state_read(web)) {
		/* it was meant for a process that has died: ours comes */
		web->ended = false;
		return 0;
	}
	if (!web_state_text(&web->state, "certificate"))
		rc = certificate_first(web);
	return rc ? rc : secure_start(web);
}

/* --- what the daemon says --------------------------------------------------------------------- */

static const char *installed_text(const struct web *web)
{
	const char *text = web_state_text(&web->state, "installed_certificate");

	return text ? text : "";
}

static int state_follow(struct web *web)
{
	char *before = strdup(installed_text(web));
	int rc = before ? web_state_read(web) : -ENOMEM;

	if (!rc && strcmp(before, installed_text(web)) != 0)
		rc = secure_start(web);
	free(before);
	return rc;
}

static int message_obey(struct web *web, const struct web_link_message *message, int fd)
{
	switch (message->kind) {
	case WEB_LINK_CONTROL:
		/* what came before was meant for a process that has died */
		server_close_all(web->server);
		ctl_client_close(web->control);
		return control_begin(web, fd);
	case WEB_LINK_LISTEN:
		server_listen(web->server, fd, message->address, message->tls, message->https_port);
		return 0;
	case WEB_LINK_CLOSE:
		server_close(web->server, message->address);
		return 0;
	case WEB_LINK_FORGET:
		login_end_all(&web->sessions);
		lockout_end_all(&web->lockouts);
		return state_follow(web);
	case WEB_LINK_RELOAD:
		return state_follow(web);
	case WEB_LINK_UNLOCK:
		lockout_end_all(&web->lockouts);
		return 0;
	}
	return -EPROTO;
}

static int link_follow(struct web *web)
{
	struct web_link_message message;
	int fd, rc;

	while (!(rc = web_link_receive(web->link, &message, &fd))) {
		if (message.kind != WEB_LINK_CONTROL && !web->control) {
			if (fd >= 0)
				close(fd);
			continue;
		}
		rc = message_obey(web, &message, fd);
		if (rc)
			return rc;
	}
	return rc == -EAGAIN ? 0 : rc;
}

/* Documents hold passwords and tokens: what is freed is wiped first. */
static void json_wipe(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

int web_run(int link)
{
	static struct web web;
	int rc = sodium_init() < 0 ? -EIO : 0;

	json_set_alloc_funcs(malloc, json_wipe);
	/* else jansson opens /dev/urandom for it */
	json_object_seed(randombytes_random() | 1);

	web.link = link;
	web.events = events_new(&web);
	web.server = server_new(&web, link);
	if (!web.events || !web.server)
		rc = -ENOMEM;
	while (!rc && !web.ended) {
		if (server_wait(web.server))
			rc = link_follow(&web);
		if (!rc)
			server_serve(web.server);
	}
	return rc == -EPIPE ? EXIT_SUCCESS : EXIT_FAILURE;
}
