/* SPDX-License-Identifier: MIT
 *
 * Finds what was called between the reading of the current frame and copy 1: upwards
 * from the frame that was current. */
#include "core/sampling/extension.h"

#include "core/sampling/generators.h"
#include "core/sampling/judge.h"
#include "core/sampling/load.h"
#include "core/sampling/resolve.h"

/* Frames that may have been pushed between the two reads and are added. */
#define EXTENSION_MAX 16
/* How far from its base a C stack is taken to reach: the usual limit of its size. */
#define C_STACK_BYTES (8u << 20)
/* One look of so many asks what code it is that was never seen above a leaf. */
#define CURIOUS_LOOKS 16

static bool is_shim_above(const struct hasten_layout *layout, const uint8_t *bytes,
                          uint64_t below) {
    return hasten_owner_is_shim(layout, hasten_load_u8(bytes, layout->frame_owner)) &&
           hasten_load_u64(bytes, layout->frame_previous) == below;
}

/* It lies where this thread's C code keeps its variables, as what the first frame names. */
static bool is_on_c_stack(const struct hasten_view *view, uint64_t address) {
    uint64_t base = view->snapshot->bottom_link;
    return address < base && base - address < C_STACK_BYTES;
}

/* Whether C code that `leaf` called has entered `pushed`, which names `shim`, the frame that
 * stands for that C code. It is read microseconds earlier or later than the data stack and
 * overwritten soon, so that mostly it does not show anything. */
static hasten_status check_shim(const struct hasten_view *view, struct hasten_frame *leaf,
                                uint64_t below, struct hasten_frame *pushed, uint64_t shim,
                                bool *ret_called) {
    const struct hasten_layout *layout = view->layout;
    const uint8_t *bytes = hasten_snapshot_at(view->snapshot, 1, shim, layout->frame_localsplus);
    uint8_t fresh[256];
    if (!bytes && !is_on_c_stack(view, shim)) {
        if (shim == 0 || (shim & 7) || layout->frame_localsplus > sizeof fresh ||
            hasten_snapshot_same_chunk(view->snapshot, shim, leaf->address))
            return HASTEN_OK;
        /* A leftover may name anything: only what looks right now is worth a try. */
        hasten_status status = hasten_memory_read(view->interpreter->pid, hasten_raddr_at(shim),
                                                  fresh, layout->frame_localsplus);
        if (status != HASTEN_OK || !is_shim_above(layout, fresh, below))
            return status == HASTEN_GONE ? HASTEN_OK : status;
        status = hasten_snapshot_want(view->snapshot, shim, layout->frame_localsplus);
        return status == HASTEN_OK || status == HASTEN_LIMIT ? HASTEN_TORN : status;
    }
    pushed->entered_from_c = true;
    enum hasten_shim seen = bytes && is_shim_above(layout, bytes, below) ? HASTEN_SHIM_SHOWN
                            : is_on_c_stack(view, shim)                  ? HASTEN_SHIM_OVERWRITTEN
                                                                         : HASTEN_SHIM_NONE;
    *ret_called = hasten_judge_from_c(view, leaf, pushed, seen) == HASTEN_LINKED;
    return HASTEN_OK;
}

/* Whether `pushed`, right above `below`, says that `leaf` called it: directly (or
 * through the helper `below`), or through the shim that stands for C code in between.
 * NOT_FOUND: the call has to be asked about. */
static hasten_status check_caller(const struct hasten_view *view, struct hasten_frame *leaf,
                                  uint64_t below, struct hasten_frame *pushed, bool *ret_called) {
    const struct hasten_layout *layout = view->layout;
    uint64_t previous = hasten_load_u64(pushed->bytes, layout->frame_previous);
    *ret_called = false;
    if (previous == below) {
        pushed->entered_from_c = hasten_frame_is_entry(layout, pushed->bytes);
        enum hasten_verdict verdict = pushed->entered_from_c
                                          ? hasten_judge_pushed_from_c(view, leaf, pushed)
                                          : hasten_judge_pushed(view, leaf, pushed);
        *ret_called = verdict == HASTEN_LINKED;
        return verdict == HASTEN_UNKNOWN ? HASTEN_NOT_FOUND : HASTEN_OK;
    }
    return hasten_layout_has_shims(layout)
               ? check_shim(view, leaf, below, pushed, previous, ret_called)
               : HASTEN_OK;
}

/* The generator that `pushed`, a live frame right above the leaf's, names as its caller: C
 * code which the leaf called runs it. */
