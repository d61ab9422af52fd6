/* SPDX-License-Identifier: MIT
 *
 * The lines of a region: all of them, those that contain one of some needles, or the
 * others. Where needles are given, what lies between lines that have them is searched and
 * not split, so that the cost of a line that is not wanted is that of passing over it.
 *
 * The scanner borrows the region and the needles' bytes. */
#ifndef HASTEN_STREAM_SCANNER_H
#define HASTEN_STREAM_SCANNER_H

#include "core/base/allocator.h"
#include "core/stream/kernels.h"
#include "core/stream/newlines.h"
#include "hasten/status.h"

/* Which lines are answered, or-ed. Without needles every line is a candidate. */
enum hasten_wanted { HASTEN_WANTED_CANDIDATES = 1, HASTEN_WANTED_REST = 2 };

struct hasten_scanner {
    const struct hasten_allocator *allocator;
    const struct hasten_kernels *kernels;
    struct hasten_needle *needles;
    size_t *found; /* of each needle: where it is next, as far as that is known */
    size_t needle_count;
    unsigned wanted;
    bool is_searching; /* false: every line is a candidate */
    /* The region, and how far it was answered. */
    const uint8_t *data;
    size_t size;
    enum hasten_newline rule;
    size_t at;
    /* The next candidate, if it is known. */
    size_t candidate_start;
    size_t candidate_end;
    bool is_candidate_known;
};

/* `is_searching` without needles: nothing is a candidate. Needles have no CR or LF. */
HASTEN_CHECKED hasten_status hasten_scanner_init(struct hasten_scanner *scanner,
                                                 const uint8_t *const *needles, const size_t *sizes,
                                                 size_t needle_count, bool is_searching,
                                                 unsigned wanted,
                                                 const struct hasten_allocator *allocator);
void hasten_scanner_done(struct hasten_scanner *scanner);

/* Begins a region. `every`: it is answered whole, all lines being candidates. */
void hasten_scanner_begin(struct hasten_scanner *scanner, const uint8_t *data, size_t size,
                          enum hasten_newline rule);
/* The next lines of the region, at most `capacity`. 0: there are no more. */
size_t hasten_scanner_next(struct hasten_scanner *scanner, struct hasten_span *ret_spans,
                           size_t capacity);
/* How many lines are left in the region. It is at its end afterwards. */
uint64_t hasten_scanner_count(struct hasten_scanner *scanner);

#endif
