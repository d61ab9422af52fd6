/* SPDX-License-Identifier: MIT
 *
 * Text that comes from a recording, made safe for a terminal, and measured.
 *
 * A recording may come from anybody, and names and paths may hold any bytes.
 * What goes to a terminal passes through hasten_text_safe first: afterwards
 * there is nothing in it that moves the cursor, changes colours or the direction
 * of writing, or is not UTF-8. */
#ifndef HASTEN_REPORT_TEXT_H
#define HASTEN_REPORT_TEXT_H

#include "core/base/buffer.h"
#include "hasten/status.h"

/* Decodes one character of UTF-8 and returns its length, 1 to 4; 0 where the
 * bytes are not one (overlong forms and surrogates included). */
size_t hasten_utf8_decode(const char *text, size_t size, uint32_t *ret_character);

/* Appends `size` bytes of `text` with everything dangerous written as an escape
 * (\x1b, \u202e); with `unicode` false also everything that is not ASCII. */
void hasten_text_safe(struct hasten_buffer *out, const char *text, size_t size, bool unicode);

/* Columns that safe text takes in a terminal. */
size_t hasten_text_width(const char *text, size_t size);

/* Appends safe text in at most `columns` columns, the end replaced by an
 * ellipsis where it is longer. Returns the columns used. */
size_t hasten_text_cut_end(struct hasten_buffer *out, const char *text, size_t columns,
                           bool unicode);
/* The same, the beginning replaced: for paths, whose end says most. Cuts at a
 * slash where one is near. */
size_t hasten_text_cut_start(struct hasten_buffer *out, const char *text, size_t columns,
                             bool unicode);

/* Appends the words of safe text in lines of at most `columns`, each after
 * `indent`, each ended by a newline. Words longer than a line stay whole. */
void hasten_text_wrap(struct hasten_buffer *out, const char *text, const char *indent,
                      size_t columns);

/* A copy of the buffer's text from its allocator, strlen + 1 bytes: what a report
 * hands out. NO_MEMORY also where an append failed before. */
HASTEN_CHECKED hasten_status hasten_text_take(const struct hasten_buffer *buffer, char **ret_text,
                                              struct hasten_error *error);

#endif
