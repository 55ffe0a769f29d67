/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/printable.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/monotonic.h"
#include "daemon/neighbours.h"
#include "daemon/restart.h"
#include "daemon/roster.h"
#include "daemon/sweeper.h"
#include "daemon/typed_names.h"
#include "helper/keeper.h"

#define USER	      "wayleave-web"
#define REST_S	      300
#define LEASE_FILES   8
#define AVAHI_SOCKET  "/run/avahi-daemon/socket"
#define VENDORS_FILE  "/usr/share/ieee-data/oui.txt"
#define AVAHI_WAIT_S  6	  /* avahi itself gives up after five */
#define AVAHI_AGAIN_S 900 /* a device that had no name may have one later */
#define LOOK_EVERY_S  10
#define GONE_S	      3600

static const char *const lease_patterns[] = {
	"/var/lib/misc/dnsmasq*.leases", "/var/lib/dnsmasq/*.leases",
	"/var/lib/NetworkManager/dnsmasq-*.leases", "/run/dnsmasq/*.leases"};

struct known {
	__be32 address;
	uint8_t mac[6];
	bool has_mac;
	char lease[NAMER_NAME_BYTES], mdns[NAMER_NAME_BYTES];
	unsigned int lease_file; /* which file has it, from 1 */
	time_t asked_s;		 /* avahi; 0: never */
	time_t seen_s;		 /* by the kernel, or leased */
};

struct vendor {
	uint8_t prefix[3];
	char name[NAMER_NAME_BYTES]; /* "": the list does not have it */
};

struct lease_file {
	char path[128];
	struct timespec changed;
	off_t size;
	ino_t inode;
};

struct names {
	struct kept kept;
	struct gateway *gateway; /* NULL: not begun */
	struct event *news, *answers;
	bool reader; /* is running */
	bool asked;  /* it has not finished the last question */
	unsigned int asked_file;
	time_t looked_s;
	struct known known[NAMES_KNOWN];
	unsigned int count;
	struct vendor vendor[NAMES_VENDORS];
	unsigned int vendors;
	struct lease_file file[LEASE_FILES];
	unsigned int files;
	json_t *typed;
};

/* --- what is known of an address ----------------------------------------------------------- */

static const struct known *known_find(const struct names *names, __be32 address)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (names->known[i].address == address)
			return &names->known[i];
	return NULL;
}

/* One that has long been gone, to make room; NULL: all are needed. */
static struct known *known_oldest(struct names *names)
{
	struct known *oldest = NULL;

	for (unsigned int i = 0; i < names->count; i++)
		if (!*names->known[i].lease && (!oldest || names->known[i].seen_s < oldest->seen_s))
			oldest = &names->known[i];
	return oldest && monotonic_s() - oldest->seen_s > GONE_S ? oldest : NULL;
}

/* NULL: as many as there is room for are known. */
static struct known *known_get(struct names *names, __be32 address)
{
	struct known *known = (struct known *)known_find(names, address);

	if (!known) {
		known = names->count < NAMES_KNOWN ? &names->known[names->count++]
						   : known_oldest(names);
		if (!known)
			return NULL;
		*known = (struct known){.address = address};
	}
	known->seen_s = monotonic_s();
	return known;
}

static const char *vendor_of(const struct names *names, const struct known *known)
{
	for (unsigned int i = 0; known->has_mac && i < names->vendors; i++)
		if (memcmp(names->vendor[i].prefix, known->mac, 3) == 0)
			return *names->vendor[i].name ? names->vendor[i].name : NULL;
	return NULL;
}

/* NULL: not known. */
static const uint8_t *mac_of(const struct known *known)
{
	return known && known->has_mac ? known->mac : NULL;
}

struct device_name names_of(const struct names *names, __be32 address)
{
	const struct known *known = names ? known_find(names, address) : NULL;
	const char *typed = names ? typed_name(names->typed, mac_of(known), address) : NULL;
	struct device_name name = {.vendor = known ? vendor_of(names, known) : NULL};

	if (typed)
		name.name = typed, name.from = "typed";
	else if (known && *known->lease)
		name.name = known->lease, name.from = "lease";
	else if (known && *known->mdns)
		name.name = known->mdns, name.from = "mdns";
	return name;
}

