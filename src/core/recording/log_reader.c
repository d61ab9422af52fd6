/* SPDX-License-Identifier: MIT
 *
 * Finding and checking blocks. */
#include "core/recording/log_reader.h"

#include <errno.h>
#include <string.h>

#include "core/base/checksum.h"
#include "core/recording/file.h"

bool hasten_log_is_magic(const uint8_t *bytes, size_t size) {
    size_t compared = size < HASTEN_LOG_MAGIC_SIZE ? size : HASTEN_LOG_MAGIC_SIZE;
    return compared > 0 && memcmp(bytes, HASTEN_LOG_MAGIC, compared) == 0;
}

hasten_status hasten_log_reader_damaged(const struct hasten_log_reader *reader, uint64_t position,
                                        const char *complaint, struct hasten_error *error) {
    return hasten_error_set(error, HASTEN_CORRUPT, (int64_t)position,
                            "\"%.*s\" is damaged at byte %llu: %s", HASTEN_PATH_SHOWN, reader->path,
                            (unsigned long long)position, complaint);
}

static hasten_status out_of_memory(struct hasten_error *error) {
    return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
}

/* Reads exactly `size` bytes that the file was seen to have. */
static hasten_status read_whole(const struct hasten_log_reader *reader, void *into, size_t size,
                                uint64_t position, struct hasten_error *error) {
    int64_t got = hasten_file_read(reader->descriptor, into, size, position);
    if (got < 0) {
        return hasten_file_error(error, errno, "read", reader->path);
    }
    if ((size_t)got < size) {
        return hasten_error_set(error, HASTEN_TRUNCATED, (int64_t)position + got,
                                "\"%.*s\" became shorter while it was read", HASTEN_PATH_SHOWN,
                                reader->path);
    }
    return HASTEN_OK;
}

static hasten_status check_header(struct hasten_log_reader *reader, const uint8_t *header,
                                  struct hasten_error *error) {
    uint32_t version = hasten_get_u32(header + 8);
    if (version > HASTEN_LOG_VERSION) {
        return hasten_error_set(error, HASTEN_NEWER, 8,
                                "\"%.*s\" has log format %u, but this hasten knows only up to %u: "
                                "read it with a newer hasten",
                                HASTEN_PATH_SHOWN, reader->path, (unsigned)version,
                                HASTEN_LOG_VERSION);
    }
    if (hasten_get_u32(header + 36) != hasten_crc32c(0, header, 36)) {
        return hasten_log_reader_damaged(reader, 0, "the checksum of its header does not agree",
                                         error);
    }
    reader->version = version;
    reader->interval_ns = hasten_get_u64(header + 16);
    reader->wall_start_ns = hasten_get_u64(header + 24);
    if (version == 0 || hasten_get_u32(header + 12) != HASTEN_LOG_HEADER_SIZE ||
        reader->interval_ns == 0) {
        return hasten_log_reader_damaged(reader, 0, "its header is not one of this version", error);
    }
    return HASTEN_OK;
}

hasten_status hasten_log_reader_init(struct hasten_log_reader *reader, const char *path,
                                     int descriptor, uint64_t size,
                                     const struct hasten_allocator *allocator,
                                     struct hasten_error *error) {
    *reader = (struct hasten_log_reader){
        .path = path,
        .descriptor = descriptor,
        .size = size,
        .position = HASTEN_LOG_HEADER_SIZE,
    };
    hasten_buffer_init(&reader->stored, allocator);
    hasten_buffer_init(&reader->raw, allocator);
    if (size < HASTEN_LOG_HEADER_SIZE) {
        return hasten_error_set(error, HASTEN_TRUNCATED, (int64_t)size,
                                "\"%.*s\" is truncated: it ends at byte %llu, inside its header",
                                HASTEN_PATH_SHOWN, path, (unsigned long long)size);
    }
    uint8_t header[HASTEN_LOG_HEADER_SIZE];
    hasten_status status = read_whole(reader, header, sizeof header, 0, error);
    return status == HASTEN_OK ? check_header(reader, header, error) : status;
}

