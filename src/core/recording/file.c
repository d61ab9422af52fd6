/* SPDX-License-Identifier: MIT
 *
 * Files of recordings. */
#include "core/recording/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

hasten_status hasten_file_status(int error_number) {
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: /* RLIMIT_FSIZE, or the file system's largest file */
        return HASTEN_NO_SPACE;
    case ENOENT:
    case ENOTDIR:
        return HASTEN_NOT_FOUND;
    case ENOMEM:
        return HASTEN_NO_MEMORY;
    default:
        return HASTEN_IO;
    }
}

hasten_status hasten_file_error(struct hasten_error *error, int error_number, const char *verb,
                                const char *path) {
    char reason[128];
    return hasten_error_set(error, hasten_file_status(error_number), -1, "cannot %s \"%.*s\": %s",
                            verb, HASTEN_PATH_SHOWN, path,
                            strerror_r(error_number, reason, sizeof reason));
}

hasten_status hasten_file_open(const char *path, int *ret_descriptor, uint64_t *ret_size,
                               struct hasten_error *error) {
    /* O_NONBLOCK: opening a pipe must not wait for its other end. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return hasten_file_error(error, errno, "open", path);
    }
    struct stat state;
    hasten_status status = HASTEN_OK;
    if (fstat(descriptor, &state) != 0) {
        status = hasten_file_error(error, errno, "open", path);
    } else if (S_ISDIR(state.st_mode)) {
        status = hasten_file_error(error, EISDIR, "read", path);
    } else if (!S_ISREG(state.st_mode)) {
        status = hasten_error_set(error, HASTEN_NOT_RECORDING, -1,
                                  "\"%.*s\" is not a recording: it is not a regular file",
                                  HASTEN_PATH_SHOWN, path);
    }
    if (status != HASTEN_OK) {
        close(descriptor);
        return status;
    }
    *ret_descriptor = descriptor;
    *ret_size = (uint64_t)state.st_size;
    return HASTEN_OK;
}

int64_t hasten_file_read(int descriptor, void *into, size_t size, uint64_t position) {
    size_t got = 0;
    while (got < size) {
        ssize_t step = pread(descriptor, (char *)into + got, size - got, (off_t)(position + got));
        if (step < 0 && errno == EINTR) {
            continue;
        }
        if (step < 0) {
            return -1;
        }
        if (step == 0) {
            break;
        }
        got += (size_t)step;
    }
    return (int64_t)got;
}

int hasten_file_write(int descriptor, const void *data, size_t size) {
    size_t put = 0;
    while (put < size) {
        ssize_t step = write(descriptor, (const char *)data + put, size - put);
        if (step < 0 && errno != EINTR) {
            return -1;
        }
        put += step < 0 ? 0 : (size_t)step;
    }
    return 0;
}

static int sync_path(const char *path, int flags) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (descriptor < 0) {
        return -1;
    }
    int result = fsync(descriptor);
    int error_number = errno;
    close(descriptor);
    errno = error_number;
    return result;
}

/* Some file systems cannot sync a folder; the rename stands all the same. */
static void sync_folder_of(const char *path) {
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int size = snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
                        slash == NULL ? "." : path);
    if (size > 0 && (size_t)size < sizeof folder) {
        (void)sync_path(folder, O_DIRECTORY);
    }
}

int hasten_file_replace(const char *from, const char *to) {
    if (sync_path(from, 0) != 0 || rename(from, to) != 0) {
        return -1;
    }
    sync_folder_of(to);
    return 0;
}
