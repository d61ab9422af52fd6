/* SPDX-License-Identifier: MIT
 *
 * A source that decompresses another one, in whatever format that turns out to be, or
 * hands it on as it is. What was good before a fault is delivered before the fault is.
 *
 * Position of an error: the offset in the compressed data at which it was noticed. */
#ifndef HASTEN_STREAM_DECODER_H
#define HASTEN_STREAM_DECODER_H

#include "core/base/allocator.h"
#include "core/stream/codec.h"
#include "core/stream/source.h"

struct hasten_decoder {
    struct hasten_source below;
    const struct hasten_allocator *allocator;
    const struct hasten_codec *codec; /* NULL: as it is, or not known yet */
    void *state;
    uint8_t *input; /* what was read below */
    size_t input_capacity;
    size_t input_at;
    size_t input_size;
    uint64_t input_offset; /* of input[0] */
    uint64_t members;      /* that are over */
    bool is_known;         /* what format it is */
    bool is_below_done;
    bool is_done;
    bool is_within;     /* a member */
    bool may_have_more; /* the library stopped for want of room */
    const char *fault;  /* found behind what was delivered last; NULL: none */
};

/* `codec` NULL: to be recognised, unless `is_plain`. `below` is borrowed. */
HASTEN_CHECKED hasten_status hasten_decoder_init(struct hasten_decoder *decoder,
                                                 struct hasten_source below,
                                                 const struct hasten_codec *codec, bool is_plain,
                                                 size_t input_capacity,
                                                 const struct hasten_allocator *allocator);
void hasten_decoder_done(struct hasten_decoder *decoder);
/* Reads as much as tells the format. HASTEN_INTERRUPTED: to be asked again. */
HASTEN_CHECKED hasten_status hasten_decoder_recognise(struct hasten_decoder *decoder,
                                                      struct hasten_error *error);
struct hasten_source hasten_decoder_source(struct hasten_decoder *decoder);

#endif
