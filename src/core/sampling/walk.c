/* SPDX-License-Identifier: MIT
 *
 * Follows the chain of frames in a snapshot, reads code and instruction off each.
 * What makes a link between two frames believable is in links.c. */
#include "core/sampling/walk.h"

#include "core/sampling/links.h"
#include "core/sampling/load.h"

/* A chain that leads nowhere is read this often before it is taken as it stands. */
#define TRIES_BEFORE_DETOUR 8

void hasten_walk_init(struct hasten_walk *walk, const struct hasten_allocator *allocator) {
    *walk = (struct hasten_walk){.allocator = allocator};
}

void hasten_walk_done(struct hasten_walk *walk) {
    hasten_release(walk->allocator, walk->frames, walk->capacity * sizeof *walk->frames);
    *walk = (struct hasten_walk){.allocator = walk->allocator};
}

static bool is_shim(const struct hasten_layout *layout, uint8_t owner) {
    return owner == layout->owner_c_stack || owner == layout->owner_interpreter;
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
static uint64_t base_frame(const struct hasten_snapshot *snapshot,
                           const struct hasten_layout *layout) {
    return layout->thread_base_frame == HASTEN_ABSENT
               ? 0
               : hasten_load_u64(snapshot->thread, layout->thread_base_frame);
}

/* No frame is on the data stack. */
static bool is_empty(const struct hasten_snapshot *snapshot,
                     const struct hasten_interpreter *interpreter) {
    uint64_t bottom = hasten_snapshot_bottom(snapshot, interpreter);
    return bottom == 0 ||
           hasten_load_u64(snapshot->thread, interpreter->layout.thread_datastack_top) == bottom;
}

/* A chain that ends says little: a frame that is being pushed has no caller yet. It
 * must end in the thread's sentinel, where there is one, and at the bottom of the
 * data stack, unless that is empty. */
static bool reaches_bottom(const struct hasten_snapshot *snapshot,
                           const struct hasten_interpreter *interpreter, uint64_t last,
                           uint64_t last_on_stack) {
    const struct hasten_layout *layout = &interpreter->layout;
    if (last == 0)
        return true; /* no frame at all */
    uint64_t base = base_frame(snapshot, layout);
    if (base != 0 && last != base)
        return false;
    if (last_on_stack != 0)
        return last_on_stack == hasten_snapshot_bottom(snapshot, interpreter);
    return is_empty(snapshot, interpreter);
}

/* Only generators and those that stand for C code lie elsewhere than on the data stack. */
static bool may_lie_elsewhere(const struct hasten_layout *layout, const uint8_t *bytes) {
    uint8_t owner = hasten_load_u8(bytes, layout->frame_owner);
    return owner == layout->owner_generator || owner == layout->owner_frame_object ||
           is_shim(layout, owner);
}

/* A frame that is not in the snapshot: read now, and along with the stack from now
 * on. What is not mapped, or is no frame, is not asked for: the next read would fail
 * whole. */
static hasten_status read_missing(struct hasten_walk *walk, struct hasten_snapshot *snapshot,
                                  const struct hasten_interpreter *interpreter, uint64_t address,
                                  uint8_t **ret_bytes) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint32_t size = layout->frame_localsplus;
    uint8_t *into = walk->late[walk->late_count];
    if (size > HASTEN_LATE_SIZE)
        return HASTEN_GONE;
    hasten_status status =
        hasten_memory_read(interpreter->pid, hasten_raddr_at(address), into, size);
    if (status == HASTEN_OK && !hasten_snapshot_holds(snapshot, address) &&
        !may_lie_elsewhere(layout, into))
        status = HASTEN_GONE;
    if (status != HASTEN_OK)
        return status;
    *ret_bytes = into;
    return hasten_snapshot_want(snapshot, address, size);
}

