/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames without a sender's cost: BPF_PROG_TEST_RUN in live-frame mode runs
 * this once per frame, and the redirect puts the frame on a real device.
 */
#include "bench/frame.h"

const volatile struct traffic traffic = {};
const volatile __u32 out_ifindex = 0;
__u64 sent = 0; /* read live by the loader; one processor runs this */

SEC("xdp")
int generate(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;

	if (!frame_build(data, end, &traffic, sent++))
		return XDP_ABORTED;
	return bpf_redirect(out_ifindex, 0);
}

char _license[] SEC("license") = "GPL";
