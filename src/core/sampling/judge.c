/* SPDX-License-Identifier: MIT
 *
 * Weighs the evidence that one frame called another. */
#include "core/sampling/judge.h"

#include "core/sampling/generators.h"
#include "core/sampling/load.h"

/* Of so many looks at a caller where it is not known to run a generator, one is followed
 * by a look that tells. */
#define LEARNING_LOOKS 16
/* A call nearly always names what it called; where it does not, it is believed after so
 * many reads of the same stack. */
#define ODD_TRIES 8

/* Same activation in both copies as far as one can see, perhaps at another
 * instruction. */
static bool is_same_frame(const struct hasten_view *view, const struct hasten_frame *frame) {
    const struct hasten_layout *layout = view->layout;
    const uint8_t *was = hasten_frame_before(view, frame);
    const uint32_t fields[] = {layout->frame_code, layout->frame_previous, layout->frame_function};
    for (size_t i = 0; was && i < sizeof fields / sizeof *fields; i++)
        if (hasten_load_u64(was, fields[i]) != hasten_load_u64(frame->bytes, fields[i]))
            return false;
    return was != NULL;
}

static bool is_stable(const struct hasten_view *view, const struct hasten_frame *caller,
                      const struct hasten_frame *callee) {
    if (!hasten_frame_stands_still(view, caller) || !is_same_frame(view, callee))
        return false;
    /* What is left of a frame that has returned is the same but for this. */
    return view->layout->stack_top_kind == HASTEN_STACK_TOP_POINTER ||
           hasten_frame_stack_top_saved(view->layout, hasten_frame_before(view, callee)) ==
               hasten_frame_stack_top_saved(view->layout, callee->bytes);
}

/* The callee lies right above the caller on the data stack, so that it can be
 * found from the caller alone. */
static bool is_adjacent(const struct hasten_frame *caller, const struct hasten_frame *callee) {
    return callee->address == hasten_frame_end(caller);
}

/* A frame on the data stack starts where its caller's ends, if that is on the same
 * chunk; whatever else it claims, it is left over from an earlier call. */
static bool is_misplaced(const struct hasten_view *view, const struct hasten_frame *caller,
                         const struct hasten_frame *callee) {
    const struct hasten_layout *layout = view->layout;
    return callee->owner == layout->owner_thread && caller->owner == layout->owner_thread &&
           !callee->over_helper && !is_adjacent(caller, callee) &&
           hasten_snapshot_same_chunk(view->snapshot, caller->address, callee->address);
}

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

static void settle_sightings(struct hasten_edges *edges, struct hasten_code_entry *code) {
    struct hasten_edge last = {code->code, code->call_unit, code->callee};
    if (code->call_sightings > 0)
        hasten_edges_count(edges, last, code->call_sightings);
    code->call_sightings = 0;
}

/* A pair of call and callee that was never seen is asked about first. */
static enum hasten_verdict judge_named(const struct hasten_view *view,
                                       const struct hasten_frame *caller,
                                       const struct hasten_frame *callee, bool stable) {
    const struct hasten_layout *layout = view->layout;
    struct hasten_edge edge = edge_of(caller, callee);
    struct hasten_code_entry *code = caller->code;
    if (code->call_unit == edge.unit && code->callee == edge.callee) {
        code->call_sightings++;
        return HASTEN_LINKED;
    }
    settle_sightings(view->edges, code);
    if (is_believed(view->walk, edge))
        return HASTEN_LINKED;
    if (hasten_edges_known(view->edges, edge)) {
        code->call_unit = edge.unit;
        code->callee = edge.callee;
        return HASTEN_LINKED;
    }
    view->walk->unknown_call = (struct hasten_unknown_call){
        .edge = edge,
        .instruction = caller->code_address + layout->code_bytecode + (uint64_t)caller->unit * 2,
        .function = hasten_load_u64(callee->bytes, layout->frame_function) & layout->reference_mask,
        .code = callee->code_address,
        .stable = stable,
    };
    return HASTEN_UNKNOWN;
}

/* A caller that does not name its callee (of a method object, a property, through C)
 * is believed when both stand still, or when the pair was seen often enough. */
static enum hasten_verdict judge_unnamed(const struct hasten_view *view,
                                         const struct hasten_frame *caller,
                                         const struct hasten_frame *callee, bool stable) {
    struct hasten_edge edge = edge_of(caller, callee);
    if (hasten_edges_known(view->edges, edge))
        return HASTEN_LINKED;
    hasten_edges_add(view->edges, edge, stable ? HASTEN_EVIDENCE_STABLE : HASTEN_EVIDENCE_NONE);
    return stable ? HASTEN_LINKED : HASTEN_DOUBTFUL;
}