void hasten_log_reader_done(struct hasten_log_reader *reader) {
    hasten_packer_done(&reader->packer);
    hasten_buffer_done(&reader->stored);
    hasten_buffer_done(&reader->raw);
}

/* Whether the rest of the file is zeros; on failure it just is not. */
static bool ends_in_zeros(const struct hasten_log_reader *reader) {
    uint8_t bytes[4096];
    for (uint64_t at = reader->position; at < reader->size;) {
        uint64_t left = reader->size - at;
        size_t step = left < sizeof bytes ? (size_t)left : sizeof bytes;
        if (hasten_file_read(reader->descriptor, bytes, step, at) != (int64_t)step) {
            return false;
        }
        for (size_t i = 0; i < step; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        at += step;
    }
    return true;
}

/* Reads the payload into `stored`, and unpacks it into `raw` where it is packed. */
static hasten_status read_payload(struct hasten_log_reader *reader,
                                  const struct hasten_block_header *header,
                                  struct hasten_log_block *ret_block, struct hasten_error *error) {
    struct hasten_buffer *stored = &reader->stored;
    void *data = stored->data;
    if (hasten_grow(stored->allocator, &data, &stored->capacity, header->stored_size, 1) != 0) {
        return out_of_memory(error);
    }
    stored->data = data;
    hasten_status status = read_whole(reader, stored->data, header->stored_size,
                                      reader->position + HASTEN_BLOCK_HEADER_SIZE, error);
    if (status != HASTEN_OK) {
        return status;
    }
    if (hasten_crc32c(0, stored->data, header->stored_size) != header->payload_crc) {
        return hasten_log_reader_damaged(reader, reader->position,
                                         "the checksum of a block does not agree", error);
    }
    const struct hasten_buffer *payload = stored;
    if (header->encoding == HASTEN_ENCODING_ZSTD) {
        status = hasten_unpack(&reader->packer, stored->data, header->stored_size, header->raw_size,
                               &reader->raw);
        payload = &reader->raw;
    }
    if (status == HASTEN_NO_MEMORY) {
        return out_of_memory(error);
    }
    if (status != HASTEN_OK) {
        return hasten_log_reader_damaged(reader, reader->position, "a block cannot be unpacked",
                                         error);
    }
    *ret_block = (struct hasten_log_block){
        .position = reader->position,
        .type = header->type,
        .data = (const uint8_t *)payload->data,
        .size = header->raw_size,
    };
    return HASTEN_OK;
}

hasten_status hasten_log_reader_next(struct hasten_log_reader *reader,
                                     struct hasten_log_block *ret_block, bool *ret_more,
                                     struct hasten_error *error) {
    uint64_t left = reader->size - reader->position;
    if (left < HASTEN_BLOCK_HEADER_SIZE) {
        *ret_more = false;
        return HASTEN_OK;
    }
    uint8_t bytes[HASTEN_BLOCK_HEADER_SIZE];
    hasten_status status = read_whole(reader, bytes, sizeof bytes, reader->position, error);
    if (status != HASTEN_OK) {
        return status;
    }
    struct hasten_block_header header;
    const char *complaint = hasten_block_parse(bytes, reader->version, &header);
    if (complaint != NULL && !ends_in_zeros(reader)) {
        return hasten_log_reader_damaged(reader, reader->position, complaint, error);
    }
    if (complaint != NULL || header.stored_size > left - HASTEN_BLOCK_HEADER_SIZE) {
        *ret_more = false;
        return HASTEN_OK;
    }
    status = read_payload(reader, &header, ret_block, error);
    if (status == HASTEN_OK) {
        reader->position += HASTEN_BLOCK_HEADER_SIZE + header.stored_size;
        *ret_more = true;
    }
    return status;
}
