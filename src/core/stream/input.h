/* SPDX-License-Identifier: MIT
 *
 * A descriptor, or another source, read as whatever it holds: what is compressed is
 * recognised and decompressed, ahead on a thread where the source may be read there. */
#ifndef HASTEN_STREAM_INPUT_H
#define HASTEN_STREAM_INPUT_H

#include <sys/types.h>

#include "core/stream/decoder.h"
#include "core/stream/readahead.h"
#include "core/stream/source.h"

struct hasten_input {
    const struct hasten_allocator *allocator;
    struct hasten_descriptor descriptor; /* where the source is one */
    struct hasten_decoder decoder;
    struct hasten_readahead readahead;
    size_t block_size;
    bool may_read_ahead;
    bool is_reading_ahead;
    bool is_open;
};

struct hasten_input_options {
    const struct hasten_codec *codec; /* NULL: recognise it, unless... */
    bool is_plain;                    /* ...it is taken as it is */
    bool may_read_ahead;              /* the source may be read on another thread */
    size_t block_size;                /* bytes that are read, and handed on, at a time */
};

/* Of a descriptor, which stays its owner's. The input must not move afterwards. */
HASTEN_CHECKED hasten_status hasten_input_init(struct hasten_input *input, int fd,
                                               const struct hasten_input_options *options,
                                               const struct hasten_allocator *allocator);
/* Of another source, which is borrowed. */
HASTEN_CHECKED hasten_status hasten_input_init_source(struct hasten_input *input,
                                                      struct hasten_source source,
                                                      const struct hasten_input_options *options,
                                                      const struct hasten_allocator *allocator);
/* Ends the thread, if there is one. In a child of fork(), what the thread may have been at
 * is left as it is. */
void hasten_input_done(struct hasten_input *input);
/* The name of the format, NULL: none, or not known yet. */
const char *hasten_input_format(const struct hasten_input *input);
struct hasten_source hasten_input_source(struct hasten_input *input);

#endif
