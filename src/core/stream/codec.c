/* SPDX-License-Identifier: MIT
 *
 * Which format it is. */
#include "core/stream/codec.h"

#include <string.h>

static const struct hasten_codec *const CODECS[] = {
    &hasten_codec_gzip,
    &hasten_codec_zstd,
    &hasten_codec_xz,
    &hasten_codec_bzip2,
};
#define CODEC_COUNT (sizeof CODECS / sizeof CODECS[0])

const struct hasten_codec *hasten_codec_named(const char *name) {
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        if (strcmp(CODECS[i]->name, name) == 0) {
            return CODECS[i];
        }
    }
    return NULL;
}

/* Whether data begins with a magic, as far as there are data. */
static bool begins_with(const uint8_t *data, size_t size, const uint8_t *magic, size_t magic_size) {
    const size_t compared = size < magic_size ? size : magic_size;
    for (size_t i = 0; i < compared; i++) {
        if (magic[i] != 0 && magic[i] != data[i]) {
            return false;
        }
    }
    return magic_size != 0;
}

bool hasten_codec_begins(const struct hasten_codec *codec, const uint8_t *data, size_t size,
                         bool *ret_undecided) {
    *ret_undecided = false;
    for (size_t i = 0; i < 2; i++) {
        if (begins_with(data, size, codec->magic[i], codec->magic_size[i])) {
            if (size >= codec->magic_size[i]) {
                return true;
            }
            *ret_undecided = true;
        }
    }
    return false;
}

const struct hasten_codec *hasten_codec_recognised(const uint8_t *data, size_t size,
                                                   bool *ret_undecided) {
    bool is_undecided = false;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        bool is_this_undecided = false;
        if (hasten_codec_begins(CODECS[i], data, size, &is_this_undecided)) {
            *ret_undecided = false;
            return CODECS[i];
        }
        is_undecided = is_undecided || is_this_undecided;
    }
    *ret_undecided = is_undecided;
    return NULL;
}
