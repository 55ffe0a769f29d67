/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "helper/l2tp.h"
#include "helper/pptp.h"

typedef void (*answer_fn)(const struct helper_request *request, size_t segment_bytes,
			  struct helper_answer *answer);

static const answer_fn protocols[] = {
	[HELPER_PPTP] = pptp_answer,
	[HELPER_L2TP] = l2tp_answer,
	[HELPER_L2TP_IP] = l2tp_answer,
	[HELPER_L2TP_OWN] = l2tp_answer,
};

/* A flow without assistance: its bytes and its state are not looked at. */
static void plain_answer(const struct helper_request *request, struct helper_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->flags = HELPER_ENDED | HELPER_PLAIN;
	memcpy(answer->state, request->state, sizeof(answer->state));
}

bool process_answer(const struct helper_request *request, size_t bytes,
		    struct helper_answer *answer)
{
	const size_t head_bytes = offsetof(struct helper_request, segment);

	if (bytes < head_bytes || bytes > sizeof(*request) ||
	    request->magic != HELPER_PROTOCOL_MAGIC ||
	    request->protocol >= sizeof(protocols) / sizeof(protocols[0]) ||
	    !protocols[request->protocol])
		return false;
	if (request->flags & HELPER_PLAIN)
		plain_answer(request, answer);
	else
		protocols[request->protocol](request, bytes - head_bytes, answer);
	answer->magic = HELPER_PROTOCOL_MAGIC;
	answer->id = request->id;
	return true;
}

int process_run(int socket)
{
	static struct helper_request request;
	static struct helper_answer answer;

	for (;;) {
		ssize_t bytes = recv(socket, &request, sizeof(request), 0);

		if (bytes == 0)
			return EXIT_SUCCESS;
		if (bytes < 0 && errno != EINTR)
			return EXIT_FAILURE;
		if (bytes > 0 && process_answer(&request, (size_t)bytes, &answer) &&
		    send(socket, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			return EXIT_FAILURE;
	}
}