/* The callee is there and names its caller, which was copied earlier and was not at the
 * call yet: puts it at the only instruction that is known to make it. */
static bool put_at_call(const struct hasten_view *view, struct hasten_frame *caller,
                        const struct hasten_frame *callee) {
    uint32_t unit = hasten_edges_unit(view->edges, caller->code->code, callee->code->code);
    if (unit >= caller->code->unit_count)
        return false;
    caller->unit = unit;
    caller->traits = caller->code->units[unit] & ~HASTEN_UNIT_BACK;
    return true;
}

/* An instruction that iterates pushes a generator's frame and no other. */
static bool cannot_push(const struct hasten_frame *caller, const struct hasten_frame *callee) {
    return (caller->traits & HASTEN_UNIT_ITERATES) && !callee->entered_from_c;
}

/* Both frames are on the data stack, copied within nanoseconds of each other:
 * whatever lives right above the caller was called by it. A call names what it
 * called besides; a property or an operator does not. */
static enum hasten_verdict judge_neighbours(const struct hasten_view *view,
                                            struct hasten_frame *caller,
                                            const struct hasten_frame *callee) {
    bool suspended = hasten_frame_is_suspended(view, caller);
    if (is_misplaced(view, caller, callee))
        return suspended ? HASTEN_DOUBTFUL : HASTEN_RETURNED;
    bool stable = is_stable(view, caller, callee);
    if (callee->entered_from_c) {
        bool exact = view->layout->stack_top_kind == HASTEN_STACK_TOP_INDEX;
        bool in_call = exact && hasten_frame_stack_top_saved(view->layout, caller->bytes);
        return stable || !in_call ? judge_unnamed(view, caller, callee, stable) : HASTEN_DOUBTFUL;
    }
    if (!suspended || cannot_push(caller, callee))
        return put_at_call(view, caller, callee) ? HASTEN_LINKED : HASTEN_DOUBTFUL;
    return hasten_frame_names_callee(view, caller, callee)
               ? judge_named(view, caller, callee, stable)
               : judge_unnamed(view, caller, callee, stable);
}

/* C code runs the generator (sum, next, a task's step), and nothing in memory names it:
 * believed when the caller stands still at this instruction, and from then on. Where it
 * has gone on meanwhile, the instruction is the only one that is known to run it. */
enum hasten_verdict hasten_judge_driven(const struct hasten_view *view, struct hasten_frame *caller,
                                        const struct hasten_frame *callee) {
    struct hasten_edge edge = edge_of(caller, callee);
    if (hasten_edges_known(view->edges, edge))
        return HASTEN_LINKED;
    /* Both copies are needed to learn of an instruction that runs it. */
    uint32_t unit = hasten_edges_unit(view->edges, edge.caller, edge.callee);
    view->walk->distant |= unit == HASTEN_NONE || view->walk->looks % LEARNING_LOOKS == 0;
    if (hasten_frame_stands_still(view, caller) && hasten_frame_keeps_code(view, callee)) {
        hasten_edges_add(view->edges, edge, HASTEN_EVIDENCE_STABLE);
        return HASTEN_LINKED;
    }
    if (put_at_call(view, caller, callee))
        return HASTEN_LINKED;
    return unit == HASTEN_NONE ? HASTEN_DOUBTFUL : HASTEN_RETURNED;
}

/* Where CPython itself resumes a generator, the caller's value stack names it; where it
 * does not do so any more, the caller has gone on since the generator was copied. */
static enum hasten_verdict judge_generator(const struct hasten_view *view,
                                           struct hasten_frame *caller,
                                           struct hasten_frame *callee) {
    if (hasten_frame_resumes(view, caller, callee)) {
        bool found = true;
        hasten_status status = hasten_generator_identify(view, caller, callee, &found);
        return status == HASTEN_NOT_FOUND     ? HASTEN_UNKNOWN
               : status == HASTEN_OK && found ? HASTEN_LINKED
                                              : HASTEN_DOUBTFUL;
    }
    bool unseen = !hasten_layout_has_shims(view->layout);
    if (callee->entered_from_c || unseen || hasten_frame_is_hidden(caller))
        return hasten_judge_driven(view, caller, callee);
    bool copied = hasten_snapshot_at(view->snapshot, 1, hasten_frame_end(caller) - 8, 8) != NULL;
    return copied ? HASTEN_RETURNED : HASTEN_DOUBTFUL;
}

