/* SPDX-License-Identifier: MIT
 *
 * Files of /proc/PID as text. Knows nothing of what they mean. */
#include "core/os/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void path_of(char path[HASTEN_PROCFS_PATH_MAX], uint32_t pid, const char *name) {
    (void)snprintf(path, HASTEN_PROCFS_PATH_MAX, "/proc/%u/%s", pid, name);
}

hasten_status hasten_procfs_status(uint32_t pid, int error_number) {
    char path[HASTEN_PROCFS_PATH_MAX];

    switch (error_number) {
    case ESRCH:
        return HASTEN_NO_PROCESS;
    case EACCES:
    case EPERM:
        return HASTEN_NO_PERMISSION;
    case ENOENT:
        path_of(path, pid, "stat");
        return access(path, F_OK) == 0 ? HASTEN_NOT_FOUND : HASTEN_NO_PROCESS;
    case ENOMEM:
        return HASTEN_NO_MEMORY;
    default:
        return HASTEN_IO;
    }
}

hasten_status hasten_procfs_open(uint32_t pid, const char *name, int *ret_descriptor) {
    char path[HASTEN_PROCFS_PATH_MAX];

    path_of(path, pid, name);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return hasten_procfs_status(pid, errno);
    *ret_descriptor = descriptor;
    return HASTEN_OK;
}

hasten_status hasten_procfs_read(uint32_t pid, const char *name, char *ret_text, size_t size,
                                 size_t *ret_length) {
    size_t length = 0;
    int descriptor;

    if (size == 0)
        return HASTEN_INVALID;
    hasten_status status = hasten_procfs_open(pid, name, &descriptor);
    if (status != HASTEN_OK)
        return status;
    while (length < size - 1) {
        ssize_t got = read(descriptor, ret_text + length, size - 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            status = hasten_procfs_status(pid, errno);
            break;
        }
        if (got == 0)
            break;
        length += (size_t)got;
    }
    (void)close(descriptor);
    if (status != HASTEN_OK)
        return status;
    ret_text[length] = '\0';
    if (ret_length != NULL)
        *ret_length = length;
    return HASTEN_OK;
}

hasten_status hasten_procfs_link(uint32_t pid, const char *name, char *ret_text, size_t size) {
    char path[HASTEN_PROCFS_PATH_MAX];

    if (size == 0)
        return HASTEN_INVALID;
    path_of(path, pid, name);
    ssize_t length = readlink(path, ret_text, size);
    if (length < 0)
        return hasten_procfs_status(pid, errno);
    if ((size_t)length >= size)
        return HASTEN_LIMIT;
    ret_text[length] = '\0';
    return HASTEN_OK;
}
