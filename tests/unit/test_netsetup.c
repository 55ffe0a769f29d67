/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network setup: answers to files, byte for byte; hostile answers; files on a disk that is
 * made up here, written, put back, and who manages the machine.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "netsetup/machine.h"
#include "netsetup/plan.h"
#include "netsetup/store.h"

#define HEAD "# Written by Wayleave's network setup; taken back by: wayleave setup network undo\n"

static char root[64];
static struct settings_error error;

/* --- answers ---------------------------------------------------------------------------------- */

static json_t *usual(void)
{
	return json_pack("{s:s, s:s, s:s, s:[s], s:s}", "wan", "eth0", "line", "dhcp", "inside",
			 "192.168.1.1/24", "lan", "eth1", "manager", "networkd");
}

static json_t *pppoe(const char *user, const char *password)
{
	json_t *json = usual();

	json_object_set_new(json, "line", json_string("pppoe"));
	json_object_set_new(json, "user", json_string(user));
	json_object_set_new(json, "password", json_string(password));
	return json;
}

/* Takes JSON. */
static int read_into(json_t *json, struct answers *answers)
{
	int rc = answers_read(json, answers, &error);

	json_decref(json);
	return rc;
}

static int read_with(const char *name, json_t *value)
{
	struct answers answers;
	json_t *json = pppoe("user", "secret");

	json_object_set_new(json, name, value);
	return read_into(json, &answers);
}

static void refused(const char *name, json_t *value)
{
	assert_int_equal(read_with(name, value), -EINVAL);
	assert_string_equal(error.field, name);
	assert_true(*error.message);
}

static void what_could_leave_its_place_is_refused(void **state)
{
	static const char *const ports[] = {"",
					    "eth0\nauto x",
					    "eth 0",
					    "eth*",
					    "!eth0",
					    "eth0;id",
					    "$(id)",
					    "-eth0",
					    "../x",
					    "eth0/1",
					    "e\"0",
					    "eth0#",
					    "ünicode",
					    ".",
					    "ppp-wan",
					    "br-lan",
					    "sixteen-letters-",
					    "%n"};
	static const char *const insides[] = {"",
					      "192.168.1.0/24",
					      "192.168.1.255/24",
					      "192.168.1.1/8",
					      "8.8.8.8/24",
					      "192.168.1.1/30",
					      "192.168.1.1/24\n",
					      "192.168.1.1/+24",
					      "192.168.1.1/",
					      "192.168.1/24",
					      "::1/24",
					      "10.0.0.1/24,10.0.0.2",
					      "172.32.0.1/24",
					      "192.169.0.1/16",
					      "192.168.001.1/24x"};

	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		refused("wan", json_string(ports[i]));
		refused("lan", json_pack("[s]", ports[i]));
	}
	for (size_t i = 0; i < sizeof(insides) / sizeof(*insides); i++)
		refused("inside", json_string(insides[i]));
	refused("wan", json_stringn("eth0\0x", 6));
	refused("inside", json_stringn("192.168.1.1/24\0x", 16));
	refused("lan", json_array());
	refused("lan", json_pack("[s, s]", "eth1", "eth1"));
	refused("lan", json_pack("[s, s]", "eth1", "eth0"));
	refused("lan", json_string("eth1"));
	refused("line", json_string("dsl"));
	refused("manager", json_string("netplan"));
	refused("manager", json_integer(1));
}

static void a_secret_is_one_line_of_ascii(void **state)
{
	static const char *const secrets[] = {"",     "a\nplugin x.so", "a\r",
					      "a\tb", "\x7f",		"pässword"};
	char longest[ANSWERS_SECRET_MAX_BYTES + 2];

	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
		refused("user", json_string(secrets[i]));
		refused("password", json_string(secrets[i]));
	}
	refused("password", json_stringn("a\0b", 3));
	memset(longest, 'x', sizeof(longest));
	refused("password", json_stringn(longest, sizeof(longest) - 1));
	assert_int_equal(read_with("password", json_stringn(longest, sizeof(longest) - 2)), 0);
}

/* --- files
 * ---------------------------------------------------------------------------------------- */

static void file_is(const struct files *files, enum files_place place, const char *text)
{
	assert_string_equal(files->file[place].text ? files->file[place].text : "away", text);
}

