/* SPDX-License-Identifier: MIT
 *
 * Opening the SQLite form safely and reading its rows. Keys must be what they
 * count up to: that also ends the reading of a file whose pages point in
 * circles. */
#include "core/recording/sqlite_reader.h"

#include <sqlite3.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/recording/block.h"
#include "core/recording/file.h"
#include "core/recording/rows.h"
#include "core/recording/samples.h"
#include "core/recording/schema.h"

static const char magic[16] = "SQLite format 3";

bool hasten_sqlite_is_magic(const uint8_t *bytes, size_t size) {
    size_t compared = size < sizeof magic ? size : sizeof magic;
    return compared > 0 && memcmp(bytes, magic, compared) == 0;
}

/* SQLite's header is big-endian. */
static uint32_t get_big(const uint8_t *from) {
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* Places in SQLite's header (its file format, section 1.3). */
#define AT_PAGE_SIZE 16
#define AT_PAGE_COUNT 28
#define AT_USER_VERSION 60
#define AT_APPLICATION_ID 68

hasten_status hasten_sqlite_check_header(const uint8_t *header, size_t size, uint64_t file_size,
                                         const char *path, struct hasten_error *error) {
    if (size < HASTEN_SQLITE_HEADER_SIZE) {
        return hasten_error_set(error, HASTEN_TRUNCATED, (int64_t)size,
                                "\"%.*s\" is truncated: it ends at byte %llu, inside its header",
                                HASTEN_PATH_SHOWN, path, (unsigned long long)size);
    }
    if (get_big(header + AT_APPLICATION_ID) != HASTEN_SQLITE_APPLICATION_ID) {
        return hasten_error_set(error, HASTEN_NOT_RECORDING, AT_APPLICATION_ID,
                                "\"%.*s\" is not a recording: it is the SQLite database of "
                                "another program",
                                HASTEN_PATH_SHOWN, path);
    }
    uint32_t version = get_big(header + AT_USER_VERSION);
    if (version > HASTEN_SQLITE_VERSION) {
        return hasten_error_set(error, HASTEN_NEWER, AT_USER_VERSION,
                                "\"%.*s\" has recording format %u, but this hasten knows only up "
                                "to %u: read it with a newer hasten",
                                HASTEN_PATH_SHOWN, path, (unsigned)version, HASTEN_SQLITE_VERSION);
    }
    if (version == 0) {
        return hasten_error_set(error, HASTEN_CORRUPT, AT_USER_VERSION,
                                "\"%.*s\" is damaged at byte %d: its format has no version",
                                HASTEN_PATH_SHOWN, path, AT_USER_VERSION);
    }
    uint64_t page_size = (uint64_t)header[AT_PAGE_SIZE] << 8 | header[AT_PAGE_SIZE + 1];
    page_size = page_size == 1 ? 65536 : page_size;
    uint64_t whole_size = page_size * get_big(header + AT_PAGE_COUNT);
    if (file_size < whole_size) {
        return hasten_error_set(error, HASTEN_TRUNCATED, (int64_t)file_size,
                                "\"%.*s\" is truncated: it ends at byte %llu of %llu",
                                HASTEN_PATH_SHOWN, path, (unsigned long long)file_size,
                                (unsigned long long)whole_size);
    }
    return HASTEN_OK;
}

/* The path as a URI: immutable=1 takes no locks, and looks for no journal that
 * somebody put beside the file. */
static void append_uri(struct hasten_buffer *uri, const char *path) {
    hasten_buffer_text(uri, path[0] == '/' ? "file://" : "file:");
    for (const char *at = path; *at != '\0'; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || strchr("/._-", *at) != NULL;
        if (plain) {
            hasten_buffer_byte(uri, (uint8_t)*at);
        } else {
            hasten_buffer_format(uri, "%%%02x", (unsigned)(uint8_t)*at);
        }
    }
    hasten_buffer_text(uri, "?immutable=1");
}

/* Nothing that the file's schema says may run, and nothing may grow large. */
static int restrict_database(sqlite3 *database) {
    static const struct {
        int option;
        int value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof options / sizeof options[0] && code == SQLITE_OK; i++) {
        code = sqlite3_db_config(database, options[i].option, options[i].value, NULL);
    }
    sqlite3_limit(database, SQLITE_LIMIT_LENGTH, (int)HASTEN_BLOCK_LIMIT);
    sqlite3_limit(database, SQLITE_LIMIT_SQL_LENGTH, 1 << 16);
    sqlite3_limit(database, SQLITE_LIMIT_COLUMN, 64);
    sqlite3_limit(database, SQLITE_LIMIT_EXPR_DEPTH, 50);
    sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
    if (code == SQLITE_OK) {
        code = sqlite3_exec(database,
                            "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
                            "PRAGMA temp_store=MEMORY",
                            NULL, NULL, NULL);
    }
    return code;
}

/* The table's text in the file must be ours: so it is a real table, with our
 * columns and nothing that computes. */
static hasten_status check_table(sqlite3 *database, const char *path, const char *name,
                                 const char *sql, struct hasten_error *error) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database,
                                  "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? "
                                  "AND tbl_name = name AND sql = ? AND rootpage > 0",
                                  -1, &statement, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, sql, -1, SQLITE_STATIC);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    if (code == SQLITE_DONE) {
        return hasten_error_set(error, HASTEN_CORRUPT, -1,
                                "\"%.*s\" is damaged: table %s is missing or not as this version "
                                "of the format has it",
                                HASTEN_PATH_SHOWN, path, name);
    }
    return code == SQLITE_ROW ? HASTEN_OK : hasten_rows_sqlite_error(database, code, path, error);
}

