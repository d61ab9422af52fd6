/* SPDX-License-Identifier: MIT
 *
 * The life of a watched process, from pending through Python to gone. */
#include "core/sampling/target.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/os/process.h"
#include "core/os/tasks.h"

/* A process that is not Python yet is looked at again after 1 ms, then ever more
 * rarely up to 50 ms; finding out costs up to half a millisecond. */
#define CHECK_DELAY_MIN_NS 1000000u
#define CHECK_DELAY_MAX_NS 50000000u
/* Threads are listed again at least this often: one that ended unseen is noticed. */
#define LIST_INTERVAL_NS 100000000u
/* The process may have become another program with exec. */
#define IMAGE_INTERVAL_NS 60000000u
/* Above this rate, a running thread's activity is asked for only this often. */
#define ACTIVITY_INTERVAL_NS 900000u
/* Longest gap (a suspended machine, a stopped hasten) that one sample stands for. */
#define WEIGHT_MAX_NS 1000000000u

hasten_status hasten_target_new(struct hasten_target_shared *shared, uint32_t pid,
                                uint32_t parent_pid, const char *label, uint64_t now_ns,
                                struct hasten_target **ret_target) {
    struct hasten_target *target = hasten_allocate_zeroed(shared->allocator, sizeof *target);
    struct hasten_process_stat stat;
    if (!target)
        return HASTEN_NO_MEMORY;
    hasten_status status = hasten_process_stat(pid, &stat);
    if (status != HASTEN_OK) {
        hasten_release(shared->allocator, target, sizeof *target);
        return status;
    }
    target->shared = shared;
    target->pid = pid;
    target->parent_pid = parent_pid ? parent_pid : stat.parent_pid;
    target->label = label;
    target->state = HASTEN_TARGET_PENDING;
    target->check_ns = now_ns;
    target->check_delay_ns = CHECK_DELAY_MIN_NS;
    target->start_ticks = stat.start_ticks;
    target->stack_start = stat.stack_start;
    target->recorded = HASTEN_NONE;
    hasten_edges_init(&target->edges, shared->allocator);
    hasten_codes_init(&target->codes, shared->recorder, shared->allocator);
    hasten_freeze_init(&target->freeze, pid, shared->allocator);
    hasten_thread_names_init(&target->naming.names, shared->allocator);
    *ret_target = target;
    return HASTEN_OK;
}

void hasten_target_free(struct hasten_target *target) {
    if (!target)
        return;
    const struct hasten_allocator *allocator = target->shared->allocator;
    hasten_freeze_done(&target->freeze);
    hasten_thread_names_done(&target->naming.names);
    hasten_target_drop_threads(target);
    hasten_release(allocator, target->interps, target->interp_capacity * sizeof *target->interps);
    hasten_release(allocator, target->threads, target->thread_capacity * sizeof *target->threads);
    hasten_codes_done(&target->codes);
    hasten_edges_done(&target->edges);
    hasten_release(allocator, target, sizeof *target);
}

static uint64_t since_start(const struct hasten_target *target, uint64_t now_ns) {
    return now_ns > target->shared->start_ns ? now_ns - target->shared->start_ns : 0;
}

static hasten_status record_end(struct hasten_target *target, uint64_t now_ns) {
    if (target->recorded == HASTEN_NONE)
        return HASTEN_OK;
    uint32_t process = target->recorded;
    target->recorded = HASTEN_NONE;
    return hasten_recorder_process_end(target->shared->recorder, process,
                                       since_start(target, now_ns));
}

/* How a process came to be. A forked one still has its parent's memory image; the
 * others say in their command line what they are for. */
static const char *label_of(const struct hasten_target *target, const char *command) {
    if (target->label)
        return target->label;
    if (target->stack_start != 0 && target->stack_start == target->parent_stack_start)
        return "fork";
    if (strstr(command, "multiprocessing.spawn"))
        return "spawn";
    if (strstr(command, "multiprocessing.forkserver"))
        return "forkserver";
    if (strstr(command, "multiprocessing.resource_tracker"))
        return "resource tracker";
    return "exec";
}