static void one_port_for_networkd(void **state)
{
	struct answers answers;
	struct files files;

	assert_int_equal(read_into(usual(), &answers), 0);
	assert_int_equal(files_make(&answers, &files), 0);
	file_is(&files, FILE_WAN_NETWORK, HEAD "[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n");
	file_is(&files, FILE_LAN_NETWORK,
		HEAD "[Match]\nName=eth1\n\n[Link]\nRequiredForOnline=no\n\n[Network]\n"
		     "ConfigureWithoutCarrier=yes\nAddress=192.168.1.1/24\n");
	file_is(&files, FILE_PORTS_NETWORK, "away");
	file_is(&files, FILE_BRIDGE_NETDEV, "away");
	file_is(&files, FILE_INTERFACES, "away");
	file_is(&files, FILE_PEER, "away");
	file_is(&files, FILE_DNSMASQ,
		HEAD "interface=eth1\nbind-dynamic\ndhcp-authoritative\n"
		     "dhcp-range=192.168.1.100,192.168.1.250,255.255.255.0,12h\ndomain=lan\n"
		     "local=/lan/\nexpand-hosts\ndomain-needed\nbogus-priv\n");
	files_free(&files);
}

static void several_ports_and_pppoe_for_ifupdown(void **state)
{
	json_t *json = pppoe("me@isp.example", "s\"e\\c r#et");
	struct answers answers;
	struct files files;

	json_object_set_new(json, "manager", json_string("ifupdown"));
	json_object_set_new(json, "lan", json_pack("[s, s]", "eth1", "eth2"));
	assert_int_equal(read_into(json, &answers), 0);
	assert_int_equal(files_make(&answers, &files), 0);
	file_is(&files, FILE_INTERFACES,
		HEAD "auto eth0\niface eth0 inet manual\n\nauto br-lan\niface br-lan inet static\n"
		     "\taddress 192.168.1.1/24\n\tbridge_ports eth1 eth2\n\tbridge_fd 0\n");
	file_is(&files, FILE_WAN_NETWORK, "away");
	file_is(&files, FILE_PEER,
		HEAD "plugin pppoe.so\nnic-eth0\nifname ppp-wan\nuser \"me@isp.example\"\n"
		     "password \"s\\\"e\\\\c r#et\"\nhide-password\nnoauth\nnoipdefault\n"
		     "defaultroute\nreplacedefaultroute\nusepeerdns\npersist\nmaxfail 0\n"
		     "holdoff 5\nlcp-echo-interval 20\nlcp-echo-failure 3\nmtu 1492\nmru 1492\n");
	assert_int_equal(files.file[FILE_PEER].mode, 0600);
	assert_string_equal(answers_wan_interface(&answers), "ppp-wan");
	assert_string_equal(answers_lan_interface(&answers), "br-lan");
	files_free(&files);
}

static const char *range_of(const char *inside, char line[128])
{
	json_t *json = usual();
	struct answers answers;
	struct files files;

	json_object_set_new(json, "inside", json_string(inside));
	assert_int_equal(read_into(json, &answers), 0);
	assert_int_equal(files_make(&answers, &files), 0);
	const char *range = strstr(files.file[FILE_DNSMASQ].text, "dhcp-range=") + 11;
	snprintf(line, 128, "%.*s", (int)strcspn(range, "\n"), range);
	files_free(&files);
	return line;
}

static void leases_fit_the_network(void **state)
{
	char line[128];

	assert_string_equal(range_of("10.1.2.3/16", line),
			    "10.1.100.0,10.1.103.231,255.255.0.0,12h");
	assert_string_equal(range_of("172.16.5.126/25", line),
			    "172.16.5.50,172.16.5.125,255.255.255.128,12h");
	assert_string_equal(range_of("192.168.9.1/29", line),
			    "192.168.9.3,192.168.9.7,255.255.255.248,12h");
}

/* As pppd's getword() reads a quoted word (options.c). */
static void pppd_reads(const char *line, const char *option, const char *secret)
{
	char word[512];
	size_t length = 0;

	assert_memory_equal(line, option, strlen(option));
	line += strlen(option);
	assert_memory_equal(line, " \"", 2);
	for (line += 2; *line != '"'; line++) {
		line += *line == '\\';
		assert_true(*line >= ' ' && length < sizeof(word) - 1);
		word[length++] = *line;
	}
	word[length] = '\0';
	assert_int_equal(line[1], '\n');
	assert_string_equal(word, secret);
}