static hasten_status find_generator_below(const struct hasten_view *view,
                                          const struct hasten_frame *leaf,
                                          const struct hasten_frame *pushed,
                                          struct hasten_frame *ret_generator, bool *ret_found) {
    uint64_t address = hasten_load_u64(pushed->bytes, view->layout->frame_previous);
    struct hasten_frame frame = {.address = address, .entered_from_c = true};
    *ret_found = false;
    if (leaf->owner != view->layout->owner_thread || !(leaf->traits & HASTEN_UNIT_CALL) ||
        address == 0 || (address & 7) || is_on_c_stack(view, address) ||
        hasten_snapshot_holds(view->snapshot, address))
        return HASTEN_OK;
    frame.bytes = hasten_resolve_generator(view, address);
    if (!frame.bytes)
        return HASTEN_OK;
    hasten_status status = hasten_generator_look(view, &frame, ret_found);
    if (status != HASTEN_OK || frame.owner != view->layout->owner_generator)
        return status;
    *ret_generator = frame;
    if (*ret_found)
        status = hasten_generator_identify(view, leaf, ret_generator, ret_found);
    /* What the leaf is known to resume need not be this one, which was read too late then. */
    *ret_found &= ret_generator->bytes != NULL;
    return status;
}

/* What was never seen there is most likely left over, but a function that is always over
 * when its frame is looked for has no other way to become known. */
static bool is_curious(const struct hasten_view *view, const struct hasten_frame *frame) {
    bool runs = view->layout->stack_top_kind == HASTEN_STACK_TOP_POINTER ||
                !hasten_frame_stack_top_saved(view->layout, frame->bytes);
    return runs && view->walk->tries == 0 && view->walk->looks % CURIOUS_LOOKS == 0;
}

/* The frame on the data stack at `address`, if it runs code that was seen before.
 * `*ret_started` as hasten_resolve_code; `frame->code` is NULL where there is nothing. */
static hasten_status look_at(const struct hasten_view *view, uint64_t address,
                             struct hasten_frame *ret_frame, bool *ret_started) {
    const struct hasten_layout *layout = view->layout;
    struct hasten_frame frame = {.address = address};
    *ret_started = false;
    *ret_frame = frame;
    frame.bytes = hasten_snapshot_at(view->snapshot, 1, address, layout->frame_localsplus);
    if (!frame.bytes)
        return HASTEN_OK;
    frame.owner = hasten_load_u8(frame.bytes, layout->frame_owner);
    frame.code_address = hasten_frame_code(layout, frame.bytes);
    if (frame.owner != layout->owner_thread || frame.code_address == 0 ||
        (!hasten_codes_find(view->codes, frame.code_address) && !is_curious(view, &frame)))
        return HASTEN_OK;
    hasten_status status = hasten_resolve_code(view, &frame, ret_started);
    if (status == HASTEN_TORN)
        return HASTEN_OK;
    if (status == HASTEN_OK)
        *ret_frame = frame;
    return status;
}

/* Where the next frame on the data stack begins above the frames of the stack. */
static uint64_t data_stack_end(const struct hasten_view *view) {
    const struct hasten_walk *walk = view->walk;
    for (size_t i = 0; i < walk->count; i++)
        if (walk->frames[i].owner == view->layout->owner_thread)
            return hasten_frame_end(&walk->frames[i]);
    return hasten_snapshot_bottom(view->snapshot, view->interpreter);
}

/* The frame that the leaf has pushed since the current frame was read, if any, or the
 * generator in between. */
static hasten_status find_pushed(const struct hasten_view *view, struct hasten_frame *leaf,
                                 uint64_t end, struct hasten_frame *ret_pushed, bool *ret_found) {
    struct hasten_frame pushed;
    uint64_t below = leaf->address;
    bool started, called;
    *ret_found = false;
    hasten_status status = look_at(view, end, &pushed, &started);
    if (status != HASTEN_OK || !pushed.code)
        return status;
    bool is_helper = pushed.code->first_traceable >= pushed.code->unit_count;
    if (is_helper && hasten_load_u64(pushed.bytes, view->layout->frame_previous) == below) {
        below = pushed.address;
        status = look_at(view, hasten_frame_end(&pushed), &pushed, &started);
        if (status != HASTEN_OK || !pushed.code)
            return status;
        pushed.over_helper = true;
    }
    if (!started || !hasten_frame_is_live(view, &pushed))
        return HASTEN_OK;
    status = find_generator_below(view, leaf, &pushed, ret_pushed, ret_found);
    if (status != HASTEN_OK || *ret_found)
        return status;
    status = check_caller(view, leaf, below, &pushed, &called);
    if (status != HASTEN_OK || !called)
        return status;
    *ret_pushed = pushed;
    *ret_found = true;
    return HASTEN_OK;
}