const uint8_t *hasten_walk_generator(struct hasten_walk *walk, struct hasten_snapshot *snapshot,
                                     const struct hasten_interpreter *interpreter,
                                     uint64_t address) {
    const struct hasten_layout *layout = &interpreter->layout;
    const uint8_t *copied = hasten_snapshot_at(snapshot, 1, address, layout->frame_localsplus);
    uint8_t *bytes = NULL;
    if (copied || walk->late_count + 1 >= HASTEN_LATE_MAX ||
        layout->frame_localsplus > HASTEN_LATE_SIZE)
        return copied;
    bytes = walk->late[walk->late_count];
    if (hasten_memory_read(interpreter->pid, hasten_raddr_at(address), bytes,
                           layout->frame_localsplus) != HASTEN_OK ||
        hasten_load_u8(bytes, layout->frame_owner) != layout->owner_generator)
        return NULL;
    walk->late_count++;
    return bytes;
}

static bool is_late(const struct hasten_walk *walk, const struct hasten_frame *frame) {
    uintptr_t offset = (uintptr_t)frame->bytes - (uintptr_t)walk->late;
    return offset < sizeof walk->late;
}

hasten_status hasten_walk_want(struct hasten_snapshot *snapshot, const struct hasten_frame *frame) {
    hasten_status status =
        hasten_snapshot_want_generator(snapshot, frame->address, frame->code->frame_words * 8);
    return status == HASTEN_LIMIT ? HASTEN_OK : status;
}

/* The frame at `address`, in the snapshot or not; `*missed` where one more try is needed
 * to have it in there. A generator's frame is good enough as it is read now: what it runs
 * does not change. */
