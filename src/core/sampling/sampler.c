/* SPDX-License-Identifier: MIT
 *
 * The sampler: keeps time, looks at every watched process once a slot, finds
 * their children. A slot is one interval; the look happens at a random moment in
 * it, so that a program that repeats itself in step with us is still seen
 * whole. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/os/process.h"
#include "core/os/tasks.h"
#include "core/sampling/target.h"

/* Children are looked for when something was started on the machine, at most
 * this often, and now and then anyway. */
#define CHILDREN_MIN_NS 4000000u
#define CHILDREN_MAX_NS 100000000u
/* A new child is left alone this long: between vfork and exec it shows its
 * parent's memory. */
#define CHILD_GRACE_NS 3000000u
#define FLUSH_INTERVAL_NS 200000000u
#define TARGETS_MAX 4096
/* Going to sleep and waking up takes longer than this. */
#define SLEEP_MIN_NS 4000u

struct hasten_sampler {
    struct hasten_sampler_options options;
    struct hasten_target_shared shared;
    struct hasten_sampler_statistics statistics;
    struct hasten_target **targets;
    size_t count, capacity;
    uint64_t slot;   /* the next one, from 1 */
    uint64_t random; /* xorshift64 state */
    uint64_t cpu_start_ns;
    uint64_t first_ns; /* of the first add */
    uint64_t flushed_ns;
    uint64_t births_ns;   /* when it was last asked whether anything was started */
    uint64_t children_ns; /* when children were last looked for */
    int births_descriptor;
    uint32_t births;
    uint64_t ended_cpu_ns; /* of processes that are gone */
};

hasten_status hasten_sampler_new(const struct hasten_sampler_options *options,
                                 struct hasten_recorder *recorder,
                                 const struct hasten_allocator *allocator,
                                 struct hasten_sampler **ret_sampler, struct hasten_error *error) {
    if (options->interval_ns == 0)
        return hasten_error_set(error, HASTEN_INVALID, -1, "the sampling interval must not be 0");
    struct hasten_sampler *sampler = hasten_allocate_zeroed(allocator, sizeof *sampler);
    if (!sampler)
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    sampler->options = *options;
    sampler->shared = (struct hasten_target_shared){
        .allocator = allocator,
        .options = &sampler->options,
        .recorder = recorder,
        .statistics = &sampler->statistics,
        .start_ns = hasten_clock_monotonic_ns(),
    };
    hasten_walk_init(&sampler->shared.walk, allocator);
    sampler->slot = 1;
    sampler->random = sampler->shared.start_ns | 1;
    sampler->cpu_start_ns = hasten_clock_process_cpu_ns();
    sampler->births_descriptor = hasten_tasks_births_open();
    /* Timers are late by 50 us by default; the slots of high rates are shorter. */
    prctl(PR_SET_TIMERSLACK, 1000ul, 0, 0, 0);
    *ret_sampler = sampler;
    return HASTEN_OK;
}

void hasten_sampler_free(struct hasten_sampler *sampler) {
    if (!sampler)
        return;
    const struct hasten_allocator *allocator = sampler->shared.allocator;
    for (size_t i = 0; i < sampler->count; i++)
        hasten_target_free(sampler->targets[i]);
    hasten_release(allocator, sampler->targets, sampler->capacity * sizeof *sampler->targets);
    hasten_walk_done(&sampler->shared.walk);
    if (sampler->births_descriptor >= 0)
        close(sampler->births_descriptor);
    hasten_release(allocator, sampler, sizeof *sampler);
}

static hasten_status add_target(struct hasten_sampler *sampler, uint32_t pid, uint32_t parent_pid,
                                const char *label, struct hasten_target **ret_target) {
    if (sampler->count >= TARGETS_MAX)
        return HASTEN_LIMIT;
    if (hasten_grow(sampler->shared.allocator, (void **)&sampler->targets, &sampler->capacity,
                    sampler->count + 1, sizeof *sampler->targets) != 0)
        return HASTEN_NO_MEMORY;
    hasten_status status = hasten_target_new(&sampler->shared, pid, parent_pid, label,
                                             hasten_clock_monotonic_ns(), ret_target);
    if (status != HASTEN_OK)
        return status;
    sampler->targets[sampler->count++] = *ret_target;
    sampler->statistics.processes_seen++;
    return HASTEN_OK;
}

