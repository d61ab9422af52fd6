/* SPDX-License-Identifier: MIT
 *
 * An allocator for tests: fails at the N-th request (and, if asked, at every
 * later one), counts what is alive, and notices a size given back wrongly. */
#ifndef HASTEN_TESTS_FAILING_ALLOCATOR_H
#define HASTEN_TESTS_FAILING_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/allocator.h"

struct failing_allocator {
    struct hasten_allocator allocator; /* pass &it.allocator */
    size_t requests;                   /* allocations and resizes asked for */
    size_t fail_at;                    /* counts from 1; 0: never */
    bool fail_after;                   /* also every later one */
    bool failed;                       /* a request was refused */
    bool wrong_size;                   /* an old size was not the block's */
    size_t live_blocks;
    size_t live_bytes;
    size_t peak_bytes;
};

#define FAILING_ALLOCATOR_HEADER 16 /* keeps malloc's alignment */

__attribute__((unused)) static void *failing_allocator_resize(void *context, void *block,
                                                              size_t old_size, size_t new_size) {
    struct failing_allocator *self = context;
    char *base = block == NULL ? NULL : (char *)block - FAILING_ALLOCATOR_HEADER;
    size_t size = 0;
    if (base != NULL) {
        memcpy(&size, base, sizeof size);
    }
    if (size != old_size) {
        self->wrong_size = true;
    }
    if (new_size == 0) {
        if (base != NULL) {
            self->live_blocks--;
            self->live_bytes -= size;
            free(base);
        }
        return NULL;
    }
    self->requests++;
    if (self->fail_at != 0 &&
        (self->requests == self->fail_at || (self->fail_after && self->requests > self->fail_at))) {
        self->failed = true;
        return NULL;
    }
    char *grown = malloc(new_size + FAILING_ALLOCATOR_HEADER);
    if (grown == NULL) {
        return NULL;
    }
    /* Always moves, and what is new is not zero: finds stale pointers and
     * reads of what was never written. */
    memset(grown + FAILING_ALLOCATOR_HEADER, 0xa5, new_size);
    memcpy(grown, &new_size, sizeof new_size);
    if (base != NULL) {
        memcpy(grown + FAILING_ALLOCATOR_HEADER, block, size < new_size ? size : new_size);
        free(base);
    } else {
        self->live_blocks++;
    }
    self->live_bytes = self->live_bytes - size + new_size;
    if (self->live_bytes > self->peak_bytes) {
        self->peak_bytes = self->live_bytes;
    }
    return grown + FAILING_ALLOCATOR_HEADER;
}

/* Makes `self` ready. It must not move afterwards. */
__attribute__((unused)) static void failing_allocator_init(struct failing_allocator *self,
                                                           size_t fail_at, bool fail_after) {
    *self = (struct failing_allocator){.fail_at = fail_at, .fail_after = fail_after};
    self->allocator.context = self;
    self->allocator.resize = failing_allocator_resize;
}

#endif
