/* SPDX-License-Identifier: MIT
 *
 * Zstandard (RFC 8878). Frames that want a larger window than the library's own limit
 * (128 MiB) are refused by it. */
#include <zstd.h>

#include "core/stream/codec.h"

static void *zstd_make(void) {
    return ZSTD_createDCtx();
}

static bool zstd_again(void *state) {
    return !ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only));
}

static enum hasten_codec_step zstd_step(void *state, struct hasten_codec_io *io) {
    ZSTD_inBuffer in = {io->in, io->in_size, 0};
    ZSTD_outBuffer out = {io->out, io->out_size, 0};
    const size_t answer = ZSTD_decompressStream(state, &out, &in);
    io->in += in.pos;
    io->in_size -= in.pos;
    io->out += out.pos;
    io->out_size -= out.pos;
    if (ZSTD_isError(answer)) {
        io->why = ZSTD_getErrorName(answer);
        return HASTEN_CODEC_BAD;
    }
    return answer == 0 ? HASTEN_CODEC_END : HASTEN_CODEC_ON;
}

static void zstd_end(void *state) {
    (void)ZSTD_freeDCtx(state);
}

static const uint8_t ZSTD_MAGIC[] = {0x28, 0xb5, 0x2f, 0xfd};
/* A frame that is passed over, as parallel compressors write first. */
static const uint8_t ZSTD_SKIPPED[] = {0, 0x2a, 0x4d, 0x18};

const struct hasten_codec hasten_codec_zstd = {
    "zstd",
    {ZSTD_MAGIC, ZSTD_SKIPPED},
    {sizeof ZSTD_MAGIC, sizeof ZSTD_SKIPPED},
    false,
    false,
    zstd_make,
    zstd_again,
    zstd_step,
    zstd_end,
};
