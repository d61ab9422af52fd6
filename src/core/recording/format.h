/* SPDX-License-Identifier: MIT
 *
 * The constants of both forms of a recording. docs/formats/ has the words.
 *
 * The log, all fixed-width integers little-endian:
 *
 *   header, 40 bytes
 *   +--------+---------+-------------+-------------+---------------+----------+-------+
 *   | magic  | version | header size | interval_ns | wall_start_ns | reserved | crc   |
 *   | 8      | u32     | u32 = 40    | u64         | u64           | u32 = 0  | u32   |
 *   +--------+---------+-------------+-------------+---------------+----------+-------+
 *   then blocks until the end of the file, each with a header of 20 bytes
 *   +------+----------+---------+-------------+----------+-------------+------------+
 *   | type | encoding | zero    | stored size | raw size | payload crc | header crc |
 *   | u8   | u8       | u16 = 0 | u32         | u32      | u32         | u32        |
 *   +------+----------+---------+-------------+----------+-------------+------------+
 *   | payload, `stored size` bytes                                                  |
 *   +-------------------------------------------------------------------------------+
 *
 * A crc is CRC-32C of the header's bytes before it, or of the stored payload. */
#ifndef HASTEN_RECORDING_FORMAT_H
#define HASTEN_RECORDING_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* A log's first bytes: not text, and damaged by line-ending conversion. */
#define HASTEN_LOG_MAGIC "\x89HSTLOG\n"
#define HASTEN_LOG_MAGIC_SIZE 8
#define HASTEN_LOG_VERSION 2u
#define HASTEN_LOG_HEADER_SIZE 40u
#define HASTEN_BLOCK_HEADER_SIZE 20u

enum hasten_block_type {
    HASTEN_BLOCK_DEFINITIONS = 1, /* records, see below */
    HASTEN_BLOCK_SAMPLES = 2,     /* columns, see samples.h */
    HASTEN_BLOCK_VALUES = 3,      /* count, then (node, thread, metric, signed amount) */
    HASTEN_BLOCK_END = 4,         /* count of samples; nothing follows */
    HASTEN_BLOCK_POINTS = 5,      /* since version 2: count, then (series, time, value) */
};

enum hasten_block_encoding { HASTEN_ENCODING_PLAIN = 0, HASTEN_ENCODING_ZSTD = 1 };

/* Records of a definitions block: a tag byte, then varints (docs/formats/log.md
 * lists the fields). Identifiers are given by order: the first process is 0, the
 * first string 1 (0 is ""), the first node 1 (0 is the root). */
enum hasten_record_tag {
    HASTEN_RECORD_STRING = 1,
    HASTEN_RECORD_FACT = 2,
    HASTEN_RECORD_PROCESS = 3,
    HASTEN_RECORD_PROCESS_END = 4,
    HASTEN_RECORD_THREAD = 5,
    HASTEN_RECORD_THREAD_NAME = 6,
    HASTEN_RECORD_CODE = 7,
    HASTEN_RECORD_NODE = 8,
    HASTEN_RECORD_METRIC = 9,
    HASTEN_RECORD_SERIES = 10, /* since version 2 */
};

/* The version of the log that brought series and their points. */
#define HASTEN_LOG_VERSION_SERIES 2u

/* No payload is larger, stored or raw: holds any one record and a full buffer. */
#define HASTEN_BLOCK_LIMIT (1u << 24)
/* Samples in one block or chunk. */
#define HASTEN_CHUNK_SAMPLES 65536u
/* Slots stay below this, so that sums of them do not wrap. */
#define HASTEN_SLOT_LIMIT ((uint64_t)1 << 62)

/* Facts that come from the log itself, not from a producer. */
#define HASTEN_FACT_INTERVAL "interval_ns"
#define HASTEN_FACT_WALL_START "start.time_ns"        /* since the epoch */
#define HASTEN_FACT_INCOMPLETE "recording.incomplete" /* "1" where the end is missing */

/* The SQLite form: PRAGMA application_id ("HSTN") and user_version. */
#define HASTEN_SQLITE_APPLICATION_ID 0x4853544eu
#define HASTEN_SQLITE_VERSION 2u

static inline void hasten_put_u32(uint8_t *to, uint32_t value) {
    for (unsigned i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static inline void hasten_put_u64(uint8_t *to, uint64_t value) {
    hasten_put_u32(to, (uint32_t)value);
    hasten_put_u32(to + 4, (uint32_t)(value >> 32));
}

static inline uint32_t hasten_get_u32(const uint8_t *from) {
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++) {
        value |= (uint32_t)from[i] << (8 * i);
    }
    return value;
}

static inline uint64_t hasten_get_u64(const uint8_t *from) {
    return hasten_get_u32(from) | (uint64_t)hasten_get_u32(from + 4) << 32;
}

#endif
