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

/* Of each interface, in ip-sysctl.rst's words. */
struct interface_parameter {
	bool wan, lan; /* on which side */
	const char *family, *name, *value;
};

static const struct interface_parameter interface_parameters[] = {
	/* a LAN host must not be told a way round the gateway */
	{true, true, "ipv4", "send_redirects", "0"},
	/* ARP on the WAN tells and asks for the WAN's own addresses, never a LAN's */
	{true, false, "ipv4", "arp_ignore", "1"},
	{true, false, "ipv4", "arp_announce", "2"},
	/* no LAN host tells the gateway its addresses and routes (RFC 4861 sections 6.2, 8.1) */
	{false, true, "ipv6", "accept_ra", "0"},
	{false, true, "ipv6", "accept_redirects", "0"},
};

void sysctl_interface(const struct instance *instance, const char *interface, bool wan)
{
	for (size_t i = 0; i < sizeof(interface_parameters) / sizeof(*interface_parameters); i++) {
		const struct interface_parameter *parameter = &interface_parameters[i];
		char name[128];

		if (wan ? !parameter->wan : !parameter->lan)
			continue;
		snprintf(name, sizeof(name), "%s/conf/%s/%s", parameter->family, interface,
			 parameter->name);
		sysctl_set(instance, name, parameter->value);
	}
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
