/* SPDX-License-Identifier: MIT
 *
 * The look at one thread: read, verify the code objects, walk, find the node. */
#include "core/sampling/thread.h"

#include "core/sampling/load.h"

/* A call that CPython's cache contradicts is believed when it stands still in a stack
 * that was read this often. */
#define INSISTENT_TRIES 3
/* Walks over one snapshot: each may come upon a call that was not seen before. */
#define WALK_ROUNDS_MAX 1000

hasten_status hasten_thread_new(const struct hasten_interpreter *interpreter,
                                struct hasten_interp *interp, uint64_t address,
                                const struct hasten_allocator *allocator,
                                struct hasten_thread_watch **ret_thread) {
    struct hasten_thread_watch *thread = hasten_allocate_zeroed(allocator, sizeof *thread);
    if (!thread)
        return HASTEN_NO_MEMORY;
    thread->allocator = allocator;
    thread->address = address;
    thread->interp = interp;
    thread->recorded = HASTEN_NONE;
    thread->probe.schedule_descriptor = -1;
    thread->probe.syscall_descriptor = -1;
    thread->probe.status_descriptor = -1;
    hasten_snapshot_init(&thread->snapshot, interpreter, address, allocator);
    *ret_thread = thread;
    return HASTEN_OK;
}

void hasten_thread_free(struct hasten_thread_watch *thread) {
    if (!thread)
        return;
    hasten_activity_close(&thread->probe);
    hasten_snapshot_done(&thread->snapshot);
    hasten_release(thread->allocator, thread->path, thread->path_capacity * sizeof *thread->path);
    hasten_release(thread->allocator, thread, sizeof *thread);
}

/* A new epoch where a code object may have taken the place of another. For that
 * one must have been freed and one made: either counter tells. It was read after
 * the stack, so that it is no older. */
static void note_counted_codes(const struct hasten_thread_context *context,
                               struct hasten_interp *interp, const struct hasten_pulse *pulse) {
    bool counts_freed = context->interpreter->layout.interpreter_code_generation != HASTEN_ABSENT;
    uint64_t count = counts_freed ? pulse->code_generation : pulse->code_counter;
    interp->counts_codes = counts_freed || count != 0;
    interp->codes_change = count != interp->codes_seen;
    interp->codes_seen = count;
    context->codes->epoch += interp->codes_change;
}

/* Plans what is read along: the pulse and, where code objects come and go, the
 * fingerprints of those last seen here. */
static size_t plan_extra(const struct hasten_thread_watch *thread,
                         const struct hasten_thread_context *context, uint8_t *heads,
                         struct hasten_read *extra) {
    size_t count = 0;
    for (size_t i = 0; i < thread->interp->piece_count; i++)
        extra[count++] = thread->interp->pieces[i];
    if (heads)
        for (size_t i = 0; i < thread->head_count; i++)
            extra[count++] = hasten_codes_head(context->codes, thread->heads[i],
                                               heads + i * HASTEN_CODE_HEAD_MAX);
    return count;
}

static void verify_heads(const struct hasten_thread_watch *thread,
                         const struct hasten_thread_context *context, const uint8_t *heads) {
    for (size_t i = 0; i < thread->head_count; i++) {
        struct hasten_code_entry *entry = hasten_codes_find(context->codes, thread->heads[i]);
        if (entry)
            (void)hasten_codes_verify(context->codes, context->interpreter, entry,
                                      heads + i * HASTEN_CODE_HEAD_MAX);
    }
}

/* Makes the code object at `address` verified. An unchanged one (its fingerprint
 * still holds after the stack was read) was the same when the stack was read; a
 * new one may not have been: `*ret_again`. */
