/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANCESTORS_MAX 16
#define VARIABLE      "SSH_CONNECTION="

/* "203.0.113.9 40022 192.0.2.2 22": the first word. */
static bool address_take(const char *connection, char *text, size_t size)
{
	size_t length = strcspn(connection, " ");

	if (!length || length >= size)
		return false;
	memcpy(text, connection, length);
	text[length] = '\0';
	return true;
}

/* The variable as process PID has got it; we may only look at our own user's, root at all. */
static bool environment_look(pid_t pid, char *text, size_t size)
{
	char path[32], *variable = NULL;
	size_t room = 0;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getdelim(&variable, &room, '\0', file) > 0)
		found = strncmp(variable, VARIABLE, strlen(VARIABLE)) == 0 &&
			address_take(variable + strlen(VARIABLE), text, size);
	free(variable);
	fclose(file);
	return found;
}

static pid_t parent_of(pid_t pid)
{
	char path[32], line[512], *end;
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* "pid (any name) S parent": a name may hold brackets, so the last one counts */
	if (fgets(line, sizeof(line), file) && (end = strrchr(line, ')')))
		sscanf(end + 1, " %*c %d", &parent);
	fclose(file);
	return parent;
}

bool asker_address(char *text, size_t size)
{
	const char *own = getenv("SSH_CONNECTION");
	pid_t pid = getppid();

	if (own && address_take(own, text, size))
		return true;
	for (unsigned int i = 0; i < ANCESTORS_MAX && pid > 1; i++, pid = parent_of(pid))
		if (environment_look(pid, text, size))
			return true;
	return false;
}
