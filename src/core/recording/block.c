/* SPDX-License-Identifier: MIT
 *
 * Blocks of the log. */
#include "core/recording/block.h"

#include "core/base/checksum.h"

/* Payloads smaller than this are not worth a frame. */
#define SMALLEST_PACKED 64u
/* While the program runs, speed counts: chunks are packed again at the end. */
#define LOG_LEVEL 1

hasten_status hasten_block_encode(struct hasten_packer *packer, uint8_t type, const void *payload,
                                  size_t size, struct hasten_buffer *buffer) {
    if (size > HASTEN_BLOCK_LIMIT) {
        return HASTEN_LIMIT;
    }
    size_t start = buffer->size;
    uint8_t header[HASTEN_BLOCK_HEADER_SIZE] = {type, HASTEN_ENCODING_ZSTD};
    hasten_buffer_append(buffer, header, sizeof header);
    hasten_status status = buffer->failed ? HASTEN_NO_MEMORY : HASTEN_OK;
    if (status == HASTEN_OK && size >= SMALLEST_PACKED) {
        status = hasten_pack(packer, payload, size, LOG_LEVEL, false, buffer);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    size_t stored = buffer->size - start - sizeof header;
    if (stored == 0 || stored >= size) {
        header[1] = HASTEN_ENCODING_PLAIN;
        buffer->size = start + sizeof header;
        hasten_buffer_append(buffer, payload, size);
        stored = size;
    }
    if (buffer->failed) {
        return HASTEN_NO_MEMORY;
    }
    hasten_put_u32(header + 4, (uint32_t)stored);
    hasten_put_u32(header + 8, (uint32_t)size);
    hasten_put_u32(header + 12, hasten_crc32c(0, buffer->data + start + sizeof header, stored));
    hasten_put_u32(header + 16, hasten_crc32c(0, header, 16));
    for (size_t i = 0; i < sizeof header; i++) {
        buffer->data[start + i] = (char)header[i];
    }
    return HASTEN_OK;
}

static bool is_block_type(uint8_t type, uint32_t version) {
    return (type >= HASTEN_BLOCK_DEFINITIONS && type <= HASTEN_BLOCK_END) ||
           (type == HASTEN_BLOCK_POINTS && version >= HASTEN_LOG_VERSION_SERIES);
}

const char *hasten_block_parse(const uint8_t *bytes, uint32_t version,
                               struct hasten_block_header *ret_header) {
    if (hasten_get_u32(bytes + 16) != hasten_crc32c(0, bytes, 16)) {
        return "the checksum of a block's header does not agree";
    }
    struct hasten_block_header header = {
        .type = bytes[0],
        .encoding = bytes[1],
        .stored_size = hasten_get_u32(bytes + 4),
        .raw_size = hasten_get_u32(bytes + 8),
        .payload_crc = hasten_get_u32(bytes + 12),
    };
    if (!is_block_type(header.type, version)) {
        return "a block is of an unknown type";
    }
    if (header.encoding > HASTEN_ENCODING_ZSTD || bytes[2] != 0 || bytes[3] != 0) {
        return "a block is encoded in an unknown way";
    }
    if (header.stored_size > HASTEN_BLOCK_LIMIT || header.raw_size > HASTEN_BLOCK_LIMIT ||
        (header.encoding == HASTEN_ENCODING_PLAIN && header.stored_size != header.raw_size)) {
        return "a block's size is out of range";
    }
    *ret_header = header;
    return NULL;
}
