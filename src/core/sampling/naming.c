/* SPDX-License-Identifier: MIT
 *
 * Keeps the recorded names of a process's threads up to date with those that the
 * program gave them. The names are read in passes, a pass in steps, and the steps
 * so seldom that they cost little. */
#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/sampling/target.h"

#include <string.h>

/* Between two passes for the same threads: a thread enters itself in threading's
 * dict soon after its first instruction. */
#define PASS_INTERVAL_NS 5000000u
/* Passes that look for a thread's name. Those that the threading module has not
 * made have none. */
#define TRIES_MAX 20
/* Names that are known may change. */
#define ALL_INTERVAL_NS 2000000000u
/* A step is followed by a pause of this many times its CPU time. */
#define STEP_PAUSE 50

/* The newest: idents are used again. */
static struct hasten_thread_watch *find_by_ident(const struct hasten_target *target,
                                                 uint64_t ident) {
    const struct hasten_interp *interp = target->interps[target->naming.interp];
    struct hasten_thread_watch *found = NULL;
    for (size_t i = 0; i < target->thread_count; i++) {
        struct hasten_thread_watch *thread = target->threads[i];
        if (thread->ident == ident && thread->interp == interp && thread->recorded != HASTEN_NONE &&
            (!found || thread->unique_id > found->unique_id))
            found = thread;
    }
    return found;
}

static bool wants_name(void *context, uint64_t ident) {
    const struct hasten_target *target = context;
    const struct hasten_thread_watch *thread = find_by_ident(target, ident);
    return thread && (target->naming.all || !thread->named);
}

/* Whether the thread's state is still in the interpreter's list: so long, nobody
 * else has its ident. That alone the memory of the state would not tell. */
static bool is_alive(const struct hasten_target *target, const struct hasten_thread_watch *thread) {
    const struct hasten_layout *layout = &target->interpreter.layout;
    uint64_t unique_id = 0, previous = 0, link = 0;
    size_t bytes = 0;
    const struct hasten_read reads[2] = {
        {hasten_raddr_at(thread->address + layout->thread_unique_id), &unique_id, 8},
        {hasten_raddr_at(thread->address + layout->thread_prev), &previous, 8},
    };
    hasten_status status = hasten_memory_read_batch(target->pid, reads, 2, &bytes);
    if (status != HASTEN_OK || unique_id != thread->unique_id)
        return false;
    uint64_t place = previous != 0 ? previous + layout->thread_next
                                   : thread->interp->address + layout->interpreter_threads_head;
    status = hasten_memory_read(target->pid, hasten_raddr_at(place), &link, sizeof link);
    return status == HASTEN_OK && link == thread->address;
}

static hasten_status record_name(void *context, uint64_t ident, const char *name) {
    const struct hasten_target *target = context;
    struct hasten_thread_watch *thread = find_by_ident(target, ident);
    struct hasten_map_key key = hasten_hash((struct hasten_map_key){0}, name, strlen(name));
    if (!thread || (thread->named && thread->name.low == key.low && thread->name.high == key.high))
        return HASTEN_OK;
    if (!is_alive(target, thread))
        return HASTEN_OK;
    thread->named = true;
    thread->name = key;
    return hasten_recorder_thread_name(target->shared->recorder, thread->recorded, name);
}

static bool lacks_name(const struct hasten_thread_watch *thread) {
    return thread->recorded != HASTEN_NONE && !thread->named && thread->name_tries < TRIES_MAX;
}

/* Whether a pass begins. */
static bool begin_pass(struct hasten_target *target, uint64_t now_ns) {
    struct hasten_naming *naming = &target->naming;
    if (!naming->asked && now_ns < naming->check_ns)
        return false;
    naming->asked = false;
    naming->check_ns = now_ns + PASS_INTERVAL_NS;
    naming->all = now_ns >= naming->all_ns;
    bool needed = naming->all;
    for (size_t i = 0; i < target->thread_count && !needed; i++)
        needed = lacks_name(target->threads[i]);
    naming->running = needed;
    naming->interp = 0;
    naming->entry = 0;
    return needed;
}

static void end_pass(struct hasten_target *target, uint64_t now_ns) {
    struct hasten_naming *naming = &target->naming;
    naming->running = false;
    if (naming->all)
        naming->all_ns = now_ns + ALL_INTERVAL_NS;
    for (size_t i = 0; i < target->thread_count; i++)
        if (lacks_name(target->threads[i]))
            target->threads[i]->name_tries++;
}

/* One step of a pass. What goes wrong in the process is left for a later pass. */
static hasten_status take_step(struct hasten_target *target) {
    struct hasten_naming *naming = &target->naming;
    const struct hasten_thread_names_visitor visitor = {target, wants_name, record_name};
    if (naming->interp >= target->interp_count)
        return HASTEN_OK;
    hasten_status status = hasten_thread_names_read(&naming->names, &target->interpreter,
                                                    target->interps[naming->interp]->address,
                                                    &visitor, &naming->entry);
    if (status != HASTEN_OK || naming->entry == 0) {
        naming->entry = 0;
        naming->interp++;
    }
    switch (status) {
    case HASTEN_NOT_FOUND: /* threading is not imported */
    case HASTEN_GONE:
    case HASTEN_TORN:
    case HASTEN_NO_PROCESS:
    case HASTEN_NO_PERMISSION:
    case HASTEN_BAD_LAYOUT:
        return HASTEN_OK;
    default:
        return status;
    }
}

hasten_status hasten_target_name_threads(struct hasten_target *target, uint64_t now_ns) {
    struct hasten_naming *naming = &target->naming;
    if (now_ns < naming->earliest_ns || (!naming->running && !begin_pass(target, now_ns)))
        return HASTEN_OK;
    uint64_t start_cpu_ns = hasten_clock_process_cpu_ns();
    hasten_status status = take_step(target);
    uint64_t pause_ns = (hasten_clock_process_cpu_ns() - start_cpu_ns) * STEP_PAUSE;
    if (naming->interp >= target->interp_count)
        end_pass(target, now_ns);
    naming->earliest_ns = now_ns + pause_ns;
    return status;
}
