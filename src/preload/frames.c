/* SPDX-License-Identifier: MIT
 *
 * Walks from frame to frame by the layout of the version. Frames that stand for C code,
 * and those that have not begun, are no part of the stack. */
#include "preload/frames.h"

/* Frames and what stands for C between them. */
#define STEPS_MAX (2 * HASTEN_FRAMES_MAX)
#define UNITS_MAX (1u << 20)

static bool current_frame(const struct hasten_layout *layout, struct hasten_reader *reader,
                          uint64_t thread, uint64_t *ret_frame) {
    if (layout->thread_cframe == HASTEN_ABSENT) {
        return hasten_reader_u64(reader, HASTEN_READ_OBJECT, thread + layout->thread_current_frame,
                                 ret_frame);
    }
    uint64_t cframe = 0;
    return hasten_reader_u64(reader, HASTEN_READ_OBJECT, thread + layout->thread_cframe, &cframe) &&
           hasten_reader_u64(reader, HASTEN_READ_OBJECT, cframe + layout->cframe_current_frame,
                             ret_frame);
}

/* The sentinel below the first frame (3.15); 0 where there is none. */
static uint64_t base_frame(const struct hasten_layout *layout, struct hasten_reader *reader,
                           uint64_t thread) {
    uint64_t base = 0;
    if (layout->thread_base_frame != HASTEN_ABSENT &&
        !hasten_reader_u64(reader, HASTEN_READ_OBJECT, thread + layout->thread_base_frame, &base)) {
        return 0;
    }
    return base;
}

static bool keep(struct hasten_own_stack *stack, const struct hasten_own_frame *frame) {
    void *frames = stack->frames;
    if (hasten_grow(stack->allocator, &frames, &stack->capacity, stack->count + 1,
                    sizeof *stack->frames) != 0) {
        return false;
    }
    stack->frames = frames;
    stack->frames[stack->count++] = *frame;
    return true;
}

/* Takes one frame of Python code; false: its memory makes no sense. */
static bool take(struct hasten_own_stack *stack, const struct hasten_python *python,
                 struct hasten_reader *reader, struct hasten_code_table *codes, uint64_t frame,
                 uint8_t owner) {
    const struct hasten_layout *layout = &python->layout;
    uint64_t code = 0, instruction = 0;
    if (!hasten_reader_u64(reader, HASTEN_READ_FRAME, frame + layout->frame_code, &code) ||
        !hasten_reader_u64(reader, HASTEN_READ_FRAME, frame + layout->frame_instruction,
                           &instruction)) {
        return false;
    }
    code &= layout->reference_mask;
    const struct hasten_code_seen *seen = hasten_code_table_find(codes, python, reader, code);
    if (seen == NULL) {
        return true; /* some other executable, as a helper's trampoline */
    }
    int64_t unit = (int64_t)(instruction - (code + layout->code_bytecode)) / 2;
    if (owner != layout->owner_generator && unit < (int64_t)seen->first_traceable) {
        return true; /* it is being pushed */
    }
    unit = unit < 0 ? 0 : unit < (int64_t)UNITS_MAX ? unit : (int64_t)UNITS_MAX;
    const struct hasten_own_frame own = {code, seen->code, (uint32_t)unit};
    return keep(stack, &own);
}

bool hasten_frames_read(struct hasten_own_stack *stack, const struct hasten_python *python,
                        struct hasten_reader *reader, struct hasten_code_table *codes,
                        uint64_t thread) {
    const struct hasten_layout *layout = &python->layout;
    uint64_t frame = 0;
    stack->count = 0;
    if (!current_frame(layout, reader, thread, &frame)) {
        return false;
    }
    uint64_t base = base_frame(layout, reader, thread);
    for (uint32_t steps = 0; frame != 0 && frame != base; steps++) {
        uint64_t previous = 0;
        uint8_t owner = 0;
        bool read =
            steps < STEPS_MAX && stack->count < HASTEN_FRAMES_MAX &&
            hasten_reader_u64(reader, HASTEN_READ_FRAME, frame + layout->frame_previous,
                              &previous) &&
            hasten_reader_u8(reader, HASTEN_READ_FRAME, frame + layout->frame_owner, &owner);
        bool is_shim = owner == layout->owner_c_stack || owner == layout->owner_interpreter;
        if (read && !is_shim) {
            read = owner <= layout->owner_frame_object &&
                   take(stack, python, reader, codes, frame, owner);
        }
        if (!read) {
            stack->count = 0;
            return false;
        }
        frame = previous;
    }
    return true;
}

uint32_t hasten_frames_instruction(const struct hasten_python *python, struct hasten_reader *reader,
                                   uint64_t code_address, uint32_t unit) {
    const struct hasten_opcodes *opcodes = python->opcodes;
    uint64_t bytecode = code_address + python->layout.code_bytecode;
    if (opcodes == NULL || python->layout.instruction_kind != HASTEN_INSTRUCTION_PREVIOUS) {
        return unit; /* it is the instruction's own already */
    }
    for (uint32_t at = 0; at <= unit;) {
        uint8_t opcode = 0;
        if (!hasten_reader_u8(reader, HASTEN_READ_OBJECT, bytecode + 2 * (uint64_t)at, &opcode) ||
            opcodes->opaque[opcode]) {
            return unit;
        }
        uint32_t next = at + 1 + opcodes->caches[opcode];
        if (unit < next) {
            return at;
        }
        at = next;
    }
    return unit;
}
