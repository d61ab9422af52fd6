/* SPDX-License-Identifier: MIT
 *
 * Follows the chain of frames in a snapshot. What makes a link between two frames
 * believable is in judge.c. */
#include "core/sampling/walk.h"

#include "core/sampling/links.h"
#include "core/sampling/load.h"
#include "core/sampling/resolve.h"

/* A stack with more frames elsewhere than can be copied is read this often before that is
 * believed. */
#define CROWDED_TRIES 8

void hasten_walk_init(struct hasten_walk *walk, const struct hasten_allocator *allocator) {
    *walk = (struct hasten_walk){.allocator = allocator};
}

void hasten_walk_done(struct hasten_walk *walk) {
    hasten_release(walk->allocator, walk->frames, walk->capacity * sizeof *walk->frames);
    *walk = (struct hasten_walk){.allocator = walk->allocator};
}

/* Room for one more frame, which is not counted yet. Filled in place: copies of frames
 * were a tenth of what a look at a deep stack took. */
static hasten_status next_frame(struct hasten_walk *walk, struct hasten_frame **ret_frame) {
    if (walk->count == walk->capacity &&
        hasten_grow(walk->allocator, (void **)&walk->frames, &walk->capacity, walk->count + 1,
                    sizeof *walk->frames) != 0)
        return HASTEN_NO_MEMORY;
    *ret_frame = &walk->frames[walk->count];
    return HASTEN_OK;
}

/* The sentinel below the thread's first frame (3.15); 0 where there is none. */
static uint64_t base_frame(const struct hasten_view *view) {
    uint32_t offset = view->layout->thread_base_frame;
    return offset == HASTEN_ABSENT ? 0 : hasten_load_u64(view->snapshot->thread, offset);
}

/* No frame is on the data stack. */
static bool is_empty(const struct hasten_view *view) {
    uint64_t bottom = hasten_snapshot_bottom(view->snapshot, view->interpreter);
    return bottom == 0 ||
           hasten_load_u64(view->snapshot->thread, view->layout->thread_datastack_top) == bottom;
}

/* A chain that ends says little: a frame that is being pushed has no caller yet. It
 * must end in the thread's sentinel, where there is one, and at the bottom of the
 * data stack, unless that is empty. */
static bool reaches_bottom(const struct hasten_view *view, uint64_t last, uint64_t last_on_stack) {
    if (last == 0)
        return true; /* no frame at all */
    uint64_t base = base_frame(view);
    if (base != 0 && last != base)
        return false;
    if (last_on_stack != 0)
        return last_on_stack == hasten_snapshot_bottom(view->snapshot, view->interpreter);
    return is_empty(view);
}

static bool is_late(const struct hasten_walk *walk, const struct hasten_frame *frame) {
    uintptr_t offset = (uintptr_t)frame->bytes - (uintptr_t)walk->late;
    return offset < sizeof walk->late;
}

/* Where a chain may have been broken. */
struct broken_link {
    struct hasten_frame generator; /* address 0: there is none */
    uint64_t above;                /* the last frame on the data stack above it; 0: none */
};

/* Collects the frames from `address` to the bottom. Frames that are not in the
 * snapshot are asked for and the walk goes on with a direct read, so that one
 * more try has them all. TORN: do that. GONE: the chain leads nowhere, or in a circle:
 * `mark` is left behind ever more rarely (Brent 1980), so that a circle comes back to
 * it. A generator that has yielded has lost its link, and the C frame that it names is
 * soon overwritten: the last one of the chain is left in `*ret_broken`. */
