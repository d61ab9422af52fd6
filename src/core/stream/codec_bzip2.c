/* SPDX-License-Identifier: MIT
 *
 * bzip2 through its library. */
#include <bzlib.h>
#include <limits.h>
#include <stdlib.h>

#include "core/stream/codec.h"

static void *bzip2_make(void) {
    bz_stream *state = calloc(1, sizeof *state);
    if (state != NULL && BZ2_bzDecompressInit(state, 0, 0) != BZ_OK) {
        free(state);
        state = NULL;
    }
    return state;
}

static bool bzip2_again(void *state) {
    bz_stream *stream = state;
    (void)BZ2_bzDecompressEnd(stream);
    *stream = (bz_stream){0};
    return BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK;
}

static enum hasten_codec_step bzip2_step(void *state, struct hasten_codec_io *io) {
    bz_stream *stream = state;
    const size_t in_size = io->in_size < UINT_MAX ? io->in_size : UINT_MAX;
    const size_t out_size = io->out_size < UINT_MAX ? io->out_size : UINT_MAX;
    stream->next_in = (char *)(uintptr_t)io->in;
    stream->avail_in = (unsigned)in_size;
    stream->next_out = (char *)io->out;
    stream->avail_out = (unsigned)out_size;
    const int answer = BZ2_bzDecompress(stream);
    io->in += in_size - stream->avail_in;
    io->in_size -= in_size - stream->avail_in;
    io->out += out_size - stream->avail_out;
    io->out_size -= out_size - stream->avail_out;
    switch (answer) {
    case BZ_OK:
        return HASTEN_CODEC_ON;
    case BZ_STREAM_END:
        return HASTEN_CODEC_END;
    case BZ_MEM_ERROR:
        return HASTEN_CODEC_NO_MEMORY;
    default:
        io->why = answer == BZ_DATA_ERROR_MAGIC ? "not a bzip2 stream" : "corrupt data";
        return HASTEN_CODEC_BAD;
    }
}

static void bzip2_end(void *state) {
    if (state != NULL) {
        (void)BZ2_bzDecompressEnd(state);
        free(state);
    }
}

/* 0: the block size, a digit. Then how a block begins, so that no text is taken for it. */
static const uint8_t BZIP2_MAGIC[] = {'B', 'Z', 'h', 0, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59};
static const uint8_t BZIP2_EMPTY[] = {'B', 'Z', 'h', 0, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90};

const struct hasten_codec hasten_codec_bzip2 = {
    "bzip2",
    {BZIP2_MAGIC, BZIP2_EMPTY},
    {sizeof BZIP2_MAGIC, sizeof BZIP2_EMPTY},
    false,
    false,
    bzip2_make,
    bzip2_again,
    bzip2_step,
    bzip2_end,
};
