/* SPDX-License-Identifier: MIT
 *
 * Reading through the kernel. */
#include "preload/reader.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void hasten_reader_begin(struct hasten_reader *reader, bool direct) {
    reader->direct = direct;
    reader->starts[HASTEN_READ_FRAME] = reader->starts[HASTEN_READ_OBJECT] = 0;
}

/* hasten_memory_read wants more stack than the program's threads may have. */
bool hasten_reader_kernel(uint64_t address, void *into, size_t size) {
    const struct iovec ours = {into, size};
    const struct iovec theirs = {(void *)(uintptr_t)address, size};
    return process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0) == (ssize_t)size;
}

bool hasten_reader_copy(struct hasten_reader *reader, enum hasten_reader_what what,
                        uint64_t address, void *into, size_t size) {
    if (hasten_reader_refuses(address) || size > HASTEN_READER_WINDOW / 2) {
        return false;
    }
    if (reader->direct) {
        memcpy(into, (const void *)(uintptr_t)address, size);
        return true;
    }
    uint64_t start = reader->starts[what];
    if (start == 0 || address < start || address - start > HASTEN_READER_WINDOW - size) {
        /* A frame's callers lie below it. */
        start = what == HASTEN_READ_FRAME ? address - (HASTEN_READER_WINDOW - size) : address;
        if (!hasten_reader_kernel(start, reader->windows[what], HASTEN_READER_WINDOW)) {
            reader->starts[what] = 0;
            return hasten_reader_kernel(address, into, size); /* near the end of what is mapped */
        }
        reader->starts[what] = start;
    }
    memcpy(into, reader->windows[what] + (address - start), size);
    return true;
}
