/* SPDX-License-Identifier: MIT */
#include "core/stream/input.h"

#include <unistd.h>

hasten_status hasten_input_init_source(struct hasten_input *input, struct hasten_source source,
                                       const struct hasten_input_options *options,
                                       const struct hasten_allocator *allocator) {
    const struct hasten_descriptor descriptor = input->descriptor;
    *input = (struct hasten_input){
        .allocator = allocator,
        .descriptor = descriptor,
        .block_size = options->block_size,
        .may_read_ahead = options->may_read_ahead,
    };
    const hasten_status status = hasten_decoder_init(
        &input->decoder, source, options->codec, options->is_plain, options->block_size, allocator);
    input->is_open = status == HASTEN_OK;
    return status;
}

hasten_status hasten_input_init(struct hasten_input *input, int fd,
                                const struct hasten_input_options *options,
                                const struct hasten_allocator *allocator) {
    hasten_descriptor_init(&input->descriptor, fd);
    return hasten_input_init_source(input, hasten_descriptor_source(&input->descriptor), options,
                                    allocator);
}

void hasten_input_done(struct hasten_input *input) {
    if (!input->is_open) {
        return;
    }
    input->is_open = false;
    if (input->is_reading_ahead) {
        if (input->readahead.pid != getpid()) {
            return;
        }
        hasten_readahead_done(&input->readahead);
    }
    hasten_decoder_done(&input->decoder);
}

const char *hasten_input_format(const struct hasten_input *input) {
    const struct hasten_codec *codec = input->decoder.is_known ? input->decoder.codec : NULL;
    return codec == NULL ? NULL : codec->name;
}

static hasten_status input_read(void *context, uint8_t *buffer, size_t size, size_t *ret_size,
                                struct hasten_error *error) {
    struct hasten_input *input = context;
    if (input->may_read_ahead && !input->is_reading_ahead) {
        hasten_status status = hasten_decoder_recognise(&input->decoder, error);
        if (status == HASTEN_OK && input->decoder.codec != NULL) {
            status =
                hasten_readahead_init(&input->readahead, hasten_decoder_source(&input->decoder),
                                      input->block_size, input->allocator, error);
            input->is_reading_ahead = status == HASTEN_OK;
        }
        if (status != HASTEN_OK) {
            return status;
        }
        input->may_read_ahead = input->is_reading_ahead;
    }
    const struct hasten_source source = input->is_reading_ahead
                                            ? hasten_readahead_source(&input->readahead)
                                            : hasten_decoder_source(&input->decoder);
    return source.read(source.context, buffer, size, ret_size, error);
}

struct hasten_source hasten_input_source(struct hasten_input *input) {
    return (struct hasten_source){input, input_read};
}
