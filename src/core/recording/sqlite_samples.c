/* SPDX-License-Identifier: MIT
 *
 * The time series of the SQLite form: chunk by chunk, each checked against its
 * row and the ones before. */
#include <string.h>

#include "core/recording/block.h"
#include "core/recording/rows.h"
#include "core/recording/samples.h"
#include "core/recording/sqlite_reader.h"

struct chunk_reader {
    struct hasten_samples_codec codec;
    struct hasten_samples_bounds bounds;
    struct hasten_packer packer;
    struct hasten_buffer columns;
    const struct hasten_sample *samples; /* in the codec */
};

/* How many rows a table has whose ids count up from 0; the limit bounds it. */
static hasten_status count_rows(struct sqlite3 *database, const char *path, const char *table,
                                const char *sql, uint32_t limit, size_t *ret_count,
                                struct hasten_error *error) {
    struct hasten_rows rows;
    bool more = false;
    hasten_status status = hasten_rows_init(&rows, database, path, table, sql, error);
    if (status == HASTEN_OK) {
        status = hasten_rows_next(&rows, &more);
    }
    if (status == HASTEN_OK && more) {
        uint64_t count = hasten_rows_time(&rows);
        hasten_rows_require(&rows, count <= limit, "there are too many rows");
        status = hasten_rows_verdict(&rows, HASTEN_OK, "");
        if (status == HASTEN_OK) {
            *ret_count = (size_t)count;
        }
    }
    hasten_rows_done(&rows);
    return status;
}

/* Decodes the chunk in the current row. */
static hasten_status take_chunk(struct hasten_rows *rows, struct chunk_reader *reader,
                                size_t *ret_count) {
    uint64_t first_slot = hasten_rows_time(rows);
    uint64_t last_slot = hasten_rows_time(rows);
    uint64_t count = hasten_rows_time(rows);
    size_t size = 0;
    const uint8_t *frame = hasten_rows_blob(rows, &size);
    if (rows->complaint != NULL) {
        return hasten_rows_verdict(rows, HASTEN_OK, "");
    }
    uint64_t raw_size = size == 0 ? 0 : hasten_unpacked_size(frame, size);
    hasten_rows_require(rows, raw_size > 0 && raw_size <= HASTEN_BLOCK_LIMIT,
                        "the size of its samples is out of range");
    hasten_status status = HASTEN_OK;
    const char *complaint = "its samples cannot be unpacked";
    size_t decoded = 0;
    if (rows->complaint == NULL) {
        status = hasten_unpack(&reader->packer, frame, size, (size_t)raw_size, &reader->columns);
    }
    if (rows->complaint == NULL && status == HASTEN_OK) {
        status = hasten_samples_decode(&reader->codec, (const uint8_t *)reader->columns.data,
                                       reader->columns.size, &reader->bounds, &reader->samples,
                                       &decoded, &complaint);
    }
    if (rows->complaint == NULL && status == HASTEN_OK) {
        hasten_rows_require(rows,
                            decoded == count && reader->samples[0].slot == first_slot &&
                                reader->samples[decoded - 1].slot == last_slot,
                            "its samples are not those that the row tells of");
    }
    status = hasten_rows_verdict(rows, status, complaint);
    if (status == HASTEN_OK) {
        reader->bounds.first_slot = last_slot;
        *ret_count = decoded;
    }
    return status;
}

static hasten_status read_chunks(struct hasten_rows *rows, struct chunk_reader *reader,
                                 int (*visit)(void *context, const struct hasten_sample *sample),
                                 void *context) {
    bool more = false;
    hasten_status status = hasten_rows_next(rows, &more);
    while (status == HASTEN_OK && more) {
        size_t count = 0;
        int64_t id = hasten_rows_i64(rows);
        hasten_rows_require(rows, id == (int64_t)rows->row + 1, "its id is not the next");
        status = take_chunk(rows, reader, &count);
        for (size_t i = 0; i < count; i++) {
            if (visit(context, &reader->samples[i]) != 0) {
                return HASTEN_OK;
            }
        }
        if (status == HASTEN_OK) {
            status = hasten_rows_next(rows, &more);
        }
    }
    return status;
}

hasten_status hasten_sqlite_samples(struct sqlite3 *database, const char *path,
                                    const struct hasten_allocator *allocator,
                                    int (*visit)(void *context, const struct hasten_sample *sample),
                                    void *context, struct hasten_error *error) {
    struct chunk_reader reader = {0};
    struct hasten_rows rows = {0};
    hasten_samples_codec_init(&reader.codec, allocator);
    hasten_buffer_init(&reader.columns, allocator);
    hasten_status status =
        count_rows(database, path, "node", "SELECT coalesce(max(id), 0) + 1 FROM node NOT INDEXED",
                   HASTEN_LIMIT_NODES, &reader.bounds.node_count, error);
    if (status == HASTEN_OK) {
        status = count_rows(database, path, "thread",
                            "SELECT coalesce(max(id), -1) + 1 FROM thread NOT INDEXED",
                            HASTEN_LIMIT_THREADS, &reader.bounds.thread_count, error);
    }
    if (status == HASTEN_OK) {
        status = hasten_rows_init(&rows, database, path, "sample_chunk",
                                  "SELECT id, first_slot, last_slot, count, samples "
                                  "FROM sample_chunk NOT INDEXED ORDER BY id",
                                  error);
    }
    if (status == HASTEN_OK) {
        status = read_chunks(&rows, &reader, visit, context);
    }
    hasten_rows_done(&rows);
    hasten_samples_codec_done(&reader.codec);
    hasten_packer_done(&reader.packer);
    hasten_buffer_done(&reader.columns);
    return status;
}
