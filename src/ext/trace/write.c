/* SPDX-License-Identifier: MIT
 *
 * From counts to the recording. A call that has not ended counts as if it ended
 * now: a program that is killed has its outermost functions, with their time. What
 * is written each time is the difference to what was written before, so that it
 * does not matter that such calls end later, and otherwise. */
#include "ext/trace/trace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/os/process.h"
#include "core/recording/part_names.h"
#include "core/report/metric_role.h"
#include "ext/cprofile/stacks.h"

#define PERIOD_S 0.5
/* Writing takes no more of the time than one part in this. */
#define LEAST_REST 20

/* The profiler's clock, without what is excluded on the current stack. */
static int64_t raw_now(struct hasten_trace *trace) {
    return hasten_profiler_read_clock(trace->profiler);
}

static void add_stack(struct hasten_trace *trace, const struct hasten_call_stack *stack,
                      int64_t now) {
    int64_t inner = 0; /* what the callee that is active took so far */
    for (struct hasten_call_frame *frame = stack->top; frame > stack->frames; frame--) {
        struct hasten_trace_node *node = &trace->nodes[frame->node->index];
        int64_t total = now - stack->excluded - frame->start;
        node->active_calls++;
        node->active_self += total - frame->nested - inner;
        inner = total;
    }
}

void hasten_trace_add_active(struct hasten_trace *trace) {
    struct hasten_profiler *profiler = trace->profiler;
    int64_t now = raw_now(trace);
    const struct hasten_call_stack *stack;
    for (uint32_t id = 0;
         (stack = hasten_stacks_at(profiler->stacks, &profiler->calls, id)) != NULL; id++) {
        if (stack->frames != NULL) {
            add_stack(trace, stack, now);
        }
    }
}

static const char *label_of(const struct hasten_trace *trace, const char *command) {
    if (trace->target.label != NULL) {
        return trace->target.label;
    }
    if (strstr(command, "multiprocessing.spawn") != NULL) {
        return "spawn";
    }
    if (strstr(command, "multiprocessing.forkserver") != NULL) {
        return "forkserver";
    }
    return strstr(command, "multiprocessing.resource_tracker") != NULL ? "resource tracker"
                                                                       : "exec";
}

static uint64_t since_start(const struct hasten_trace *trace) {
    uint64_t now_ns = hasten_clock_monotonic_ns();
    return now_ns > trace->target.start_ns ? now_ns - trace->target.start_ns : 0;
}

static hasten_status write_head(struct hasten_trace *trace) {
    char command[4096];
    char executable[4096];
    if (hasten_process_command(trace->target.pid, command, sizeof command) != HASTEN_OK) {
        command[0] = '\0';
    }
    if (hasten_process_executable(trace->target.pid, executable, sizeof executable) != HASTEN_OK) {
        executable[0] = '\0';
    }
    struct hasten_process_info info = {
        .pid = trace->target.pid,
        .parent_pid = (uint32_t)getppid(),
        .python_version = hasten_py_running_version(),
        .command = command,
        .executable = executable,
        .label = label_of(trace, command),
        .start_ns = since_start(trace),
    };
    hasten_status status = hasten_recorder_process(trace->recorder, &info, &trace->process);
    if (status == HASTEN_OK) {
        status = hasten_recorder_metric(trace->recorder, HASTEN_METRIC_CALLS, "1",
                                        "calls, each counted", &trace->calls_metric);
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_metric(trace->recorder, HASTEN_METRIC_SELF, "ns",
                                        "time of calls without the calls they make",
                                        &trace->self_metric);
    }
    return status;
}

/* The path of the part that was begun last; false: it is too long. */
static bool part_path(const struct hasten_trace *trace, const char *state, char *ret_path,
                      size_t room) {
    int size = snprintf(ret_path, room, "%s/%u%s-%u%s" HASTEN_PART_SUFFIX, trace->target.folder,
                        trace->target.pid, trace->target.interpreter, trace->target.parts, state);
    return size > 0 && (size_t)size < room;
}

