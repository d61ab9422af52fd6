/* SPDX-License-Identifier: MIT
 *
 * Reads what the running thread's state leads to. While the thread has the GIL nobody
 * takes that away, and it is read directly. Without it, the interpreter may be ending and
 * free it in this moment: then it is read by the kernel, which answers instead of
 * faulting, some kilobytes at a time. */
#ifndef HASTEN_PRELOAD_READER_H
#define HASTEN_PRELOAD_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Frames are walked downwards, objects are read upwards: each has a window. */
enum hasten_reader_what { HASTEN_READ_FRAME, HASTEN_READ_OBJECT };

#define HASTEN_READER_WINDOW 4096

struct hasten_reader {
    bool direct;
    uint64_t starts[2]; /* 0: nothing was read */
    uint8_t windows[2][HASTEN_READER_WINDOW];
};

void hasten_reader_begin(struct hasten_reader *reader, bool direct);
/* Copies `size` bytes, at most HASTEN_READER_WINDOW / 2. False: not mapped. */
bool hasten_reader_copy(struct hasten_reader *reader, enum hasten_reader_what what,
                        uint64_t address, void *into, size_t size);
/* One such read, whatever the size. */
bool hasten_reader_kernel(uint64_t address, void *into, size_t size);

/* What no object or frame is at. */
static inline bool hasten_reader_refuses(uint64_t address) {
    return address < 65536 || address >> 47 != 0;
}

static inline bool hasten_reader_u64(struct hasten_reader *reader, enum hasten_reader_what what,
                                     uint64_t address, uint64_t *ret_value) {
    if (hasten_reader_refuses(address) || (address & 7) != 0) {
        return false;
    }
    if (reader->direct) {
        *ret_value = *(const uint64_t *)(uintptr_t)address;
        return true;
    }
    return hasten_reader_copy(reader, what, address, ret_value, sizeof *ret_value);
}

static inline bool hasten_reader_u32(struct hasten_reader *reader, enum hasten_reader_what what,
                                     uint64_t address, uint32_t *ret_value) {
    if (hasten_reader_refuses(address) || (address & 3) != 0) {
        return false;
    }
    if (reader->direct) {
        *ret_value = *(const uint32_t *)(uintptr_t)address;
        return true;
    }
    return hasten_reader_copy(reader, what, address, ret_value, sizeof *ret_value);
}

static inline bool hasten_reader_u8(struct hasten_reader *reader, enum hasten_reader_what what,
                                    uint64_t address, uint8_t *ret_value) {
    if (hasten_reader_refuses(address)) {
        return false;
    }
    if (reader->direct) {
        *ret_value = *(const uint8_t *)(uintptr_t)address;
        return true;
    }
    return hasten_reader_copy(reader, what, address, ret_value, sizeof *ret_value);
}

#endif
