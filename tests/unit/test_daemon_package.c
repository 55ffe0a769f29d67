/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What apt-cache says, in the shapes that it has. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/package.h"

static void is(const char *text, const char *installed, const char *candidate)
{
	char a[64], b[64];

	package_parse(text, a, b);
	assert_string_equal(a, installed);
	assert_string_equal(b, candidate);
}

static void installed_and_candidate(void **state)
{
	is("wayleave:\n  Installed: 0.1.0\n  Candidate: 0.2.0~rc1-1\n  Version table:\n     "
	   "0.2.0~rc1-1 500\n",
	   "0.1.0", "0.2.0~rc1-1");
	is("wayleave:\n  Installed: (none)\n  Candidate: 0.2.0\n", "", "0.2.0");
	is("wayleave:\n  Installed: 0.1.0\n  Candidate: (none)\n", "0.1.0", "");
}

static void nothing_and_nonsense(void **state)
{
	char longer[300];

	is("", "", "");
	is("N: Unable to locate package wayleave\n", "", "");
	is("Installed:", "", "");
	memset(longer, 'v', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memcpy(longer, "Candidate: ", 11);
	char a[64], b[64];
	package_parse(longer, a, b);
	assert_int_equal(strlen(b), 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(installed_and_candidate),
		cmocka_unit_test(nothing_and_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
