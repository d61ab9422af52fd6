/* SPDX-License-Identifier: MIT
 *
 * Lists a process's interpreters and threads, keeping what is known of those that
 * are still there. */
#include "core/os/tasks.h"
#include "core/sampling/load.h"
#include "core/sampling/target.h"

/* Listings in a row that a thread may be missing from. */
#define MISSED_MAX 4

static void free_interps(struct hasten_target *target) {
    for (size_t i = 0; i < target->interp_count; i++)
        hasten_release(target->shared->allocator, target->interps[i], sizeof **target->interps);
    target->interp_count = 0;
}

void hasten_target_drop_threads(struct hasten_target *target) {
    for (size_t i = 0; i < target->thread_count; i++)
        hasten_thread_free(target->threads[i]);
    target->thread_count = 0;
    free_interps(target);
}

/* A thread that is missing from a listing may only have been overlooked, as the list
 * changed while it was read; it is forgotten when it is missing again and again. */
static void drop_unseen(struct hasten_target *target) {
    size_t kept = 0;
    for (size_t i = 0; i < target->thread_count; i++) {
        struct hasten_thread_watch *thread = target->threads[i];
        thread->missed = thread->seen ? 0 : thread->missed + 1;
        target->relist |= !thread->seen;
        if (thread->missed < MISSED_MAX)
            target->threads[kept++] = thread;
        else
            hasten_thread_free(thread);
    }
    target->thread_count = kept;
}

static struct hasten_interp *find_interp(const struct hasten_target *target, uint64_t address) {
    for (size_t i = 0; i < target->interp_count; i++)
        if (target->interps[i]->address == address)
            return target->interps[i];
    return NULL;
}

static hasten_status add_interp(struct hasten_target *target, uint64_t address,
                                struct hasten_interp **ret_interp) {
    const struct hasten_allocator *allocator = target->shared->allocator;
    if (hasten_grow(allocator, (void **)&target->interps, &target->interp_capacity,
                    target->interp_count + 1, sizeof *target->interps) != 0)
        return HASTEN_NO_MEMORY;
    struct hasten_interp *interp = hasten_allocate(allocator, sizeof *interp);
    if (!interp)
        return HASTEN_NO_MEMORY;
    hasten_status status = hasten_interp_init(interp, &target->interpreter, address);
    if (status != HASTEN_OK) {
        hasten_release(allocator, interp, sizeof *interp);
        return status;
    }
    target->interps[target->interp_count++] = interp;
    *ret_interp = interp;
    return HASTEN_OK;
}

static struct hasten_thread_watch *find_thread(const struct hasten_target *target, uint64_t address,
                                               uint64_t unique_id) {
    for (size_t i = 0; i < target->thread_count; i++)
        if (target->threads[i]->address == address && target->threads[i]->unique_id == unique_id)
            return target->threads[i];
    return NULL;
}

/* A number for the kernel's files. A forked child of 3.11 may still carry its
 * parent's number; a process with one thread leaves no doubt. */
static uint32_t outer_tid(const struct hasten_target *target, uint32_t inner_tid, bool is_main) {
    uint32_t tid = hasten_tasks_outer(target->pid, inner_tid);
    return tid == 0 && is_main ? target->pid : tid;
}

/* The main thread is the one whose kernel number is the process's. */
static bool is_main_thread(const struct hasten_target *target, uint32_t inner_tid) {
    return inner_tid == target->pid || hasten_tasks_outer(target->pid, inner_tid) == target->pid;
}

static hasten_status add_thread(struct hasten_target *target, struct hasten_interp *interp,
                                uint64_t address, uint64_t unique_id, uint32_t inner_tid,
                                uint64_t ident) {
    bool is_main = is_main_thread(target, inner_tid);
    const struct hasten_allocator *allocator = target->shared->allocator;
    if (target->thread_count >= HASTEN_TARGET_THREADS_MAX)
        return HASTEN_LIMIT;
    if (hasten_grow(allocator, (void **)&target->threads, &target->thread_capacity,
                    target->thread_count + 1, sizeof *target->threads) != 0)
        return HASTEN_NO_MEMORY;
    uint32_t tid = outer_tid(target, inner_tid, is_main);
    if (tid == 0)
        return HASTEN_OK; /* it has just ended, or not begun */
    struct hasten_thread_watch *thread;
    hasten_status status =
        hasten_thread_new(&target->interpreter, interp, address, allocator, &thread);
    if (status != HASTEN_OK)
        return status;
    thread->unique_id = unique_id;
    thread->inner_tid = inner_tid;
    thread->tid = tid;
    thread->ident = ident;
    thread->is_main = is_main;
    thread->seen = true;
    hasten_activity_open(&thread->probe, target->pid, tid);
    target->threads[target->thread_count++] = thread;
    return HASTEN_OK;
}