static hasten_status record_process(struct hasten_target *target, uint64_t now_ns) {
    char command[4096], executable[4096];
    if (hasten_process_command(target->pid, command, sizeof command) != HASTEN_OK)
        command[0] = 0;
    if (hasten_process_executable(target->pid, executable, sizeof executable) != HASTEN_OK)
        executable[0] = 0;
    struct hasten_process_info info = {
        .pid = target->pid,
        .parent_pid = target->parent_pid,
        .python_version = target->interpreter.version_hex,
        .command = command,
        .executable = executable,
        .label = label_of(target, command),
        .start_ns = since_start(target, now_ns),
    };
    target->shared->statistics->processes++;
    return hasten_recorder_process(target->shared->recorder, &info, &target->recorded);
}

hasten_status hasten_target_find(struct hasten_target *target, uint64_t now_ns,
                                 struct hasten_error *error) {
    struct hasten_process_stat stat;
    hasten_status status = hasten_process_stat(target->pid, &stat);
    if (status == HASTEN_OK && (stat.state == 'Z' || stat.state == 'X'))
        status = HASTEN_NO_PROCESS;
    if (status == HASTEN_OK) {
        target->cpu_ns = stat.cpu_ns;
        target->stack_start = stat.stack_start;
        status = hasten_interpreter_find(target->pid, &target->interpreter, error);
    }
    if (status == HASTEN_NO_PROCESS) {
        target->state = HASTEN_TARGET_GONE;
        return hasten_error_set(error, status, -1, "no such process: %u", target->pid);
    }
    if (status != HASTEN_OK) {
        target->check_ns = now_ns + target->check_delay_ns;
        target->check_delay_ns *= 2;
        if (target->check_delay_ns > CHECK_DELAY_MAX_NS)
            target->check_delay_ns = CHECK_DELAY_MAX_NS;
        return status;
    }
    target->state = HASTEN_TARGET_ACTIVE;
    target->check_delay_ns = CHECK_DELAY_MIN_NS;
    target->image_check_ns = now_ns;
    target->relist = true;
    target->last_slot = 0;
    hasten_codes_reset(&target->codes, &target->interpreter);
    hasten_edges_clear(&target->edges);
    return HASTEN_OK;
}

/* The process is another program now, or soon. */
static hasten_status start_over(struct hasten_target *target, uint64_t now_ns) {
    hasten_target_drop_threads(target);
    target->state = HASTEN_TARGET_PENDING;
    target->check_ns = now_ns + CHECK_DELAY_MIN_NS;
    target->check_delay_ns = CHECK_DELAY_MIN_NS;
    return record_end(target, now_ns);
}

/* Notices the end of the process, and exec. */
static hasten_status check_image(struct hasten_target *target, uint64_t now_ns) {
    struct hasten_process_stat stat;
    target->image_check_ns = now_ns;
    hasten_status status = hasten_process_stat(target->pid, &stat);
    if (status != HASTEN_OK || stat.start_ticks != target->start_ticks) {
        target->state = HASTEN_TARGET_GONE;
        return record_end(target, now_ns);
    }
    target->cpu_ns = stat.cpu_ns;
    if (stat.state == 'Z' || stat.state == 'X') {
        target->state = HASTEN_TARGET_GONE;
        return record_end(target, now_ns);
    }
    if (stat.stack_start != target->stack_start) {
        target->label = NULL;
        target->parent_stack_start = 0;
        return start_over(target, now_ns);
    }
    return HASTEN_OK;
}

static uint32_t wait_state(const struct hasten_thread_watch *thread,
                           const struct hasten_activity *activity) {
    switch (activity->kind) {
    case HASTEN_ACTIVITY_FILE:
        return HASTEN_STATE_WAIT_FILE;
    case HASTEN_ACTIVITY_NETWORK:
        return HASTEN_STATE_WAIT_NETWORK;
    case HASTEN_ACTIVITY_SLEEP:
        return HASTEN_STATE_WAIT_SLEEP;
    case HASTEN_ACTIVITY_LOCK:
        return activity->lock_address - thread->interp->gil < thread->interp->gil_size
                   ? HASTEN_STATE_WAIT_GIL
                   : HASTEN_STATE_WAIT_LOCK;
    case HASTEN_ACTIVITY_OTHER:
        return HASTEN_STATE_WAIT_OTHER;
    default:
        return HASTEN_STATE_UNKNOWN;
    }
}

