/* SPDX-License-Identifier: MIT
 *
 * gzip (RFC 1952) through zlib. */
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/stream/codec.h"

/* The largest window, and 16: with gzip's header and sums. */
#define GZIP_WINDOW (15 + 16)

static void *gzip_make(void) {
    z_stream *state = calloc(1, sizeof *state);
    if (state != NULL && inflateInit2(state, GZIP_WINDOW) != Z_OK) {
        free(state);
        state = NULL;
    }
    return state;
}

static bool gzip_again(void *state) {
    return inflateReset(state) == Z_OK;
}

static enum hasten_codec_step gzip_step(void *state, struct hasten_codec_io *io) {
    z_stream *stream = state;
    const size_t in_size = io->in_size < UINT_MAX ? io->in_size : UINT_MAX;
    const size_t out_size = io->out_size < UINT_MAX ? io->out_size : UINT_MAX;
    stream->next_in = (Bytef *)(uintptr_t)io->in;
    stream->avail_in = (uInt)in_size;
    stream->next_out = io->out;
    stream->avail_out = (uInt)out_size;
    const int answer = inflate(stream, Z_NO_FLUSH);
    io->in += in_size - stream->avail_in;
    io->in_size -= in_size - stream->avail_in;
    io->out += out_size - stream->avail_out;
    io->out_size -= out_size - stream->avail_out;
    switch (answer) {
    case Z_OK:
    case Z_BUF_ERROR:
        return HASTEN_CODEC_ON;
    case Z_STREAM_END:
        return HASTEN_CODEC_END;
    case Z_MEM_ERROR:
        return HASTEN_CODEC_NO_MEMORY;
    default:
        io->why = stream->msg != NULL ? stream->msg : "invalid data";
        return HASTEN_CODEC_BAD;
    }
}

static void gzip_end(void *state) {
    if (state != NULL) {
        (void)inflateEnd(state);
        free(state);
    }
}

/* Behind the two bytes, the only method there is. */
static const uint8_t GZIP_MAGIC[] = {0x1f, 0x8b, 8};

/* What is left behind the last member is an error, as it is for the standard module. */
const struct hasten_codec hasten_codec_gzip = {
    "gzip",    {GZIP_MAGIC, NULL}, {sizeof GZIP_MAGIC, 0}, true, true, gzip_make, gzip_again,
    gzip_step, gzip_end,
};
