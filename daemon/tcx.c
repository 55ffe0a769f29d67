/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tcx.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

/* BPF_TCX_INGRESS and _EGRESS of the kernel's uapi/linux/bpf.h, which Debian 12's has not yet. */
static enum bpf_attach_type hook_of(enum bpf_tc_attach_point point)
{
	return point == BPF_TC_INGRESS ? (enum bpf_attach_type)46 : (enum bpf_attach_type)47;
}

void tcx_query(uint32_t ifindex, enum bpf_tc_attach_point point, uint32_t ids[TCX_PROGRAMS])
{
	LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = ids, .prog_cnt = TCX_PROGRAMS);

	memset(ids, 0, TCX_PROGRAMS * sizeof(*ids));
	bpf_prog_query_opts(ifindex, hook_of(point), &query);
}

int tcx_attach(uint32_t ifindex, enum bpf_tc_attach_point point, int program_fd, int old_fd)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, options, .flags = old_fd >= 0 ? BPF_F_REPLACE : 0,
		    .replace_prog_fd = old_fd >= 0 ? old_fd : 0);
	int err = bpf_prog_attach_opts(program_fd, ifindex, hook_of(point), &options) ? -errno : 0;

	return err == -EEXIST ? 0 : err;
}

int tcx_detach(uint32_t ifindex, enum bpf_tc_attach_point point, int program_fd)
{
	return bpf_prog_detach2(program_fd, ifindex, hook_of(point)) ? -errno : 0;
}