static uint32_t state_of(const struct hasten_thread_watch *thread, const struct hasten_pulse *pulse,
                         bool native) {
    bool holds_gil = pulse->gil_holder == thread->address;
    if (thread->activity.kind != HASTEN_ACTIVITY_RUNNING)
        return wait_state(thread, &thread->activity);
    uint32_t state = holds_gil ? HASTEN_STATE_RUNNING_GIL : HASTEN_STATE_RUNNING;
    if (holds_gil && pulse->collecting)
        state |= HASTEN_FLAG_GC;
    if (native)
        state |= HASTEN_FLAG_NATIVE;
    return state;
}

static bool mode_wants(enum hasten_mode mode, uint32_t state) {
    uint32_t bare = state & HASTEN_STATE_MASK;
    if (mode == HASTEN_MODE_GIL)
        return bare == HASTEN_STATE_RUNNING_GIL;
    if (mode == HASTEN_MODE_CPU)
        return bare == HASTEN_STATE_RUNNING_GIL || bare == HASTEN_STATE_RUNNING;
    return true;
}

/* A kernel thread has one thread state in each interpreter that it visited; one of
 * them counts: the one that holds its interpreter's GIL, else the one that counted
 * last. */
static bool counts(const struct hasten_target *target, const struct hasten_thread_watch *thread,
                   bool holds_gil) {
    if (target->interp_count < 2 || holds_gil)
        return true;
    for (size_t i = 0; i < target->thread_count; i++) {
        const struct hasten_thread_watch *other = target->threads[i];
        if (other != thread && other->tid == thread->tid &&
            other->recorded_slot > thread->recorded_slot)
            return false;
    }
    return true;
}

static hasten_status record_thread(struct hasten_target *target,
                                   struct hasten_thread_watch *thread) {
    struct hasten_recorder *recorder = target->shared->recorder;
    for (size_t i = 0; i < target->thread_count; i++) {
        const struct hasten_thread_watch *other = target->threads[i];
        /* The same one in another interpreter. Had that been seen in this slot, they run
         * side by side: 3.12 shows the number of the thread that made the interpreter. */
        if (other->tid == thread->tid && other->recorded != HASTEN_NONE &&
            other->recorded_slot < thread->recorded_slot) {
            thread->recorded = other->recorded;
            return HASTEN_OK;
        }
    }
    /* As threading would call it; or the kernel, until threading is asked. */
    char name[64] = "MainThread";
    if (!thread->is_main)
        hasten_tasks_name(target->pid, thread->tid, name, sizeof name);
    target->naming.asked = true;
    return hasten_recorder_thread(recorder, target->recorded, thread->tid, name, thread->is_main,
                                  &thread->recorded);
}

static hasten_status record_sample(struct hasten_target *target, struct hasten_thread_watch *thread,
                                   uint64_t slot, uint32_t weight) {
    struct hasten_target_shared *shared = target->shared;
    bool holds_gil = (thread->state & HASTEN_STATE_MASK) == HASTEN_STATE_RUNNING_GIL;
    if (!counts(target, thread, holds_gil))
        return HASTEN_OK;
    thread->recorded_slot = slot;
    if (!mode_wants(shared->options->mode, thread->state))
        return HASTEN_OK;
    if (thread->recorded == HASTEN_NONE) {
        hasten_status status = record_thread(target, thread);
        if (status != HASTEN_OK)
            return status;
    }
    shared->statistics->samples++;
    return hasten_recorder_sample(shared->recorder, slot, thread->recorded, thread->node,
                                  thread->state, weight);
}

/* Asks the kernel what the thread does. `*ret_changed` is false when it has not run
 * since the last look, and waited then: nothing about it can have changed. The
 * stamp is taken before a look that finds it waiting, so that it cannot hide a run
 * in between. */
