/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/dataplane.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bpf/dataplane.skel.h"
#include "core/memory.h"
#include "core/key.h"
#include "daemon/adopt.h"
#include "daemon/clock.h"
#include "daemon/log.h"

#define KERNEL_MAJOR 6
#define KERNEL_MINOR 1

#define SESSIONS_MIN	  16384u
#define SESSIONS_MAX	  1048576u
#define RECORDS_A_SESSION 4 /* two halves, and its mapping's two */
#define BYTES_A_SESSION	  (RECORDS_A_SESSION * (sizeof(struct record) + 1)) /* and a tag */
#define MEMORY_SHARE	  64 /* one part in this many is for the table */

/* What core/memory.h works on. */
struct arena arena;

static const char *const program_names[] = {
#define X(name) [PROGRAM_##name] = #name,
	PROGRAM_LIST(X)
#undef X
};

const char *program_name(enum program program)
{
	return program_names[program];
}

/* --- before loading ------------------------------------------------------------------ */

/* What libbpf says is for developers; it is shown only when loading fails. */
static char complaints[8192];

static int complaint_keep(enum libbpf_print_level level, const char *format, va_list args)
{
	size_t used = strlen(complaints);

	if (level == LIBBPF_WARN && used < sizeof(complaints) - 1)
		vsnprintf(complaints + used, sizeof(complaints) - used, format, args);
	return 0;
}

int plane_prepare(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	libbpf_set_print(complaint_keep);
	uname(&name);
	if (sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
	    (major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR)))
		return 0;
	log_error("this kernel is %s, Wayleave needs Linux %d.%d or newer", name.release,
		  KERNEL_MAJOR, KERNEL_MINOR);
	return -ENOTSUP;
}

uint32_t plane_sessions(uint32_t wanted)
{
	struct sysinfo info;
	uint64_t fit;

	if (wanted)
		return wanted;
	if (sysinfo(&info))
		return SESSIONS_MIN;
	fit = (uint64_t)info.totalram * info.mem_unit / MEMORY_SHARE / BYTES_A_SESSION;
	if (fit < SESSIONS_MIN)
		return SESSIONS_MIN;
	return fit > SESSIONS_MAX ? SESSIONS_MAX : fit;
}

uint32_t plane_sets(uint32_t sessions)
{
	uint64_t sets = 1;

	while (sets < 1u << SET_BITS &&
	       sets * RECORDS_A_SET < (uint64_t)sessions * RECORDS_A_SESSION)
		sets *= 2;
	return sets;
}

uint32_t plane_room(uint32_t sets)
{
	return sets * RECORDS_A_SET / RECORDS_A_SESSION;
}

/* --- loading ------------------------------------------------------------------------- */

/* As many entries as the table has sets. */
bool map_is_sized(const struct bpf_map *map)
{
	return !strcmp(bpf_map__name(map), "records") || !strcmp(bpf_map__name(map), "tags");
}

static int maps_size(struct bpf_object *object, uint32_t sets, const struct adoption *adoption)
{
	struct bpf_map *map;
	int err;

	bpf_object__for_each_map(map, object)
	{
		int fd = adoption ? adoption_map(adoption, map) : -1;

		if (fd >= 0)
			err = bpf_map__reuse_fd(map, fd);
		else if (map_is_sized(map))
			err = bpf_map__set_max_entries(map, sets);
		else
			continue;
		if (err)
			return err;
	}
	return 0;
}

static void *map_memory(struct bpf_object *object, const char *name, uint32_t *entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);
	size_t page = sysconf(_SC_PAGESIZE), bytes;
	void *memory;

	if (!map)
		return NULL;
	bytes = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	bytes = (bytes + page - 1) / page * page;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (entries)
		*entries = bpf_map__max_entries(map);
	return memory == MAP_FAILED ? NULL : memory;
}

static int memory_map(struct plane *plane)
{
	struct bpf_object *object = plane->skeleton->obj;

	plane->sets = map_memory(object, "records", &plane->sets_count);
	plane->tags = map_memory(object, "tags", NULL);
	plane->next_hops = map_memory(object, "next_hops", NULL);
	plane->interfaces = map_memory(object, "interfaces", NULL);
	plane->route_mtus = map_memory(object, "route_mtus", NULL);
	plane->marked_routes = map_memory(object, "marked_routes", NULL);
	plane->config = map_memory(object, "config", NULL);
	plane->buckets = map_memory(object, "buckets", NULL);
	plane->contacts = map_memory(object, "contacts", NULL);
	plane->complaints = map_memory(object, "complaints", NULL);
	plane->counters_fd = bpf_object__find_map_fd_by_name(object, "counters");
	if (!plane->sets || !plane->tags || !plane->next_hops || !plane->interfaces ||
	    !plane->route_mtus || !plane->marked_routes || !plane->config || !plane->buckets ||
	    !plane->contacts || !plane->complaints)
		return -ENOMEM;
	arena = (struct arena){.sets = plane->sets,
			       .tags = plane->tags,
			       .next_hops = plane->next_hops,
			       .interfaces = plane->interfaces,
			       .route_mtus = plane->route_mtus,
			       .marked_routes = plane->marked_routes,
			       .config = plane->config,
			       .buckets = plane->buckets,
			       .contacts = plane->contacts,
			       .complaints = plane->complaints};
	return 0;
}