/* The version of the format that the file has. */
static hasten_status read_version(sqlite3 *database, const char *path, uint32_t *ret_version,
                                  struct hasten_error *error) {
    struct hasten_rows rows;
    bool more = false;
    hasten_status status =
        hasten_rows_init(&rows, database, path, "sqlite_master", "PRAGMA user_version", error);
    if (status == HASTEN_OK) {
        status = hasten_rows_next(&rows, &more);
    }
    if (status == HASTEN_OK) {
        uint32_t version = hasten_rows_u32(&rows);
        status = hasten_rows_verdict(&rows, HASTEN_OK, "");
        *ret_version = status == HASTEN_OK ? version : *ret_version;
    }
    hasten_rows_done(&rows);
    return status;
}

static hasten_status check_tables(sqlite3 *database, const char *path, struct hasten_error *error) {
    uint32_t version = 0;
    hasten_status status = read_version(database, path, &version, error);
    for (size_t i = 0; i < hasten_schema_table_count && status == HASTEN_OK; i++) {
        const struct hasten_schema_object *table = &hasten_schema_tables[i];
        if (table->since <= version) {
            status = check_table(database, path, table->name, table->sql, error);
        }
    }
    return status;
}

hasten_status hasten_sqlite_open(const char *path, const struct hasten_allocator *allocator,
                                 struct sqlite3 **ret_database, struct hasten_error *error) {
    struct hasten_buffer uri;
    hasten_buffer_init(&uri, allocator);
    append_uri(&uri, path);
    const char *text = hasten_buffer_cstring(&uri);
    if (uri.failed) {
        hasten_buffer_done(&uri);
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    sqlite3 *database = NULL;
    int code = sqlite3_open_v2(text, &database,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE,
                               NULL);
    hasten_buffer_done(&uri);
    if (code == SQLITE_OK) {
        code = restrict_database(database);
    }
    hasten_status status = code == SQLITE_OK
                               ? check_tables(database, path, error)
                               : hasten_rows_sqlite_error(database, code, path, error);
    if (status != HASTEN_OK) {
        sqlite3_close(database);
        return status;
    }
    *ret_database = database;
    return HASTEN_OK;
}

void hasten_sqlite_close(struct sqlite3 *database) {
    sqlite3_close(database);
}

/* Each take_ function gives one row to the builder. */

static hasten_status take_string(struct hasten_rows *rows, struct hasten_builder *builder) {
    size_t size = 0;
    const char *text = hasten_rows_text(rows, &size);
    if (rows->row == 0) { /* the builder has "" already */
        hasten_rows_require(rows, size == 0, "string 0 is not empty");
        return HASTEN_OK;
    }
    return rows->complaint != NULL ? HASTEN_OK : hasten_builder_string(builder, text, size);
}

static hasten_status take_fact(struct hasten_rows *rows, struct hasten_builder *builder) {
    size_t name_size = 0;
    size_t value_size = 0;
    const char *name = hasten_rows_text(rows, &name_size);
    const char *value = hasten_rows_text(rows, &value_size);
    return rows->complaint != NULL
               ? HASTEN_OK
               : hasten_builder_fact_text(builder, name, name_size, value, value_size);
}

static hasten_status take_process(struct hasten_rows *rows, struct hasten_builder *builder) {
    struct hasten_process process = {0};
    process.pid = hasten_rows_u32(rows);
    process.parent_pid = hasten_rows_u32(rows);
    process.python_version = hasten_rows_u32(rows);
    process.command = hasten_rows_u32(rows);
    process.executable = hasten_rows_u32(rows);
    process.label = hasten_rows_u32(rows);
    process.start_ns = hasten_rows_time(rows);
    process.end_ns = hasten_rows_time(rows);
    return rows->complaint != NULL ? HASTEN_OK : hasten_builder_process(builder, &process);
}

static hasten_status take_thread(struct hasten_rows *rows, struct hasten_builder *builder) {
    struct hasten_thread thread = {0};
    thread.process = hasten_rows_u32(rows);
    thread.tid = hasten_rows_u32(rows);
    thread.name = hasten_rows_u32(rows);
    thread.is_main = hasten_rows_u32(rows);
    thread.start_ns = hasten_rows_time(rows);
    thread.end_ns = hasten_rows_time(rows);
    thread.samples = hasten_rows_time(rows);
    return rows->complaint != NULL ? HASTEN_OK : hasten_builder_thread(builder, &thread);
}

static hasten_status take_code(struct hasten_rows *rows, struct hasten_builder *builder) {
    struct hasten_code code = {0};
    size_t size = 0;
    code.process = hasten_rows_u32(rows);
    code.file = hasten_rows_u32(rows);
    code.name = hasten_rows_u32(rows);
    code.qualname = hasten_rows_u32(rows);
    code.first_line = hasten_rows_i32(rows);
    code.linetable = hasten_rows_blob(rows, &size);
    code.linetable_size = (uint32_t)size; /* under SQLITE_LIMIT_LENGTH */
    return rows->complaint != NULL ? HASTEN_OK : hasten_builder_code(builder, &code);
}

static hasten_status take_node(struct hasten_rows *rows, struct hasten_builder *builder) {
    struct hasten_node node = {0};
    node.parent = hasten_rows_u32(rows);
    node.code = hasten_rows_u32(rows);
    node.instruction = hasten_rows_u32(rows);
    return rows->complaint != NULL ? HASTEN_OK : hasten_builder_node(builder, &node);
}

/* Columns of text, in their order. */
static hasten_status take_texts(struct hasten_rows *rows, struct hasten_builder *builder,
                                uint32_t *const *ret_strings, size_t count) {
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < count && status == HASTEN_OK; i++) {
        size_t size = 0;
        const char *text = hasten_rows_text(rows, &size);
        status = hasten_builder_intern(builder, text, size, ret_strings[i]);
    }
    return status;
}

