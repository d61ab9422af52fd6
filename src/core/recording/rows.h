/* SPDX-License-Identifier: MIT
 *
 * Rows of a query, column by column, each of the type and range that is asked
 * for. The first fault is remembered; later columns answer zero. */
#ifndef HASTEN_RECORDING_ROWS_H
#define HASTEN_RECORDING_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

struct sqlite3;
struct sqlite3_stmt;

struct hasten_rows {
    struct sqlite3 *database;
    struct sqlite3_stmt *statement;
    const char *path;  /* borrowed, for messages */
    const char *table; /* borrowed */
    uint64_t row;      /* of the current row, from 0 */
    int column;
    bool started;
    const char *complaint; /* NULL: nothing wrong */
    struct hasten_error *error;
};

HASTEN_CHECKED hasten_status hasten_rows_init(struct hasten_rows *rows, struct sqlite3 *database,
                                              const char *path, const char *table, const char *sql,
                                              struct hasten_error *error);
void hasten_rows_done(struct hasten_rows *rows);
/* Goes to the next row. */
HASTEN_CHECKED hasten_status hasten_rows_next(struct hasten_rows *rows, bool *ret_more);

uint32_t hasten_rows_u32(struct hasten_rows *rows);
int32_t hasten_rows_i32(struct hasten_rows *rows);
int64_t hasten_rows_i64(struct hasten_rows *rows);
uint64_t hasten_rows_time(struct hasten_rows *rows); /* not negative */
/* Borrowed until the next row. */
const char *hasten_rows_text(struct hasten_rows *rows, size_t *ret_size);
const uint8_t *hasten_rows_blob(struct hasten_rows *rows, size_t *ret_size);
/* Fails the row unless `holds`. */
void hasten_rows_require(struct hasten_rows *rows, bool holds, const char *complaint);

/* The row's verdict: OK, NO_MEMORY, LIMIT, else CORRUPT for a complaint of the row
 * or a `status` that is not OK, with `complaint` as its reason. Fills the error. */
hasten_status hasten_rows_verdict(struct hasten_rows *rows, hasten_status status,
                                  const char *complaint);
/* Turns SQLite's code into a status and an error. */
hasten_status hasten_rows_sqlite_error(struct sqlite3 *database, int code, const char *path,
                                       struct hasten_error *error);

#endif
