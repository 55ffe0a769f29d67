/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"

#define PREFIX "sysctl/" /* of a remembered name */

static int parameter_read(const char *name, char *value, size_t size)
{
	char path[256];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	length = read(fd, value, size - 1);
	close(fd);
	if (length < 0)
		return -EIO;
	value[length] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

static int parameter_write(const char *name, const char *value)
{
	char path[256];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int sysctl_set(const struct instance *instance, const char *name, const char *value)
{
	char before[128], remembered[256];
	int err = parameter_read(name, before, sizeof(before));

	if (err || !strcmp(before, value))
		return err;
	snprintf(remembered, sizeof(remembered), PREFIX "%s", name);
	err = instance_remember(instance, remembered, before);
	return err ? err : parameter_write(name, value);
}

int sysctl_gateway(const struct instance *instance)
{
	char range[32];
	int err;

	snprintf(range, sizeof(range), "%u\t%u", OWN_PORT_FIRST, OWN_PORT_LAST);
	err = sysctl_set(instance, "ipv4/ip_local_port_range", range);
	if (!err)
		err = sysctl_set(instance, "ipv4/ip_forward", "1");
	if (err)
		log_error("the kernel's forwarding parameters cannot be set: %s", strerror(-err));
	return err;
}

void sysctl_interface(const struct instance *instance, const char *interface)
{
	char name[128];

	snprintf(name, sizeof(name), "ipv4/conf/%s/send_redirects", interface);
	sysctl_set(instance, name, "0");
}

static void parameter_restore(void *context, const char *name, const char *value)
{
	int err;

	if (strncmp(name, PREFIX, strlen(PREFIX)))
		return;
	err = parameter_write(name + strlen(PREFIX), value);
	if (err && err != -ENOENT) /* the interface may be gone, and its parameters with it */
		log_warning("/proc/sys/net/%s stays changed, it was \"%s\": %s",
			    name + strlen(PREFIX), value, strerror(-err));
}

void sysctl_restore(const struct instance *instance)
{
	instance_remembered(instance, parameter_restore, NULL);
}
