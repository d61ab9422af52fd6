/* SPDX-License-Identifier: MIT
 *
 * Reads a frame's bytes. */
#include "core/sampling/frames.h"

#include "core/sampling/load.h"

/* Owner of what a version does not have. */
#define NO_OWNER 0xff

bool hasten_layout_has_shims(const struct hasten_layout *layout) {
    return layout->owner_c_stack != NO_OWNER || layout->owner_interpreter != NO_OWNER;
}

bool hasten_owner_is_shim(const struct hasten_layout *layout, uint8_t owner) {
    return owner == layout->owner_c_stack || owner == layout->owner_interpreter;
}

uint64_t hasten_frame_code(const struct hasten_layout *layout, const uint8_t *bytes) {
    return hasten_load_u64(bytes, layout->frame_code) & layout->reference_mask;
}

bool hasten_frame_is_entry(const struct hasten_layout *layout, const uint8_t *bytes) {
    return layout->frame_is_entry != HASTEN_ABSENT &&
           hasten_load_u8(bytes, layout->frame_is_entry) != 0;
}

bool hasten_frame_stack_top_saved(const struct hasten_layout *layout, const uint8_t *bytes) {
    return (int32_t)hasten_load_u32(bytes, layout->frame_stack_top) >= 0;
}

const uint8_t *hasten_frame_before(const struct hasten_view *view,
                                   const struct hasten_frame *frame) {
    return hasten_snapshot_at(view->snapshot, 0, frame->address, view->layout->frame_localsplus);
}

bool hasten_frame_stands_still(const struct hasten_view *view, const struct hasten_frame *frame) {
    const uint8_t *was = hasten_frame_before(view, frame);
    return was && frame->bytes && memcmp(was, frame->bytes, view->layout->frame_localsplus) == 0;
}

bool hasten_frame_keeps_code(const struct hasten_view *view, const struct hasten_frame *frame) {
    const uint8_t *was = hasten_frame_before(view, frame);
    uint32_t at = view->layout->frame_code;
    return was && frame->bytes && hasten_load_u64(was, at) == hasten_load_u64(frame->bytes, at);
}

bool hasten_frame_may_call(const struct hasten_frame *frame) {
    return (frame->traits & (HASTEN_UNIT_MAY_PUSH | HASTEN_UNIT_CALL)) != 0;
}

bool hasten_frame_is_suspended(const struct hasten_view *view, const struct hasten_frame *frame) {
    /* A frame that was just pushed has a saved stack top too, but its instruction
     * is its first one. */
    if (!frame->bytes || !hasten_frame_may_call(frame))
        return false;
    return view->layout->stack_top_kind == HASTEN_STACK_TOP_POINTER ||
           hasten_frame_stack_top_saved(view->layout, frame->bytes);
}

/* Up to 3.13 a frame that returns (or raises) leaves its stack top saved, from 3.14 on
 * its code is cleared and walk.c has cut it off. */
bool hasten_frame_is_live(const struct hasten_view *view, const struct hasten_frame *frame) {
    if (view->layout->stack_top_kind == HASTEN_STACK_TOP_POINTER)
        return true;
    return !hasten_frame_stack_top_saved(view->layout, frame->bytes) ||
           hasten_frame_is_suspended(view, frame);
}

uint64_t hasten_frame_stack_top(const struct hasten_layout *layout,
                                const struct hasten_frame *frame) {
    if (!frame->bytes)
        return 0;
    if (layout->stack_top_kind == HASTEN_STACK_TOP_POINTER)
        return hasten_load_u64(frame->bytes, layout->frame_stack_top);
    int32_t index = (int32_t)hasten_load_u32(frame->bytes, layout->frame_stack_top);
    if (index < 0)
        return 0;
    return frame->address + layout->frame_localsplus + (uint64_t)index * 8;
}

uint64_t hasten_frame_slot(const struct hasten_view *view, const struct hasten_frame *frame,
                           uint64_t slot) {
    uint64_t offset = slot - frame->address;
    if (offset < view->layout->frame_localsplus || offset >= (uint64_t)frame->code->frame_words * 8)
        return 0; /* what follows is the next frame's */
    const uint8_t *bytes = hasten_snapshot_at(view->snapshot, 1, slot, 8);
    return bytes ? hasten_load_u64(bytes, 0) & view->layout->reference_mask : 0;
}

bool hasten_frame_names_callee(const struct hasten_view *view, const struct hasten_frame *caller,
                               const struct hasten_frame *callee) {
    const struct hasten_layout *layout = view->layout;
    uint64_t top = hasten_frame_stack_top(layout, caller);
    uint64_t function =
        hasten_load_u64(callee->bytes, layout->frame_function) & layout->reference_mask;
    return top != 0 && function != 0 &&
           (hasten_frame_slot(view, caller, top) == function ||
            hasten_frame_slot(view, caller, top + 8) == function);
}

uint64_t hasten_frame_resumed(const struct hasten_view *view, const struct hasten_frame *frame) {
    if (!(frame->traits & HASTEN_UNIT_ITERATES) || !hasten_frame_is_suspended(view, frame))
        return 0;
    uint64_t top = hasten_frame_stack_top(view->layout, frame);
    uint64_t below = 8 * (uint64_t)view->codes->opcodes->iterator_slots;
    uint64_t object = top != 0 ? hasten_frame_slot(view, frame, top - below) : 0;
    return object != 0 && (object & 7) == 0 ? object + view->layout->generator_frame : 0;
}

bool hasten_frame_resumes(const struct hasten_view *view, const struct hasten_frame *caller,
                          const struct hasten_frame *callee) {
    return hasten_frame_resumed(view, caller) == callee->address;
}

bool hasten_frame_is_hidden(const struct hasten_frame *frame) {
    return frame->traits == HASTEN_UNIT_MAY_PUSH;
}

uint64_t hasten_frame_end(const struct hasten_frame *frame) {
    return frame->address + (uint64_t)frame->code->frame_words * 8;
}