static void remove_target(struct hasten_sampler *sampler, size_t index) {
    sampler->ended_cpu_ns += sampler->targets[index]->cpu_ns;
    hasten_target_free(sampler->targets[index]);
    sampler->targets[index] = sampler->targets[--sampler->count];
}

hasten_status hasten_sampler_add(struct hasten_sampler *sampler, uint32_t pid, bool wait_for_python,
                                 struct hasten_error *error) {
    struct hasten_target *target;
    hasten_status status =
        add_target(sampler, pid, 0, wait_for_python ? "main" : "attached", &target);
    if (status == HASTEN_NO_PROCESS || status == HASTEN_NOT_FOUND || status == HASTEN_GONE)
        return hasten_error_set(error, HASTEN_NO_PROCESS, -1, "no such process: %u", pid);
    if (status != HASTEN_OK)
        return hasten_error_set(error, status, -1, "process %u: %s", pid,
                                hasten_status_sentence(status));
    if (sampler->first_ns == 0)
        sampler->first_ns = hasten_clock_monotonic_ns();
    if (wait_for_python)
        return HASTEN_OK;
    status = hasten_target_find(target, hasten_clock_monotonic_ns(), error);
    if (status == HASTEN_OK)
        return HASTEN_OK;
    for (size_t i = 0; i < sampler->count; i++)
        if (sampler->targets[i] == target)
            remove_target(sampler, i);
    return status;
}

struct child_search {
    struct hasten_sampler *sampler;
    uint32_t parent_pid;
    uint64_t parent_stack_start;
    uint64_t now_ns;
    hasten_status status;
};

static int note_child(void *context, uint32_t pid) {
    struct child_search *search = context;
    struct hasten_sampler *sampler = search->sampler;
    struct hasten_target *target;
    for (size_t i = 0; i < sampler->count; i++)
        if (sampler->targets[i]->pid == pid)
            return 0;
    if (pid == (uint32_t)getpid())
        return 0;
    hasten_status status = add_target(sampler, pid, search->parent_pid, NULL, &target);
    if (status == HASTEN_NO_MEMORY) {
        search->status = status;
        return 1;
    }
    if (status == HASTEN_OK) {
        target->check_ns = search->now_ns + CHILD_GRACE_NS;
        target->parent_stack_start = search->parent_stack_start;
    }
    return 0;
}

static hasten_status find_children(struct hasten_sampler *sampler, uint64_t now_ns) {
    if (now_ns - sampler->births_ns < CHILDREN_MIN_NS)
        return HASTEN_OK;
    sampler->births_ns = now_ns;
    uint32_t births = hasten_tasks_births(sampler->births_descriptor);
    if (births == sampler->births && births != 0 && now_ns - sampler->children_ns < CHILDREN_MAX_NS)
        return HASTEN_OK;
    sampler->births = births;
    sampler->children_ns = now_ns;
    size_t count = sampler->count; /* children of new ones wait for the next time */
    for (size_t i = 0; i < count; i++) {
        const struct hasten_target *parent = sampler->targets[i];
        struct child_search search = {sampler, parent->pid, parent->stack_start, now_ns, HASTEN_OK};
        hasten_status status = hasten_tasks_children(search.parent_pid, note_child, &search);
        if (search.status != HASTEN_OK)
            return search.status;
        if (status == HASTEN_NOT_FOUND)
            sampler->options.follow_children = false;
    }
    return HASTEN_OK;
}

static uint64_t next_random(struct hasten_sampler *sampler) {
    sampler->random ^= sampler->random << 13;
    sampler->random ^= sampler->random >> 7;
    sampler->random ^= sampler->random << 17;
    return sampler->random;
}

/* Sleeps into the next slot; false when a signal came. Slots that are over are
 * skipped and counted. */
static bool sleep_to_slot(struct hasten_sampler *sampler) {
    uint64_t interval_ns = sampler->options.interval_ns;
    uint64_t start_ns = sampler->shared.start_ns;
    uint64_t now_ns = hasten_clock_monotonic_ns();
    uint64_t current = (now_ns - start_ns) / interval_ns;
    if (current > sampler->slot) {
        sampler->statistics.missed_slots += current - sampler->slot;
        sampler->slot = current;
    }
    uint64_t when_ns = start_ns + sampler->slot * interval_ns + next_random(sampler) % interval_ns;
    if (when_ns <= now_ns + SLEEP_MIN_NS)
        return true;
    struct timespec when = {(time_t)(when_ns / 1000000000u), (long)(when_ns % 1000000000u)};
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) != EINTR;
}

