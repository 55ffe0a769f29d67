/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's end. Frames wait in one queue in order of arrival; a flow has at
 * most one with the helper at a time, for its state is on the way with it.
 */
#include "helper/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/keeper.h"
#include "helper/process.h"

#define LINK_HEADER_ROOM 256 /* link, IP and TCP options in front of a longest segment */

struct waiting_frame {
	struct helper_flow *flow;
	struct helper_frame frame; /* frame.bytes is `bytes` */
	uint64_t id;		   /* of its request; 0: not yet sent */
	uint64_t sent_ns;
	bool given_up; /* its flow was: to be dropped */
	_Alignas(8) uint8_t bytes[HELPER_SEGMENT_BYTES + LINK_HEADER_ROOM]; /* structures lie in it */
};

struct helper {
	struct helper_options options;
	struct helper_counters counters;
	struct helper_request request; /* scratch */
	struct helper_answer answer;   /* scratch */
	struct waiting_frame frames[HELPER_QUEUE];
	struct waiting_frame *queue[HELPER_QUEUE]; /* of frames[], oldest first */
	size_t queued;
	struct waiting_frame *free[HELPER_QUEUE];
	size_t free_count;
	uint64_t last_id;
	uint64_t given_up; /* requests whose answer may still come, late */
	struct kept kept;
	int readable;
	pid_t pid;
	bool disabled;
	bool killed; /* by us: its death is no frame's fault */
};

/* --- start and stop ------------------------------------------------------------ */

static int readable_make(struct helper *h)
{
	struct epoll_event data = {.events = EPOLLIN}, news = {.events = EPOLLIN};

	h->readable = epoll_create1(EPOLL_CLOEXEC);
	if (h->readable < 0 || epoll_ctl(h->readable, EPOLL_CTL_ADD, h->kept.socket, &data) ||
	    epoll_ctl(h->readable, EPOLL_CTL_ADD, h->kept.news, &news))
		return -errno;
	return 0;
}

static struct helper *helper_new(const struct helper_options *options)
{
	struct helper *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->options = *options;
	h->kept = KEPT_NONE;
	h->readable = -1;
	for (; h->free_count < HELPER_QUEUE; h->free_count++)
		h->free[h->free_count] = &h->frames[h->free_count];
	return h;
}

int helper_start_running(struct helper **made, const struct helper_options *options,
			 int (*run)(int socket))
{
	const char *user = options->user ? options->user : "wayleave-helper";
	struct keeper_options keeper = {.run = run};
	struct helper *h = helper_new(options);
	int error = h ? kept_start(&h->kept, user, options->user != NULL, &keeper) : -ENOMEM;

	if (!error)
		error = readable_make(h);
	if (error) {
		if (h)
			helper_stop(h);
		return error;
	}
	*made = h;
	return 0;
}

int helper_start(struct helper **made, const struct helper_options *options)
{
	return helper_start_running(made, options, process_run);
}

void helper_stop(struct helper *h)
{
	kept_stop(&h->kept);
	if (h->readable >= 0)
		close(h->readable);
	free(h);
}

int helper_fd(const struct helper *h)
{
	return h->readable;
}

pid_t helper_pid(const struct helper *h)
{
	return h->pid;
}

const struct helper_counters *helper_counters(const struct helper *h)
{
	return &h->counters;
}

/* --- the queue ------------------------------------------------------------------ */

static void queue_remove(struct helper *h, size_t place)
{
	struct waiting_frame *waiting = h->queue[place];

	h->queued--;
	memmove(&h->queue[place], &h->queue[place + 1], (h->queued - place) * sizeof(h->queue[0]));
	waiting->flow->waiting--;
}

/* The first frame that is with the helper; h->queued if there is none. */
static size_t queue_find_sent(const struct helper *h, uint64_t id)
{
	size_t place = 0;

	while (place < h->queued && (h->queue[place]->id == 0 || (id && h->queue[place]->id != id)))
		place++;
	return place;
}

static bool queue_behind_own_flow(const struct helper *h, size_t place)
{
	for (size_t i = 0; i < place; i++)
		if (h->queue[i]->flow == h->queue[place]->flow)
			return true;
	return false;
}

static void reasons_count(struct helper *h, const struct helper_result *result)
{
	uint32_t met = result->notes;

	if (result->verdict == HELPER_DROP)
		met |= 1u << result->reason;
	for (size_t i = 0; i < HELPER_REASONS; i++)
		h->counters.reasons[i] += met >> i & 1;
}

/* The frame leaves the queue first: the callback may submit and forget. */
static void frame_finish(struct helper *h, size_t place, struct helper_result *result)
{
	struct waiting_frame *waiting = h->queue[place];

	queue_remove(h, place);
	result->frame = &waiting->frame;
	reasons_count(h, result);
	h->options.answered(h->options.context, waiting->flow, result);
	h->free[h->free_count++] = waiting;
}