static hasten_status follow_chain(const struct hasten_view *view, uint64_t address,
                                  struct broken_link *ret_broken) {
    struct hasten_walk *walk = view->walk;
    const struct hasten_layout *layout = view->layout;
    bool missed = false;
    uint64_t last = 0, last_on_stack = 0, last_link = 0, mark = 0;
    uint64_t base = base_frame(view);
    uint64_t bottom = hasten_snapshot_bottom(view->snapshot, view->interpreter);
    walk->count = 0;
    for (uint32_t steps = 0; address != 0; steps++) {
        struct hasten_frame *frame = NULL;
        last = address;
        if (address == base)
            break;
        if (steps > 2 * HASTEN_STACK_DEPTH_MAX || (address & 7) || address == mark)
            return HASTEN_GONE;
        if ((steps & (steps - 1)) == 0)
            mark = address;
        hasten_status status = next_frame(walk, &frame);
        if (status == HASTEN_OK)
            status = hasten_resolve_frame(view, address, frame, &missed);
        if (status != HASTEN_OK)
            return status;
        uint64_t previous = hasten_load_u64(frame->bytes, layout->frame_previous);
        if (hasten_owner_is_shim(layout, frame->owner)) {
            if (walk->count > 0)
                walk->frames[walk->count - 1].entered_from_c = true;
            address = previous;
            continue;
        }
        if (frame->owner > layout->owner_frame_object)
            return HASTEN_GONE;
        if (walk->count++ == HASTEN_STACK_DEPTH_MAX)
            return HASTEN_LIMIT;
        if (frame->owner == layout->owner_thread) {
            last_on_stack = address;
            last_link = previous;
        } else if (frame->owner == layout->owner_generator) {
            *ret_broken = (struct broken_link){*frame, last_on_stack};
        }
        if (address == bottom && previous == view->snapshot->bottom_link && previous != 0 &&
            !missed) {
            frame->entered_from_c = true;
            return HASTEN_OK;
        }
        address = previous;
    }
    if (missed)
        return HASTEN_TORN;
    if (!reaches_bottom(view, last, last_on_stack))
        return HASTEN_GONE;
    if (last != last_on_stack)
        view->snapshot->bottom_link = last_link;
    return HASTEN_OK;
}

/* Looks up every frame's code; drops those that are no code or never start (the
 * helper that returns from __init__), handing on that C is in between, and those
 * that have not started yet together with what seems to be above them: that is
 * left over from an earlier frame at the same place. */
static hasten_status resolve_frames(const struct hasten_view *view) {
    struct hasten_walk *walk = view->walk;
    size_t kept = 0;
    for (size_t i = 0; i < walk->count; i++) {
        struct hasten_frame *frame = &walk->frames[i];
        bool started;
        if (frame->code_address == 0) { /* 3.14+: popped */
            kept = 0;
            continue;
        }
        hasten_status status = hasten_resolve_code(view, frame, &started);
        if (status == HASTEN_OK && frame->owner == view->layout->owner_generator &&
            frame->code->frame_words > 0)
            status = hasten_resolve_want(view, frame);
        if (status != HASTEN_OK)
            return status;
        if (started && kept++ != i)
            walk->frames[kept - 1] = *frame;
        if (started)
            continue;
        if (frame->code->first_traceable < frame->code->unit_count)
            kept = 0;
        else if (kept > 0) {
            walk->frames[kept - 1].over_helper = true;
            walk->frames[kept - 1].entered_from_c |= frame->entered_from_c;
        }
    }
    walk->count = kept;
    return HASTEN_OK;
}

/* Walks the data stack from the bottom, where frames lie one after the other and their
 * code says how large they are, as far as they lie below `limit` (0: all that is used)
 * and run code that is known. `*ret_top` is the last one and `*ret_second` the one below
 * it; 0 where there is none. NOT_FOUND: it did not get there; load `missing_code`. */
