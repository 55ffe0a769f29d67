/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page's files, as they lie in web/ when the program is built (http/embed makes the
 * table), plain and gzipped.
 */
#ifndef WAYLEAVE_HTTP_ASSET_H
#define WAYLEAVE_HTTP_ASSET_H

#include <stddef.h>

struct asset {
	const char *path; /* "/index.html" */
	const char *type; /* Content-Type */
	const char *etag; /* with its quotes; of the content */
	const unsigned char *plain, *plain_end;
	const unsigned char *gzip, *gzip_end;
};

extern const struct asset assets[];
extern const size_t assets_count;

/* "/" is "/index.html". NULL: there is no such file. */
const struct asset *asset_find(const char *path);

#endif