int names_type(struct names *names, __be32 address, const char *name)
{
	const struct known *known = names ? known_find(names, address) : NULL;

	if (!names || !names->gateway)
		return -EAGAIN;
	return typed_name_set(&names->typed, names->gateway->settings, mac_of(known), address,
			      name);
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void lease_take(struct names *names, const struct namer_answer *answer)
{
	struct known *known = known_get(names, answer->address);

	if (!known)
		return;
	memcpy(known->lease, answer->name, sizeof(known->lease));
	known->lease_file = names->asked_file;
	if (answer->has_mac) {
		memcpy(known->mac, answer->mac, sizeof(known->mac));
		known->has_mac = true;
	}
}

static void vendor_take(struct names *names, const struct namer_answer *answer)
{
	for (unsigned int i = 0; i < names->vendors; i++)
		if (memcmp(names->vendor[i].prefix, answer->mac, 3) == 0)
			memcpy(names->vendor[i].name, answer->name, sizeof(answer->name));
}

static void answer_take(struct names *names, struct namer_answer *answer)
{
	answer->name[NAMER_NAME_BYTES - 1] = '\0';
	printable_make(answer->name);
	if (answer->kind == NAMER_LEASES)
		lease_take(names, answer);
	else if (answer->kind == NAMER_VENDORS)
		vendor_take(names, answer);
	else if (answer->kind == NAMER_AVAHI && known_find(names, answer->address))
		memcpy(known_get(names, answer->address)->mdns, answer->name, sizeof(answer->name));
	else if (answer->kind == NAMER_DONE)
		names->asked = false;
}

/* A compromised reader may send without end: so many each time. */
#define ANSWERS_AT_ONCE 256

static void answers_came(evutil_socket_t fd, short what, void *context)
{
	struct names *names = context;
	struct namer_answer answer;

	for (int i = 0; i < ANSWERS_AT_ONCE; i++) {
		ssize_t bytes = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);

		if (bytes == sizeof(answer))
			answer_take(names, &answer);
		else if (bytes <= 0)
			return;
	}
}

/* The reader has died with its keeper: both sockets are at their end, and readable for ever. */
static void news_ended(struct names *names)
{
	int killed_by = kept_killed_by(&names->kept);

	names->reader = false;
	event_del(names->news);
	event_del(names->answers);
	if (killed_by)
		restart_for_keeper(names->gateway, "reader of device names", killed_by);
	else
		log_error("the reader of device names cannot be started any more until the next "
			  "start");
}

static void news_came(evutil_socket_t fd, short what, void *context)
{
	struct names *names = context;
	struct keeper_news news;
	ssize_t bytes = recv(fd, &news, sizeof(news), MSG_DONTWAIT);

	if (bytes == 0)
		news_ended(names);
	if (bytes != sizeof(news))
		return;
	names->reader = news.kind == KEEPER_STARTED;
	names->asked = false;
	if (news.kind == KEEPER_GAVE_UP)
		log_warning("the reader of device names does not stay up: it is started again in "
			    "%d s",
			    REST_S);
}

/* --- questions ----------------------------------------------------------------------------------
 */

/* Closes FD. */
static bool question_send(struct names *names, const struct namer_question *question, int fd)
{
	int rc = namer_ask(names->kept.socket, question, fd);

	close(fd);
	names->asked = rc == 0;
	return names->asked;
}

static int file_open(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static struct lease_file *file_get(struct names *names, const char *path)
{
	for (unsigned int i = 0; i < names->files; i++)
		if (strcmp(names->file[i].path, path) == 0)
			return &names->file[i];
	if (names->files == LEASE_FILES || strlen(path) >= sizeof(names->file[0].path))
		return NULL;
	struct lease_file *file = &names->file[names->files++];
	*file = (struct lease_file){0};
	strcpy(file->path, path);
	return file;
}

/* What the file does not have any more is not called so any more. */
static void leases_forget(struct names *names, unsigned int number)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (names->known[i].lease_file == number)
			*names->known[i].lease = '\0';
}

static bool file_ask(struct names *names, struct lease_file *file)
{
	const struct namer_question question = {.kind = NAMER_LEASES};
	struct stat info;
	int fd = file_open(file->path);

	if (fd < 0)
		return false;
	if (fstat(fd, &info) || !S_ISREG(info.st_mode) ||
	    (info.st_size == file->size && info.st_ino == file->inode &&
	     info.st_mtim.tv_sec == file->changed.tv_sec &&
	     info.st_mtim.tv_nsec == file->changed.tv_nsec)) {
		close(fd);
		return false;
	}
	if (!question_send(names, &question, fd))
		return false;
	file->changed = info.st_mtim;
	file->size = info.st_size;
	file->inode = info.st_ino;
	return true;
}

/* One file that has changed, of all that dnsmasq may have; true: one is asked about. */
static bool leases_ask(struct names *names)
{
	glob_t found = {0};
	bool asked = false;

	for (size_t i = 0; i < sizeof(lease_patterns) / sizeof(*lease_patterns); i++)
		glob(lease_patterns[i], i ? GLOB_APPEND : 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && !asked; i++) {
		struct lease_file *file = file_get(names, found.gl_pathv[i]);

		asked = file && file_ask(names, file);
		if (asked) {
			names->asked_file = file - names->file + 1;
			leases_forget(names, names->asked_file);
		}
	}
	globfree(&found);
	return asked;
}

