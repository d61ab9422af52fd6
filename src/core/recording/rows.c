/* SPDX-License-Identifier: MIT
 *
 * Stepping through a statement with typed, checked columns. */
#include "core/recording/rows.h"

#include <sqlite3.h>

#include "core/recording/file.h"

hasten_status hasten_rows_sqlite_error(struct sqlite3 *database, int code, const char *path,
                                       struct hasten_error *error) {
    const char *reason = database == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(database);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return hasten_error_set(error, HASTEN_IO, -1, "cannot read \"%.*s\": %s", HASTEN_PATH_SHOWN,
                                path, reason);
    default:
        return hasten_error_set(error, HASTEN_CORRUPT, -1, "\"%.*s\" is damaged: %s",
                                HASTEN_PATH_SHOWN, path, reason);
    }
}

hasten_status hasten_rows_init(struct hasten_rows *rows, struct sqlite3 *database, const char *path,
                               const char *table, const char *sql, struct hasten_error *error) {
    *rows =
        (struct hasten_rows){.database = database, .path = path, .table = table, .error = error};
    int code = sqlite3_prepare_v2(database, sql, -1, &rows->statement, NULL);
    return code == SQLITE_OK ? HASTEN_OK : hasten_rows_sqlite_error(database, code, path, error);
}

void hasten_rows_done(struct hasten_rows *rows) {
    sqlite3_finalize(rows->statement);
    rows->statement = NULL;
}

hasten_status hasten_rows_next(struct hasten_rows *rows, bool *ret_more) {
    int code = sqlite3_step(rows->statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return hasten_rows_sqlite_error(rows->database, code, rows->path, rows->error);
    }
    rows->row += rows->started;
    rows->started = true;
    rows->column = 0;
    rows->complaint = NULL;
    *ret_more = code == SQLITE_ROW;
    return HASTEN_OK;
}

void hasten_rows_require(struct hasten_rows *rows, bool holds, const char *complaint) {
    if (!holds && rows->complaint == NULL) {
        rows->complaint = complaint;
    }
}

int64_t hasten_rows_i64(struct hasten_rows *rows) {
    int column = rows->column++;
    hasten_rows_require(rows, sqlite3_column_type(rows->statement, column) == SQLITE_INTEGER,
                        "a column is not a number");
    return rows->complaint == NULL ? sqlite3_column_int64(rows->statement, column) : 0;
}

uint32_t hasten_rows_u32(struct hasten_rows *rows) {
    int64_t value = hasten_rows_i64(rows);
    hasten_rows_require(rows, value >= 0 && value <= UINT32_MAX, "a number is out of range");
    return rows->complaint == NULL ? (uint32_t)value : 0;
}

int32_t hasten_rows_i32(struct hasten_rows *rows) {
    int64_t value = hasten_rows_i64(rows);
    hasten_rows_require(rows, value >= INT32_MIN && value <= INT32_MAX, "a number is out of range");
    return rows->complaint == NULL ? (int32_t)value : 0;
}

uint64_t hasten_rows_time(struct hasten_rows *rows) {
    int64_t value = hasten_rows_i64(rows);
    hasten_rows_require(rows, value >= 0, "a number is out of range");
    return rows->complaint == NULL ? (uint64_t)value : 0;
}

const char *hasten_rows_text(struct hasten_rows *rows, size_t *ret_size) {
    int column = rows->column++;
    hasten_rows_require(rows, sqlite3_column_type(rows->statement, column) == SQLITE_TEXT,
                        "a column is not text");
    /* The text before the size: the call may convert. */
    const unsigned char *text =
        rows->complaint == NULL ? sqlite3_column_text(rows->statement, column) : NULL;
    *ret_size = text == NULL ? 0 : (size_t)sqlite3_column_bytes(rows->statement, column);
    return text == NULL ? "" : (const char *)text;
}

const uint8_t *hasten_rows_blob(struct hasten_rows *rows, size_t *ret_size) {
    int column = rows->column++;
    hasten_rows_require(rows, sqlite3_column_type(rows->statement, column) == SQLITE_BLOB,
                        "a column is not a blob");
    const void *blob =
        rows->complaint == NULL ? sqlite3_column_blob(rows->statement, column) : NULL;
    *ret_size = blob == NULL ? 0 : (size_t)sqlite3_column_bytes(rows->statement, column);
    return blob;
}

hasten_status hasten_rows_verdict(struct hasten_rows *rows, hasten_status status,
                                  const char *complaint) {
    if (status == HASTEN_NO_MEMORY) {
        return hasten_error_set(rows->error, status, -1, "out of memory");
    }
    if (rows->complaint == NULL && status == HASTEN_OK) {
        return HASTEN_OK;
    }
    if (rows->complaint == NULL && status == HASTEN_LIMIT) {
        return hasten_error_set(rows->error, status, -1,
                                "\"%.*s\" is larger than hasten can read: %s", HASTEN_PATH_SHOWN,
                                rows->path, complaint);
    }
    return hasten_error_set(rows->error, HASTEN_CORRUPT, -1,
                            "\"%.*s\" is damaged in row %llu of table %s: %s", HASTEN_PATH_SHOWN,
                            rows->path, (unsigned long long)rows->row, rows->table,
                            rows->complaint != NULL ? rows->complaint : complaint);
}
