/* SPDX-License-Identifier: MIT
 *
 * The temporary file, chunks of samples, and taking the log's place. */
#include "core/recording/sqlite_writer.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/recording/file.h"
#include "core/recording/sqlite_rows.h"

/* Beside the recording, so that the rename stays in one file system. A leftover
 * of a killed run is overwritten by the next. */
#define TEMPORARY_SUFFIX "-new"
/* zstd: smaller still fast enough; higher levels gain little on these columns. */
#define CHUNK_LEVEL 3

/* The file is useless until it is renamed, so nothing protects it before:
 * no journal, no syncing, no locks. */
static const char settings[] = "PRAGMA page_size=4096;"
                               "PRAGMA journal_mode=OFF;"
                               "PRAGMA synchronous=OFF;"
                               "PRAGMA cache_size=-4096;"
                               "PRAGMA temp_store=MEMORY;"
                               "BEGIN";

/* Turns SQLite's failure into ours, with its words. */
static hasten_status fail(struct hasten_sqlite_writer *writer, int code) {
    int primary = code & 0xff;
    int error_number = 0;
    hasten_status status = HASTEN_IO;
    if (writer->database != NULL) {
        sqlite3_file_control(writer->database, "main", SQLITE_FCNTL_LAST_ERRNO, &error_number);
    }
    if (primary == SQLITE_NOMEM) {
        status = HASTEN_NO_MEMORY;
    } else if (primary == SQLITE_FULL) {
        status = HASTEN_NO_SPACE;
    } else if (primary == SQLITE_IOERR && error_number != 0) {
        status = hasten_file_status(error_number);
    }
    writer->failure = status;
    return hasten_error_set(
        writer->error, status, -1, "cannot write \"%.*s\": %s; the recording itself is unharmed",
        HASTEN_PATH_SHOWN, writer->temporary,
        status == HASTEN_NO_SPACE ? hasten_status_sentence(status) : sqlite3_errstr(code));
}

static hasten_status out_of_memory(struct hasten_sqlite_writer *writer) {
    writer->failure = HASTEN_NO_MEMORY;
    return hasten_error_set(writer->error, HASTEN_NO_MEMORY, -1, "out of memory");
}

/* Who may read the recording may read it afterwards, and nobody else. */
static void keep_mode(const struct hasten_sqlite_writer *writer) {
    struct stat state;
    if (stat(writer->path, &state) == 0) {
        (void)chmod(writer->temporary, state.st_mode & 0777);
    }
}

