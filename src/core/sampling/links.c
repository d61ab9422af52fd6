/* SPDX-License-Identifier: MIT
 *
 * Decides for each pair of frames whether the upper one really was called by the
 * lower one at the instant of copy 1.
 *
 * "Suspended" means that the caller itself says that a Python frame is above it:
 * up to 3.13 its stack top is saved exactly while a callee runs that was pushed
 * without C in between; from 3.14 on the stack top is never cleared, but the
 * instruction is one that may push. */
#include "core/sampling/links.h"

#include "core/sampling/load.h"

/* Frames that may have been pushed between the two reads and are added. */
#define EXTENSION_MAX 16
/* Reads in which a caller without its callee is not believed. One: measured against
 * stopped programs (benchmarks/bias.py), none favours callers and many favour those
 * that make no short calls. */
#define EXPECTING_TRIES 1

struct context {
    struct hasten_walk *walk;
    struct hasten_snapshot *snapshot;
    const struct hasten_interpreter *interpreter;
    const struct hasten_layout *layout;
    const struct hasten_codes *codes;
    struct hasten_edges *edges;
};

static bool stack_top_saved(const struct hasten_layout *layout, const uint8_t *bytes) {
    return (int32_t)hasten_load_u32(bytes, layout->frame_stack_top) >= 0;
}

static bool may_call(const struct hasten_frame *frame) {
    return (frame->traits & (HASTEN_UNIT_MAY_PUSH | HASTEN_UNIT_CALL)) != 0;
}

static bool is_suspended(const struct context *context, const struct hasten_frame *frame) {
    /* A frame that was just pushed has a saved stack top too, but its instruction
     * is its first one. */
    if (!may_call(frame))
        return false;
    return context->layout->stack_top_kind == HASTEN_STACK_TOP_POINTER ||
           stack_top_saved(context->layout, frame->bytes);
}

/* Address of the first free slot of the frame's value stack as last saved. */
static uint64_t stack_top_of(const struct hasten_layout *layout, const struct hasten_frame *frame,
                             const uint8_t *bytes) {
    if (layout->stack_top_kind == HASTEN_STACK_TOP_POINTER)
        return hasten_load_u64(bytes, layout->frame_stack_top);
    int32_t index = (int32_t)hasten_load_u32(bytes, layout->frame_stack_top);
    if (index < 0)
        return 0;
    return frame->address + layout->frame_localsplus + (uint64_t)index * 8;
}

/* `slot` must lie inside the frame: what follows is the next frame's. */
static bool slot_holds(const struct context *context, const struct hasten_frame *frame,
                       uint64_t slot, uint64_t object) {
    if (slot - frame->address >= (uint64_t)frame->code->frame_words * 8)
        return false;
    const uint8_t *bytes = hasten_snapshot_at(context->snapshot, 1, slot, 8);
    return bytes && (hasten_load_u64(bytes, 0) & context->layout->reference_mask) == object;
}

/* True when the caller's value stack names the callee: the two slots above its top
 * still hold what it called (callable and self, in either order). */
static bool names_callee(const struct context *context, const struct hasten_frame *caller,
                         const struct hasten_frame *callee) {
    const struct hasten_layout *layout = context->layout;
    uint64_t top = stack_top_of(layout, caller, caller->bytes);
    uint64_t function =
        hasten_load_u64(callee->bytes, layout->frame_function) & layout->reference_mask;
    return top != 0 && function != 0 &&
           (slot_holds(context, caller, top, function) ||
            slot_holds(context, caller, top + 8, function));
}

static const uint8_t *before(const struct context *context, const struct hasten_frame *frame) {
    return hasten_snapshot_at(context->snapshot, 0, frame->address,
                              context->layout->frame_localsplus);
}

/* Same activation in both copies as far as one can see, perhaps at another
 * instruction. */
static bool is_same_frame(const struct context *context, const struct hasten_frame *frame) {
    const struct hasten_layout *layout = context->layout;
    const uint8_t *was = before(context, frame);
    const uint32_t fields[] = {layout->frame_code, layout->frame_previous, layout->frame_function};
    for (size_t i = 0; was && i < sizeof fields / sizeof *fields; i++)
        if (hasten_load_u64(was, fields[i]) != hasten_load_u64(frame->bytes, fields[i]))
            return false;
    return was != NULL;
}

