/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For linux.uml, by LD_PRELOAD: User-Mode Linux 6.1 saves a fixed part of a guest
 * process's extended registers. Where the processor has more of them (AMX), Linux
 * refuses to set less than the whole (ptrace(2), NT_X86_XSTATE), and no guest starts.
 * The rest is filled in with what the process has at that moment.
 */
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

#define XSTATE_MAX 65536

typedef long (*ptrace_call)(int request, pid_t pid, void *address, void *data);

static long xstate_set(ptrace_call call, pid_t pid, void *type, const struct iovec *part)
{
	static _Alignas(64) char whole[XSTATE_MAX];
	struct iovec all = {whole, sizeof(whole)};

	if (call(PTRACE_GETREGSET, pid, type, &all) < 0)
		return -1;
	memcpy(whole, part->iov_base, part->iov_len < all.iov_len ? part->iov_len : all.iov_len);
	return call(PTRACE_SETREGSET, pid, type, &all);
}

long ptrace(enum __ptrace_request request, ...)
{
	ptrace_call call = (ptrace_call)dlsym(RTLD_NEXT, "ptrace");
	void *address, *data;
	va_list list;
	pid_t pid;

	va_start(list, request);
	pid = va_arg(list, pid_t);
	address = va_arg(list, void *);
	data = va_arg(list, void *);
	va_end(list);
	if (request == PTRACE_SETREGSET && (unsigned long)address == NT_X86_XSTATE)
		return xstate_set(call, pid, address, data);
	return call(request, pid, address, data);
}
