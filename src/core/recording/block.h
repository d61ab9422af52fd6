/* SPDX-License-Identifier: MIT
 *
 * Packing payloads: zstd where it pays, checksums, the header of a block. */
#ifndef HASTEN_RECORDING_BLOCK_H
#define HASTEN_RECORDING_BLOCK_H

#include "core/base/buffer.h"
#include "core/recording/format.h"
#include "hasten/status.h"

/* zstd's working memory, kept between blocks. Zero-initialised is empty. */
struct hasten_packer {
    void *compressor;
    void *decompressor;
};

void hasten_packer_done(struct hasten_packer *packer);

/* Appends `raw` as a zstd frame to `buffer`, with zstd's own checksum where asked. */
HASTEN_CHECKED hasten_status hasten_pack(struct hasten_packer *packer, const void *raw, size_t size,
                                         int level, bool checksum, struct hasten_buffer *buffer);
/* Replaces the content of `buffer` by the frame's `raw_size` bytes. CORRUPT where
 * the frame is damaged or of another size. */
HASTEN_CHECKED hasten_status hasten_unpack(struct hasten_packer *packer, const void *packed,
                                           size_t size, size_t raw_size,
                                           struct hasten_buffer *buffer);
/* The size a frame says it unpacks to, 0 where it does not say. */
uint64_t hasten_unpacked_size(const void *packed, size_t size);

struct hasten_block_header {
    uint8_t type;
    uint8_t encoding;
    uint32_t stored_size;
    uint32_t raw_size;
    uint32_t payload_crc;
};

/* Appends header and payload of a block to `buffer`. */
HASTEN_CHECKED hasten_status hasten_block_encode(struct hasten_packer *packer, uint8_t type,
                                                 const void *payload, size_t size,
                                                 struct hasten_buffer *buffer);
/* Reads a header of a log of that version; answers NULL or what is wrong with it. */
const char *hasten_block_parse(const uint8_t *bytes, uint32_t version,
                               struct hasten_block_header *ret_header);

#endif
