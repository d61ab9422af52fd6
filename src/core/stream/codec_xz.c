/* SPDX-License-Identifier: MIT
 *
 * xz through liblzma. */
#include <lzma.h>
#include <stdlib.h>

#include "core/stream/codec.h"

/* No file that xz itself makes needs more than 65 MiB to be read. */
#define XZ_MEMORY_BYTES (UINT64_C(1) << 30)

static bool xz_again(void *state) {
    return lzma_stream_decoder(state, XZ_MEMORY_BYTES, 0) == LZMA_OK;
}

static void xz_end(void *state) {
    if (state != NULL) {
        lzma_end(state);
        free(state);
    }
}

static void *xz_make(void) {
    lzma_stream *state = malloc(sizeof *state);
    if (state != NULL) {
        *state = (lzma_stream)LZMA_STREAM_INIT;
        if (!xz_again(state)) {
            xz_end(state);
            state = NULL;
        }
    }
    return state;
}

static const char *xz_fault(lzma_ret answer) {
    switch (answer) {
    case LZMA_FORMAT_ERROR:
        return "not an xz stream";
    case LZMA_OPTIONS_ERROR:
        return "unsupported options";
    case LZMA_MEMLIMIT_ERROR:
        return "more than 1 GiB of memory would be needed";
    default:
        return "corrupt data";
    }
}

static enum hasten_codec_step xz_step(void *state, struct hasten_codec_io *io) {
    lzma_stream *stream = state;
    stream->next_in = io->in;
    stream->avail_in = io->in_size;
    stream->next_out = io->out;
    stream->avail_out = io->out_size;
    const lzma_ret answer = lzma_code(stream, LZMA_RUN);
    io->in = stream->next_in;
    io->in_size = stream->avail_in;
    io->out = stream->next_out;
    io->out_size = stream->avail_out;
    switch (answer) {
    case LZMA_OK:
    case LZMA_BUF_ERROR:
        return HASTEN_CODEC_ON;
    case LZMA_STREAM_END:
        return HASTEN_CODEC_END;
    case LZMA_MEM_ERROR:
        return HASTEN_CODEC_NO_MEMORY;
    default:
        io->why = xz_fault(answer);
        return HASTEN_CODEC_BAD;
    }
}

/* A last byte, 0, is left out: it would stand for any. */
static const uint8_t XZ_MAGIC[] = {0xfd, '7', 'z', 'X', 'Z'};

const struct hasten_codec hasten_codec_xz = {
    "xz", {XZ_MAGIC, NULL}, {sizeof XZ_MAGIC, 0}, true, false, xz_make, xz_again, xz_step, xz_end,
};