/* Up to 3.11, a new thread's state shows the number of the thread that makes it until
 * it runs. */
static bool is_borrowed(const struct hasten_target *target, const struct hasten_interp *interp,
                        uint64_t address, uint32_t inner_tid) {
    for (size_t i = 0; i < target->thread_count; i++) {
        const struct hasten_thread_watch *other = target->threads[i];
        if (other->interp == interp && other->address != address && other->inner_tid == inner_tid &&
            other->missed == 0)
            return true;
    }
    return false;
}

static hasten_status note_thread(struct hasten_target *target, struct hasten_interp *interp,
                                 uint64_t address, const uint8_t *bytes) {
    const struct hasten_layout *layout = &target->interpreter.layout;
    uint32_t inner_tid = (uint32_t)hasten_load_u64(bytes, layout->thread_native_thread_id);
    uint64_t unique_id = layout->thread_unique_id != HASTEN_ABSENT
                             ? hasten_load_u64(bytes, layout->thread_unique_id)
                             : 0;
    uint64_t ident = hasten_load_u64(bytes, layout->thread_thread_id);
    if (inner_tid == 0)
        return HASTEN_OK; /* made, but its kernel thread has not started */
    struct hasten_thread_watch *thread = find_thread(target, address, unique_id);
    if (thread && thread->inner_tid == inner_tid && thread->interp == interp) {
        thread->seen = true;
        thread->ident = ident;
        return HASTEN_OK;
    }
    if (is_borrowed(target, interp, address, inner_tid)) {
        target->relist = true;
        return HASTEN_OK;
    }
    return add_thread(target, interp, address, unique_id, inner_tid, ident);
}

/* Every listed thread state, newest first; the list changes while it is read, so
 * it is bounded and ends at the first sign of confusion. */
static hasten_status list_of_interp(struct hasten_target *target, struct hasten_interp *interp) {
    const struct hasten_layout *layout = &target->interpreter.layout;
    struct hasten_pulse pulse = hasten_interp_pulse(interp, &target->interpreter);
    uint64_t address = pulse.threads_head;
    uint8_t bytes[HASTEN_THREAD_WINDOW_MAX];
    uint32_t size = layout->thread_datastack_limit + 8;
    target->threads_made += pulse.next_unique_id;
    for (uint32_t i = 0; address != 0 && i < HASTEN_TARGET_THREADS_MAX && size <= sizeof bytes;
         i++) {
        hasten_status status =
            hasten_memory_read(target->pid, hasten_raddr_at(address), bytes, size);
        if (status != HASTEN_OK)
            return status == HASTEN_GONE ? HASTEN_OK : status;
        if (hasten_load_u64(bytes, layout->thread_interp) != interp->address)
            return HASTEN_OK;
        status = note_thread(target, interp, address, bytes);
        if (status != HASTEN_OK)
            return status;
        address = hasten_load_u64(bytes, layout->thread_next);
    }
    return HASTEN_OK;
}

hasten_status hasten_target_list_threads(struct hasten_target *target, uint64_t now_ns) {
    const struct hasten_interpreter *interpreter = &target->interpreter;
    uint64_t address = 0;
    hasten_status status = hasten_memory_read(
        target->pid,
        hasten_raddr_add(interpreter->runtime, interpreter->layout.runtime_interpreters_head),
        &address, sizeof address);
    target->listed_ns = now_ns;
    target->relist = false;
    target->threads_made = 0;
    for (size_t i = 0; i < target->thread_count; i++)
        target->threads[i]->seen = false;
    for (uint32_t i = 0; status == HASTEN_OK && address != 0 && i < HASTEN_TARGET_INTERPS_MAX;
         i++) {
        struct hasten_interp *interp = find_interp(target, address);
        if (!interp)
            status = add_interp(target, address, &interp);
        if (status == HASTEN_NOT_READY) { /* being made: the rest of the list next time */
            target->relist = true;
            status = HASTEN_OK;
            break;
        }
        if (status != HASTEN_OK)
            break;
        size_t bytes = 0;
        status = hasten_memory_read_batch(target->pid, interp->pieces, interp->piece_count, &bytes);
        if (status == HASTEN_OK)
            status = list_of_interp(target, interp);
        address = hasten_interp_pulse(interp, interpreter).next_interp;
    }
    /* Interpreters that ended stay in the list of structures until the process
     * ends: their threads are gone and cost nothing. */
    drop_unseen(target);
    return status;
}
