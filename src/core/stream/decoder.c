/* SPDX-License-Identifier: MIT */
#include "core/stream/decoder.h"

#include <string.h>

hasten_status hasten_decoder_init(struct hasten_decoder *decoder, struct hasten_source below,
                                  const struct hasten_codec *codec, bool is_plain,
                                  size_t input_capacity, const struct hasten_allocator *allocator) {
    const size_t capacity =
        input_capacity < HASTEN_CODEC_MAGIC_MAX ? HASTEN_CODEC_MAGIC_MAX : input_capacity;
    uint8_t *input = hasten_allocate(allocator, capacity);
    if (input == NULL) {
        return HASTEN_NO_MEMORY;
    }
    *decoder = (struct hasten_decoder){
        .below = below,
        .allocator = allocator,
        .codec = codec,
        .input = input,
        .input_capacity = capacity,
        .is_known = is_plain || codec != NULL,
    };
    return HASTEN_OK;
}

void hasten_decoder_done(struct hasten_decoder *decoder) {
    if (decoder->state != NULL) {
        decoder->codec->end(decoder->state);
    }
    hasten_release(decoder->allocator, decoder->input, decoder->input_capacity);
    *decoder = (struct hasten_decoder){.allocator = decoder->allocator};
}

static uint64_t offset_of(const struct hasten_decoder *decoder) {
    return decoder->input_offset + decoder->input_at;
}

/* Reads more behind what there is, all of which is kept. */
static hasten_status refill(struct hasten_decoder *decoder, struct hasten_error *error) {
    if (decoder->input_at == decoder->input_size) {
        decoder->input_offset += decoder->input_at;
        decoder->input_at = 0;
        decoder->input_size = 0;
    } else if (decoder->input_size == decoder->input_capacity) {
        /* A few bytes that tell too little. */
        const size_t left = decoder->input_size - decoder->input_at;
        memmove(decoder->input, decoder->input + decoder->input_at, left);
        decoder->input_offset += decoder->input_at;
        decoder->input_at = 0;
        decoder->input_size = left;
    }
    size_t got = 0;
    const hasten_status status =
        decoder->below.read(decoder->below.context, decoder->input + decoder->input_size,
                            decoder->input_capacity - decoder->input_size, &got, error);
    if (status == HASTEN_OK) {
        decoder->input_size += got;
        decoder->is_below_done = got == 0;
    }
    return status;
}

hasten_status hasten_decoder_recognise(struct hasten_decoder *decoder, struct hasten_error *error) {
    while (!decoder->is_known) {
        bool is_undecided = true;
        if (decoder->input_size != 0) {
            decoder->codec =
                hasten_codec_recognised(decoder->input, decoder->input_size, &is_undecided);
        }
        decoder->is_known = decoder->codec != NULL || !is_undecided || decoder->is_below_done;
        if (!decoder->is_known) {
            const hasten_status status = refill(decoder, error);
            if (status != HASTEN_OK) {
                return status;
            }
        }
    }
    return HASTEN_OK;
}

static hasten_status read_plain(struct hasten_decoder *decoder, uint8_t *buffer, size_t size,
                                size_t *ret_size, struct hasten_error *error) {
    const size_t left = decoder->input_size - decoder->input_at;
    if (left == 0) {
        return decoder->below.read(decoder->below.context, buffer, size, ret_size, error);
    }
    const size_t given = left < size ? left : size;
    memcpy(buffer, decoder->input + decoder->input_at, given);
    decoder->input_at += given;
    *ret_size = given;
    return HASTEN_OK;
}

static hasten_status corrupt(const struct hasten_decoder *decoder, const char *why,
                             struct hasten_error *error) {
    const uint64_t offset = offset_of(decoder);
    return hasten_error_set(error, HASTEN_CORRUPT, (int64_t)offset,
                            "corrupt %s data at byte %llu: %s", decoder->codec->name,
                            (unsigned long long)offset, why);
}

