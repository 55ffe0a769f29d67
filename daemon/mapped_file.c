/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/mapped_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

void *mapped_file_open(const char *directory, const char *name, size_t bytes)
{
	char path[PATH_MAX];
	void *file = MAP_FAILED;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return NULL;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return NULL;
	if (!ftruncate(fd, (off_t)bytes))
		file = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return file == MAP_FAILED ? NULL : file;
}

void mapped_file_close(void *file, size_t bytes)
{
	if (file)
		munmap(file, bytes);
}