static int program_id_read(int fd, uint32_t *id)
{
	struct bpf_prog_info info = {0};
	uint32_t length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	*id = info.id;
	return 0;
}

int plane_program(const struct plane *plane, uint32_t id)
{
	for (unsigned int i = 0; i < PROGRAMS; i++)
		if (id && plane->program_id[i] == id)
			return plane->program_fd[i];
	return -1;
}

static int programs_find(struct plane *plane)
{
	int err;

	for (unsigned int i = 0; i < PROGRAMS; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(plane->skeleton->obj, program_names[i]);

		if (!program)
			return -ENOENT;
		plane->program_fd[i] = bpf_program__fd(program);
		err = program_id_read(plane->program_fd[i], &plane->program_id[i]);
		if (err)
			return err;
	}
	return 0;
}

static int object_load(struct plane *plane, uint32_t sets, const struct adoption *adoption)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	int err;

	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* kernels that still count maps against it */
	plane->skeleton = dataplane__open();
	if (!plane->skeleton)
		return -errno;
	err = maps_size(plane->skeleton->obj, sets, adoption);
	if (!err)
		err = dataplane__load(plane->skeleton);
	if (!err)
		err = programs_find(plane);
	return err ? err : memory_map(plane);
}

int plane_load(struct plane *plane, uint32_t sets, const struct adoption *adoption)
{
	int err;

	*plane = (struct plane){.adopted = adoption != NULL};
	complaints[0] = '\0';
	err = object_load(plane, sets, adoption);
	plane->clock.program_fd = plane->program_fd[PROGRAM_clock_read];
	if (!err)
		return 0;
	if (err == -ENOMEM)
		log_error("not enough memory for %u sessions; set limits.sessions lower",
			  plane_room(sets));
	else
		log_error("the kernel refuses the data plane: %s\n%s", strerror(-err), complaints);
	plane_unload(plane);
	return err;
}

/* Descriptors and mappings go; what is attached keeps programs and maps alive. */
void plane_unload(struct plane *plane)
{
	if (plane->skeleton)
		dataplane__destroy(plane->skeleton);
	plane->skeleton = NULL;
	arena = (struct arena){0};
}

/* --- running ------------------------------------------------------------------------- */

int plane_clock(struct plane *plane, uint32_t *now)
{
	int err = clock_now(&plane->clock, now);

	*now += plane->config->clock_offset;
	return err;
}

uint32_t plane_now(struct plane *plane)
{
	uint32_t now;

	plane_clock(plane, &now);
	return now;
}

static int counter_values(const struct plane *plane, uint32_t index, struct counter **values,
			  int *processors)
{
	*values = NULL;
	*processors = libbpf_num_possible_cpus();
	if (*processors <= 0)
		return -EIO;
	*values = calloc(*processors, sizeof(**values));
	if (!*values)
		return -ENOMEM;
	return bpf_map_lookup_elem(plane->counters_fd, &index, *values) ? -errno : 0;
}

/* Adds up all processors' shares of one row. */
static int counter_add(const struct plane *plane, uint32_t index, struct counter *sum)
{
	struct counter *values = NULL;
	int processors, err = counter_values(plane, index, &values, &processors);

	for (int i = 0; i < processors && !err; i++) {
		sum->packets += values[i].packets;
		sum->bytes += values[i].bytes;
	}
	free(values);
	return err;
}

int plane_counter(const struct plane *plane, enum reason reason, struct counter *sum)
{
	int err;

	*sum = (struct counter){0};
	err = counter_add(plane, reason, sum);
	return err ? err : counter_add(plane, DAEMON_COUNTERS + reason, sum);
}

/* In rows of the daemon's own: written back where programs count, theirs would get lost. */
void plane_count(const struct plane *plane, enum reason reason, uint64_t packets)
{
	struct counter *values = NULL;
	uint32_t index = DAEMON_COUNTERS + reason;
	int processors;

	if (!counter_values(plane, index, &values, &processors)) {
		values[0].packets += packets;
		bpf_map_update_elem(plane->counters_fd, &index, values, BPF_EXIST);
	}
	free(values);
}
