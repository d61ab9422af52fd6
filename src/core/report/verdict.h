/* SPDX-License-Identifier: MIT
 *
 * One or two sentences in plain words: what dominates. */
#ifndef HASTEN_REPORT_VERDICT_H
#define HASTEN_REPORT_VERDICT_H

#include "core/report/page.h"

/* Appends the sentences, safe for a terminal, without styles or newlines. Looks
 * at every function whatever the filter and the order of the tables. */
void hasten_verdict(const struct hasten_page *page, struct hasten_buffer *out);

/* Appends "parse_line (parser.py:41)", "the top level of parser.py", safe. */
void hasten_verdict_place(const struct hasten_page *page, struct hasten_buffer *out,
                          const struct hasten_row *row);

/* "a file", "the network", ... for a waiting state; "" for a running one. */
const char *hasten_waiting_name(enum hasten_state state);

#endif