static hasten_status take_metric(struct hasten_rows *rows, struct hasten_builder *builder) {
    struct hasten_metric metric = {0};
    uint32_t *strings[] = {&metric.name, &metric.unit, &metric.description};
    hasten_status status = take_texts(rows, builder, strings, sizeof strings / sizeof strings[0]);
    if (status != HASTEN_OK || rows->complaint != NULL) {
        return status;
    }
    return hasten_builder_metric(builder, &metric);
}

static hasten_status take_value(struct hasten_rows *rows, struct hasten_builder *builder) {
    const struct hasten_profile *profile = builder->profile;
    struct hasten_value value = {0};
    value.node = hasten_rows_u32(rows);
    value.thread = hasten_rows_u32(rows);
    value.metric = hasten_rows_u32(rows);
    value.amount = hasten_rows_i64(rows);
    if (profile->value_count > 0) {
        const struct hasten_value *last = &profile->values[profile->value_count - 1];
        bool after = value.node != last->node       ? value.node > last->node
                     : value.thread != last->thread ? value.thread > last->thread
                                                    : value.metric > last->metric;
        hasten_rows_require(rows, after, "its key is not after the one before");
    }
    return rows->complaint != NULL ? HASTEN_OK : hasten_builder_value(builder, &value);
}

static hasten_status take_series(struct hasten_rows *rows, struct hasten_builder *builder) {
    struct hasten_series series = {.process = hasten_rows_u32(rows)};
    uint32_t *strings[] = {&series.name, &series.unit, &series.description};
    hasten_status status = take_texts(rows, builder, strings, sizeof strings / sizeof strings[0]);
    if (status != HASTEN_OK || rows->complaint != NULL) {
        return status;
    }
    return hasten_builder_series(builder, &series);
}

