/* SPDX-License-Identifier: MIT
 *
 * Reading a descriptor, of whatever it is, so that a signal or somebody who closes the
 * stream never waits for the other side. Files are read too and not mapped: a copy in the
 * cache costs less than a page fault, and a file that is cut meanwhile ends, where a
 * mapping would end the program. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/stream/source.h"

/* How long a descriptor that has nothing is waited for before signals are looked at.
 * They interrupt the wait anyway; those that came before it began do not. */
#define PATIENCE_MS 50

void hasten_descriptor_init(struct hasten_descriptor *descriptor, int fd) {
    struct stat about;
    *descriptor = (struct hasten_descriptor){.fd = fd};
    descriptor->is_file = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

/* Waits until there is something to read. False: it was for nothing. */
static bool wait_readable(const struct hasten_descriptor *descriptor) {
    struct pollfd polled = {.fd = descriptor->fd, .events = POLLIN};
    return poll(&polled, 1, PATIENCE_MS) > 0;
}

static hasten_status descriptor_read(void *context, uint8_t *buffer, size_t size, size_t *ret_size,
                                     struct hasten_error *error) {
    struct hasten_descriptor *descriptor = context;
    if (!descriptor->is_file && !wait_readable(descriptor)) {
        return HASTEN_INTERRUPTED;
    }
    const ssize_t got = read(descriptor->fd, buffer, size);
    if (got >= 0) {
        (void)__atomic_fetch_add(&descriptor->read_bytes, (uint64_t)got, __ATOMIC_RELAXED);
        *ret_size = (size_t)got;
        return HASTEN_OK;
    }
    if (errno == EINTR || errno == EAGAIN) {
        return HASTEN_INTERRUPTED;
    }
    char reason[128];
    descriptor->error_number = errno;
    return hasten_error_set(error, HASTEN_IO, (int64_t)descriptor->read_bytes, "%s",
                            strerror_r(descriptor->error_number, reason, sizeof reason));
}

struct hasten_source hasten_descriptor_source(struct hasten_descriptor *descriptor) {
    return (struct hasten_source){descriptor, descriptor_read};
}
