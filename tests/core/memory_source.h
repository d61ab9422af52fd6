/* SPDX-License-Identifier: MIT
 *
 * A source that gives bytes of memory in pieces, and fails or is interrupted when told to. */
#ifndef HASTEN_TESTS_MEMORY_SOURCE_H
#define HASTEN_TESTS_MEMORY_SOURCE_H

#include <string.h>

#include "core/stream/source.h"

struct memory_source {
    const uint8_t *data;
    size_t size;
    size_t at;
    size_t piece;             /* the most bytes at a time; 0: any number */
    unsigned interrupt_every; /* every so manieth call is in vain; 0: none */
    unsigned calls;
    bool fails_at_end; /* with HASTEN_IO instead of an end */
};

__attribute__((unused)) static hasten_status memory_source_read(void *context, uint8_t *buffer,
                                                                size_t size, size_t *ret_size,
                                                                struct hasten_error *error) {
    struct memory_source *self = context;
    self->calls++;
    if (self->interrupt_every != 0 && self->calls % self->interrupt_every == 0) {
        return HASTEN_INTERRUPTED;
    }
    size_t given = self->size - self->at;
    if (given == 0 && self->fails_at_end) {
        return hasten_error_set(error, HASTEN_IO, (int64_t)self->at, "the disk failed");
    }
    given = given < size ? given : size;
    given = self->piece != 0 && self->piece < given ? self->piece : given;
    if (given != 0) {
        memcpy(buffer, self->data + self->at, given);
    }
    self->at += given;
    *ret_size = given;
    return HASTEN_OK;
}

__attribute__((unused)) static struct hasten_source memory_source_of(struct memory_source *self) {
    return (struct hasten_source){self, memory_source_read};
}

#endif
