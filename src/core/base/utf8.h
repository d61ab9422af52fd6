/* SPDX-License-Identifier: MIT
 *
 * Text from outside made valid UTF-8. */
#ifndef HASTEN_BASE_UTF8_H
#define HASTEN_BASE_UTF8_H

#include "core/base/buffer.h"

/* The length of the longest valid beginning of `text`, at most `size` bytes. A
 * character that `size` cuts is not part of it. */
size_t hasten_utf8_valid(const char *text, size_t size);
/* Appends `text`; each byte that is not part of a valid character becomes
 * U+FFFD. */
void hasten_utf8_clean(struct hasten_buffer *buffer, const char *text, size_t size);

#endif
