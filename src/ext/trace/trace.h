/* SPDX-License-Identifier: MIT
 *
 * The calls of a whole program, written into a recording: what `hasten run
 * --trace` switches on in each interpreter. A profiler (ext/cprofile) counts, as a
 * tree with a root for each thread; this looks at its counts every half second and
 * writes by how much they grew.
 *
 *   trace.c    starting, one stack's beginning, folding
 *   write.c    from counts to the recording
 *   names.c    what threads and functions are called
 *   endings.c  exit, fork, exec, os._exit: what must be written before
 *
 * Each process writes a log of its own, a part; the command puts the parts together
 * at the end. A subinterpreter is traced as if it were a process: what it counts is
 * guarded by its own lock. */
#ifndef HASTEN_EXT_TRACE_H
#define HASTEN_EXT_TRACE_H

#include "ext/cprofile/profiler.h"

#include "hasten/recorder.h"

/* Beyond this many paths new ones are not told apart: some 250 MB. */
#define HASTEN_TRACE_MOST_NODES (1u << 20)

/* What was written of a node, by the node's index. */
struct hasten_trace_node {
    uint32_t recorded;    /* its identifier; HASTEN_NONE: not in the part yet */
    uint32_t stack;       /* the stack that it belongs to */
    int64_t calls;        /* written so far */
    int64_t self_ns;      /* likewise */
    int64_t active_calls; /* while writing: calls that have not ended */
    int64_t active_self;  /* in ticks: their time until now */
    bool grew;            /* while writing */
};

/* The thread of a stack, by the stack's id. */
struct hasten_trace_thread {
    uint32_t recorded; /* HASTEN_NONE: not in the part yet */
    uint32_t tid;
    unsigned long ident; /* threading's; 0: it has ended */
    bool is_main;
    char name[64];
};

/* Into which file, since when: what the command says. */
struct hasten_trace_target {
    char *folder;
    uint64_t start_ns;    /* of the recording, on the monotonic clock */
    uint32_t pid;         /* of the process that this describes */
    uint32_t parts;       /* begun by this process */
    const char *label;    /* "fork"; NULL: its command line says it */
    char interpreter[24]; /* ".NUMBER" of a subinterpreter, which has parts of its own */
};

struct hasten_trace {
    struct hasten_profiler *profiler; /* NULL: not started */
    struct hasten_trace_target target;
    struct hasten_recorder *recorder; /* NULL: no part is open */
    bool failed;                      /* none can be written */
    bool writing;
    uint32_t naming; /* threads that begin; naming them may let others run */
    bool builtins;
    bool folded;              /* HASTEN_TRACE_MOST_NODES was reached */
    uint32_t subinterpreters; /* that began and are not traced. Changed atomically */
    uint32_t process, calls_metric, self_metric;
    struct hasten_trace_node *nodes;
    size_t node_count, node_capacity;
    uint32_t *codes; /* by function's index: identifier or HASTEN_NONE */
    size_t code_count, code_capacity;
    struct hasten_trace_thread *threads;
    size_t thread_count, thread_capacity;
};

extern PyMethodDef hasten_trace_methods[];

/* Makes room for what the profiler knows by now. */
bool hasten_trace_reserve(struct hasten_trace *trace);
/* The running thread's stack has no root yet. False: there is no memory. */
bool hasten_trace_begin_stack(struct hasten_profiler *profiler);
/* The scope for a path that is not to be told apart: the thread's root's. */
struct hasten_call_scope *hasten_trace_fold(struct hasten_profiler *profiler);

/* Why it is written: what the part says of the process's end. */
enum hasten_trace_reason { HASTEN_TRACE_GOES_ON, HASTEN_TRACE_MAY_END, HASTEN_TRACE_ENDS };
/* Writes what grew. After HASTEN_TRACE_ENDS nothing is written any more. */
void hasten_trace_write(struct hasten_trace *trace, enum hasten_trace_reason reason);
/* This process is a copy of the one that counted: what was counted so far is not
 * its own. */
void hasten_trace_forked(struct hasten_trace *trace);

/* Adds up what active calls would have counted if they ended now. */
void hasten_trace_add_active(struct hasten_trace *trace);

/* names.c: no exception stays set. */
void hasten_trace_name_thread(struct hasten_trace_thread *thread);
hasten_status hasten_trace_record_code(struct hasten_trace *trace, PyObject *name,
                                       uint32_t *ret_code);

/* Frees a subinterpreter's, which has been written. */
void hasten_trace_free(struct hasten_trace *trace);

/* endings.c */
int hasten_trace_watch_endings(struct hasten_trace *trace, PyObject *module);
PyObject *hasten_trace_forked_method(PyObject *module, PyObject *unused);
PyObject *hasten_trace_finish_method(PyObject *module, PyObject *unused);

static inline bool hasten_trace_knows_stack(struct hasten_profiler *profiler) {
    const struct hasten_calls *calls = &profiler->calls;
    return __builtin_expect(calls->stack.frames->node != &calls->nobody, 1) ||
           hasten_trace_begin_stack(profiler);
}

/* After each call that began: whether it is time to write. */
static inline void hasten_trace_look(const struct hasten_profiler *profiler) {
    if (profiler->trace != NULL &&
        __builtin_expect(profiler->calls.stack.top->start >= profiler->due, 0)) {
        hasten_trace_write(profiler->trace, HASTEN_TRACE_GOES_ON);
    }
}

#endif
