/* SPDX-License-Identifier: MIT
 *
 * Short texts of numbers, for verdicts and the cells of tables. Their end is cut where
 * there is no room. */
#ifndef HASTEN_CLI_CHECK_TEXT_H
#define HASTEN_CLI_CHECK_TEXT_H

#include <stddef.h>

#include "core/stats/paired.h"

struct check_text {
    char data[192];
    size_t used;
};

void check_format(struct check_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "12.3 us": three digits. */
void check_time(struct check_text *text, double time_ns);
/* "1.20 KiB". */
void check_bytes(struct check_text *text, double bytes);
/* "1 %", "2.5 %", of a share. */
void check_percent(struct check_text *text, double share);
/* "+3.1 %", of a ratio; "x12.5" from ten on. */
void check_change(struct check_text *text, double ratio);
/* "-0.4 % to +3.1 %", or that there are too few rounds for it. */
void check_interval(struct check_text *text, const struct hasten_ratio *ratio);

#endif