static void any_secret_stays_one_word_of_one_line(void **state)
{
	unsigned int seed = 1;

	for (int i = 0; i < 3000; i++) {
		char secret[ANSWERS_SECRET_MAX_BYTES + 1];
		size_t length = 1 + (size_t)(rand_r(&seed) % ANSWERS_SECRET_MAX_BYTES);
		struct answers answers;
		struct files files;

		for (size_t k = 0; k < length; k++)
			secret[k] = "\"\\#' ab$`%;~"[rand_r(&seed) % 12];
		secret[length] = '\0';
		assert_int_equal(read_into(pppoe(secret, secret), &answers), 0);
		assert_int_equal(files_make(&answers, &files), 0);
		const char *text = files.file[FILE_PEER].text;
		pppd_reads(strstr(text, "\nuser ") + 1, "user", secret);
		pppd_reads(strstr(text, "\npassword ") + 1, "password", secret);
		files_free(&files);
	}
}

/* --- the disk
 * ------------------------------------------------------------------------------------- */

static void folder_make(const char *path)
{
	char whole[256];

	for (const char *slash = path; (slash = strchr(slash + 1, '/'));) {
		snprintf(whole, sizeof(whole), "%s%.*s", root, (int)(slash - path), path);
		mkdir(whole, 0755);
	}
}

static const char *at(const char *path)
{
	static char whole[256];

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	return whole;
}

