/* SPDX-License-Identifier: MIT
 *
 * zstd. Alone in this file: who writes a log but must not bring zstd along links
 * something else in its place. */
#include "core/recording/block.h"

#include <zstd.h>

void hasten_packer_done(struct hasten_packer *packer) {
    ZSTD_freeCCtx(packer->compressor);
    ZSTD_freeDCtx(packer->decompressor);
    *packer = (struct hasten_packer){0};
}

/* Makes room for `size` bytes after what the buffer holds. */
static bool reserve(struct hasten_buffer *buffer, size_t size) {
    void *data = buffer->data;
    if (buffer->failed ||
        hasten_grow(buffer->allocator, &data, &buffer->capacity, buffer->size + size, 1) != 0) {
        return false;
    }
    buffer->data = data;
    return true;
}

hasten_status hasten_pack(struct hasten_packer *packer, const void *raw, size_t size, int level,
                          bool checksum, struct hasten_buffer *buffer) {
    if (packer->compressor == NULL) {
        packer->compressor = ZSTD_createCCtx();
    }
    size_t bound = ZSTD_compressBound(size);
    if (packer->compressor == NULL || !reserve(buffer, bound)) {
        return HASTEN_NO_MEMORY;
    }
    /* These two fail only for values that zstd does not know. */
    ZSTD_CCtx_setParameter(packer->compressor, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(packer->compressor, ZSTD_c_checksumFlag, checksum);
    size_t packed =
        ZSTD_compress2(packer->compressor, buffer->data + buffer->size, bound, raw, size);
    if (ZSTD_isError(packed)) { /* with room for the worst case only memory can lack */
        return HASTEN_NO_MEMORY;
    }
    buffer->size += packed;
    return HASTEN_OK;
}

hasten_status hasten_unpack(struct hasten_packer *packer, const void *packed, size_t size,
                            size_t raw_size, struct hasten_buffer *buffer) {
    hasten_buffer_clear(buffer);
    if (packer->decompressor == NULL) {
        packer->decompressor = ZSTD_createDCtx();
    }
    if (packer->decompressor == NULL || !reserve(buffer, raw_size)) {
        return HASTEN_NO_MEMORY;
    }
    size_t unpacked =
        ZSTD_decompressDCtx(packer->decompressor, buffer->data, raw_size, packed, size);
    if (ZSTD_isError(unpacked) || unpacked != raw_size) {
        return HASTEN_CORRUPT;
    }
    buffer->size = raw_size;
    return HASTEN_OK;
}

uint64_t hasten_unpacked_size(const void *packed, size_t size) {
    unsigned long long raw_size = ZSTD_getFrameContentSize(packed, size);
    bool said = raw_size != ZSTD_CONTENTSIZE_UNKNOWN && raw_size != ZSTD_CONTENTSIZE_ERROR;
    return said ? raw_size : 0;
}
