/* SPDX-License-Identifier: MIT
 *
 * What is done to every byte of a stream, in the widest instructions that the machine
 * has. Which set that is, is asked when a scanner is made: there is no global to keep it
 * in, and the answer is a read of what the compiler's runtime found out at start.
 * All sets answer the same; tests compare them. */
#ifndef HASTEN_STREAM_KERNELS_H
#define HASTEN_STREAM_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line, or part of one: offsets in a region. */
struct hasten_span {
    size_t start;
    size_t end;
    bool is_candidate; /* it has what is looked for, or nothing is */
};

/* What is looked for. The bytes belong to whoever made it. Two of its bytes are compared
 * first, those that text has least often: where they are. */
struct hasten_needle {
    const uint8_t *bytes;
    size_t size;
    size_t first;
    size_t second;
};

/* What hasten_kernels.classify answers, or-ed. */
enum hasten_bytes {
    HASTEN_BYTES_HIGH = 1,  /* one is 0x80 or more */
    HASTEN_BYTES_RETURN = 2 /* one is a carriage return */
};

struct hasten_kernels {
    const char *name;
    unsigned (*classify)(const uint8_t *data, size_t size);
    size_t (*count)(const uint8_t *data, size_t size, uint8_t byte);
    /* Pieces that end with `byte`, with it, from `start` on, at most `capacity`; what is
     * left behind the last is none. Answers how many. */
    size_t (*split)(const uint8_t *data, size_t size, uint8_t byte, size_t start,
                    struct hasten_span *ret_spans, size_t capacity);
    /* The first place where the needle (not empty) is; `size`: nowhere. */
    size_t (*find)(const uint8_t *data, size_t size, const struct hasten_needle *needle);
};

#define HASTEN_KERNELS_MAX 3

/* The best set that this machine has. */
const struct hasten_kernels *hasten_kernels_best(void);
/* All sets that it has, the best one first. Answers how many. */
size_t hasten_kernels_list(const struct hasten_kernels *ret_kernels[HASTEN_KERNELS_MAX]);

/* `bytes` (at least one) are borrowed. */
struct hasten_needle hasten_needle_make(const uint8_t *bytes, size_t size);

/* The sets; NULL where the architecture does not have them. */
extern const struct hasten_kernels hasten_kernels_portable;
const struct hasten_kernels *hasten_kernels_wide(void);
const struct hasten_kernels *hasten_kernels_widest(void);

/* What the sets share: looking for the needle at each place from `from` on. */
size_t hasten_find_slowly(const uint8_t *data, size_t size, size_t from,
                          const struct hasten_needle *needle);

#endif