/* The generator was running when it was copied. */
static bool was_running(const struct hasten_view *view, const struct hasten_frame *generator) {
    return generator->bytes && hasten_load_u64(generator->bytes, view->layout->frame_previous) != 0;
}

/* The callee names its caller, a generator, whose frame was copied some 100 ns earlier.
 * Where that was not at the call yet, the instruction is the only one that is known to
 * make it. */
static enum hasten_verdict judge_in_generator(const struct hasten_view *view,
                                              struct hasten_frame *caller,
                                              const struct hasten_frame *callee) {
    enum hasten_verdict verdict = HASTEN_DOUBTFUL;
    if (hasten_edges_known(view->edges, edge_of(caller, callee)))
        return HASTEN_LINKED;
    view->walk->distant = true;
    if (was_running(view, caller) && !cannot_push(caller, callee) &&
        (callee->entered_from_c || hasten_frame_is_suspended(view, caller))) {
        bool stable = is_stable(view, caller, callee);
        bool named = !callee->entered_from_c && hasten_frame_names_callee(view, caller, callee);
        bool odd = (caller->traits & HASTEN_UNIT_CALL) && !callee->entered_from_c && !named;
        if (named)
            verdict = judge_named(view, caller, callee, stable);
        else if (!odd || view->walk->tries >= ODD_TRIES)
            verdict = judge_unnamed(view, caller, callee, stable);
    }
    return verdict == HASTEN_DOUBTFUL && put_at_call(view, caller, callee) ? HASTEN_LINKED
                                                                           : verdict;
}

enum hasten_verdict hasten_judge_call(const struct hasten_view *view, struct hasten_frame *caller,
                                      struct hasten_frame *callee) {
    uint8_t on_stack = view->layout->owner_thread;
    if (callee->owner != on_stack)
        return judge_generator(view, caller, callee);
    if (!hasten_frame_is_live(view, callee))
        return HASTEN_RETURNED;
    return caller->owner == on_stack ? judge_neighbours(view, caller, callee)
                                     : judge_in_generator(view, caller, callee);
}

enum hasten_verdict hasten_judge_pushed(const struct hasten_view *view, struct hasten_frame *caller,
                                        const struct hasten_frame *callee) {
    if (caller->owner != view->layout->owner_thread)
        return judge_in_generator(view, caller, callee);
    enum hasten_verdict verdict = HASTEN_DOUBTFUL;
    if (hasten_frame_is_suspended(view, caller) && !cannot_push(caller, callee))
        verdict = hasten_frame_names_callee(view, caller, callee)
                      ? judge_named(view, caller, callee, false)
                      : judge_unnamed(view, caller, callee, false);
    bool corrected = verdict == HASTEN_DOUBTFUL && put_at_call(view, caller, callee);
    return corrected ? HASTEN_LINKED : verdict;
}

enum hasten_verdict hasten_judge_pushed_from_c(const struct hasten_view *view,
                                               struct hasten_frame *caller,
                                               const struct hasten_frame *callee) {
    struct hasten_edge edge = edge_of(caller, callee);
    if (!caller->bytes || hasten_frame_stack_top_saved(view->layout, caller->bytes))
        return HASTEN_DOUBTFUL;
    if (hasten_edges_known(view->edges, edge) || put_at_call(view, caller, callee))
        return HASTEN_LINKED;
    hasten_edges_add(view->edges, edge, HASTEN_EVIDENCE_NONE);
    return HASTEN_DOUBTFUL;
}

/* Nothing that is left of a frame which is over looks like this. */
static bool runs_for_certain(const struct hasten_view *view, const struct hasten_frame *frame) {
    return view->layout->stack_top_kind == HASTEN_STACK_TOP_POINTER ||
           !hasten_frame_stack_top_saved(view->layout, frame->bytes);
}

enum hasten_verdict hasten_judge_from_c(const struct hasten_view *view,
                                        const struct hasten_frame *caller,
                                        const struct hasten_frame *callee, enum hasten_shim shim) {
    struct hasten_edge edge = edge_of(caller, callee);
    bool shown = shim == HASTEN_SHIM_SHOWN;
    if (shown || (shim == HASTEN_SHIM_OVERWRITTEN && runs_for_certain(view, callee)))
        hasten_edges_add(view->edges, edge, HASTEN_EVIDENCE_NONE);
    /* Where it is shown, the other frame is older than the two, and soon overwritten. */
    return shown || hasten_edges_known(view->edges, edge) ? HASTEN_LINKED : HASTEN_DOUBTFUL;
}