static hasten_status take_point(struct hasten_rows *rows, struct hasten_builder *builder) {
    uint32_t index = hasten_rows_u32(rows);
    uint64_t time_ns = hasten_rows_time(rows);
    int64_t value = hasten_rows_i64(rows);
    if (rows->complaint == NULL && index < builder->profile->series_count) {
        const struct hasten_series *series = &builder->profile->series[index];
        hasten_rows_require(rows,
                            series->point_count == 0 ||
                                time_ns > series->points[series->point_count - 1].time_ns,
                            "its key is not after the one before");
    }
    return rows->complaint != NULL ? HASTEN_OK
                                   : hasten_builder_point(builder, index, time_ns, value);
}

struct table_reader {
    const char *table;
    const char *sql;
    int64_t first_id; /* ids count up from it; -1: the table has none */
    uint32_t since;   /* the version that brought the table */
    hasten_status (*take)(struct hasten_rows *rows, struct hasten_builder *builder);
};

/* NOT INDEXED: an index of the file's own making may say anything. */
static const struct table_reader readers[] = {
    {"string", "SELECT id, text FROM string NOT INDEXED ORDER BY id", 0, 1, take_string},
    {"fact", "SELECT name, value FROM fact NOT INDEXED", -1, 1, take_fact},
    {"process",
     "SELECT id, pid, parent_pid, python_version, command, executable, label, start_ns, end_ns "
     "FROM process NOT INDEXED ORDER BY id",
     0, 1, take_process},
    {"thread",
     "SELECT id, process, tid, name, is_main, start_ns, end_ns, samples "
     "FROM thread NOT INDEXED ORDER BY id",
     0, 1, take_thread},
    {"code",
     "SELECT id, process, file, name, qualname, first_line, linetable "
     "FROM code NOT INDEXED ORDER BY id",
     0, 1, take_code},
    {"node", "SELECT id, parent, code, instruction FROM node NOT INDEXED ORDER BY id", 1, 1,
     take_node},
    {"metric", "SELECT id, name, unit, description FROM metric NOT INDEXED ORDER BY id", 0, 1,
     take_metric},
    {"value", "SELECT node, thread, metric, amount FROM value NOT INDEXED", -1, 1, take_value},
    {"series", "SELECT id, process, name, unit, description FROM series NOT INDEXED ORDER BY id", 0,
     2, take_series},
    {"point", "SELECT series, time_ns, value FROM point NOT INDEXED", -1, 2, take_point},
};

static hasten_status load_table(sqlite3 *database, const char *path,
                                const struct table_reader *reader, struct hasten_builder *builder,
                                struct hasten_error *error) {
    struct hasten_rows rows;
    bool more = true;
    hasten_status status =
        hasten_rows_init(&rows, database, path, reader->table, reader->sql, error);
    if (status == HASTEN_OK) {
        status = hasten_rows_next(&rows, &more);
    }
    while (status == HASTEN_OK && more) {
        if (reader->first_id >= 0) {
            int64_t id = hasten_rows_i64(&rows);
            hasten_rows_require(&rows, id == reader->first_id + (int64_t)rows.row,
                                "its id is not the next");
        }
        hasten_status taken = reader->take(&rows, builder);
        status = hasten_rows_verdict(&rows, taken, builder->complaint);
        if (status == HASTEN_OK) {
            status = hasten_rows_next(&rows, &more);
        }
    }
    hasten_rows_done(&rows);
    return status;
}

hasten_status hasten_sqlite_load(struct sqlite3 *database, const char *path,
                                 struct hasten_builder *builder, struct hasten_error *error) {
    uint32_t version = 0;
    hasten_status status = read_version(database, path, &version, error);
    for (size_t i = 0; i < sizeof readers / sizeof readers[0] && status == HASTEN_OK; i++) {
        if (readers[i].since <= version) {
            status = load_table(database, path, &readers[i], builder, error);
        }
    }
    return status;
}
