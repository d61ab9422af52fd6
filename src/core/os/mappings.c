/* SPDX-License-Identifier: MIT
 *
 * /proc/PID/maps, line by line, and the files behind the mappings. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/os/process.h"
#include "core/os/procfs.h"

/* The kernel's own default is 65530 (vm.max_map_count). */
#define HASTEN_MAPPINGS_MAX (1u << 20)
/* A path of PATH_MAX in which every byte is a newline (written "\012"), the
 * columns before it and " (deleted)" behind it. */
#define HASTEN_MAPPINGS_LINE_MAX (4 * 4096 + 256)

static const char deleted_suffix[] = " (deleted)";

/* Copies the path column and undoes the kernel's one escape, newline as "\012". */
static void copy_path(struct hasten_mapping *mapping, const char *text) {
    size_t used = 0;

    while (*text != '\0' && used < sizeof mapping->path - 1) {
        if (strncmp(text, "\\012", 4) == 0) {
            mapping->path[used++] = '\n';
            text += 4;
        } else {
            mapping->path[used++] = *text++;
        }
    }
    size_t suffix = sizeof deleted_suffix - 1;
    mapping->deleted = used > suffix && mapping->path[0] == '/' &&
                       memcmp(mapping->path + used - suffix, deleted_suffix, suffix) == 0;
    if (mapping->deleted)
        used -= suffix;
    mapping->path[used] = '\0';
}

/* Reads a number of base `base` that ends in `end`; false where there is none. */
static bool take_number(const char **text, int base, char end, uint64_t *ret_value) {
    char *rest;

    errno = 0;
    uint64_t value = strtoull(*text, &rest, base);
    if (rest == *text || *rest != end || errno != 0)
        return false;
    *text = rest + 1;
    *ret_value = value;
    return true;
}

static bool parse_line(const char *line, struct hasten_mapping *mapping) {
    uint64_t major_number, minor_number;
    char *rest;

    if (!take_number(&line, 16, '-', &mapping->start) ||
        !take_number(&line, 16, ' ', &mapping->end) || strlen(line) < 5 || line[4] != ' ')
        return false;
    mapping->readable = line[0] == 'r';
    mapping->writable = line[1] == 'w';
    mapping->executable = line[2] == 'x';
    mapping->private_ = line[3] == 'p';
    line += 5;
    if (!take_number(&line, 16, ' ', &mapping->file_offset) ||
        !take_number(&line, 16, ':', &major_number) || !take_number(&line, 16, ' ', &minor_number))
        return false;
    errno = 0;
    mapping->inode = strtoull(line, &rest, 10);
    if (rest == line || errno != 0 || mapping->end <= mapping->start)
        return false;
    mapping->device_major = (uint32_t)major_number;
    mapping->device_minor = (uint32_t)minor_number;
    copy_path(mapping, rest + strspn(rest, " "));
    return true;
}

/* Parses the whole lines in `text`; `*ret_used` bytes of it were lines. */
static hasten_status visit_lines(char *text, size_t length, uint32_t *count, size_t *ret_used,
                                 int (*visit)(void *context, const struct hasten_mapping *mapping),
                                 void *context, bool *ret_stopped) {
    struct hasten_mapping mapping;
    size_t used = 0;

    for (;;) {
        char *line = text + used;
        char *end = memchr(line, '\n', length - used);
        if (end == NULL)
            break;
        *end = '\0';
        used = (size_t)(end - text) + 1;
        if (++*count > HASTEN_MAPPINGS_MAX)
            return HASTEN_LIMIT;
        if (!parse_line(line, &mapping))
            return HASTEN_IO;
        if (visit(context, &mapping) != 0) {
            *ret_stopped = true;
            break;
        }
    }
    *ret_used = used;
    return HASTEN_OK;
}

static hasten_status visit_all(int descriptor, uint32_t pid,
                               int (*visit)(void *context, const struct hasten_mapping *mapping),
                               void *context) {
    char text[HASTEN_MAPPINGS_LINE_MAX];
    size_t length = 0;
    uint32_t count = 0;
    bool stopped = false;

    while (!stopped) {
        ssize_t got = read(descriptor, text + length, sizeof text - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return hasten_procfs_status(pid, errno);
        if (got == 0)
            return length == 0 ? HASTEN_OK : HASTEN_IO;
        length += (size_t)got;
        size_t used = 0;
        hasten_status status = visit_lines(text, length, &count, &used, visit, context, &stopped);
        if (status != HASTEN_OK)
            return status;
        memmove(text, text + used, length - used);
        length -= used;
        if (length == sizeof text)
            return HASTEN_IO;
    }
    return HASTEN_OK;
}

hasten_status hasten_process_mappings(uint32_t pid,
                                      int (*visit)(void *context,
                                                   const struct hasten_mapping *mapping),
                                      void *context, struct hasten_error *error) {
    int descriptor;

    hasten_status status = hasten_procfs_open(pid, "maps", &descriptor);
    if (status == HASTEN_OK) {
        status = visit_all(descriptor, pid, visit, context);
        (void)close(descriptor);
    }
    switch (status) {
    case HASTEN_OK:
        return HASTEN_OK;
    case HASTEN_NO_PERMISSION:
        return hasten_process_explain_denied(pid, error);
    case HASTEN_NO_PROCESS:
        return hasten_error_set(error, status, -1, "there is no process %u", pid);
    case HASTEN_LIMIT:
        return hasten_error_set(error, status, -1, "process %u has more than %u mappings", pid,
                                HASTEN_MAPPINGS_MAX);
    default:
        return hasten_error_set(error, status, -1, "the mappings of process %u cannot be read",
                                pid);
    }
}

/* Opens `path` when it is the mapping's file; without `mapping`, any regular file. */
static int open_regular(const char *path, const struct hasten_mapping *mapping) {
    struct stat facts;

    /* Not blocking: the path may have become a fifo. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0)
        return -1;
    if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode))
        goto refuse;
    if (mapping != NULL &&
        (facts.st_ino != mapping->inode || major(facts.st_dev) != mapping->device_major ||
         minor(facts.st_dev) != mapping->device_minor))
        goto refuse;
    return descriptor;
refuse:
    (void)close(descriptor);
    return -1;
}

hasten_status hasten_process_open_mapping(uint32_t pid, const struct hasten_mapping *mapping,
                                          int *ret_descriptor, struct hasten_error *error) {
    char path[sizeof mapping->path + HASTEN_PROCFS_PATH_MAX];
    int descriptor;

    /* The kernel's own link to the file: right whatever its name is now. It
     * asks for CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. */
    (void)snprintf(path, sizeof path, "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid,
                   mapping->start, mapping->end);
    descriptor = open_regular(path, NULL);
    if (descriptor < 0) {
        (void)snprintf(path, sizeof path, "/proc/%u/exe", pid);
        descriptor = open_regular(path, mapping);
    }
    if (descriptor < 0 && mapping->path[0] == '/') {
        (void)snprintf(path, sizeof path, "/proc/%u/root%s", pid, mapping->path);
        descriptor = open_regular(path, mapping);
        /* The kernel shows paths as we see them when they lie below our root,
         * which a process in a chroot does not. */
        if (descriptor < 0)
            descriptor = open_regular(mapping->path, mapping);
    }
    if (descriptor < 0)
        return hasten_error_set(error, HASTEN_NOT_FOUND, -1,
                                "the file behind %.300s, which process %u has mapped, cannot be "
                                "opened%s",
                                mapping->path, pid,
                                mapping->deleted ? " (it was deleted or replaced)" : "");
    *ret_descriptor = descriptor;
    return HASTEN_OK;
}