static void frame_drop(struct helper *h, size_t place, enum helper_reason reason)
{
	struct helper_result result = {.verdict = HELPER_DROP, .reason = reason};

	frame_finish(h, place, &result);
}

/*
 * The flow's state may come from a helper that was taken over, and make the next
 * one lie or die in turn: it is not used again.
 */
static void flow_give_up(struct helper *h, size_t place, enum helper_reason reason)
{
	static const struct helper_claim release_all = {.kind = HELPER_CLAIM_RELEASE_ALL};
	struct helper_result result = {
		.verdict = HELPER_DROP, .reason = reason, .claims = &release_all, .claim_count = 1};
	struct helper_flow *flow = h->queue[place]->flow;

	for (size_t i = 0; i < h->queued; i++)
		h->queue[i]->given_up |= h->queue[i]->flow == flow;
	flow->id_count = 0;
	flow->flags = HELPER_ENDED | HELPER_PLAIN;
	memset(flow->state, 0, sizeof(flow->state));
	frame_finish(h, place, &result);
}

static void given_up_drop(struct helper *h)
{
	size_t place = 0;

	while (place < h->queued)
		if (h->queue[place]->given_up) {
			frame_drop(h, place, HELPER_REASON_no_answer);
			place = 0; /* the callback may have changed the queue */
		} else {
			place++;
		}
}

static void frame_give_up(struct helper *h, size_t place)
{
	h->given_up += h->queue[place]->id != 0;
	frame_drop(h, place, HELPER_REASON_no_answer);
}

void helper_forget(struct helper *h, struct helper_flow *flow)
{
	size_t place = 0;

	while (place < h->queued) {
		if (h->queue[place]->flow != flow) {
			place++;
			continue;
		}
		h->given_up += h->queue[place]->id != 0;
		h->free[h->free_count++] = h->queue[place];
		queue_remove(h, place);
	}
}

/* --- requests -------------------------------------------------------------------- */

static size_t request_make(struct helper *h, const struct waiting_frame *waiting)
{
	const struct helper_flow *flow = waiting->flow;
	struct helper_request *request = &h->request;

	memset(request, 0, offsetof(struct helper_request, state));
	request->magic = HELPER_PROTOCOL_MAGIC;
	request->protocol = flow->protocol;
	request->direction = (uint8_t)waiting->frame.direction;
	request->spare_count = flow->spare_count;
	request->flags = flow->flags;
	request->id = h->last_id + 1;
	memcpy(request->spare, flow->spare, sizeof(request->spare));
	request->taken_count = waiting->frame.taken_count;
	request->held_count = waiting->frame.held_count;
	memcpy(request->taken, waiting->frame.taken, sizeof(request->taken));
	memcpy(request->state, flow->state, sizeof(request->state));
	memcpy(request->segment, waiting->bytes + waiting->frame.tcp_offset,
	       waiting->frame.tcp_bytes);
	return offsetof(struct helper_request, segment) + waiting->frame.tcp_bytes;
}

