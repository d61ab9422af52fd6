/* SPDX-License-Identifier: MIT
 *
 * Recordings as files: tells the two forms apart and puts readers and the
 * writer together. */
#include "hasten/recording.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/recording/file.h"
#include "core/recording/log_model.h"
#include "core/recording/sqlite_reader.h"
#include "core/recording/sqlite_writer.h"

enum form { FORM_LOG, FORM_SQLITE };

/* An opened recording whose first bytes are known. */
struct source {
    int descriptor;
    uint64_t size;
    enum form form;
};

/* Recognises the form by the first bytes. */
static hasten_status recognise(const char *path, struct source *source,
                               struct hasten_error *error) {
    uint8_t header[HASTEN_SQLITE_HEADER_SIZE] = {0};
    int64_t size = hasten_file_read(source->descriptor, header, sizeof header, 0);
    if (size < 0) {
        return hasten_file_error(error, errno, "read", path);
    }
    if (size == 0) {
        return hasten_error_set(error, HASTEN_NOT_RECORDING, 0,
                                "\"%.*s\" is not a recording: it is empty", HASTEN_PATH_SHOWN,
                                path);
    }
    if (hasten_log_is_magic(header, (size_t)size)) {
        source->form = FORM_LOG;
        return HASTEN_OK;
    }
    if (hasten_sqlite_is_magic(header, (size_t)size)) {
        source->form = FORM_SQLITE;
        return hasten_sqlite_check_header(header, (size_t)size, source->size, path, error);
    }
    return hasten_error_set(error, HASTEN_NOT_RECORDING, 0,
                            "\"%.*s\" is not a recording: it does not begin like one",
                            HASTEN_PATH_SHOWN, path);
}

static hasten_status open_source(const char *path, struct source *ret_source,
                                 struct hasten_error *error) {
    struct source source = {.descriptor = -1};
    hasten_status status = hasten_file_open(path, &source.descriptor, &source.size, error);
    if (status != HASTEN_OK) {
        return status;
    }
    status = recognise(path, &source, error);
    if (status != HASTEN_OK) {
        close(source.descriptor);
        return status;
    }
    *ret_source = source;
    return HASTEN_OK;
}

static hasten_status load_log(const struct source *source, const char *path,
                              const struct hasten_allocator *allocator,
                              struct hasten_profile **ret_profile, struct hasten_error *error) {
    struct hasten_log_model model;
    hasten_status status =
        hasten_log_model_init(&model, path, source->descriptor, source->size, allocator, error);
    if (status != HASTEN_OK) {
        return status;
    }
    status = hasten_log_model_read(&model, true, NULL, NULL, error);
    if (status == HASTEN_OK) {
        status = hasten_log_model_finish(&model, error);
    }
    if (status == HASTEN_OK) {
        *ret_profile = hasten_builder_take(&model.builder);
    }
    hasten_log_model_done(&model);
    return status;
}

static hasten_status load_sqlite(const char *path, const struct hasten_allocator *allocator,
                                 struct hasten_profile **ret_profile, struct hasten_error *error) {
    struct sqlite3 *database = NULL;
    hasten_status status = hasten_sqlite_open(path, allocator, &database, error);
    if (status != HASTEN_OK) {
        return status;
    }
    struct hasten_builder builder;
    status = hasten_builder_init(&builder, allocator);
    if (status != HASTEN_OK) {
        hasten_sqlite_close(database);
        return hasten_error_set(error, status, -1, "out of memory");
    }
    status = hasten_sqlite_load(database, path, &builder, error);
    if (status == HASTEN_OK) {
        *ret_profile = hasten_builder_take(&builder);
    }
    hasten_builder_done(&builder);
    hasten_sqlite_close(database);
    return status;
}

hasten_status hasten_recording_load(const char *path, const struct hasten_allocator *allocator,
                                    struct hasten_profile **ret_profile,
                                    struct hasten_error *error) {
    struct source source;
    hasten_status status = open_source(path, &source, error);
    if (status != HASTEN_OK) {
        return status;
    }
    status = source.form == FORM_LOG ? load_log(&source, path, allocator, ret_profile, error)
                                     : load_sqlite(path, allocator, ret_profile, error);
    close(source.descriptor);
    return status;
}