static hasten_status confirm_code(const struct hasten_thread_context *context, uint64_t address,
                                  bool *ret_again) {
    struct hasten_codes *codes = context->codes;
    struct hasten_code_entry *entry = hasten_codes_find(codes, address);
    if (entry) {
        uint8_t head[HASTEN_CODE_HEAD_MAX];
        struct hasten_read read = hasten_codes_head(codes, address, head);
        hasten_status status =
            hasten_memory_read(context->interpreter->pid, read.address, head, read.size);
        if (status != HASTEN_OK)
            return status;
        if (hasten_codes_verify(codes, context->interpreter, entry, head))
            return HASTEN_OK;
    }
    *ret_again = true;
    return hasten_codes_load(codes, context->interpreter, context->process, address, &entry);
}

/* Confirms every unverified code object of the walked chain. */
static hasten_status confirm_codes(const struct hasten_thread_context *context, bool *ret_again) {
    const struct hasten_walk *walk = context->walk;
    const struct hasten_codes *codes = context->codes;
    bool found = false;
    for (size_t i = 0; i < walk->count; i++) {
        uint64_t address = walk->frames[i].code_address;
        const struct hasten_code_entry *entry = hasten_codes_find(codes, address);
        if (entry && entry->verified_epoch == codes->epoch)
            continue;
        found |= address == walk->missing_code;
        hasten_status status = confirm_code(context, address, ret_again);
        if (status != HASTEN_OK)
            return status;
    }
    /* A frame that was pushed meanwhile is not in the chain. */
    return found ? HASTEN_OK : confirm_code(context, walk->missing_code, ret_again);
}

static hasten_status ask_about_call(const struct hasten_thread_context *context, bool *ret_again) {
    struct hasten_walk *walk = context->walk;
    const struct hasten_unknown_call *call = &walk->unknown_call;
    struct hasten_call_question question = {
        .edge = call->edge,
        .instruction = call->instruction,
        .function = call->function,
        .code = call->code,
        .stable = call->stable,
        .insistent = walk->tries >= INSISTENT_TRIES,
    };
    bool doubtful = false;
    hasten_status status = hasten_edges_ask(context->edges, context->interpreter,
                                            context->codes->opcodes, &question, &doubtful);
    if (status != HASTEN_OK)
        return status;
    if (doubtful || walk->believed_count == HASTEN_BELIEVED_MAX)
        *ret_again = true;
    else
        walk->believed[walk->believed_count++] = call->edge;
    return HASTEN_OK;
}

static hasten_status walk_and_confirm(struct hasten_thread_watch *thread,
                                      const struct hasten_thread_context *context) {
    struct hasten_walk *walk = context->walk;
    for (int round = 0; round < WALK_ROUNDS_MAX; round++) {
        bool again = false;
        hasten_status status = hasten_walk_stack(walk, &thread->snapshot, context->interpreter,
                                                 context->codes, context->edges);
        if (status != HASTEN_NOT_FOUND)
            return status;
        if (walk->missing_code != 0)
            status = confirm_codes(context, &again);
        else
            status = ask_about_call(context, &again);
        if (status == HASTEN_GONE)
            return HASTEN_TORN;
        if (status != HASTEN_OK)
            return status;
        if (again)
            return HASTEN_TORN;
    }
    return HASTEN_TORN;
}

/* Remembers the distinct code objects of the stack for the next look. */
static void remember_heads(struct hasten_thread_watch *thread, const struct hasten_walk *walk) {
    thread->head_count = 0;
    for (size_t i = walk->leaf; i < walk->count; i++) {
        uint64_t address = walk->frames[i].code_address;
        bool known = false;
        for (size_t k = 0; k < thread->head_count && !known; k++)
            known = thread->heads[k] == address;
        if (!known && thread->head_count < HASTEN_THREAD_HEADS_MAX)
            thread->heads[thread->head_count++] = address;
    }
}