/* A process that begins a second program (exec) has a part for each. */
static hasten_status open_part(struct hasten_trace *trace) {
    char path[4096];
    do {
        trace->target.parts++;
        if (!part_path(trace, "", path, sizeof path)) {
            return HASTEN_LIMIT;
        }
    } while (access(path, F_OK) == 0);
    hasten_status status = hasten_recorder_open(path, 1, NULL, &trace->recorder, NULL);
    if (status != HASTEN_OK) {
        return status;
    }
    for (size_t i = 0; i < trace->node_count; i++) {
        trace->nodes[i].recorded = HASTEN_NONE;
    }
    for (size_t i = 0; i < trace->code_count; i++) {
        trace->codes[i] = HASTEN_NONE;
    }
    for (size_t i = 0; i < trace->thread_count; i++) {
        trace->threads[i].recorded = HASTEN_NONE;
    }
    return write_head(trace);
}

static hasten_status record_thread(struct hasten_trace *trace, struct hasten_trace_thread *thread) {
    if (thread->recorded != HASTEN_NONE) {
        return HASTEN_OK;
    }
    return hasten_recorder_thread(trace->recorder, trace->process, thread->tid, thread->name,
                                  thread->is_main, &thread->recorded);
}

/* The node's and, before, its callers'. */
static hasten_status record_node(struct hasten_trace *trace, const struct hasten_call_node *node) {
    const struct hasten_calls *calls = &trace->profiler->calls;
    struct hasten_trace_node *entry = &trace->nodes[node->index];
    const struct hasten_call_node *parent = hasten_calls_parent(calls, node);
    uint32_t above = parent == NULL ? 0 : trace->nodes[parent->index].recorded;
    uint32_t *code = &trace->codes[node->function->index];
    hasten_status status = HASTEN_OK;
    if (node->function == &calls->no_function) {
        entry->recorded = 0; /* a thread's root */
        return HASTEN_OK;
    }
    if (*code == HASTEN_NONE) {
        const struct hasten_callable *callable = node->function->object;
        status = hasten_trace_record_code(trace, callable->name, code);
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_node(trace->recorder, above, *code, 0, &entry->recorded);
    }
    return status;
}

static hasten_status add(struct hasten_trace *trace, const struct hasten_trace_node *entry,
                         uint32_t metric, int64_t amount) {
    if (amount == 0) {
        return HASTEN_OK;
    }
    return hasten_recorder_value(trace->recorder, entry->recorded,
                                 trace->threads[entry->stack].recorded, metric, amount);
}

struct growth {
    int64_t calls, self_ns;
};

static struct growth growth_of(const struct hasten_trace *trace, uint32_t index,
                               double ns_per_tick) {
    const struct hasten_call_node *node = hasten_calls_node_at(&trace->profiler->calls, index);
    const struct hasten_trace_node *entry = &trace->nodes[index];
    int64_t self_ns = llround((double)(node->self + entry->active_self) * ns_per_tick);
    return (struct growth){(int64_t)node->calls + entry->active_calls - entry->calls,
                           self_ns - entry->self_ns};
}

/* Callers come before their callees, in nodes as in the recording: from the last to
 * the first, what is missing is found; from the first to the last, it is written. */
static void find_grown(struct hasten_trace *trace, double ns_per_tick) {
    const struct hasten_calls *calls = &trace->profiler->calls;
    for (uint32_t i = (uint32_t)trace->node_count; i-- > 0;) {
        struct hasten_trace_node *entry = &trace->nodes[i];
        struct growth growth = growth_of(trace, i, ns_per_tick);
        if (!entry->grew && growth.calls == 0 && growth.self_ns == 0) {
            continue;
        }
        entry->grew = true;
        const struct hasten_call_node *parent =
            hasten_calls_parent(calls, hasten_calls_node_at(calls, i));
        if (parent != NULL && trace->nodes[parent->index].recorded == HASTEN_NONE) {
            trace->nodes[parent->index].grew = true;
        }
    }
}