/* Manufacturers that have not been looked up yet. */
static bool vendors_ask(struct names *names)
{
	struct namer_question question = {.kind = NAMER_VENDORS};
	int fd;

	for (unsigned int i = 0; i < names->count && question.count < NAMER_ASKED; i++) {
		const struct known *known = &names->known[i];
		bool looked_up = !known->has_mac || known->mac[0] & 2; /* locally administered */

		for (unsigned int k = 0; k < names->vendors && !looked_up; k++)
			looked_up = memcmp(names->vendor[k].prefix, known->mac, 3) == 0;
		if (looked_up || names->vendors == NAMES_VENDORS)
			continue;
		names->vendor[names->vendors] = (struct vendor){0};
		memcpy(names->vendor[names->vendors++].prefix, known->mac, 3);
		memcpy(question.prefix[question.count++], known->mac, 3);
	}
	if (!question.count)
		return false;
	fd = file_open(VENDORS_FILE);
	return fd >= 0 && question_send(names, &question, fd);
}

static int avahi_connect(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = AVAHI_SOCKET};
	const struct timeval wait = {.tv_sec = AVAHI_WAIT_S};
	int fd;

	if (access(AVAHI_SOCKET, F_OK))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (!connect(fd, (const struct sockaddr *)&address, sizeof(address)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) && !fcntl(fd, F_SETFL, 0))
		return fd;
	close(fd);
	return -1;
}

/* One device without a name, at most; avahi asks it by multicast. */
static void avahi_ask(struct names *names)
{
	for (unsigned int i = 0; i < names->count; i++) {
		struct known *known = &names->known[i];
		const struct namer_question question = {.kind = NAMER_AVAHI,
							.address = known->address};
		int fd;

		if (*known->lease ||
		    (known->asked_s && monotonic_s() - known->asked_s < AVAHI_AGAIN_S))
			continue;
		known->asked_s = monotonic_s();
		fd = avahi_connect();
		if (fd >= 0)
			question_send(names, &question, fd);
		return;
	}
}

static bool is_inside(const struct gateway *gateway, uint32_t ifindex)
{
	for (unsigned int i = 1; i < gateway->links.count; i++)
		if (gateway->links.link[i].ifindex == ifindex)
			return true;
	return false;
}

static void neighbours_note(struct names *names)
{
	size_t count = 0;
	struct neighbour *list = neighbours_list(&names->gateway->netlink, &count);

	for (size_t i = 0; i < count; i++) {
		struct known *known = list[i].resolved && is_inside(names->gateway, list[i].ifindex)
					      ? known_get(names, list[i].address)
					      : NULL;

		if (known) {
			memcpy(known->mac, list[i].mac, sizeof(known->mac));
			known->has_mac = true;
		}
	}
	free(list);
}

void names_tend(struct names *names)
{
	if (!names || !names->gateway || monotonic_s() - names->looked_s < LOOK_EVERY_S)
		return;
	names->looked_s = monotonic_s();
	neighbours_note(names);
	if (!names->reader || names->asked)
		return;
	if (!leases_ask(names) && !vendors_ask(names))
		avahi_ask(names);
}

/* --- life
 * ------------------------------------------------------------------------------------------ */

int names_fork(struct names **made)
{
	const struct keeper_options options = {
		.run = namer_run, .rest_s = REST_S, .rules = namer_rules};
	struct names *names = calloc(1, sizeof(*names));
	int err = names ? kept_start(&names->kept, USER, false, &options) : -ENOMEM;

	if (err && names) {
		kept_stop(&names->kept);
		free(names);
	}
	if (!err)
		*made = names;
	return err;
}

int names_begin(struct names *names, struct gateway *gateway)
{
	names->typed = typed_names_read(gateway->settings);
	names->looked_s = monotonic_s() - LOOK_EVERY_S;
	names->news =
		event_new(gateway->base, names->kept.news, EV_READ | EV_PERSIST, news_came, names);
	names->answers = event_new(gateway->base, names->kept.socket, EV_READ | EV_PERSIST,
				   answers_came, names);
	if (!names->typed || !names->news || !names->answers || event_add(names->news, NULL) ||
	    event_add(names->answers, NULL))
		return -ENOMEM;
	names->gateway = gateway;
	return 0;
}

void names_end(struct names *names)
{
	if (!names)
		return;
	if (names->news)
		event_free(names->news);
	if (names->answers)
		event_free(names->answers);
	kept_stop(&names->kept);
	json_decref(names->typed);
	free(names);
}