/* The caller did not run between the copies: its fixed part is the same; and the
 * callee is the same one. */
static bool is_stable(const struct context *context, const struct hasten_frame *caller,
                      const struct hasten_frame *callee) {
    const uint8_t *was = before(context, caller);
    return was && memcmp(was, caller->bytes, context->layout->frame_localsplus) == 0 &&
           is_same_frame(context, callee);
}

static uint64_t end_of(const struct hasten_frame *frame) {
    return frame->address + (uint64_t)frame->code->frame_words * 8;
}

/* The callee lies right above the caller on the data stack, so that it can be
 * found from the caller alone. */
static bool is_adjacent(const struct hasten_frame *caller, const struct hasten_frame *callee) {
    return callee->address == end_of(caller);
}

/* A frame on the data stack starts where its caller's ends, if that is on the same
 * chunk; whatever else it claims, it is left over from an earlier call. */
static bool is_misplaced(const struct context *context, const struct hasten_frame *caller,
                         const struct hasten_frame *callee) {
    const struct hasten_layout *layout = context->layout;
    return callee->owner == layout->owner_thread && caller->owner == layout->owner_thread &&
           !callee->over_helper && !is_adjacent(caller, callee) &&
           hasten_snapshot_same_chunk(context->snapshot, caller->address, callee->address);
}

/* The frame has not been popped: up to 3.13 a frame that returns (or raises) leaves
 * its stack top saved, from 3.14 on its code is cleared. Of a generator's frame on
 * 3.14+ nothing is known. */
static bool is_live(const struct context *context, const struct hasten_frame *frame) {
    if (context->layout->stack_top_kind == HASTEN_STACK_TOP_POINTER)
        return true; /* walk.c has cut off those without code */
    return !stack_top_saved(context->layout, frame->bytes) || is_suspended(context, frame);
}

enum verdict { LINKED, RETURNED, DOUBTFUL, UNKNOWN };

static struct hasten_edge edge_of(const struct hasten_frame *caller,
                                  const struct hasten_frame *callee) {
    return (struct hasten_edge){caller->code->code, caller->unit, callee->code->code};
}

static bool is_believed(const struct hasten_walk *walk, struct hasten_edge edge) {
    for (size_t i = 0; i < walk->believed_count; i++) {
        const struct hasten_edge *other = &walk->believed[i];
        if (other->caller == edge.caller && other->unit == edge.unit &&
            other->callee == edge.callee)
            return true;
    }
    return false;
}

/* A pair of call and callee that was never seen is asked about first. */
static enum verdict judge_named(const struct context *context, const struct hasten_frame *caller,
                                const struct hasten_frame *callee, bool stable) {
    const struct hasten_layout *layout = context->layout;
    struct hasten_edge edge = edge_of(caller, callee);
    struct hasten_code_entry *code = caller->code;
    if (code->call_unit == edge.unit && code->callee == edge.callee)
        return LINKED;
    if (is_believed(context->walk, edge))
        return LINKED;
    if (hasten_edges_known(context->edges, edge)) {
        code->call_unit = edge.unit;
        code->callee = edge.callee;
        return LINKED;
    }
    context->walk->unknown_call = (struct hasten_unknown_call){
        .edge = edge,
        .instruction = caller->code_address + layout->code_bytecode + (uint64_t)caller->unit * 2,
        .function = hasten_load_u64(callee->bytes, layout->frame_function) & layout->reference_mask,
        .stable = stable && !context->walk->disturbed,
    };
    return UNKNOWN;
}

/* A caller that does not name its callee (of a method object, a property, through C)
 * is believed when both stand still, or when the pair was seen often enough. */