static hasten_status write_grown(struct hasten_trace *trace, double ns_per_tick) {
    const struct hasten_calls *calls = &trace->profiler->calls;
    hasten_status status = HASTEN_OK;
    for (uint32_t i = 0; i < trace->node_count && status == HASTEN_OK; i++) {
        struct hasten_trace_node *entry = &trace->nodes[i];
        if (!entry->grew) {
            continue;
        }
        struct growth growth = growth_of(trace, i, ns_per_tick);
        status = record_thread(trace, &trace->threads[entry->stack]);
        if (status == HASTEN_OK && entry->recorded == HASTEN_NONE) {
            status = record_node(trace, hasten_calls_node_at(calls, i));
        }
        if (status == HASTEN_OK) {
            status = add(trace, entry, trace->calls_metric, growth.calls);
        }
        if (status == HASTEN_OK) {
            status = add(trace, entry, trace->self_metric, growth.self_ns);
        }
        entry->calls += growth.calls;
        entry->self_ns += growth.self_ns;
    }
    return status;
}

static void forget_active(struct hasten_trace *trace) {
    for (size_t i = 0; i < trace->node_count; i++) {
        trace->nodes[i].active_calls = 0;
        trace->nodes[i].active_self = 0;
        trace->nodes[i].grew = false;
    }
}

/* Threads that live may have been named since; asking may let other threads run. */
static void update_names(struct hasten_trace *trace) {
    for (size_t i = 0; i < trace->thread_count; i++) {
        struct hasten_trace_thread thread = trace->threads[i];
        if (thread.recorded == HASTEN_NONE || thread.ident == 0) {
            continue;
        }
        hasten_trace_name_thread(&thread);
        if (strcmp(thread.name, trace->threads[i].name) != 0 &&
            hasten_recorder_thread_name(trace->recorder, thread.recorded, thread.name) ==
                HASTEN_OK) {
            memcpy(trace->threads[i].name, thread.name, sizeof thread.name);
        }
    }
}

static hasten_status write_all(struct hasten_trace *trace, enum hasten_trace_reason reason) {
    double ns_per_tick = hasten_profiler_unit(trace->profiler) * 1e9;
    hasten_status status = HASTEN_OK;
    hasten_trace_add_active(trace);
    find_grown(trace, ns_per_tick);
    status = write_grown(trace, ns_per_tick);
    forget_active(trace);
    if (status == HASTEN_OK && reason == HASTEN_TRACE_ENDS &&
        hasten_mechanism_is_displaced(trace->profiler)) {
        status = hasten_recorder_fact(trace->recorder, "trace.displaced", "1");
    }
    if (status == HASTEN_OK && trace->folded) {
        status = hasten_recorder_fact(trace->recorder, "trace.folded", "1");
    }
    uint32_t subinterpreters = __atomic_load_n(&trace->subinterpreters, __ATOMIC_RELAXED);
    if (status == HASTEN_OK && subinterpreters > 0) {
        char count[16];
        snprintf(count, sizeof count, "%u", subinterpreters);
        status = hasten_recorder_fact(trace->recorder, "trace.subinterpreters", count);
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_fact(trace->recorder, "trace.end",
                                      reason == HASTEN_TRACE_GOES_ON ? "none" : "known");
    }
    if (status == HASTEN_OK && reason != HASTEN_TRACE_GOES_ON) {
        status = hasten_recorder_process_end(trace->recorder, trace->process, since_start(trace));
    }
    return status == HASTEN_OK ? hasten_recorder_flush(trace->recorder) : status;
}