static hasten_status climb_data_stack(const struct hasten_view *view, uint64_t limit,
                                      uint64_t *ret_top, uint64_t *ret_second) {
    const struct hasten_layout *layout = view->layout;
    uint64_t address =
        is_empty(view) ? 0 : hasten_snapshot_bottom(view->snapshot, view->interpreter);
    *ret_top = *ret_second = 0;
    for (uint32_t i = 0; address != 0 && address != limit; i++) {
        const uint8_t *bytes =
            hasten_snapshot_at(view->snapshot, 1, address, layout->frame_localsplus);
        if (!bytes || i >= HASTEN_STACK_DEPTH_MAX)
            return HASTEN_GONE;
        uint64_t code = hasten_frame_code(layout, bytes);
        const struct hasten_code_entry *entry = hasten_codes_find(view->codes, code);
        if (!entry)
            view->walk->missing_code = code;
        if (!entry || entry->frame_words == 0)
            return entry || code == 0 ? HASTEN_GONE : HASTEN_NOT_FOUND;
        *ret_second = *ret_top;
        *ret_top = address;
        address = hasten_snapshot_above(view->snapshot, view->interpreter,
                                        address + (uint64_t)entry->frame_words * 8);
    }
    return HASTEN_OK;
}

/* The stack of copy 1 where the frame that was current is not there any more, as far as
 * it goes: extension.c goes on from there. */
static hasten_status follow_what_is_left(const struct hasten_view *view) {
    uint64_t top, second;
    struct broken_link broken;
    hasten_status status = climb_data_stack(view, 0, &top, &second);
    view->walk->missing_code = 0;
    if (top == 0 || (status != HASTEN_OK && status != HASTEN_GONE && status != HASTEN_NOT_FOUND))
        return HASTEN_GONE;
    status = follow_chain(view, top, &broken);
    if (status == HASTEN_GONE && second != 0)
        status = follow_chain(view, second, &broken);
    return status;
}

/* The stack below a generator that has yielded since: whoever ran it is on top of what is
 * on the data stack under the frames that the generator called. */
static hasten_status follow_below_yielded(const struct hasten_view *view,
                                          struct broken_link *broken) {
    uint64_t top, second;
    bool started;
    struct hasten_frame *yielded = &broken->generator;
    if (yielded->code_address == 0) /* it is over */
        return HASTEN_GONE;
    hasten_status status = hasten_resolve_code(view, yielded, &started);
    if (status == HASTEN_OK)
        status = climb_data_stack(view, broken->above, &top, &second);
    if (status == HASTEN_OK && (top == 0 || !started))
        status = HASTEN_GONE;
    if (status == HASTEN_OK) {
        struct broken_link other;
        status = follow_chain(view, top, &other);
    }
    if (status != HASTEN_OK)
        return status;
    view->walk->yielded = *yielded;
    view->walk->has_yielded = is_late(view->walk, yielded);
    return hasten_resolve_want(view, yielded);
}

hasten_status hasten_walk_stack(struct hasten_walk *walk, struct hasten_snapshot *snapshot,
                                const struct hasten_interpreter *interpreter,
                                const struct hasten_codes *codes, struct hasten_edges *edges) {
    struct hasten_view view = {walk, snapshot, interpreter, &interpreter->layout, codes, edges};
    uint64_t current = 0;
    struct broken_link broken = {{0}, 0};
    walk->count = walk->leaf = walk->late_count = 0;
    walk->has_yielded = false;
    walk->native = walk->distant = false;
    walk->missing_code = 0;
    walk->unknown_call.instruction = 0;
    hasten_status status = hasten_snapshot_current_frame(snapshot, interpreter, &current);
    if (status == HASTEN_OK)
        status = follow_chain(&view, current, &broken);
    if (status == HASTEN_GONE && broken.generator.address != 0)
        status = follow_below_yielded(&view, &broken);
    if (status == HASTEN_GONE)
        status = follow_what_is_left(&view);
    if (status == HASTEN_GONE)
        status = HASTEN_TORN;
    /* Too many frames elsewhere: nonsense at first sight, if it stays so the truth. */
    if (status == HASTEN_LIMIT && walk->count < HASTEN_STACK_DEPTH_MAX &&
        walk->tries < CROWDED_TRIES)
        status = HASTEN_TORN;
    if (status == HASTEN_OK)
        status = resolve_frames(&view);
    if (status == HASTEN_OK)
        status = hasten_links_check(&view);
    return status;
}
