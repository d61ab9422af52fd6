/* SPDX-License-Identifier: MIT
 *
 * Each look seizes every thread (PTRACE_SEIZE), stops it (PTRACE_INTERRUPT) and
 * detaches. A thread that stayed traced between looks would be held at every signal
 * until the next one, and its end would be hidden from its parent. */
#include "core/os/freeze.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/os/process.h"
#include "core/os/tasks.h"

/* The first thread's end is only reported when all others have ended, so that it cannot
 * simply be waited for: how often, and how long in all. */
#define POLL_NS 20000
#define COLLECT_POLLS 5000

void hasten_freeze_init(struct hasten_freeze *freeze, uint32_t pid,
                        const struct hasten_allocator *allocator) {
    *freeze = (struct hasten_freeze){.allocator = allocator, .pid = pid};
}

static bool is_known(const struct hasten_freeze *freeze, uint32_t tid) {
    for (size_t i = 0; i < freeze->count; i++)
        if (freeze->tasks[i].tid == tid)
            return true;
    return false;
}

/* An ended thread is refused like one that somebody else traces. */
static bool has_ended(uint32_t tid) {
    struct hasten_process_stat stat;
    return hasten_process_stat(tid, &stat) != HASTEN_OK || stat.state == 'Z' || stat.state == 'X';
}

struct seizing {
    struct hasten_freeze *freeze;
    hasten_status status;
    bool found_new;
};

static int seize_task(void *context, uint32_t tid) {
    struct seizing *seizing = context;
    struct hasten_freeze *freeze = seizing->freeze;
    if (is_known(freeze, tid))
        return 0;
    if (hasten_grow(freeze->allocator, (void **)&freeze->tasks, &freeze->capacity,
                    freeze->count + 1, sizeof *freeze->tasks) != 0) {
        seizing->status = HASTEN_NO_MEMORY;
        return 1;
    }
    if (ptrace(PTRACE_SEIZE, (pid_t)tid, NULL, NULL) != 0) {
        if (errno == ESRCH || has_ended(tid))
            return 0;
        seizing->status = HASTEN_NO_PERMISSION;
        return 1;
    }
    freeze->tasks[freeze->count++] = (struct hasten_frozen_task){.tid = tid};
    seizing->found_new = true;
    return 0;
}

static void sleep_for(long time_ns) {
    struct timespec time = {.tv_nsec = time_ns};
    (void)nanosleep(&time, NULL);
}

/* Waits until the thread is in a stop; false where it has ended. WNOWAIT looks before
 * anything is consumed: the end of our own child is for others here to see. */
static bool await_stop(const struct hasten_freeze *freeze, struct hasten_frozen_task *task) {
    int options = WSTOPPED | WEXITED | WNOWAIT | __WALL;
    if (task->tid == freeze->pid)
        options |= WNOHANG;
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)task->tid, &info, options) != 0) {
            if (errno == EINTR)
                continue;
            return false;
        }
        if (info.si_pid == 0) { /* neither, yet */
            if (has_ended(task->tid))
                return false;
            sleep_for(POLL_NS);
            continue;
        }
        if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
            return false;
        int wait_status = 0;
        if (waitpid((pid_t)task->tid, &wait_status, __WALL | WUNTRACED) != (pid_t)task->tid ||
            !WIFSTOPPED(wait_status))
            return false;
        /* Our interruption and job control are events; else a signal is on its way. */
        task->signal = wait_status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(wait_status);
        task->stopped = true;
        return true;
    }
}

/* What ends while it is traced is its tracer's to collect, and only then its parent's.
 * The first thread stands for the process: where we are its parent, that is left to
 * whoever started it. */
static void collect(const struct hasten_freeze *freeze, uint32_t tid) {
    struct hasten_process_stat stat;
    if (tid != freeze->pid) {
        while (waitpid((pid_t)tid, NULL, __WALL) < 0 && errno == EINTR)
            ;
        return;
    }
    if (hasten_process_stat(tid, &stat) != HASTEN_OK || stat.parent_pid == (uint32_t)getpid())
        return;
    for (int i = 0; i < COLLECT_POLLS && waitpid((pid_t)tid, NULL, __WALL | WNOHANG) == 0; i++)
        sleep_for(POLL_NS);
}

/* Stops the threads from index `first` on. Those that have ended are collected and
 * dropped, the first thread last: it cannot be before. */
static void stop_tasks(struct hasten_freeze *freeze, size_t first) {
    size_t kept = first;
    for (size_t i = first; i < freeze->count; i++)
        (void)ptrace(PTRACE_INTERRUPT, (pid_t)freeze->tasks[i].tid, NULL, NULL);
    for (size_t i = first; i < freeze->count; i++) {
        struct hasten_frozen_task task = freeze->tasks[i];
        if (task.tid == freeze->pid || await_stop(freeze, &task))
            freeze->tasks[kept++] = task;
        else
            collect(freeze, task.tid);
    }
    freeze->count = kept;
    for (size_t i = first; i < freeze->count; i++)
        if (freeze->tasks[i].tid == freeze->pid)
            (void)await_stop(freeze, &freeze->tasks[i]);
}

hasten_status hasten_freeze_stop(struct hasten_freeze *freeze) {
    struct seizing seizing = {freeze, HASTEN_OK, true};
    hasten_status status = HASTEN_OK;
    /* A thread that still runs may start another one while we list them. */
    while (seizing.found_new && status == HASTEN_OK) {
        size_t first = freeze->count;
        seizing.found_new = false;
        status = hasten_tasks_visit(freeze->pid, seize_task, &seizing);
        if (status == HASTEN_OK)
            status = seizing.status;
        stop_tasks(freeze, first); /* also what is to be let go again */
    }
    for (size_t i = 0; i < freeze->count && status == HASTEN_OK; i++)
        if (freeze->tasks[i].stopped)
            return HASTEN_OK;
    return status == HASTEN_OK ? HASTEN_GONE : status;
}

static void release(const struct hasten_freeze *freeze, const struct hasten_frozen_task *task) {
    if (!task->stopped ||
        ptrace(PTRACE_DETACH, (pid_t)task->tid, NULL, (void *)(intptr_t)task->signal) != 0)
        collect(freeze, task->tid);
}

void hasten_freeze_resume(struct hasten_freeze *freeze) {
    for (size_t i = 0; i < freeze->count; i++)
        if (freeze->tasks[i].tid != freeze->pid)
            release(freeze, &freeze->tasks[i]);
    for (size_t i = 0; i < freeze->count; i++)
        if (freeze->tasks[i].tid == freeze->pid)
            release(freeze, &freeze->tasks[i]);
    freeze->count = 0;
}

void hasten_freeze_done(struct hasten_freeze *freeze) {
    hasten_freeze_resume(freeze);
    hasten_release(freeze->allocator, freeze->tasks, freeze->capacity * sizeof *freeze->tasks);
    *freeze = (struct hasten_freeze){.allocator = freeze->allocator};
}
