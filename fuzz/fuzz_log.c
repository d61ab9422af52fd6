/* SPDX-License-Identifier: MIT
 *
 * The input is a log: once as it is, once with its checksums made right, so that
 * what lies behind them is reached. */
#include "core/base/checksum.h"
#include "core/recording/format.h"
#include "recording_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void repair(uint8_t *log, size_t size) {
    memcpy(log, HASTEN_LOG_MAGIC, HASTEN_LOG_MAGIC_SIZE);
    hasten_put_u32(log + 36, hasten_crc32c(0, log, 36));
    size_t at = HASTEN_LOG_HEADER_SIZE;
    while (size - at >= HASTEN_BLOCK_HEADER_SIZE) {
        size_t left = size - at - HASTEN_BLOCK_HEADER_SIZE;
        uint8_t *header = log + at;
        if (hasten_get_u32(header + 4) > left) { /* the rest is the last block's */
            hasten_put_u32(header + 4, (uint32_t)left);
        }
        size_t stored = hasten_get_u32(header + 4);
        if (header[1] == HASTEN_ENCODING_PLAIN) {
            hasten_put_u32(header + 8, (uint32_t)stored);
        }
        header[2] = header[3] = 0;
        hasten_put_u32(header + 12, hasten_crc32c(0, header + HASTEN_BLOCK_HEADER_SIZE, stored));
        hasten_put_u32(header + 16, hasten_crc32c(0, header, 16));
        at += HASTEN_BLOCK_HEADER_SIZE + stored;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_recording(input_file(data, size));
    if (size < HASTEN_LOG_HEADER_SIZE || size > (1u << 20)) {
        return 0;
    }
    uint8_t *log = malloc(size);
    if (log != NULL) {
        memcpy(log, data, size);
        repair(log, size);
        read_recording(input_file(log, size));
    }
    free(log);
    return 0;
}