static void put(const char *path, const char *text)
{
	folder_make(path);
	FILE *file = fopen(at(path), "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int disk_make(void **state)
{
	snprintf(root, sizeof(root), "/tmp/test_netsetup.XXXXXX");
	assert_non_null(mkdtemp(root));
	put("/etc/ppp/peers/other", "");
	put("/etc/dnsmasq.d/other", "");
	put("/etc/network/interfaces",
	    "auto lo\niface lo inet loopback\nsource /etc/network/interfaces.d/*\n");
	put("/etc/network/interfaces.d/other", "");
	put("/etc/systemd/other", "");
	return 0;
}

static int disk_remove(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void holds(enum files_place place, const char *text)
{
	char *present;
	mode_t mode;

	assert_int_equal(store_read(root, place, &present, &mode), 0);
	assert_string_equal(present ? present : "away", text);
	free(present);
}

static void what_was_there_is_put_back(void **state)
{
	struct answers answers;
	struct files files;
	struct stat status;

	put(files_path(FILE_DNSMASQ), "mine\n");
	put(files_path(FILE_INTERFACES), "older\n");
	json_t *kept = store_keep(root, &error);
	assert_int_equal(read_into(pppoe("u", "p"), &answers), 0);
	assert_int_equal(files_make(&answers, &files), 0);
	assert_int_equal(store_write(root, &files, &error), 0);
	holds(FILE_PEER, files.file[FILE_PEER].text);
	holds(FILE_DNSMASQ, files.file[FILE_DNSMASQ].text);
	holds(FILE_INTERFACES, "away");
	assert_int_equal(stat(at(files_path(FILE_PEER)), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(store_restore(root, kept, &error), 0);
	holds(FILE_DNSMASQ, "mine\n");
	holds(FILE_INTERFACES, "older\n");
	holds(FILE_PEER, "away");
	holds(FILE_WAN_NETWORK, "away");
	json_decref(kept);
	files_free(&files);
}

/* A file stands where the last one's folder is: the first ones are taken back. */
static void all_or_nothing_is_written(void **state)
{
	struct answers answers;
	struct files files;

	assert_int_equal(unlink(at("/etc/dnsmasq.d/other")), 0);
	assert_int_equal(rmdir(at("/etc/dnsmasq.d")), 0);
	put("/etc/dnsmasq.d", "a file");
	assert_int_equal(read_into(usual(), &answers), 0);
	assert_int_equal(files_make(&answers, &files), 0);
	assert_true(store_write(root, &files, &error) < 0);
	assert_non_null(strstr(error.message, "/etc/dnsmasq.d/wayleave.conf"));
	holds(FILE_WAN_NETWORK, "away");
	files_free(&files);
}

static void a_link_is_not_followed(void **state)
{
	struct settings_error why = {0};

	put("/victim", "precious\n");
	assert_int_equal(symlink("../../victim", at(files_path(FILE_DNSMASQ))), 0);
	assert_null(store_keep(root, &why));
	assert_non_null(strstr(why.message, "wayleave.conf cannot be read"));
}

/* --- the plan
 * ------------------------------------------------------------------------------------- */

static void the_plan_shows_what_changes_but_no_password(void **state)
{
	struct answers answers;
	struct files files;

	put(files_path(FILE_PEER), "user \"old\"\npassword \"old-secret\"\n");
	assert_int_equal(read_into(pppoe("u", "new-secret"), &answers), 0);
	json_t *plan = plan_make(root, &answers, &files, &error);
	assert_non_null(plan);
	char *text = json_dumps(plan, 0);
	assert_null(strstr(text, "secret"));
	assert_non_null(strstr(text, "-user \\\"old\\\"\\n"));
	assert_non_null(strstr(text, "-password (not shown)"));
	assert_non_null(strstr(text, "+password (not shown)"));
	assert_non_null(strstr(text, "\"wan.interface\": \"ppp-wan\""));
	assert_non_null(strstr(text, "\"lacks\": [\"dnsmasq\", \"ppp\"]"));
	assert_int_equal(plan_lacks(plan, &error), -EINVAL);
	assert_string_equal(error.message, "not installed; first: apt install dnsmasq ppp");
	free(text);
	json_decref(plan);
	files_free(&files);
}

static void a_difference_is_by_lines(void **state)
{
	char *diff = plan_diff("a\nb\nc\n", "a\nx\nc\nd\n");

	assert_string_equal(diff, " a\n-b\n+x\n c\n+d\n");
	free(diff);
	diff = plan_diff(NULL, "a");
	assert_string_equal(diff, "+a\n");
	free(diff);
	diff = plan_diff("a\n", NULL);
	assert_string_equal(diff, "-a\n");
	free(diff);
}

static int managed(enum answers_manager *manager)
{
	struct answers answers;
	json_t *json = usual();

	json_object_del(json, "manager");
	assert_int_equal(read_into(json, &answers), 0);
	int rc = machine_manager(root, &answers, &error);
	*manager = answers.manager;
	return rc;
}

static void the_manager_is_who_runs(void **state)
{
	enum answers_manager manager;

	assert_int_equal(managed(&manager), -EINVAL);
	assert_non_null(strstr(error.message, "nothing manages"));
	put("/usr/sbin/ifup", "");
	assert_int_equal(managed(&manager), 0);
	assert_int_equal(manager, MANAGER_IFUPDOWN);
	put("/run/NetworkManager/devices/2", "");
	assert_int_equal(managed(&manager), -EINVAL);
	assert_non_null(strstr(error.message, "NetworkManager manages"));
	put("/run/systemd/netif/state", "");
	assert_int_equal(managed(&manager), 0);
	assert_int_equal(manager, MANAGER_NETWORKD);
}

static void a_port_is_not_set_up_twice(void **state)
{
	enum answers_manager manager;

	put("/usr/sbin/ifup", "");
	put("/etc/network/interfaces.d/lan", "auto eth1\n  iface\teth1 inet static\n");
	assert_int_equal(managed(&manager), -EINVAL);
	assert_string_equal(error.field, "lan");
	assert_non_null(strstr(error.message, "/etc/network/interfaces.d/lan already"));
	put("/etc/network/interfaces.d/lan", "iface eth10 inet static\n# iface eth1 x\n");
	put("/etc/network/interfaces.d/wayleave", "iface eth1 inet static\n");
	assert_int_equal(managed(&manager), 0);
	put("/etc/network/interfaces", "auto lo\n");
	assert_int_equal(managed(&manager), -EINVAL);
	assert_non_null(strstr(error.message, "does not read interfaces.d"));
}

int main(void)
{
#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, disk_make, disk_remove)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_could_leave_its_place_is_refused),
		cmocka_unit_test(a_secret_is_one_line_of_ascii),
		cmocka_unit_test(one_port_for_networkd),
		cmocka_unit_test(several_ports_and_pppoe_for_ifupdown),
		cmocka_unit_test(leases_fit_the_network),
		cmocka_unit_test(any_secret_stays_one_word_of_one_line),
		ON_DISK(what_was_there_is_put_back),
		ON_DISK(all_or_nothing_is_written),
		ON_DISK(a_link_is_not_followed),
		ON_DISK(the_plan_shows_what_changes_but_no_password),
		cmocka_unit_test(a_difference_is_by_lines),
		ON_DISK(the_manager_is_who_runs),
		ON_DISK(a_port_is_not_set_up_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