/* Nothing is written any more; the part's name tells the command why. */
static void give_up(struct hasten_trace *trace, hasten_status status) {
    char path[4096];
    char renamed[4096];
    hasten_recorder_free(trace->recorder);
    trace->recorder = NULL;
    trace->failed = true;
    trace->profiler->due = INT64_MAX;
    const char *state = status == HASTEN_NO_SPACE ? HASTEN_PART_FULL : HASTEN_PART_FAILED;
    if (part_path(trace, "", path, sizeof path) &&
        part_path(trace, state, renamed, sizeof renamed)) {
        (void)rename(path, renamed); /* where there is no part, or no folder any more, nothing */
    }
}

static hasten_status write_part(struct hasten_trace *trace, enum hasten_trace_reason reason) {
    struct hasten_profiler *profiler = trace->profiler;
    if (!hasten_stacks_select(profiler->stacks, &profiler->calls) ||
        !hasten_trace_knows_stack(profiler) || !hasten_trace_reserve(trace)) {
        return HASTEN_NO_MEMORY;
    }
    hasten_status status = trace->recorder == NULL ? open_part(trace) : HASTEN_OK;
    return status == HASTEN_OK ? write_all(trace, reason) : status;
}

static void write_now(struct hasten_trace *trace, enum hasten_trace_reason reason) {
    struct hasten_profiler *profiler = trace->profiler;
    int64_t before = raw_now(trace);
    if (trace->recorder != NULL) {
        update_names(trace);
    }
    hasten_status status = write_part(trace, reason);
    if (status != HASTEN_OK) {
        give_up(trace, status);
        return;
    }
    int64_t after = raw_now(trace);
    int64_t period = (int64_t)(PERIOD_S / hasten_profiler_unit(profiler));
    int64_t rest = (after - before) * LEAST_REST;
    profiler->calls.stack.excluded += after - before;
    profiler->due = after + (rest > period ? rest : period);
    if (reason == HASTEN_TRACE_ENDS) {
        status = hasten_recorder_close(trace->recorder, NULL);
        trace->recorder = NULL;
        trace->failed = true;
        profiler->due = INT64_MAX;
        if (status != HASTEN_OK) {
            give_up(trace, status);
        }
    }
}

void hasten_trace_write(struct hasten_trace *trace, enum hasten_trace_reason reason) {
    if (trace->profiler == NULL || trace->writing) {
        return;
    }
    if ((uint32_t)getpid() != trace->target.pid) {
        hasten_trace_forked(trace); /* by something that did not tell Python */
    }
    if (trace->failed) {
        return;
    }
    struct hasten_py_exception exception = hasten_py_exception_take();
    trace->writing = true;
    write_now(trace, reason);
    trace->writing = false;
    hasten_py_exception_put(exception);
}

void hasten_trace_forked(struct hasten_trace *trace) {
    struct hasten_profiler *profiler = trace->profiler;
    hasten_recorder_free(trace->recorder);
    trace->recorder = NULL;
    trace->failed = false;
    trace->writing = false;
    trace->target.pid = (uint32_t)getpid();
    trace->target.parts = 0;
    trace->target.label = "fork";
    for (size_t i = 0; i < trace->thread_count; i++) {
        trace->threads[i].ident = 0;
    }
    if (!hasten_stacks_select(profiler->stacks, &profiler->calls) ||
        !hasten_trace_knows_stack(profiler) || !hasten_trace_reserve(trace)) {
        give_up(trace, HASTEN_NO_MEMORY);
        return;
    }
    hasten_stacks_clear(profiler->stacks);
    struct hasten_trace_thread *thread = &trace->threads[profiler->calls.stack.id];
    thread->tid = trace->target.pid;
    thread->ident = PyThread_get_thread_ident();
    thread->is_main = true;
    double ns_per_tick = hasten_profiler_unit(profiler) * 1e9;
    forget_active(trace);
    hasten_trace_add_active(trace);
    for (uint32_t i = 0; i < trace->node_count; i++) {
        struct growth growth = growth_of(trace, i, ns_per_tick);
        trace->nodes[i].calls += growth.calls;
        trace->nodes[i].self_ns += growth.self_ns;
    }
    forget_active(trace);
    profiler->due = 0;
}
