/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/outlook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/field.h"

static void finding_add(struct outlook *outlook, bool refuses, const char *field,
			const char *format, ...) __attribute__((format(printf, 4, 5)));

static void finding_add(struct outlook *outlook, bool refuses, const char *field,
			const char *format, ...)
{
	struct finding *finding = &outlook->finding[outlook->count];
	va_list arguments;

	if (outlook->count == FINDINGS_MAX)
		return;
	outlook->count++;
	finding->refuses = refuses;
	snprintf(finding->field, sizeof(finding->field), "%s", field);
	va_start(arguments, format);
	vsnprintf(finding->sentence, sizeof(finding->sentence), format, arguments);
	va_end(arguments);
}

/* --- interfaces ------------------------------------------------------------------------ */

static void interface_look(struct outlook *outlook, const struct settings_facts *facts,
			   const char *field, const char *name, const char *until)
{
	char like[IFNAMSIZ], hint[IFNAMSIZ + 24] = "";

	if (facts->interface(facts->context, name))
		return;
	if (facts->interface_like(facts->context, name, like))
		snprintf(hint, sizeof(hint), " (did you mean %s?)", like);
	finding_add(outlook, false, field, "%s does not exist now%s; %s until it appears", name,
		    hint, until);
}

static void interfaces_look(struct outlook *outlook, const struct settings *settings,
			    const struct settings_facts *facts)
{
	interface_look(outlook, facts, "wan.interface", settings->wan.interface,
		       "nothing is translated");
	for (unsigned int i = 0; i < settings->lan.interfaces_count; i++)
		interface_look(outlook, facts, "lan.interfaces", settings->lan.interfaces[i],
			       "no device behind it is served");
}

/* --- port forwards ------------------------------------------------------------------------ */

static bool is_lan(const struct lan_settings *lan, const char *name)
{
	for (unsigned int i = 0; i < lan->interfaces_count; i++)
		if (strcmp(lan->interfaces[i], name) == 0)
			return true;
	return false;
}

/* While a LAN is not ready nobody can tell what will lie behind it. */
static bool lans_serve(const struct lan_settings *lan, const struct settings_facts *facts)
{
	for (unsigned int i = 0; i < lan->interfaces_count; i++)
		if (!facts->serving(facts->context, lan->interfaces[i]))
			return false;
	return true;
}

static void forward_look(struct outlook *outlook, const struct settings *settings, unsigned int i,
			 const struct settings_facts *facts, bool serve)
{
	char field[48], to[INET_ADDRSTRLEN], interface[IFNAMSIZ] = "";
	struct in_addr address = settings->port_forwards[i].to;
	enum way way = facts->way(facts->context, address, interface);

	snprintf(field, sizeof(field), "port_forwards[%u].to", i);
	inet_ntop(AF_INET, &address, to, sizeof(to));
	if (way == WAY_SELF)
		finding_add(outlook, true, field,
			    "%s is this gateway itself; a forward leads to a device behind it "
			    "(wan.allow lets "
			    "somebody reach the gateway)",
			    to);
	else if (way == WAY_MANY)
		finding_add(outlook, true, field, "%s is not the address of one device", to);
	else if (!serve)
		return;
	else if (way == WAY_NONE)
		finding_add(outlook, true, field, "%s is on no LAN: no route leads to it", to);
	else if (way == WAY_OUT && !is_lan(&settings->lan, interface))
		finding_add(outlook, true, field,
			    "%s is on no LAN: the way to it is %s, which is none of "
			    "lan.interfaces",
			    to, interface);
}

/* Each asks the kernel: not once more for the next port of one device. */
static void forwards_look(struct outlook *outlook, const struct settings *settings,
			  const struct settings_facts *facts)
{
	const struct port_forward_settings *forwards = settings->port_forwards;
	bool serve = lans_serve(&settings->lan, facts);

	for (unsigned int i = 0; i < settings->port_forwards_count; i++)
		if (!i || forwards[i].to.s_addr != forwards[i - 1].to.s_addr)
			forward_look(outlook, settings, i, facts, serve);
}

/* --- all ---------------------------------------------------------------------------------- */

static void certificate_look(struct outlook *outlook, const struct web_settings *web,
			     const struct settings_facts *facts)
{
	char why[160];

	if (!web->certificate || !web->key ||
	    facts->certificate(facts->context, web->certificate, web->key, why, sizeof(why)))
		return;
	finding_add(outlook, true, "web.certificate", "%s", why);
}

void outlook_read(struct outlook *outlook, const struct settings *settings,
		  const struct settings_facts *facts)
{
	*outlook = (struct outlook){0};
	if (settings->control_group && !facts->group(facts->context, settings->control_group))
		finding_add(outlook, true, "control_group", "there is no group '%s'",
			    settings->control_group);
	certificate_look(outlook, &settings->web, facts);
	interfaces_look(outlook, settings, facts);
	forwards_look(outlook, settings, facts);
}

/* --- changes ------------------------------------------------------------------------------- */

/* By its sentence: a forward's place in the list moves. */
bool outlook_has(const struct outlook *outlook, const struct finding *finding)
{
	for (unsigned int i = 0; i < outlook->count; i++)
		if (strcmp(outlook->finding[i].sentence, finding->sentence) == 0)
			return true;
	return false;
}

int outlook_refuses(const struct outlook *present, const struct outlook *wanted,
		    struct settings_error *error)
{
	for (unsigned int i = 0; i < wanted->count; i++) {
		const struct finding *finding = &wanted->finding[i];

		if (finding->refuses && !outlook_has(present, finding))
			return settings_error_set(error, -EINVAL, finding->field, "%s",
						  finding->sentence);
	}
	return 0;
}

bool outlook_print(const struct outlook *outlook, const char *file, FILE *out)
{
	bool good = true;

	for (unsigned int i = 0; i < outlook->count; i++) {
		const struct finding *finding = &outlook->finding[i];

		fprintf(out, "%s: %s%s: %s\n", file,
			finding->refuses ? "" : "warning: ", finding->field, finding->sentence);
		good &= !finding->refuses;
	}
	return good;
}

static bool setting_differs(const struct settings *a, const struct settings *b, const char *name)
{
	char *one = NULL, *other = NULL;
	bool differs = !settings_get(a, name, &one) && !settings_get(b, name, &other) &&
		       strcmp(one, other) != 0;

	free(one);
	free(other);
	return differs;
}

const char *outlook_restarts(const struct settings *present, const struct settings *wanted,
			     unsigned int i)
{
	static const char *const names[] = {"control_group", "state_dir"};

	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
		if (setting_differs(present, wanted, names[k]) && i-- == 0)
			return names[k];
	return NULL;
}