/* The stack's node; steps that are the same as last time cost no look-up. */
static hasten_status find_node(struct hasten_thread_watch *thread,
                               const struct hasten_thread_context *context) {
    const struct hasten_walk *walk = context->walk;
    size_t depth = walk->count - walk->leaf;
    if (hasten_grow(thread->allocator, (void **)&thread->path, &thread->path_capacity, depth + 1,
                    sizeof *thread->path) != 0)
        return HASTEN_NO_MEMORY;
    uint32_t node = 0;
    bool same = true;
    for (size_t i = 0; i < depth; i++) {
        const struct hasten_frame *frame = &walk->frames[walk->count - 1 - i];
        struct hasten_path_step *step = &thread->path[i];
        same = same && i < thread->path_count && step->code == frame->code->code &&
               step->unit == frame->unit;
        if (!same) {
            hasten_status status = hasten_recorder_node(context->recorder, node, frame->code->code,
                                                        frame->unit, &node);
            if (status != HASTEN_OK) {
                thread->path_count = 0;
                return status;
            }
            *step = (struct hasten_path_step){frame->code->code, frame->unit, node};
        }
        node = step->node;
    }
    thread->path_count = depth;
    thread->node = node;
    return HASTEN_OK;
}

/* The state's memory may have become another thread's. */
static bool is_same_thread(const struct hasten_thread_watch *thread,
                           const struct hasten_layout *layout) {
    const uint8_t *state = thread->snapshot.thread;
    if (hasten_load_u64(state, layout->thread_interp) != thread->interp->address)
        return false;
    return layout->thread_unique_id + 8 > thread->snapshot.thread_size ||
           hasten_load_u64(state, layout->thread_unique_id) == thread->unique_id;
}

static hasten_status try_once(struct hasten_thread_watch *thread,
                              const struct hasten_thread_context *context, uint8_t *heads,
                              struct hasten_pulse *ret_pulse) {
    struct hasten_read extra[HASTEN_INTERP_PIECES + HASTEN_THREAD_HEADS_MAX];
    size_t extra_count = plan_extra(thread, context, heads, extra);
    hasten_status status =
        hasten_snapshot_take(&thread->snapshot, context->interpreter, extra, extra_count);
    if (status != HASTEN_OK)
        return status;
    *ret_pulse = hasten_interp_pulse(thread->interp, context->interpreter);
    note_counted_codes(context, thread->interp, ret_pulse);
    if (heads)
        verify_heads(thread, context, heads);
    if (!is_same_thread(thread, &context->interpreter->layout))
        return HASTEN_GONE;
    /* What disturbs us does not depend on what the process does: to look again is fair. */
    if (thread->snapshot.disturbed)
        return HASTEN_TORN;
    context->walk->believed_count = 0;
    context->walk->looks++;
    return walk_and_confirm(thread, context);
}

hasten_status hasten_thread_look(struct hasten_thread_watch *thread,
                                 const struct hasten_thread_context *context, bool *ret_native,
                                 struct hasten_pulse *ret_pulse) {
    uint8_t heads[HASTEN_THREAD_HEADS_MAX * HASTEN_CODE_HEAD_MAX];
    uint8_t *wanted_heads = thread->interp->codes_change ? heads : NULL;
    if (!thread->interp->counts_codes) {
        context->codes->epoch++;
        wanted_heads = heads;
    }
    hasten_status status = HASTEN_TORN;
    hasten_edges_begin(context->edges);
    for (int tries = 0; tries < HASTEN_THREAD_TRIES_MAX && status == HASTEN_TORN; tries++) {
        context->walk->tries = (uint32_t)tries;
        status = try_once(thread, context, wanted_heads, ret_pulse);
        *context->retried += tries > 0;
        if (status == HASTEN_TORN)
            thread->snapshot.doubled = true;
    }
    if (status != HASTEN_OK)
        return status;
    thread->snapshot.doubled = context->walk->distant;
    hasten_snapshot_trim(&thread->snapshot);
    remember_heads(thread, context->walk);
    *ret_native = context->walk->native;
    return find_node(thread, context);
}
