/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int sandbox_close_all_but(const int *kept, size_t count)
{
	unsigned int from = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned int fd = (unsigned int)kept[i];

		if (fd > from && close_range(from, fd - 1, 0))
			return -errno;
		from = fd + 1;
	}
	return close_range(from, ~0u, 0) ? -errno : 0;
}

/* The parent may have died before prctl(): then we have got another one. */
int sandbox_bind_life(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

static int identity_drop(uid_t uid, gid_t gid)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (geteuid() != 0)
		return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
	if (capng_change_id((int)uid, (int)gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING))
		return -EPERM;
	return getuid() == uid && geteuid() == uid && getgid() == gid ? 0 : -EPERM;
}

static rlim_t memory_limit(const struct sandbox_rules *rules)
{
/* AddressSanitizer reserves terabytes of address space: only the test build has it. */
#ifdef __SANITIZE_ADDRESS__
	return RLIM_INFINITY;
#else
	return rules->memory_bytes ? rules->memory_bytes : SANDBOX_MEMORY_BYTES;
#endif
}

static int limits_set(const struct sandbox_rules *rules)
{
	const struct {
		int what;
		rlim_t limit;
	} limits[] = {
		{RLIMIT_AS, memory_limit(rules)},
		{RLIMIT_NOFILE, rules->descriptors},
		{RLIMIT_CORE, 0},
		{RLIMIT_FSIZE, 0},
		{RLIMIT_NPROC, 0},
		{RLIMIT_MEMLOCK, 0},
		{RLIMIT_SIGPENDING, 0},
		{RLIMIT_MSGQUEUE, 0},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit r = {limits[i].limit, limits[i].limit};

		if (setrlimit(limits[i].what, &r))
			return -errno;
	}
	return 0;
}

static int calls_add(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return error;
}

static int calls_allow(scmp_filter_ctx filter, const struct sandbox_rules *rules)
{
	static const int calls[] = {
		SCMP_SYS(read),	      SCMP_SYS(write),	      SCMP_SYS(recvfrom),
		SCMP_SYS(recvmsg),    SCMP_SYS(sendto),	      SCMP_SYS(sendmsg),
		SCMP_SYS(brk),	      SCMP_SYS(munmap),	      SCMP_SYS(exit),
		SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
	};
	int error = calls_add(filter, calls, sizeof(calls) / sizeof(calls[0]));

	if (!error)
		error = calls_add(filter, rules->calls, rules->calls_count);
	if (error)
		return error;
	/* memory, but neither files nor code */
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
}

/* Sets no_new_privs too (SCMP_FLTATR_CTL_NNP is on unless told otherwise). */
static int calls_restrict(const struct sandbox_rules *rules)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error;

	if (!filter)
		return -ENOMEM;
	error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!error)
		error = calls_allow(filter, rules);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

int sandbox_enter(const struct sandbox_options *options)
{
	int error = sandbox_close_all_but(&options->socket, 1);

	if (!error)
		error = identity_drop(options->uid, options->gid);
	if (!error) /* after the change of uid, which clears it */
		error = sandbox_bind_life(options->parent);
	if (!error && (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
		error = -errno;
	if (!error)
		error = limits_set(&options->rules);
	return error ? error : calls_restrict(&options->rules);
}
