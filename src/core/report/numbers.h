/* SPDX-License-Identifier: MIT
 *
 * Amounts as a person writes them. All functions append to a buffer. */
#ifndef HASTEN_REPORT_NUMBERS_H
#define HASTEN_REPORT_NUMBERS_H

#include "core/base/buffer.h"

/* "0", "740 us", "12.3 ms", "7.70 s", "48.2 s", "2 min 04 s", "3 h 20 min". */
void hasten_number_duration(struct hasten_buffer *out, int64_t duration_ns);
/* "0.42 ns", "17.3 us", "7.70 s": what one execution takes; three digits, seconds at most. */
void hasten_number_time(struct hasten_buffer *out, double time_ns);
/* "12 401": groups of three, set apart by a space. */
void hasten_number_count(struct hasten_buffer *out, uint64_t count);
/* "0", "17 B", "1.20 KiB", "750 MiB", "1.21 GiB": three digits. Less than nothing is
 * nothing. */
void hasten_number_bytes(struct hasten_buffer *out, int64_t bytes);
/* "62.1"; "<0.1" where it is something but rounds to nothing. Without a sign. */
void hasten_number_percent(struct hasten_buffer *out, double share);
/* For sentences: "62 %", "4.2 %" below ten, "less than 0.1 %". */
void hasten_number_share(struct hasten_buffer *out, double share);

/* part / whole, 0 where the whole is not positive. */
double hasten_share(int64_t part, int64_t whole);
/* The number a fact holds; false where it is not an unsigned decimal number. */
bool hasten_number_parse(const char *text, uint64_t *ret_value);

#endif