static enum verdict judge_unnamed(const struct context *context, const struct hasten_frame *caller,
                                  const struct hasten_frame *callee, bool stable) {
    struct hasten_edge edge = edge_of(caller, callee);
    if (hasten_edges_known(context->edges, edge))
        return LINKED;
    stable = stable && !context->walk->disturbed;
    hasten_edges_add(context->edges, edge, stable ? HASTEN_EVIDENCE_STABLE : HASTEN_EVIDENCE_NONE);
    return stable ? LINKED : DOUBTFUL;
}

/* Both frames are on the data stack, copied within nanoseconds of each other:
 * whatever lives right above the caller was called by it. A call names what it
 * called besides; a property or an operator does not. */
static enum verdict judge_neighbours(const struct context *context,
                                     const struct hasten_frame *caller,
                                     const struct hasten_frame *callee) {
    bool suspended = is_suspended(context, caller);
    if (is_misplaced(context, caller, callee))
        return suspended ? DOUBTFUL : RETURNED;
    bool stable = is_stable(context, caller, callee);
    if (context->walk->disturbed && !stable)
        return DOUBTFUL;
    if (callee->entered_from_c) {
        bool exact = context->layout->stack_top_kind == HASTEN_STACK_TOP_INDEX;
        bool in_call = exact && stack_top_saved(context->layout, caller->bytes);
        return stable || !in_call ? judge_unnamed(context, caller, callee, stable) : DOUBTFUL;
    }
    if (!suspended)
        return DOUBTFUL;
    return names_callee(context, caller, callee) ? judge_named(context, caller, callee, stable)
                                                 : judge_unnamed(context, caller, callee, stable);
}

/* One of them lies elsewhere (in a generator) and was copied some 300 ns earlier:
 * the caller must be the same before and after. Where it has gone on in between, its
 * instruction is that of the copy in which it could make the call. */
static enum verdict judge_distant(const struct context *context, struct hasten_frame *caller,
                                  const struct hasten_frame *callee) {
    const struct hasten_layout *layout = context->layout;
    context->walk->distant = true;
    if (!is_same_frame(context, caller) || !is_same_frame(context, callee))
        return DOUBTFUL;
    struct hasten_frame earlier = *caller;
    if (!hasten_walk_instruction(&earlier, layout, before(context, caller)))
        return DOUBTFUL;
    if (earlier.unit == caller->unit)
        return LINKED;
    if (may_call(&earlier) == may_call(caller))
        return DOUBTFUL;
    if (may_call(&earlier)) {
        caller->unit = earlier.unit;
        caller->traits = earlier.traits;
    }
    return LINKED;
}

static enum verdict judge(const struct context *context, struct hasten_frame *caller,
                          const struct hasten_frame *callee) {
    uint8_t on_stack = context->layout->owner_thread;
    if (!is_live(context, callee))
        return RETURNED;
    if (caller->owner == on_stack && callee->owner == on_stack)
        return judge_neighbours(context, caller, callee);
    return judge_distant(context, caller, callee);
}

static bool is_shim_above(const struct hasten_layout *layout, const uint8_t *bytes,
                          uint64_t below) {
    uint8_t owner = hasten_load_u8(bytes, layout->frame_owner);
    return (owner == layout->owner_c_stack || owner == layout->owner_interpreter) &&
           hasten_load_u64(bytes, layout->frame_previous) == below;
}

/* Whether `pushed`, right above `below`, says that `leaf` called it: directly (or
 * through the helper `below`), or through the shim that stands for C code in between.
 * NOT_FOUND: the call has to be asked about. */
