/* SPDX-License-Identifier: MIT
 *
 * The log's file while it grows. */
#include "core/recording/log_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/checksum.h"
#include "core/base/clock.h"
#include "core/recording/file.h"

static int fail_errno(struct hasten_log_writer *writer, int error_number) {
    writer->failure = hasten_file_status(error_number);
    /* Only opening looks something up: later it is the disk that failed. */
    if (writer->failure == HASTEN_NOT_FOUND) {
        writer->failure = HASTEN_IO;
    }
    writer->error_number = error_number;
    return -1;
}

/* Writes bytes that belong together. What arrived of them when the disk is full
 * is cut off again, so that the file ends with a whole block. */
static int append(struct hasten_log_writer *writer, const void *data, size_t size) {
    if (hasten_file_write(writer->descriptor, data, size) != 0) {
        int error_number = errno;
        int cut = ftruncate(writer->descriptor, (off_t)writer->size);
        (void)cut; /* readers stop at a cut block anyway */
        return fail_errno(writer, error_number);
    }
    writer->size += size;
    return 0;
}

static int write_header(struct hasten_log_writer *writer, uint64_t interval_ns) {
    uint8_t header[HASTEN_LOG_HEADER_SIZE] = {0};
    for (size_t i = 0; i < HASTEN_LOG_MAGIC_SIZE; i++) {
        header[i] = (uint8_t)HASTEN_LOG_MAGIC[i];
    }
    hasten_put_u32(header + 8, HASTEN_LOG_VERSION);
    hasten_put_u32(header + 12, HASTEN_LOG_HEADER_SIZE);
    hasten_put_u64(header + 16, interval_ns);
    hasten_put_u64(header + 24, hasten_clock_wall_ns());
    hasten_put_u32(header + 36, hasten_crc32c(0, header, 36));
    return append(writer, header, sizeof header);
}

/* Opens and empties the file unless another writer holds it. */
static hasten_status create_file(struct hasten_log_writer *writer, struct hasten_error *error) {
    writer->descriptor =
        open(writer->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
    if (writer->descriptor < 0 && errno == ENOENT) {
        return hasten_error_set(error, HASTEN_NOT_FOUND, -1,
                                "cannot create \"%.*s\": there is no such folder",
                                HASTEN_PATH_SHOWN, writer->path);
    }
    if (writer->descriptor < 0) {
        return hasten_file_error(error, errno, "create", writer->path);
    }
    /* File systems without locks are written without them. */
    if (flock(writer->descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return hasten_error_set(error, HASTEN_IO, -1,
                                "cannot create \"%.*s\": another process is writing it",
                                HASTEN_PATH_SHOWN, writer->path);
    }
    struct stat state;
    if (fstat(writer->descriptor, &state) != 0 ||
        (S_ISREG(state.st_mode) && ftruncate(writer->descriptor, 0) != 0)) {
        return hasten_file_error(error, errno, "create", writer->path);
    }
    return HASTEN_OK;
}

hasten_status hasten_log_writer_open(struct hasten_log_writer *writer, const char *path,
                                     uint64_t interval_ns, const struct hasten_allocator *allocator,
                                     struct hasten_error *error) {
    *writer = (struct hasten_log_writer){.allocator = allocator, .descriptor = -1};
    hasten_buffer_init(&writer->block, allocator);
    writer->path_size = strlen(path) + 1;
    writer->path = hasten_allocate(allocator, writer->path_size);
    if (writer->path == NULL) {
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    memcpy(writer->path, path, writer->path_size);
    hasten_status status = create_file(writer, error);
    if (status == HASTEN_OK && write_header(writer, interval_ns) != 0) {
        status = hasten_log_writer_explain(writer, error);
    }
    if (status != HASTEN_OK) {
        hasten_log_writer_done(writer);
    }
    return status;
}

hasten_status hasten_log_writer_block(struct hasten_log_writer *writer, uint8_t type,
                                      const void *payload, size_t size) {
    if (writer->failure != HASTEN_OK) {
        return writer->failure;
    }
    hasten_buffer_clear(&writer->block);
    hasten_status status =
        hasten_block_encode(&writer->packer, type, payload, size, &writer->block);
    if (status != HASTEN_OK) {
        return hasten_log_writer_fail(writer, status);
    }
    (void)append(writer, writer->block.data, writer->block.size);
    return writer->failure;
}

hasten_status hasten_log_writer_check(struct hasten_log_writer *writer) {
    struct stat state;
    if (writer->failure != HASTEN_OK) {
        return writer->failure;
    }
    if (fstat(writer->descriptor, &state) != 0) {
        fail_errno(writer, errno);
    } else if (state.st_nlink == 0) {
        fail_errno(writer, ENOENT);
    }
    return writer->failure;
}

void hasten_log_writer_pause(struct hasten_log_writer *writer) {
    if (writer->descriptor >= 0) {
        close(writer->descriptor);
    }
    writer->descriptor = -1;
}

/* Only the file that was left: the path may lead elsewhere by now. */
hasten_status hasten_log_writer_resume(struct hasten_log_writer *writer) {
    struct stat state;
    if (writer->failure != HASTEN_OK || writer->descriptor >= 0) {
        return writer->failure;
    }
    writer->descriptor =
        open(writer->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (writer->descriptor < 0 || fstat(writer->descriptor, &state) != 0) {
        fail_errno(writer, errno);
    } else if (!S_ISREG(state.st_mode) || (uint64_t)state.st_size != writer->size) {
        fail_errno(writer, ESTALE);
    }
    return writer->failure;
}

hasten_status hasten_log_writer_fail(struct hasten_log_writer *writer, hasten_status status) {
    if (writer->failure == HASTEN_OK) {
        writer->failure = status;
    }
    return writer->failure;
}

hasten_status hasten_log_writer_explain(const struct hasten_log_writer *writer,
                                        struct hasten_error *error) {
    if (writer->failure == HASTEN_OK) {
        return HASTEN_OK;
    }
    char buffer[128];
    const char *reason = hasten_status_sentence(writer->failure);
    if (writer->error_number == ENOENT) {
        reason = "it was deleted while it was written";
    } else if (writer->error_number != 0) {
        reason = strerror_r(writer->error_number, buffer, sizeof buffer);
    }
    return hasten_error_set(error, writer->failure, (int64_t)writer->size,
                            "cannot write \"%.*s\": %s; what was recorded before stays readable",
                            HASTEN_PATH_SHOWN, writer->path, reason);
}

void hasten_log_writer_done(struct hasten_log_writer *writer) {
    if (writer->descriptor >= 0) {
        close(writer->descriptor);
    }
    hasten_packer_done(&writer->packer);
    hasten_buffer_done(&writer->block);
    hasten_release(writer->allocator, writer->path, writer->path_size);
    *writer = (struct hasten_log_writer){.descriptor = -1};
}
