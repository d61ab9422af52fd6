/* SPDX-License-Identifier: MIT
 *
 * The texts and functions of a table: each is kept once and has a number. Numbers
 * never change; nothing is ever removed. */
#ifndef HASTEN_PSTATS_NAMES_H
#define HASTEN_PSTATS_NAMES_H

#include "core/base/buffer.h"
#include "core/base/map.h"
#include "hasten/status.h"

struct hasten_pstats_text {
    size_t offset; /* in `bytes` */
    size_t size;
    size_t length; /* code points */
};

struct hasten_pstats_function {
    int64_t line;
    uint32_t file; /* texts */
    uint32_t name;
    size_t width; /* of the standard name, in characters */
};

struct hasten_pstats_names {
    const struct hasten_allocator *allocator;
    struct hasten_buffer bytes;
    struct hasten_map text_map; /* from the hash of the bytes */
    struct hasten_pstats_text *texts;
    size_t text_count;
    size_t text_capacity;
    struct hasten_map function_map; /* from both texts and the line */
    struct hasten_pstats_function *functions;
    size_t function_count;
    size_t function_capacity;
};

void hasten_pstats_names_init(struct hasten_pstats_names *names,
                              const struct hasten_allocator *allocator);
void hasten_pstats_names_done(struct hasten_pstats_names *names);

/* The number of a text or function, new or known. LIMIT: there are 2^32. */
HASTEN_CHECKED hasten_status hasten_pstats_names_text(struct hasten_pstats_names *names,
                                                      const char *bytes, size_t size,
                                                      uint32_t *ret_text);
HASTEN_CHECKED hasten_status hasten_pstats_names_function(struct hasten_pstats_names *names,
                                                          uint32_t file, int64_t line,
                                                          uint32_t name, uint32_t *ret_function);
/* The function without the folders of its file. */
HASTEN_CHECKED hasten_status hasten_pstats_names_stripped(struct hasten_pstats_names *names,
                                                          uint32_t function,
                                                          uint32_t *ret_function);

/* Not terminated; valid until the next text is added. */
const char *hasten_pstats_names_bytes(const struct hasten_pstats_names *names, uint32_t text);
/* Compare as Python compares strings, and tuples of file, line and name. */
int hasten_pstats_names_compare_texts(const struct hasten_pstats_names *names, uint32_t left,
                                      uint32_t right);
int hasten_pstats_names_compare(const struct hasten_pstats_names *names, uint32_t left,
                                uint32_t right);
/* Appends the standard name, `file:line(name)` or `{built-in name}`. */
void hasten_pstats_names_append(const struct hasten_pstats_names *names, uint32_t function,
                                struct hasten_buffer *buffer);

#endif