static hasten_status look_at_targets(struct hasten_sampler *sampler, uint64_t now_ns) {
    for (size_t i = 0; i < sampler->count;) {
        struct hasten_target *target = sampler->targets[i];
        hasten_status status = hasten_target_look(target, sampler->slot, now_ns);
        if (status != HASTEN_OK)
            return status;
        if (target->state == HASTEN_TARGET_GONE)
            remove_target(sampler, i);
        else
            i++;
    }
    return HASTEN_OK;
}

static void update_statistics(struct hasten_sampler *sampler, uint64_t now_ns) {
    struct hasten_sampler_statistics *statistics = &sampler->statistics;
    statistics->cpu_ns = hasten_clock_process_cpu_ns() - sampler->cpu_start_ns;
    statistics->duration_ns = now_ns - sampler->first_ns;
    statistics->target_cpu_ns = sampler->ended_cpu_ns;
    for (size_t i = 0; i < sampler->count; i++)
        statistics->target_cpu_ns += sampler->targets[i]->cpu_ns;
}

static hasten_status describe(hasten_status status, struct hasten_error *error) {
    return hasten_error_set(error, status, -1, "the recording cannot be continued: %s",
                            hasten_status_sentence(status));
}

hasten_status hasten_sampler_step(struct hasten_sampler *sampler, struct hasten_error *error) {
    if (sampler->count == 0)
        return hasten_error_set(error, HASTEN_NO_PROCESS, -1, "no process is left to sample");
    if (!sleep_to_slot(sampler))
        return HASTEN_OK;
    uint64_t now_ns = hasten_clock_monotonic_ns();
    hasten_status status = HASTEN_OK;
    if (sampler->options.follow_children)
        status = find_children(sampler, now_ns);
    if (status == HASTEN_OK)
        status = look_at_targets(sampler, now_ns);
    sampler->slot++;
    sampler->statistics.slots++;
    if (status == HASTEN_OK && now_ns - sampler->flushed_ns >= FLUSH_INTERVAL_NS) {
        sampler->flushed_ns = now_ns;
        status = hasten_recorder_flush(sampler->shared.recorder);
    }
    if (status != HASTEN_OK)
        return describe(status, error);
    if (sampler->count == 0) {
        update_statistics(sampler, now_ns);
        return hasten_error_set(error, HASTEN_NO_PROCESS, -1, "no process is left to sample");
    }
    return HASTEN_OK;
}

void hasten_sampler_refusal(const struct hasten_sampler *sampler, struct hasten_error *ret_error) {
    *ret_error = sampler->shared.refusal;
}

void hasten_sampler_get_statistics(const struct hasten_sampler *sampler,
                                   struct hasten_sampler_statistics *ret_statistics) {
    /* Updating is bookkeeping, not a change that a caller could see otherwise. */
    struct hasten_sampler *writable = (struct hasten_sampler *)(uintptr_t)sampler;
    if (sampler->count > 0)
        update_statistics(writable, hasten_clock_monotonic_ns());
    *ret_statistics = sampler->statistics;
}

hasten_status hasten_sampler_record_statistics(struct hasten_sampler *sampler) {
    struct hasten_sampler_statistics statistics;
    hasten_sampler_get_statistics(sampler, &statistics);
    const struct {
        const char *name;
        uint64_t value;
    } facts[] = {
        {"samples", statistics.samples},           {"samples.failed", statistics.failed},
        {"samples.retried", statistics.retried},   {"slots", statistics.slots},
        {"slots.missed", statistics.missed_slots}, {"sampler.cpu_ns", statistics.cpu_ns},
        {"duration_ns", statistics.duration_ns},   {"target.cpu_ns", statistics.target_cpu_ns},
        {"processes", statistics.processes},       {"processes.seen", statistics.processes_seen},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        char text[32];
        snprintf(text, sizeof text, "%" PRIu64, facts[i].value);
        hasten_status status = hasten_recorder_fact(sampler->shared.recorder, facts[i].name, text);
        if (status != HASTEN_OK)
            return status;
    }
    return HASTEN_OK;
}