/* Between members: at the beginning of the next one, or at the end. There is input. */
static hasten_status begin_member(struct hasten_decoder *decoder, struct hasten_error *error) {
    const struct hasten_codec *codec = decoder->codec;
    while (codec->has_padding && decoder->members != 0 && decoder->input_at < decoder->input_size &&
           decoder->input[decoder->input_at] == 0) {
        decoder->input_at++;
    }
    if (decoder->input_at == decoder->input_size) {
        return HASTEN_OK;
    }
    if (decoder->members != 0 && !codec->is_strict_at_end) {
        bool is_undecided = false;
        const bool is_member =
            hasten_codec_begins(codec, decoder->input + decoder->input_at,
                                decoder->input_size - decoder->input_at, &is_undecided);
        if (is_undecided && !decoder->is_below_done) {
            return refill(decoder, error);
        }
        if (!is_member && !is_undecided) {
            decoder->is_done = true; /* whatever it is, it is not ours */
            return HASTEN_OK;
        }
    }
    if (decoder->state == NULL) {
        decoder->state = codec->make();
        if (decoder->state == NULL) {
            return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
        }
    } else if (!codec->again(decoder->state)) {
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    decoder->is_within = true;
    decoder->may_have_more = false;
    return HASTEN_OK;
}

static hasten_status end_of_input(struct hasten_decoder *decoder, struct hasten_error *error) {
    if (!decoder->is_within) {
        decoder->is_done = true;
        return HASTEN_OK;
    }
    const uint64_t offset = offset_of(decoder);
    return hasten_error_set(error, HASTEN_TRUNCATED, (int64_t)offset,
                            "the %s data end in the middle, at byte %llu", decoder->codec->name,
                            (unsigned long long)offset);
}

/* One step of the library. `*ret_size` bytes are delivered, maybe none. */
static hasten_status step(struct hasten_decoder *decoder, uint8_t *buffer, size_t size,
                          size_t *ret_size, struct hasten_error *error) {
    struct hasten_codec_io io = {
        .in = decoder->input + decoder->input_at,
        .in_size = decoder->input_size - decoder->input_at,
        .out = buffer,
        .out_size = size,
    };
    const enum hasten_codec_step answer = decoder->codec->step(decoder->state, &io);
    const size_t given = size - io.out_size;
    decoder->input_at = decoder->input_size - io.in_size;
    decoder->may_have_more = io.out_size == 0;
    switch (answer) {
    case HASTEN_CODEC_END:
        decoder->is_within = false;
        decoder->members++;
        break;
    case HASTEN_CODEC_NO_MEMORY:
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    case HASTEN_CODEC_BAD:
        /* Said once: libraries must not be asked to go on behind a fault. */
        if (given == 0) {
            return corrupt(decoder, io.why, error);
        }
        decoder->fault = io.why;
        break;
    case HASTEN_CODEC_ON:
    default:
        break;
    }
    *ret_size = given;
    return HASTEN_OK;
}

static hasten_status decoder_read(void *context, uint8_t *buffer, size_t size, size_t *ret_size,
                                  struct hasten_error *error) {
    struct hasten_decoder *decoder = context;
    hasten_status status = hasten_decoder_recognise(decoder, error);
    if (status == HASTEN_OK && decoder->codec == NULL) {
        return read_plain(decoder, buffer, size, ret_size, error);
    }
    size_t given = 0;
    while (status == HASTEN_OK && given == 0 && !decoder->is_done) {
        const bool is_empty = decoder->input_at == decoder->input_size;
        if (decoder->fault != NULL) {
            status = corrupt(decoder, decoder->fault, error);
        } else if (is_empty && decoder->is_below_done && !decoder->may_have_more) {
            status = end_of_input(decoder, error);
        } else if (is_empty && !decoder->may_have_more) {
            status = refill(decoder, error);
        } else if (!decoder->is_within) {
            decoder->may_have_more = false;
            status = is_empty ? HASTEN_OK : begin_member(decoder, error);
        } else {
            status = step(decoder, buffer, size, &given, error);
        }
    }
    if (status == HASTEN_OK) {
        *ret_size = given;
    }
    return status;
}

struct hasten_source hasten_decoder_source(struct hasten_decoder *decoder) {
    return (struct hasten_source){decoder, decoder_read};
}