/* False: the socket is full, later. */
static bool frame_send(struct helper *h, struct waiting_frame *waiting, uint64_t now_ns)
{
	size_t bytes = request_make(h, waiting);

	if (send(h->kept.socket, &h->request, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return false;
	waiting->id = ++h->last_id;
	waiting->sent_ns = now_ns;
	h->counters.requests++;
	return true;
}

static void queue_send(struct helper *h, uint64_t now_ns)
{
	for (size_t i = 0; i < h->queued; i++)
		if (h->queue[i]->id == 0 && !h->queue[i]->given_up &&
		    !queue_behind_own_flow(h, i) && !frame_send(h, h->queue[i], now_ns))
			return;
}

static int frame_check(const struct helper *h, const struct helper_flow *flow,
		       const struct helper_frame *frame)
{
	if (h->disabled)
		return -ENOTCONN;
	if (frame->tcp_offset > frame->frame_bytes ||
	    frame->tcp_bytes > frame->frame_bytes - frame->tcp_offset)
		return -EINVAL;
	if (frame->tcp_bytes > HELPER_SEGMENT_BYTES ||
	    frame->frame_bytes > sizeof(h->frames[0].bytes))
		return -EMSGSIZE;
	if (!h->free_count || flow->waiting >= HELPER_FLOW_QUEUE)
		return -ENOBUFS;
	return 0;
}

int helper_submit(struct helper *h, struct helper_flow *flow, const struct helper_frame *frame,
		  uint64_t now_ns)
{
	int error = frame_check(h, flow, frame);
	struct waiting_frame *waiting;

	if (error) {
		h->counters.refused++;
		return error;
	}
	waiting = h->free[--h->free_count];
	waiting->flow = flow;
	waiting->frame = *frame;
	waiting->frame.bytes = waiting->bytes;
	waiting->id = 0;
	waiting->given_up = false;
	memcpy(waiting->bytes, frame->bytes, frame->frame_bytes);
	h->queue[h->queued++] = waiting;
	flow->waiting++;
	queue_send(h, now_ns);
	return 0;
}

/* --- answers --------------------------------------------------------------------- */

static void helper_kill(struct helper *h)
{
	const char order = KEEPER_KILL;

	h->killed = true;
	(void)!send(h->kept.news, &order, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Too late, if a frame was given up; else the helper makes answers up. */
static void answer_unasked(struct helper *h)
{
	if (h->given_up)
		h->given_up--;
	else
		helper_kill(h);
}

static bool is_allowed(struct helper *h, struct helper_flow *flow)
{
	return !h->options.allowed || h->options.allowed(h->options.context, flow, &h->answer);
}

static void answer_take(struct helper *h, size_t bytes)
{
	size_t place = h->answer.id && bytes == sizeof(h->answer) ? queue_find_sent(h, h->answer.id)
								  : h->queued;
	struct helper_result result = {.verdict = h->answer.verdict,
				       .reason = h->answer.reason,
				       .notes = h->answer.notes,
				       .edits = h->answer.edits,
				       .edit_count = h->answer.edit_count,
				       .claims = h->answer.claims,
				       .claim_count = h->answer.claim_count};
	struct waiting_frame *waiting;

	if (place == h->queued) {
		answer_unasked(h);
		return;
	}
	waiting = h->queue[place];
	if (helper_validate_answer(waiting->flow, &waiting->frame, &h->answer, bytes)) {
		helper_kill(h);
		flow_give_up(h, place, HELPER_REASON_bad_answer);
		return;
	}
	h->counters.answers++;
	if (!is_allowed(h, waiting->flow)) {
		frame_drop(h, place, HELPER_REASON_id_held);
		return;
	}
	helper_flow_update(waiting->flow, &h->answer);
	helper_edits_apply(&waiting->frame, h->answer.edits, h->answer.edit_count);
	frame_finish(h, place, &result);
}

/* At most as many as can wait: a helper that babbles does not hold the daemon up. */
static void answers_take(struct helper *h)
{
	for (size_t i = 0; i < HELPER_QUEUE; i++) {
		ssize_t bytes = recv(h->kept.socket, &h->answer, sizeof(h->answer),
				     MSG_DONTWAIT | MSG_TRUNC);

		if (bytes <= 0)
			return;
		answer_take(h, (size_t)bytes);
	}
}

/* The frame that the helper was at when it died. */
static void frame_blame(struct helper *h, size_t place)
{
	struct helper_flow *flow = h->queue[place]->flow;

	if (++flow->crashes < HELPER_FLOW_CRASHES) {
		frame_give_up(h, place);
		return;
	}
	h->given_up++;
	flow_give_up(h, place, HELPER_REASON_no_answer);
}

static void answers_expire(struct helper *h, uint64_t now_ns)
{
	size_t place = queue_find_sent(h, 0);

	if (place == h->queued || now_ns - h->queue[place]->sent_ns < HELPER_ANSWER_NS)
		return;
	helper_kill(h);
	frame_blame(h, place); /* it hangs on the first */
	while ((place = queue_find_sent(h, 0)) < h->queued)
		frame_give_up(h, place);
}

/* --- news -------------------------------------------------------------------------- */

static void news_died(struct helper *h, const struct keeper_news *news)
{
	size_t place;

	h->pid = 0;
	h->counters.crashes++;
	answers_take(h);
	place = queue_find_sent(h, 0); /* the one that it died of; the rest waits for the next */
	if (place < h->queued && h->killed)
		frame_give_up(h, place);
	else if (place < h->queued)
		frame_blame(h, place);
	h->killed = false;
	h->options.happened(h->options.context, HELPER_CRASHED, news->status);
}

static void news_gave_up(struct helper *h, enum helper_event event, int status)
{
	h->pid = 0;
	h->disabled = true;
	epoll_ctl(h->readable, EPOLL_CTL_DEL, h->kept.news, NULL);
	while (h->queued)
		frame_give_up(h, 0);
	h->options.happened(h->options.context, event, status);
}

static void news_ended(struct helper *h)
{
	int killed_by = kept_killed_by(&h->kept);

	news_gave_up(h, killed_by ? HELPER_ORPHANED : HELPER_DISABLED, killed_by);
}

static void news_take(struct helper *h)
{
	struct keeper_news news;
	ssize_t bytes = sizeof(news);

	while (!h->disabled && bytes == sizeof(news)) {
		bytes = recv(h->kept.news, &news, sizeof(news), MSG_DONTWAIT);
		if (bytes == 0)
			news_ended(h);
		if (bytes != sizeof(news))
			return;
		if (news.kind == KEEPER_STARTED)
			h->pid = news.pid;
		else if (news.kind == KEEPER_DIED)
			news_died(h, &news);
		else
			news_gave_up(h, HELPER_DISABLED, news.status);
	}
}

void helper_serve(struct helper *h, uint64_t now_ns)
{
	answers_take(h);
	news_take(h);
	answers_expire(h, now_ns);
	given_up_drop(h);
	if (!h->disabled)
		queue_send(h, now_ns);
}