static hasten_status ask_activity(struct hasten_thread_watch *thread, uint64_t now_ns, bool frozen,
                                  bool *ret_changed) {
    bool was_running = thread->activity.kind == HASTEN_ACTIVITY_RUNNING;
    *ret_changed = true;
    if (frozen)
        return HASTEN_OK; /* asked before it was stopped */
    if (thread->valid && was_running && now_ns - thread->activity_ns < ACTIVITY_INTERVAL_NS)
        return HASTEN_OK;
    thread->activity_ns = now_ns;
    if (thread->valid && was_running) {
        hasten_status status = hasten_activity_look(&thread->probe, &thread->activity);
        if (status != HASTEN_OK || thread->activity.kind == HASTEN_ACTIVITY_RUNNING)
            return status;
    }
    uint64_t stamp = hasten_activity_stamp(&thread->probe);
    if (thread->valid && !was_running && stamp != 0 && stamp == thread->stamp) {
        *ret_changed = false;
        return HASTEN_OK;
    }
    thread->stamp = stamp;
    return hasten_activity_look(&thread->probe, &thread->activity);
}

static hasten_status look_at_thread(struct hasten_target *target,
                                    struct hasten_thread_watch *thread, uint64_t slot,
                                    uint64_t now_ns, uint32_t weight) {
    struct hasten_target_shared *shared = target->shared;
    bool changed;
    /* Up to 3.12 a subinterpreter's thread state shows the number of the thread that
     * made it, whichever runs it: then only its GIL says whether it runs. */
    bool borrowed = thread->interp->id != 0;
    hasten_status status = ask_activity(thread, now_ns, shared->options->blocking, &changed);
    if (!changed && !borrowed)
        return record_sample(target, thread, slot, weight);
    if (status != HASTEN_OK) {
        target->relist = true;
        thread->valid = false;
        return HASTEN_OK;
    }
    if (shared->options->mode != HASTEN_MODE_WALL && !borrowed &&
        thread->activity.kind != HASTEN_ACTIVITY_RUNNING &&
        thread->activity.kind != HASTEN_ACTIVITY_UNKNOWN) {
        thread->state = wait_state(thread, &thread->activity);
        return HASTEN_OK;
    }
    struct hasten_thread_context context = {
        .interpreter = &target->interpreter,
        .codes = &target->codes,
        .edges = &target->edges,
        .recorder = shared->recorder,
        .walk = &shared->walk,
        .process = target->recorded,
        .retried = &shared->statistics->retried,
    };
    bool native = false;
    struct hasten_pulse pulse;
    status = hasten_thread_look(thread, &context, &native, &pulse);
    thread->valid = status == HASTEN_OK;
    switch (status) {
    case HASTEN_OK:
        if (pulse.next_unique_id != 0 && target->interp_count == 1 &&
            pulse.next_unique_id != target->threads_made)
            target->relist = true;
        if (borrowed && pulse.gil_holder == thread->address)
            thread->activity.kind = HASTEN_ACTIVITY_RUNNING;
        thread->state = state_of(thread, &pulse, native);
        return record_sample(target, thread, slot, weight);
    case HASTEN_TORN:
    case HASTEN_LIMIT:
        shared->statistics->failed++;
        return HASTEN_OK;
    case HASTEN_GONE:
        target->relist = true;
        return HASTEN_OK;
    case HASTEN_NO_PROCESS:
    case HASTEN_NO_PERMISSION: /* exec of a set-user-id program, or its end */
    case HASTEN_BAD_LAYOUT:
        return check_image(target, now_ns);
    default:
        return status;
    }
}

static uint32_t slot_weight(const struct hasten_target *target, uint64_t slot) {
    if (target->last_slot == 0 || slot <= target->last_slot)
        return 1;
    uint64_t weight = slot - target->last_slot;
    uint64_t most = WEIGHT_MAX_NS / target->shared->options->interval_ns + 1;
    return (uint32_t)(weight > most ? most : weight);
}

