/* SPDX-License-Identifier: MIT
 *
 * PTRACE_SEIZE once per thread, then PTRACE_INTERRUPT for every look. Signals that
 * arrive while a thread is traced are handed on when it goes on; a process that
 * was stopped by job control stays stopped. The exit of the process stays for its
 * parent to collect: only stops are waited for. */
#include "core/os/freeze.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "core/os/tasks.h"

#define STOPS_MAX 64 /* stops of one thread looked at before it is taken as gone */

void hasten_freeze_init(struct hasten_freeze *freeze, uint32_t pid,
                        const struct hasten_allocator *allocator) {
    *freeze = (struct hasten_freeze){.allocator = allocator, .pid = pid};
}

static struct hasten_frozen_task *find_task(struct hasten_freeze *freeze, uint32_t tid) {
    for (size_t i = 0; i < freeze->count; i++)
        if (freeze->tasks[i].tid == tid)
            return &freeze->tasks[i];
    return NULL;
}

struct seizing {
    struct hasten_freeze *freeze;
    hasten_status status;
    bool found_new;
};

static int seize_task(void *context, uint32_t tid) {
    struct seizing *seizing = context;
    struct hasten_freeze *freeze = seizing->freeze;
    struct hasten_frozen_task *known = find_task(freeze, tid);
    if (known) {
        known->seen = true;
        return 0;
    }
    if (hasten_grow(freeze->allocator, (void **)&freeze->tasks, &freeze->capacity,
                    freeze->count + 1, sizeof *freeze->tasks) != 0) {
        seizing->status = HASTEN_NO_MEMORY;
        return 1;
    }
    if (ptrace(PTRACE_SEIZE, (pid_t)tid, NULL, NULL) != 0) {
        if (errno == ESRCH)
            return 0;
        seizing->status = HASTEN_NO_PERMISSION;
        return 1;
    }
    freeze->tasks[freeze->count++] = (struct hasten_frozen_task){.tid = tid, .seen = true};
    seizing->found_new = true;
    return 0;
}

/* A thread that has ended stays with its tracer, and its process with it, until the
 * tracer collects it; the first thread stands for the process and is its parent's. */
static void collect(const struct hasten_freeze *freeze, uint32_t tid) {
    if (tid != freeze->pid)
        waitpid((pid_t)tid, NULL, __WALL | WNOHANG);
}

static void drop_unseen(struct hasten_freeze *freeze) {
    size_t kept = 0;
    for (size_t i = 0; i < freeze->count; i++)
        if (freeze->tasks[i].seen)
            freeze->tasks[kept++] = freeze->tasks[i];
        else
            collect(freeze, freeze->tasks[i].tid);
    freeze->count = kept;
}

/* One stop of a traced thread: an interruption by us (EVENT_STOP with SIGTRAP), a
 * job-control stop (EVENT_STOP with the stop signal), or a signal on its way. */
static void note_stop(struct hasten_frozen_task *task, int wait_status) {
    int signal = WSTOPSIG(wait_status);
    int event = wait_status >> 16;
    task->stopped = true;
    task->group_stopped = false;
    if (event == PTRACE_EVENT_STOP)
        task->group_stopped = signal != SIGTRAP;
    else
        task->signal = signal;
}

static bool has_ended(const siginfo_t *info) {
    return info->si_code == CLD_EXITED || info->si_code == CLD_KILLED ||
           info->si_code == CLD_DUMPED;
}

/* Waits until the thread is in a stop; false where it has ended. A thread that
 * exits is left for its parent: WNOWAIT looks before anything is consumed. */
static bool await_stop(struct hasten_frozen_task *task) {
    for (int i = 0; i < STOPS_MAX; i++) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)task->tid, &info, WSTOPPED | WEXITED | WNOWAIT | __WALL) != 0) {
            if (errno == EINTR)
                continue;
            return false;
        }
        if (has_ended(&info))
            return false;
        int wait_status = 0;
        if (waitpid((pid_t)task->tid, &wait_status, __WALL | WUNTRACED) != (pid_t)task->tid ||
            !WIFSTOPPED(wait_status))
            return false;
        note_stop(task, wait_status);
        return true;
    }
    return false;
}

static hasten_status stop_task(const struct hasten_freeze *freeze,
                               struct hasten_frozen_task *task) {
    if (task->stopped)
        return HASTEN_OK;
    if (ptrace(PTRACE_INTERRUPT, (pid_t)task->tid, NULL, NULL) != 0 || !await_stop(task)) {
        collect(freeze, task->tid);
        task->seen = false;
        return HASTEN_GONE;
    }
    return HASTEN_OK;
}

hasten_status hasten_freeze_stop(struct hasten_freeze *freeze) {
    struct seizing seizing = {freeze, HASTEN_OK, true};
    /* A thread that still runs may start another one while we list them. */
    while (seizing.found_new && seizing.status == HASTEN_OK) {
        seizing.found_new = false;
        for (size_t i = 0; i < freeze->count; i++)
            freeze->tasks[i].seen = false;
        hasten_status status = hasten_tasks_visit(freeze->pid, seize_task, &seizing);
        if (status != HASTEN_OK)
            return status;
        drop_unseen(freeze);
        for (size_t i = 0; i < freeze->count && seizing.status == HASTEN_OK; i++)
            (void)stop_task(freeze, &freeze->tasks[i]);
        drop_unseen(freeze);
    }
    if (seizing.status == HASTEN_OK && freeze->count == 0)
        return HASTEN_GONE;
    return seizing.status;
}

void hasten_freeze_resume(struct hasten_freeze *freeze) {
    for (size_t i = 0; i < freeze->count; i++) {
        struct hasten_frozen_task *task = &freeze->tasks[i];
        if (!task->stopped)
            continue;
        /* LISTEN keeps a job-control stop and reports its end. */
        if (task->group_stopped)
            ptrace(PTRACE_LISTEN, (pid_t)task->tid, NULL, NULL);
        else
            ptrace(PTRACE_CONT, (pid_t)task->tid, NULL, (void *)(intptr_t)task->signal);
        task->stopped = false;
        task->signal = 0;
    }
}

void hasten_freeze_done(struct hasten_freeze *freeze) {
    for (size_t i = 0; i < freeze->count; i++) {
        struct hasten_frozen_task *task = &freeze->tasks[i];
        if (stop_task(freeze, task) == HASTEN_OK)
            ptrace(PTRACE_DETACH, (pid_t)task->tid, NULL, (void *)(intptr_t)task->signal);
    }
    hasten_release(freeze->allocator, freeze->tasks, freeze->capacity * sizeof *freeze->tasks);
    *freeze = (struct hasten_freeze){.allocator = freeze->allocator};
}
