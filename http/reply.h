/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An answer as bytes: the body, its type, and the headers that every answer has. */
#ifndef WAYLEAVE_HTTP_REPLY_H
#define WAYLEAVE_HTTP_REPLY_H

#include "http/exchange.h"

/* Sends exchange->answer and takes what it owns. */
enum MHD_Result reply_send(struct exchange *exchange);

#endif