static hasten_status check_caller(const struct context *context, const struct hasten_frame *leaf,
                                  uint64_t below, struct hasten_frame *pushed, bool *ret_called) {
    const struct hasten_layout *layout = context->layout;
    uint64_t previous = hasten_load_u64(pushed->bytes, layout->frame_previous);
    *ret_called = false;
    if (previous == below) {
        pushed->entered_from_c = layout->frame_is_entry != HASTEN_ABSENT &&
                                 hasten_load_u8(pushed->bytes, layout->frame_is_entry) != 0;
        if (pushed->entered_from_c) {
            *ret_called = !stack_top_saved(layout, leaf->bytes);
            return HASTEN_OK;
        }
        if (!is_suspended(context, leaf))
            return HASTEN_OK;
        enum verdict verdict = names_callee(context, leaf, pushed)
                                   ? judge_named(context, leaf, pushed, false)
                                   : judge_unnamed(context, leaf, pushed, false);
        *ret_called = verdict == LINKED;
        return verdict == UNKNOWN ? HASTEN_NOT_FOUND : HASTEN_OK;
    }
    if (layout->owner_c_stack == 0xff && layout->owner_interpreter == 0xff)
        return HASTEN_OK;
    const uint8_t *shim =
        hasten_snapshot_at(context->snapshot, 1, previous, layout->frame_localsplus);
    uint8_t fresh[256];
    if (!shim) {
        if (previous == 0 || (previous & 7) || layout->frame_localsplus > sizeof fresh ||
            hasten_snapshot_same_chunk(context->snapshot, previous, leaf->address))
            return HASTEN_OK;
        /* A leftover may name anything: only what looks right now is worth a try. */
        hasten_status status = hasten_memory_read(
            context->interpreter->pid, hasten_raddr_at(previous), fresh, layout->frame_localsplus);
        if (status != HASTEN_OK || !is_shim_above(layout, fresh, below))
            return status == HASTEN_GONE ? HASTEN_OK : status;
        status = hasten_snapshot_want(context->snapshot, previous, layout->frame_localsplus);
        return status == HASTEN_OK || status == HASTEN_LIMIT ? HASTEN_TORN : status;
    }
    pushed->entered_from_c = true;
    *ret_called = is_shim_above(layout, shim, below);
    return HASTEN_OK;
}

/* The frame on the data stack at `address`, if it runs code that was seen before:
 * what was never seen there is most likely left over. `*ret_started` as
 * hasten_walk_resolve; `frame->code` is NULL where there is nothing. */
static hasten_status look_at(const struct context *context, uint64_t address,
                             struct hasten_frame *ret_frame, bool *ret_started) {
    const struct hasten_layout *layout = context->layout;
    struct hasten_frame frame = {.address = address};
    *ret_started = false;
    *ret_frame = frame;
    frame.bytes = hasten_snapshot_at(context->snapshot, 1, address, layout->frame_localsplus);
    if (!frame.bytes)
        return HASTEN_OK;
    frame.owner = hasten_load_u8(frame.bytes, layout->frame_owner);
    frame.code_address = hasten_load_u64(frame.bytes, layout->frame_code) & layout->reference_mask;
    if (frame.owner != layout->owner_thread || frame.code_address == 0 ||
        !hasten_codes_find(context->codes, frame.code_address))
        return HASTEN_OK;
    hasten_status status =
        hasten_walk_resolve(&frame, context->interpreter, context->codes, ret_started);
    if (status == HASTEN_NOT_FOUND)
        context->walk->missing_code = frame.code_address;
    if (status == HASTEN_TORN)
        return HASTEN_OK;
    if (status == HASTEN_OK)
        *ret_frame = frame;
    return status;
}

/* The frame that the leaf has pushed since the current frame was read, if any. */
static hasten_status find_pushed(const struct context *context, struct hasten_frame *leaf,
                                 struct hasten_frame *ret_pushed, bool *ret_found) {
    struct hasten_frame pushed;
    uint64_t below = leaf->address;
    bool started, called;
    *ret_found = false;
    if (leaf->owner != context->layout->owner_thread)
        return HASTEN_OK;
    hasten_status status = look_at(context, end_of(leaf), &pushed, &started);
    if (status != HASTEN_OK || !pushed.code)
        return status;
    bool is_helper = pushed.code->first_traceable >= pushed.code->unit_count;
    if (is_helper && hasten_load_u64(pushed.bytes, context->layout->frame_previous) == below) {
        below = pushed.address;
        status = look_at(context, end_of(&pushed), &pushed, &started);
        if (status != HASTEN_OK || !pushed.code)
            return status;
        pushed.over_helper = true;
    }
    if (!started || !is_live(context, &pushed))
        return HASTEN_OK;
    status = check_caller(context, leaf, below, &pushed, &called);
    if (status != HASTEN_OK || !called)
        return status;
    *ret_pushed = pushed;
    *ret_found = true;
    return HASTEN_OK;
}