static hasten_status get_frame(struct hasten_walk *walk, struct hasten_snapshot *snapshot,
                               const struct hasten_interpreter *interpreter, uint64_t address,
                               struct hasten_frame *frame, bool *missed) {
    const struct hasten_layout *layout = &interpreter->layout;
    const uint8_t *bytes = hasten_snapshot_at(snapshot, 1, address, layout->frame_localsplus);
    bool late = bytes == NULL;
    if (late) {
        uint8_t *fresh = NULL;
        hasten_status status = read_missing(walk, snapshot, interpreter, address, &fresh);
        if (status != HASTEN_OK)
            return status;
        bytes = fresh;
    }
    uint8_t owner = layout->frame_owner != HASTEN_ABSENT
                        ? hasten_load_u8(bytes, layout->frame_owner)
                        : layout->owner_thread;
    frame->address = address;
    frame->bytes = bytes;
    frame->owner = owner;
    frame->code_address = hasten_load_u64(bytes, layout->frame_code) & layout->reference_mask;
    frame->code = NULL;
    frame->unit = 0;
    frame->traits = 0;
    frame->over_helper = false;
    frame->entered_from_c = layout->frame_is_entry != HASTEN_ABSENT &&
                            hasten_load_u8(bytes, layout->frame_is_entry) != 0;
    bool keeps = late && owner != layout->owner_thread && walk->late_count + 1 < HASTEN_LATE_MAX;
    walk->late_count += keeps;
    *missed |= late && !keeps;
    return HASTEN_OK;
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
static hasten_status follow_chain(struct hasten_walk *walk, struct hasten_snapshot *snapshot,
                                  const struct hasten_interpreter *interpreter, uint64_t address,
                                  struct broken_link *ret_broken) {
    const struct hasten_layout *layout = &interpreter->layout;
    bool missed = false;
    uint64_t last = 0, last_on_stack = 0, last_link = 0, mark = 0;
    uint64_t base = base_frame(snapshot, layout);
    uint64_t bottom = hasten_snapshot_bottom(snapshot, interpreter);
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
            status = get_frame(walk, snapshot, interpreter, address, frame, &missed);
        if (status != HASTEN_OK)
            return status;
        uint64_t previous = hasten_load_u64(frame->bytes, layout->frame_previous);
        if (is_shim(layout, frame->owner)) {
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
        if (address == bottom && previous == snapshot->bottom_link && previous != 0 && !missed) {
            frame->entered_from_c = true;
            return HASTEN_OK;
        }
        address = previous;
    }
    if (missed)
        return HASTEN_TORN;
    if (!reaches_bottom(snapshot, interpreter, last, last_on_stack))
        return HASTEN_GONE;
    if (last != last_on_stack)
        snapshot->bottom_link = last_link;
    return HASTEN_OK;
}

bool hasten_walk_instruction(struct hasten_frame *frame, const struct hasten_layout *layout,
                             const uint8_t *bytes) {
    uint64_t start = frame->code_address + layout->code_bytecode;
    int64_t unit = ((int64_t)(hasten_load_u64(bytes, layout->frame_instruction) - start)) / 2;
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

hasten_status hasten_walk_resolve(struct hasten_frame *frame,
                                  const struct hasten_interpreter *interpreter,
                                  const struct hasten_codes *codes, bool *ret_started) {
    *ret_started = false;
    struct hasten_code_entry *entry = hasten_codes_find(codes, frame->code_address);
    if (!entry || entry->verified_epoch != codes->epoch)
        return HASTEN_NOT_FOUND;
    frame->code = entry;
    if (entry->code == HASTEN_NONE)
        return HASTEN_OK; /* some other executable object: no Python frame */
    if (!has_started(frame, &interpreter->layout))
        return HASTEN_OK;
    if (!hasten_walk_instruction(frame, &interpreter->layout, frame->bytes))
        return HASTEN_TORN;
    *ret_started = true;
    return HASTEN_OK;
}

/* Looks up every frame's code; drops those that are no code or never start (the
 * helper that returns from __init__), handing on that C is in between, and those
 * that have not started yet together with what seems to be above them: that is
 * left over from an earlier frame at the same place. */
static hasten_status resolve_frames(struct hasten_walk *walk, struct hasten_snapshot *snapshot,
                                    const struct hasten_interpreter *interpreter,
                                    const struct hasten_codes *codes) {
    size_t kept = 0;
    for (size_t i = 0; i < walk->count; i++) {
        struct hasten_frame *frame = &walk->frames[i];
        bool started;
        if (frame->code_address == 0) { /* 3.14+: popped */
            kept = 0;
            continue;
        }
        hasten_status status = hasten_walk_resolve(frame, interpreter, codes, &started);
        if (status == HASTEN_NOT_FOUND)
            walk->missing_code = frame->code_address;
        if (status != HASTEN_OK)
            return status;
        if (frame->owner == interpreter->layout.owner_generator && frame->code->frame_words > 0)
            status = hasten_walk_want(snapshot, frame);
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
static hasten_status climb_data_stack(struct hasten_walk *walk,
                                      const struct hasten_snapshot *snapshot,
                                      const struct hasten_interpreter *interpreter,
                                      const struct hasten_codes *codes, uint64_t limit,
                                      uint64_t *ret_top, uint64_t *ret_second) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint64_t address =
        is_empty(snapshot, interpreter) ? 0 : hasten_snapshot_bottom(snapshot, interpreter);
    *ret_top = *ret_second = 0;
    for (uint32_t i = 0; address != 0 && address != limit; i++) {
        const uint8_t *bytes = hasten_snapshot_at(snapshot, 1, address, layout->frame_localsplus);
        if (!bytes || i >= HASTEN_STACK_DEPTH_MAX)
            return HASTEN_GONE;
        uint64_t code = hasten_load_u64(bytes, layout->frame_code) & layout->reference_mask;
        const struct hasten_code_entry *entry = hasten_codes_find(codes, code);
        if (!entry)
            walk->missing_code = code;
        if (!entry || entry->frame_words == 0)
            return entry || code == 0 ? HASTEN_GONE : HASTEN_NOT_FOUND;
        *ret_second = *ret_top;
        *ret_top = address;
        address = hasten_snapshot_above(snapshot, interpreter,
                                        address + (uint64_t)entry->frame_words * 8);
    }
    return HASTEN_OK;
}

/* The stack of copy 1 where the frame that was current is not there any more, as far as
 * it goes: links.c goes on from there. */
static hasten_status follow_what_is_left(struct hasten_walk *walk, struct hasten_snapshot *snapshot,
                                         const struct hasten_interpreter *interpreter,
                                         const struct hasten_codes *codes) {
    uint64_t top, second;
    struct broken_link broken;
    hasten_status status = climb_data_stack(walk, snapshot, interpreter, codes, 0, &top, &second);
    walk->missing_code = 0;
    if (top == 0 || (status != HASTEN_OK && status != HASTEN_GONE && status != HASTEN_NOT_FOUND))
        return HASTEN_GONE;
    status = follow_chain(walk, snapshot, interpreter, top, &broken);
    if (status == HASTEN_GONE && second != 0)
        status = follow_chain(walk, snapshot, interpreter, second, &broken);
    return status;
}

/* The stack below a generator that has yielded since: whoever ran it is on top of what is
 * on the data stack under the frames that the generator called. */
static hasten_status follow_below_yielded(struct hasten_walk *walk,
                                          struct hasten_snapshot *snapshot,
                                          const struct hasten_interpreter *interpreter,
                                          const struct hasten_codes *codes,
                                          struct broken_link *broken) {
    uint64_t top, second;
    bool started;
    struct hasten_frame *yielded = &broken->generator;
    if (yielded->code_address == 0) /* it is over */
        return HASTEN_GONE;
    hasten_status status = hasten_walk_resolve(yielded, interpreter, codes, &started);
    if (status == HASTEN_NOT_FOUND)
        walk->missing_code = yielded->code_address;
    if (status == HASTEN_OK)
        status = climb_data_stack(walk, snapshot, interpreter, codes, broken->above, &top, &second);
    if (status == HASTEN_OK && (top == 0 || !started))
        status = HASTEN_GONE;
    if (status == HASTEN_OK) {
        struct broken_link other;
        status = follow_chain(walk, snapshot, interpreter, top, &other);
    }
    if (status != HASTEN_OK)
        return status;
    walk->yielded = *yielded;
    walk->has_yielded = is_late(walk, yielded);
    return hasten_walk_want(snapshot, yielded);
}

hasten_status hasten_walk_stack(struct hasten_walk *walk, struct hasten_snapshot *snapshot,
                                const struct hasten_interpreter *interpreter,
                                const struct hasten_codes *codes, struct hasten_edges *edges) {
    uint64_t current = 0;
    struct broken_link broken = {{0}, 0};
    walk->count = walk->leaf = walk->late_count = 0;
    walk->has_yielded = false;
    walk->native = walk->distant = false;
    walk->missing_code = 0;
    walk->unknown_call.instruction = 0;
    hasten_status status = hasten_snapshot_current_frame(snapshot, interpreter, &current);
    if (status == HASTEN_OK)
        status = follow_chain(walk, snapshot, interpreter, current, &broken);
    if (status == HASTEN_GONE && broken.generator.address != 0)
        status = follow_below_yielded(walk, snapshot, interpreter, codes, &broken);
    if (status == HASTEN_GONE)
        status = follow_what_is_left(walk, snapshot, interpreter, codes);
    if (status == HASTEN_GONE)
        status = HASTEN_TORN;
    /* Too many frames elsewhere: nonsense at first sight, if it stays so the truth. */
    if (status == HASTEN_LIMIT && walk->count < HASTEN_STACK_DEPTH_MAX &&
        walk->tries < TRIES_BEFORE_DETOUR)
        status = HASTEN_TORN;
    if (status == HASTEN_OK)
        status = resolve_frames(walk, snapshot, interpreter, codes);
    if (status == HASTEN_OK)
        status = hasten_links_check(walk, snapshot, interpreter, codes, edges);
    return status;
}
