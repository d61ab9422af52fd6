/* SPDX-License-Identifier: MIT
 *
 * Reads frames that were not predicted, and looks up code. */
#include "core/sampling/resolve.h"

#include "core/sampling/load.h"

/* Only generators and those that stand for C code lie elsewhere than on the data stack. */
static bool may_lie_elsewhere(const struct hasten_layout *layout, const uint8_t *bytes) {
    uint8_t owner = hasten_load_u8(bytes, layout->frame_owner);
    return owner == layout->owner_generator || owner == layout->owner_frame_object ||
           hasten_owner_is_shim(layout, owner);
}

/* A frame that is not in the snapshot: read now, and along with the stack from now
 * on. What is not mapped, or is no frame, is not asked for: the next read would fail
 * whole. */
static hasten_status read_missing(const struct hasten_view *view, uint64_t address,
                                  const uint8_t **ret_bytes) {
    uint32_t size = view->layout->frame_localsplus;
    uint8_t *into = view->walk->late[view->walk->late_count];
    if (size > HASTEN_LATE_SIZE)
        return HASTEN_GONE;
    hasten_status status =
        hasten_memory_read(view->interpreter->pid, hasten_raddr_at(address), into, size);
    if (status == HASTEN_OK && !hasten_snapshot_holds(view->snapshot, address) &&
        !may_lie_elsewhere(view->layout, into))
        status = HASTEN_GONE;
    if (status != HASTEN_OK)
        return status;
    *ret_bytes = into;
    return hasten_snapshot_want(view->snapshot, address, size);
}

/* A generator's frame is good enough as it is read now: what it runs does not change. */
hasten_status hasten_resolve_frame(const struct hasten_view *view, uint64_t address,
                                   struct hasten_frame *frame, bool *missed) {
    const struct hasten_layout *layout = view->layout;
    const uint8_t *bytes = hasten_snapshot_at(view->snapshot, 1, address, layout->frame_localsplus);
    bool late = bytes == NULL;
    if (late) {
        hasten_status status = read_missing(view, address, &bytes);
        if (status != HASTEN_OK)
            return status;
    }
    frame->address = address;
    frame->bytes = bytes;
    frame->owner = hasten_load_u8(bytes, layout->frame_owner);
    frame->code_address = hasten_frame_code(layout, bytes);
    frame->code = NULL;
    frame->unit = 0;
    frame->traits = 0;
    frame->over_helper = false;
    frame->entered_from_c = hasten_frame_is_entry(layout, bytes);
    struct hasten_walk *walk = view->walk;
    bool keeps =
        late && frame->owner != layout->owner_thread && walk->late_count + 1 < HASTEN_LATE_MAX;
    walk->late_count += keeps;
    *missed |= late && !keeps;
    return HASTEN_OK;
}

const uint8_t *hasten_resolve_generator(const struct hasten_view *view, uint64_t address) {
    struct hasten_walk *walk = view->walk;
    uint32_t size = view->layout->frame_localsplus;
    const uint8_t *copied = hasten_snapshot_at(view->snapshot, 1, address, size);
    if (copied || walk->late_count + 1 >= HASTEN_LATE_MAX || size > HASTEN_LATE_SIZE)
        return copied;
    uint8_t *bytes = walk->late[walk->late_count];
    if (hasten_memory_read(view->interpreter->pid, hasten_raddr_at(address), bytes, size) !=
            HASTEN_OK ||
        hasten_load_u8(bytes, view->layout->frame_owner) != view->layout->owner_generator)
        return NULL;
    walk->late_count++;
    return bytes;
}

hasten_status hasten_resolve_want(const struct hasten_view *view,
                                  const struct hasten_frame *frame) {
    hasten_status status = hasten_snapshot_want_generator(view->snapshot, frame->address,
                                                          frame->code->frame_words * 8);
    return status == HASTEN_LIMIT ? HASTEN_OK : status;
}

/* Sets unit and traits; false where the instruction is not in the frame's code. */
static bool set_instruction(struct hasten_frame *frame, const struct hasten_layout *layout) {
    uint64_t start = frame->code_address + layout->code_bytecode;
    uint64_t instruction = hasten_load_u64(frame->bytes, layout->frame_instruction);
    int64_t unit = (int64_t)(instruction - start) / 2;
    if (unit < 0 && layout->instruction_kind == HASTEN_INSTRUCTION_PREVIOUS)
        unit = 0; /* before the first instruction */
    if (unit < 0 || unit >= (int64_t)frame->code->unit_count)
        return false;
    uint8_t info = frame->code->units[unit];
    frame->unit = (uint32_t)unit - (info & HASTEN_UNIT_BACK);
    frame->traits = info & ~HASTEN_UNIT_BACK;
    return true;
}

/* Before the first instruction that counts, the frame is not running yet. */
static bool has_started(const struct hasten_frame *frame, const struct hasten_layout *layout) {
    uint64_t first =
        frame->code_address + layout->code_bytecode + (uint64_t)frame->code->first_traceable * 2;
    uint64_t instruction = hasten_load_u64(frame->bytes, layout->frame_instruction);
    return frame->owner == layout->owner_generator || (int64_t)(instruction - first) >= 0;
}

hasten_status hasten_resolve_code(const struct hasten_view *view, struct hasten_frame *frame,
                                  bool *ret_started) {
    *ret_started = false;
    struct hasten_code_entry *entry = hasten_codes_find(view->codes, frame->code_address);
    if (!entry || entry->verified_epoch != view->codes->epoch) {
        view->walk->missing_code = frame->code_address;
        return HASTEN_NOT_FOUND;
    }
    frame->code = entry;
    if (entry->code == HASTEN_NONE)
        return HASTEN_OK; /* some other executable object: no Python frame */
    if (!has_started(frame, view->layout))
        return HASTEN_OK;
    if (!set_instruction(frame, view->layout))
        return HASTEN_TORN;
    *ret_started = true;
    return HASTEN_OK;
}
