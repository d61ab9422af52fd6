/* SPDX-License-Identifier: MIT
 *
 * Reads other processes' memory with process_vm_readv: no stop, no attach, one
 * system call for many pieces. */
#include "core/os/memory.h"

#include <errno.h>
#include <sys/uio.h>

/* The kernel refuses a call whose remote pieces sum to more than this. */
#define HASTEN_READ_TOTAL_MAX ((size_t)0x7ffff000)

static hasten_status status_of_errno(int number) {
    switch (number) {
    case ESRCH:
        return HASTEN_NO_PROCESS;
    case EPERM:
    case EACCES: /* what some security modules answer instead */
    case ENOSYS: /* what seccomp profiles of container engines answer */
        return HASTEN_NO_PERMISSION;
    case EFAULT:
        return HASTEN_GONE;
    case ENOMEM:
        return HASTEN_NO_MEMORY;
    default:
        return HASTEN_INVALID;
    }
}

hasten_status hasten_memory_read(uint32_t pid, hasten_raddr address, void *into, size_t size) {
    struct hasten_read read = {address, into, size};
    size_t bytes;

    return hasten_memory_read_batch(pid, &read, 1, &bytes);
}

/* Fills the vectors of one system call from `reads`; at least one piece, so that
 * the caller gets on. */
static size_t gather(const struct hasten_read *reads, size_t count, struct iovec *ours,
                     struct iovec *theirs, size_t *ret_bytes) {
    size_t used = 0, bytes = 0;

    while (used < count && used < HASTEN_READ_BATCH) {
        size_t size = reads[used].size;
        if (used > 0 && size > HASTEN_READ_TOTAL_MAX - bytes)
            break;
        ours[used] = (struct iovec){reads[used].into, size};
        theirs[used] = (struct iovec){(void *)(uintptr_t)reads[used].address.value, size};
        bytes += size;
        used++;
        if (bytes >= HASTEN_READ_TOTAL_MAX)
            break;
    }
    *ret_bytes = bytes;
    return used;
}

hasten_status hasten_memory_read_batch(uint32_t pid, const struct hasten_read *reads, size_t count,
                                       size_t *ret_bytes) {
    struct iovec ours[HASTEN_READ_BATCH], theirs[HASTEN_READ_BATCH];
    size_t done = 0, total = 0;

    while (done < count) {
        size_t wanted;
        size_t used = gather(reads + done, count - done, ours, theirs, &wanted);
        if (wanted > HASTEN_READ_TOTAL_MAX)
            return HASTEN_INVALID;
        ssize_t got = process_vm_readv((pid_t)pid, ours, used, theirs, used, 0);
        if (got < 0 && errno != EFAULT)
            return status_of_errno(errno);
        if (got > 0)
            total += (size_t)got;
        if (got < 0 || (size_t)got < wanted) {
            *ret_bytes = total;
            return HASTEN_GONE;
        }
        done += used;
    }
    *ret_bytes = total;
    return HASTEN_OK;
}