/* Puts the frames that were pushed meanwhile below index `leaf`. */
static hasten_status extend(const struct context *context) {
    struct hasten_walk *walk = context->walk;
    struct hasten_frame pushed[EXTENSION_MAX];
    size_t count = 0;
    while (count < EXTENSION_MAX) {
        struct hasten_frame *leaf = count ? &pushed[count - 1] : &walk->frames[0];
        bool found;
        hasten_status status = find_pushed(context, leaf, &pushed[count], &found);
        if (status != HASTEN_OK)
            return status;
        if (!found)
            break;
        count++;
    }
    if (count == 0)
        return HASTEN_OK;
    if (hasten_grow(walk->allocator, (void **)&walk->frames, &walk->capacity, walk->count + count,
                    sizeof *walk->frames) != 0)
        return HASTEN_NO_MEMORY;
    memmove(walk->frames + count, walk->frames, walk->count * sizeof *walk->frames);
    for (size_t i = 0; i < count; i++)
        walk->frames[i] = pushed[count - 1 - i];
    walk->count += count;
    return HASTEN_OK;
}

/* The frame is at a call of a Python function, whose frame must be above it (3.14+:
 * there its end shows later than elsewhere, as its code is cleared last). */
static bool expects_callee(const struct context *context, const struct hasten_frame *frame) {
    const struct hasten_layout *layout = context->layout;
    if (!(frame->traits & HASTEN_UNIT_CALL) || layout->stack_top_kind == HASTEN_STACK_TOP_INDEX)
        return false;
    uint64_t top = stack_top_of(layout, frame, frame->bytes);
    for (int slot = 0; slot < 2; slot++) {
        uint64_t at = top + (uint64_t)slot * 8;
        if (at - frame->address >= (uint64_t)frame->code->frame_words * 8)
            break;
        const uint8_t *bytes = hasten_snapshot_at(context->snapshot, 1, at, 8);
        if (bytes && hasten_edges_is_function(context->edges,
                                              hasten_load_u64(bytes, 0) & layout->reference_mask))
            return true;
    }
    return false;
}

/* A frame at its return instruction is what every returned frame looks like until
 * its place is used again; the instruction itself takes two nanoseconds. */
static void drop_returned(struct hasten_walk *walk) {
    while (walk->leaf + 1 < walk->count && (walk->frames[walk->leaf].traits & HASTEN_UNIT_RETURN) &&
           !walk->frames[walk->leaf].entered_from_c)
        walk->leaf++;
}

hasten_status hasten_links_check(struct hasten_walk *walk, struct hasten_snapshot *snapshot,
                                 const struct hasten_interpreter *interpreter,
                                 const struct hasten_codes *codes, struct hasten_edges *edges) {
    struct context context = {walk, snapshot, interpreter, &interpreter->layout, codes, edges};
    if (walk->count == 0)
        return HASTEN_OK;
    /* From the bottom up: what is above a frame that runs itself does not count. */
    for (size_t i = walk->count - 1; i-- > 0;) {
        enum verdict verdict = judge(&context, &walk->frames[i + 1], &walk->frames[i]);
        if (verdict == DOUBTFUL)
            return HASTEN_TORN;
        if (verdict == UNKNOWN)
            return HASTEN_NOT_FOUND;
        if (verdict == RETURNED) {
            walk->leaf = i + 1;
            break;
        }
    }
    if (walk->leaf == 0 && !walk->disturbed) {
        hasten_status status = extend(&context);
        if (status != HASTEN_OK)
            return status;
    }
    drop_returned(walk);
    struct hasten_frame *leaf = &walk->frames[walk->leaf];
    /* It says that it is inside a call, and there is nobody: the two were copied on
     * both sides of a return. To take the caller would favour callers. */
    if (walk->tries < EXPECTING_TRIES && expects_callee(&context, leaf))
        return HASTEN_TORN;
    walk->native = (leaf->traits & HASTEN_UNIT_CALL) != 0;
    return HASTEN_OK;
}