static hasten_status open_database(struct hasten_sqlite_writer *writer) {
    if (unlink(writer->temporary) != 0 && errno != ENOENT) {
        writer->failure = hasten_file_error(writer->error, errno, "replace", writer->temporary);
        return writer->failure;
    }
    int code = sqlite3_open_v2(writer->temporary, &writer->database,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_EXRESCODE,
                               "unix-none");
    if (code == SQLITE_OK) {
        keep_mode(writer);
        code = sqlite3_exec(writer->database, settings, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        char versions[96];
        snprintf(versions, sizeof versions, "PRAGMA application_id=%u; PRAGMA user_version=%u",
                 HASTEN_SQLITE_APPLICATION_ID, HASTEN_SQLITE_VERSION);
        code = sqlite3_exec(writer->database, versions, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = hasten_sqlite_create_tables(writer->database);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_prepare_v2(writer->database,
                                  "INSERT INTO sample_chunk VALUES(NULL, ?, ?, ?, ?)", -1,
                                  &writer->insert_chunk, NULL);
    }
    return code == SQLITE_OK ? HASTEN_OK : fail(writer, code);
}

hasten_status hasten_sqlite_writer_init(struct hasten_sqlite_writer *writer, const char *path,
                                        const struct hasten_allocator *allocator,
                                        struct hasten_error *error) {
    *writer = (struct hasten_sqlite_writer){.allocator = allocator, .path = path, .error = error};
    hasten_samples_codec_init(&writer->codec, allocator);
    hasten_buffer_init(&writer->columns, allocator);
    hasten_buffer_init(&writer->frame, allocator);
    writer->temporary_size = strlen(path) + sizeof TEMPORARY_SUFFIX;
    writer->temporary = hasten_allocate(allocator, writer->temporary_size);
    writer->samples = hasten_allocate(allocator, HASTEN_CHUNK_SAMPLES * sizeof *writer->samples);
    hasten_status status = HASTEN_OK;
    if (writer->temporary == NULL || writer->samples == NULL) {
        status = out_of_memory(writer);
    } else {
        snprintf(writer->temporary, writer->temporary_size, "%s%s", path, TEMPORARY_SUFFIX);
        status = open_database(writer);
    }
    if (status != HASTEN_OK) {
        hasten_sqlite_writer_done(writer);
    }
    return status;
}

static hasten_status write_chunk(struct hasten_sqlite_writer *writer) {
    size_t count = writer->sample_count;
    if (count == 0) {
        return HASTEN_OK;
    }
    hasten_buffer_clear(&writer->columns);
    hasten_buffer_clear(&writer->frame);
    if (hasten_samples_encode(&writer->codec, writer->samples, count, &writer->columns) !=
            HASTEN_OK ||
        hasten_pack(&writer->packer, writer->columns.data, writer->columns.size, CHUNK_LEVEL, true,
                    &writer->frame) != HASTEN_OK) {
        return out_of_memory(writer);
    }
    sqlite3_stmt *statement = writer->insert_chunk;
    sqlite3_bind_int64(statement, 1, (int64_t)writer->samples[0].slot);
    sqlite3_bind_int64(statement, 2, (int64_t)writer->samples[count - 1].slot);
    sqlite3_bind_int64(statement, 3, (int64_t)count);
    int code =
        sqlite3_bind_blob64(statement, 4, writer->frame.data, writer->frame.size, SQLITE_STATIC);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        code = code == SQLITE_DONE ? sqlite3_reset(statement) : code;
    }
    writer->sample_count = 0;
    return code == SQLITE_OK ? HASTEN_OK : fail(writer, code);
}

int hasten_sqlite_writer_samples(void *context, const struct hasten_sample *samples, size_t count) {
    struct hasten_sqlite_writer *writer = context;
    while (count > 0) {
        size_t room = HASTEN_CHUNK_SAMPLES - writer->sample_count;
        size_t step = count < room ? count : room;
        memcpy(writer->samples + writer->sample_count, samples, step * sizeof *samples);
        writer->sample_count += step;
        samples += step;
        count -= step;
        if (writer->sample_count == HASTEN_CHUNK_SAMPLES && write_chunk(writer) != HASTEN_OK) {
            return -1;
        }
    }
    return 0;
}

hasten_status hasten_sqlite_writer_finish(struct hasten_sqlite_writer *writer,
                                          const struct hasten_profile *profile) {
    hasten_status status = write_chunk(writer);
    if (status != HASTEN_OK) {
        return status;
    }
    int code = hasten_sqlite_insert_profile(writer->database, profile, writer->allocator);
    if (code == SQLITE_OK) {
        code = sqlite3_exec(writer->database, "COMMIT", NULL, NULL, NULL);
    }
    sqlite3_finalize(writer->insert_chunk);
    writer->insert_chunk = NULL;
    if (code == SQLITE_OK) {
        code = sqlite3_close(writer->database);
        writer->database = code == SQLITE_OK ? NULL : writer->database;
    }
    if (code != SQLITE_OK) {
        return fail(writer, code);
    }
    if (hasten_file_replace(writer->temporary, writer->path) != 0) {
        writer->failure = hasten_file_error(writer->error, errno, "replace", writer->path);
        return writer->failure;
    }
    hasten_release(writer->allocator, writer->temporary, writer->temporary_size);
    writer->temporary = NULL;
    return HASTEN_OK;
}

void hasten_sqlite_writer_done(struct hasten_sqlite_writer *writer) {
    sqlite3_finalize(writer->insert_chunk);
    sqlite3_close(writer->database);
    if (writer->temporary != NULL) {
        unlink(writer->temporary);
    }
    hasten_release(writer->allocator, writer->temporary, writer->temporary_size);
    hasten_release(writer->allocator, writer->samples,
                   HASTEN_CHUNK_SAMPLES * sizeof *writer->samples);
    hasten_samples_codec_done(&writer->codec);
    hasten_packer_done(&writer->packer);
    hasten_buffer_done(&writer->columns);
    hasten_buffer_done(&writer->frame);
    writer->insert_chunk = NULL;
    writer->database = NULL;
    writer->temporary = NULL;
    writer->samples = NULL;
}
