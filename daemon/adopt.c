/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/adopt.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/clsact.h"
#include "daemon/dataplane.h"
#include "daemon/log.h"

/* --- what is attached ------------------------------------------------------------------ */

static void hold_hook_read(uint32_t ifindex, enum bpf_tc_attach_point point, struct hold_hook *hook)
{
	hook->point = point;
	hook->filter = clsact_query(ifindex, point);
	tcx_query(ifindex, point, hook->tcx);
}

void hold_read(uint32_t ifindex, struct hold *hold)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, xdp);

	*hold = (struct hold){0};
	hold_hook_read(ifindex, BPF_TC_INGRESS, &hold->ingress);
	hold_hook_read(ifindex, BPF_TC_EGRESS, &hold->egress);
	if (!bpf_xdp_query(ifindex, 0, &xdp))
		hold->xdp = xdp.prog_id;
}

static bool name_is_ours(const char *name)
{
	for (unsigned int i = 0; i < PROGRAMS; i++)
		if (!strcmp(name, program_name(i)))
			return true;
	return false;
}

/* The ids of the maps that a program uses; how many, or -errno. */
static int program_maps(uint32_t program_id, uint32_t *ids, unsigned int size)
{
	struct bpf_prog_info info = {.nr_map_ids = size, .map_ids = (uintptr_t)ids};
	uint32_t length = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(program_id), err = 0;

	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		err = -errno;
	close(fd);
	if (err)
		return err;
	if (!name_is_ours(info.name))
		return -ENOENT;
	return info.nr_map_ids < size ? info.nr_map_ids : size;
}

static int map_open(uint32_t id, struct adopted_map *map)
{
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);
	int err;

	map->fd = bpf_map_get_fd_by_id(id);
	if (map->fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(map->fd, &info, &length)) {
		err = -errno;
		close(map->fd);
		return err;
	}
	memcpy(map->name, info.name, sizeof(map->name));
	map->id = id;
	map->type = info.type;
	map->key_size = info.key_size;
	map->value_size = info.value_size;
	map->max_entries = info.max_entries;
	return 0;
}

/* --- one data plane ---------------------------------------------------------------------- */

static bool adoption_has(const struct adoption *adoption, uint32_t id)
{
	for (unsigned int i = 0; i < adoption->count; i++)
		if (adoption->map[i].id == id)
			return true;
	return false;
}

static const struct adopted_map *adoption_named(const struct adoption *adoption, const char *name)
{
	for (unsigned int i = 0; i < adoption->count; i++)
		if (!strncmp(adoption->map[i].name, name, sizeof(adoption->map[i].name) - 1))
			return &adoption->map[i];
	return NULL;
}

/* Adds the maps of one program. 0, or -errno: not a program of ours. */
static int adoption_add(struct adoption *adoption, uint32_t program_id)
{
	uint32_t ids[ADOPTION_MAPS];
	int count = program_maps(program_id, ids, ADOPTION_MAPS);

	for (int i = 0; i < count && adoption->count < ADOPTION_MAPS; i++)
		if (!adoption_has(adoption, ids[i]) &&
		    !map_open(ids[i], &adoption->map[adoption->count]))
			adoption->count++;
	return count < 0 ? count : 0;
}

void adoption_free(struct adoption *adoption)
{
	for (unsigned int i = 0; i < adoption->count; i++)
		close(adoption->map[i].fd);
	adoption->count = 0;
}

/* -ENOENT: no configuration in there; -EPROTO: one of another layout. */
static int config_read(const struct adoption *adoption, struct config *config)
{
	const struct adopted_map *map = adoption_named(adoption, "config");
	uint32_t zero = 0;

	if (!map)
		return -ENOENT;
	if (map->value_size != sizeof(*config) || bpf_map_lookup_elem(map->fd, &zero, config))
		return -EPROTO;
	return config->abi_version == ABI_VERSION ? 0 : -EPROTO;
}

bool program_is_ours(uint32_t program_id, uint64_t *instance)
{
	struct adoption adoption = {0};
	struct config config;
	bool ours = !adoption_add(&adoption, program_id);

	*instance = ours && !config_read(&adoption, &config) ? config.instance : 0;
	adoption_free(&adoption);
	return ours;
}

/* --- all interfaces ------------------------------------------------------------------------ */

static int adoption_judge(struct adoption *adoption, const struct link *link,
			  const struct instance *instance)
{
	struct config config;
	int err = config_read(adoption, &config);

	if (!err && config.instance == instance->number)
		return 1;
	adoption_free(adoption);
	if (err) {
		log_warning("the data plane on %s is of another version of Wayleave and cannot "
			    "be taken over; running sessions end",
			    link->name);
		return 0;
	}
	log_error("another Wayleave (with another run_dir) already translates on %s; end it "
		  "with its own --teardown first",
		  link->name);
	return -EBUSY;
}

static int link_adopt(struct adoption *adoption, const struct link *link,
		      const struct instance *instance)
{
	struct hold hold;

	if (!link->ifindex)
		return 0;
	hold_read(link->ifindex, &hold);
	for (unsigned int i = 0; i < TCX_PROGRAMS; i++)
		if (hold.ingress.tcx[i] && !adoption_add(adoption, hold.ingress.tcx[i]))
			return adoption_judge(adoption, link, instance);
	if (hold.ingress.filter && !adoption_add(adoption, hold.ingress.filter))
		return adoption_judge(adoption, link, instance);
	return 0;
}

/* Every interface is looked at: the second one may belong to another instance. */
int adoption_find(struct adoption *adoption, const struct links *links,
		  const struct instance *instance)
{
	struct adoption other;
	int found = 0, judged;

	*adoption = (struct adoption){0};
	for (unsigned int i = 0; i < links->count; i++) {
		other = (struct adoption){0};
		judged = link_adopt(found ? &other : adoption, &links->link[i], instance);
		adoption_free(&other);
		if (judged < 0) {
			adoption_free(adoption);
			return judged;
		}
		found |= judged;
	}
	return found;
}

/* The table may have another size than a fresh one would have; the rest must be the same. */
int adoption_map(const struct adoption *adoption, const struct bpf_map *map)
{
	const struct adopted_map *old = adoption_named(adoption, bpf_map__name(map));

	if (!old || bpf_map__is_internal(map) || old->type != bpf_map__type(map) ||
	    old->key_size != bpf_map__key_size(map) || old->value_size != bpf_map__value_size(map))
		return -1;
	if (!map_is_sized(map) && old->max_entries != bpf_map__max_entries(map))
		return -1;
	return old->fd;
}