static hasten_status look_at_threads(struct hasten_target *target, uint64_t slot, uint64_t now_ns) {
    uint32_t weight = slot_weight(target, slot);
    for (size_t i = 0; i < target->thread_count && target->state == HASTEN_TARGET_ACTIVE; i++) {
        struct hasten_thread_watch *thread = target->threads[i];
        if ((target->shared->options->main_thread_only && !thread->is_main) || thread->missed > 0)
            continue;
        hasten_status status = look_at_thread(target, thread, slot, now_ns, weight);
        if (status != HASTEN_OK)
            return status;
    }
    target->last_slot = slot;
    return HASTEN_OK;
}

static hasten_status refresh_threads(struct hasten_target *target, uint64_t now_ns) {
    if (!target->relist && now_ns - target->listed_ns < LIST_INTERVAL_NS)
        return HASTEN_OK;
    hasten_status status = hasten_target_list_threads(target, now_ns);
    if (status == HASTEN_NO_MEMORY)
        return status;
    if (status != HASTEN_OK || target->thread_count == 0)
        return check_image(target, now_ns);
    return HASTEN_OK;
}

static hasten_status look_running(struct hasten_target *target, uint64_t slot, uint64_t now_ns) {
    hasten_status status = refresh_threads(target, now_ns);
    if (status == HASTEN_OK && target->state == HASTEN_TARGET_ACTIVE)
        status = look_at_threads(target, slot, now_ns);
    return status;
}

/* Stopped threads all look the same to the kernel. */
static void ask_before_stop(struct hasten_target *target) {
    for (size_t i = 0; i < target->thread_count; i++) {
        struct hasten_thread_watch *thread = target->threads[i];
        if (hasten_activity_look(&thread->probe, &thread->activity) != HASTEN_OK) {
            thread->activity.kind = HASTEN_ACTIVITY_UNKNOWN;
            target->relist = true;
        }
    }
}

static hasten_status look_frozen(struct hasten_target *target, uint64_t slot, uint64_t now_ns) {
    ask_before_stop(target);
    hasten_status status = hasten_freeze_stop(&target->freeze);
    if (status != HASTEN_OK) {
        hasten_freeze_resume(&target->freeze);
        if (status == HASTEN_NO_MEMORY)
            return status;
        if (status == HASTEN_NO_PERMISSION)
            (void)hasten_process_explain_denied(target->pid, &target->shared->refusal);
        return check_image(target, now_ns);
    }
    status = look_running(target, slot, now_ns);
    hasten_freeze_resume(&target->freeze);
    return status;
}

static hasten_status look_pending(struct hasten_target *target, uint64_t now_ns) {
    struct hasten_error error = {0};
    if (now_ns < target->check_ns)
        return HASTEN_OK;
    hasten_status status = hasten_target_find(target, now_ns, &error);
    if (status != HASTEN_OK && status != HASTEN_NOT_PYTHON && status != HASTEN_NOT_READY &&
        status != HASTEN_NO_PROCESS)
        target->shared->refusal = error;
    return status == HASTEN_NO_MEMORY ? status : HASTEN_OK;
}

hasten_status hasten_target_look(struct hasten_target *target, uint64_t slot, uint64_t now_ns) {
    hasten_status status = HASTEN_OK;
    if (target->state == HASTEN_TARGET_PENDING)
        status = look_pending(target, now_ns);
    else if (target->state == HASTEN_TARGET_ACTIVE &&
             now_ns - target->image_check_ns >= IMAGE_INTERVAL_NS)
        status = check_image(target, now_ns);
    if (status != HASTEN_OK || target->state != HASTEN_TARGET_ACTIVE)
        return status;
    if (target->recorded == HASTEN_NONE)
        status = record_process(target, now_ns);
    if (status != HASTEN_OK)
        return status;
    status = target->shared->options->blocking ? look_frozen(target, slot, now_ns)
                                               : look_running(target, slot, now_ns);
    if (status == HASTEN_OK && target->state == HASTEN_TARGET_ACTIVE)
        status = hasten_target_name_threads(target, now_ns);
    return status;
}