/* The generator that the leaf has resumed, if any. */
static hasten_status find_resumed(const struct hasten_view *view, const struct hasten_frame *leaf,
                                  struct hasten_frame *ret_resumed, bool *ret_found) {
    struct hasten_frame frame = {.address = hasten_frame_resumed(view, leaf)};
    *ret_found = false;
    if (frame.address == 0)
        return HASTEN_OK;
    frame.bytes = hasten_resolve_generator(view, frame.address);
    if (!frame.bytes)
        return HASTEN_OK;
    hasten_status status = hasten_generator_look(view, &frame, ret_found);
    if (status != HASTEN_OK || frame.owner != view->layout->owner_generator)
        return status;
    *ret_resumed = frame;
    return hasten_generator_identify(view, leaf, ret_resumed, ret_found);
}

/* The frame says that C code which `leaf` called has entered it. */
static bool is_driven_by(const struct hasten_view *view, const uint8_t *bytes,
                         const struct hasten_frame *leaf) {
    const struct hasten_layout *layout = view->layout;
    uint64_t previous = hasten_load_u64(bytes, layout->frame_previous);
    if (hasten_load_u8(bytes, layout->frame_owner) != layout->owner_generator || previous == 0)
        return false;
    if (layout->frame_is_entry != HASTEN_ABSENT)
        return previous == leaf->address;
    const uint8_t *shim = hasten_snapshot_at(view->snapshot, 1, previous, layout->frame_localsplus);
    return shim && is_shim_above(layout, shim, leaf->address);
}

/* The generator that runs because C code which the leaf called runs it, if any: one of
 * those that were seen before. */
static hasten_status find_driven(const struct hasten_view *view, struct hasten_frame *leaf,
                                 struct hasten_frame *ret_driven, bool *ret_found) {
    const struct hasten_layout *layout = view->layout;
    hasten_status status = HASTEN_OK;
    struct hasten_frame frame = {0};
    *ret_found = false;
    for (size_t i = 0; i < view->snapshot->outside_count && status == HASTEN_OK; i++) {
        frame = (struct hasten_frame){.address = view->snapshot->outside[i].address,
                                      .entered_from_c = true};
        frame.bytes = hasten_snapshot_peek(view->snapshot, i, layout->frame_localsplus);
        if (frame.bytes && is_driven_by(view, frame.bytes, leaf)) {
            status = hasten_generator_look(view, &frame, ret_found);
            break;
        }
    }
    if (status != HASTEN_OK || !*ret_found)
        return status;
    enum hasten_verdict verdict = hasten_judge_driven(view, leaf, &frame);
    *ret_found = verdict == HASTEN_LINKED;
    *ret_driven = frame;
    return verdict == HASTEN_DOUBTFUL ? HASTEN_TORN : HASTEN_OK;
}

/* Puts a frame in front of all others. */
static hasten_status put_leaf(struct hasten_walk *walk, struct hasten_frame frame) {
    if (hasten_grow(walk->allocator, (void **)&walk->frames, &walk->capacity, walk->count + 1,
                    sizeof *walk->frames) != 0)
        return HASTEN_NO_MEMORY;
    memmove(walk->frames + 1, walk->frames, walk->count * sizeof *walk->frames);
    walk->frames[0] = frame;
    walk->count++;
    return HASTEN_OK;
}

static hasten_status climb(const struct hasten_view *view, size_t *count) {
    struct hasten_walk *walk = view->walk;
    for (; *count < EXTENSION_MAX; (*count)++) {
        struct hasten_frame next;
        bool found;
        hasten_status status = find_resumed(view, &walk->frames[0], &next, &found);
        if (status == HASTEN_OK && !found)
            status = find_pushed(view, &walk->frames[0], data_stack_end(view), &next, &found);
        if (status == HASTEN_OK && !found)
            status = find_driven(view, &walk->frames[0], &next, &found);
        if (status == HASTEN_OK && found)
            status = put_leaf(walk, next);
        if (status != HASTEN_OK || !found)
            return status;
    }
    return HASTEN_OK;
}

/* The generator that was current, or below the current frame, has yielded since; if it
 * had been copied along, that would say so at the same instant as all the rest. It was
 * read later, so what counts is that it was current. */
static hasten_status put_yielded(const struct hasten_view *view) {
    struct hasten_walk *walk = view->walk;
    struct hasten_frame *caller = &walk->frames[0];
    switch (hasten_judge_call(view, caller, &walk->yielded)) {
    case HASTEN_LINKED:
        return put_leaf(walk, walk->yielded);
    case HASTEN_RETURNED:
        return HASTEN_OK;
    case HASTEN_UNKNOWN:
        return HASTEN_NOT_FOUND;
    case HASTEN_DOUBTFUL:
        break;
    }
    return HASTEN_TORN;
}

hasten_status hasten_extend(const struct hasten_view *view) {
    struct hasten_walk *walk = view->walk;
    size_t count = 0;
    hasten_status status = climb(view, &count);
    if (status != HASTEN_OK || count > 0 || !walk->has_yielded)
        return status;
    status = put_yielded(view);
    return status == HASTEN_OK ? climb(view, &count) : status;
}