/* Passes a block's samples on one by one. */
struct visitor {
    int (*visit)(void *context, const struct hasten_sample *sample);
    void *context;
};

static int visit_all(void *context, const struct hasten_sample *samples, size_t count) {
    const struct visitor *visitor = context;
    for (size_t i = 0; i < count; i++) {
        int answer = visitor->visit(visitor->context, &samples[i]);
        if (answer != 0) {
            return answer;
        }
    }
    return 0;
}

static hasten_status log_samples(const struct source *source, const char *path,
                                 const struct hasten_allocator *allocator, struct visitor *visitor,
                                 struct hasten_error *error) {
    struct hasten_log_model model;
    hasten_status status =
        hasten_log_model_init(&model, path, source->descriptor, source->size, allocator, error);
    if (status != HASTEN_OK) {
        return status;
    }
    status = hasten_log_model_read(&model, false, visit_all, visitor, error);
    hasten_log_model_done(&model);
    return status;
}

hasten_status hasten_recording_samples(const char *path, const struct hasten_allocator *allocator,
                                       int (*visit)(void *context,
                                                    const struct hasten_sample *sample),
                                       void *context, struct hasten_error *error) {
    struct source source;
    hasten_status status = open_source(path, &source, error);
    if (status != HASTEN_OK) {
        return status;
    }
    if (source.form == FORM_LOG) {
        struct visitor visitor = {.visit = visit, .context = context};
        status = log_samples(&source, path, allocator, &visitor, error);
    } else {
        struct sqlite3 *database = NULL;
        status = hasten_sqlite_open(path, allocator, &database, error);
        if (status == HASTEN_OK) {
            status = hasten_sqlite_samples(database, path, allocator, visit, context, error);
            hasten_sqlite_close(database);
        }
    }
    close(source.descriptor);
    return status;
}

static hasten_status finalize_log(const struct source *source, const char *path,
                                  const struct hasten_allocator *allocator,
                                  struct hasten_error *error) {
    struct hasten_sqlite_writer writer;
    struct hasten_log_model model;
    hasten_status status =
        hasten_log_model_init(&model, path, source->descriptor, source->size, allocator, error);
    if (status != HASTEN_OK) {
        return status;
    }
    status = hasten_sqlite_writer_init(&writer, path, allocator, error);
    if (status != HASTEN_OK) {
        hasten_log_model_done(&model);
        return status;
    }
    status = hasten_log_model_read(&model, true, hasten_sqlite_writer_samples, &writer, error);
    if (status == HASTEN_OK) {
        status = writer.failure;
    }
    if (status == HASTEN_OK) {
        status = hasten_log_model_finish(&model, error);
    }
    if (status == HASTEN_OK) {
        status = hasten_sqlite_writer_finish(&writer, model.builder.profile);
    }
    hasten_sqlite_writer_done(&writer);
    hasten_log_model_done(&model);
    return status;
}

hasten_status hasten_recording_finalize(const char *path, const struct hasten_allocator *allocator,
                                        struct hasten_error *error) {
    struct source source;
    hasten_status status = open_source(path, &source, error);
    if (status != HASTEN_OK) {
        return status;
    }
    /* A link stays a link: what it points to is replaced. */
    char resolved[PATH_MAX];
    const char *target = realpath(path, resolved) == NULL ? path : resolved;
    if (source.form == FORM_LOG) {
        /* The recorder holds this lock while it writes. */
        if (flock(source.descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            status = hasten_error_set(error, HASTEN_IO, -1,
                                      "cannot finish \"%.*s\": it is still being written",
                                      HASTEN_PATH_SHOWN, path);
        } else {
            status = finalize_log(&source, target, allocator, error);
        }
    }
    close(source.descriptor);
    return status;
}
