/* SPDX-License-Identifier: MIT
 *
 * The Python stack of the running thread, which stands still: it is the one that asks. */
#ifndef HASTEN_PRELOAD_FRAMES_H
#define HASTEN_PRELOAD_FRAMES_H

#include "preload/codes.h"

/* Deeper stacks are refused, not cut, as the sampler does. */
#define HASTEN_FRAMES_MAX 200000u

struct hasten_own_frame {
    uint64_t code_address;
    uint32_t code;
    uint32_t unit; /* as the frame has it: perhaps one of an instruction's caches */
};

struct hasten_own_stack {
    const struct hasten_allocator *allocator;
    struct hasten_own_frame *frames; /* the innermost first */
    size_t count, capacity;
};

/* Reads the stack of the thread with state `thread`. False, and no frames: there is
 * something that cannot be read, or more than is believable. */
bool hasten_frames_read(struct hasten_own_stack *stack, const struct hasten_python *python,
                        struct hasten_reader *reader, struct hasten_code_table *codes,
                        uint64_t thread);
/* The first unit of the instruction that `unit` belongs to. */
uint32_t hasten_frames_instruction(const struct hasten_python *python, struct hasten_reader *reader,
                                   uint64_t code_address, uint32_t unit);

#endif
