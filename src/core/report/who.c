/* SPDX-License-Identifier: MIT
 *
 * Finds the program's own processes and main threads, and threads that only
 * their numbers tell apart. */
#include "core/report/who.h"

#include "core/base/map.h"

/* A root's parent is not in the recording. */
static hasten_status find_roots(struct hasten_aggregate *aggregate) {
    const struct hasten_profile *profile = aggregate->profile;
    hasten_status status = HASTEN_NO_MEMORY;
    struct hasten_map pids;
    hasten_map_init(&pids, aggregate->allocator);
    for (size_t i = 0; i < profile->process_count; i++) {
        struct hasten_map_key key = {profile->processes[i].pid, 0};
        if (hasten_map_insert(&pids, key, (uint32_t)i, NULL) == NULL) {
            goto done;
        }
    }
    for (size_t i = 0; i < profile->process_count; i++) {
        const struct hasten_process *process = &profile->processes[i];
        struct hasten_map_key key = {process->parent_pid, 0};
        aggregate->processes[i].is_root =
            process->parent_pid == process->pid || hasten_map_find(&pids, key) == NULL;
    }
    status = HASTEN_OK;
done:
    hasten_map_done(&pids);
    return status;
}

static void find_main_threads(struct hasten_aggregate *aggregate) {
    const struct hasten_profile *profile = aggregate->profile;
    bool found = false;
    for (size_t i = 0; i < profile->thread_count; i++) {
        const struct hasten_thread *thread = &profile->threads[i];
        aggregate->threads[i].is_main =
            thread->is_main != 0 && aggregate->processes[thread->process].is_root;
        found = found || aggregate->threads[i].is_main;
    }
    /* Attached to a process whose main thread never ran Python. */
    if (!found && profile->thread_count > 0) {
        aggregate->threads[0].is_main = true;
    }
}

static hasten_status find_shared_names(struct hasten_aggregate *aggregate) {
    const struct hasten_profile *profile = aggregate->profile;
    hasten_status status = HASTEN_NO_MEMORY;
    struct hasten_map first; /* process and name -> the first thread that has them */
    hasten_map_init(&first, aggregate->allocator);
    for (size_t i = 0; i < profile->thread_count; i++) {
        const struct hasten_thread *thread = &profile->threads[i];
        struct hasten_map_key key = {(uint64_t)thread->process << 32 | thread->name, 0};
        bool inserted = false;
        const uint32_t *place = hasten_map_insert(&first, key, (uint32_t)i, &inserted);
        if (place == NULL) {
            goto done;
        }
        if (!inserted) {
            aggregate->threads[i].shares_name = true;
            aggregate->threads[*place].shares_name = true;
        }
    }
    status = HASTEN_OK;
done:
    hasten_map_done(&first);
    return status;
}

hasten_status hasten_aggregate_find_who(struct hasten_aggregate *aggregate) {
    hasten_status status = find_roots(aggregate);
    if (status == HASTEN_OK) {
        find_main_threads(aggregate);
        status = find_shared_names(aggregate);
    }
    return status;
}
