/* SPDX-License-Identifier: MIT
 *
 * The profiler object and what its files share. One object owns its calls; the
 * interpreter's lock guards both.
 *
 *   profiler.c    the type: construction, enable, disable, clear
 *   monitoring.c  events from sys.monitoring (3.12 and later),
 *   taps.c        and what is called for each
 *   setprofile.c  events from the profile function (3.11),
 *   evaluation.c  and from the frame evaluation hook
 *   sites.c       ... and calls that need not be told of there
 *   bytecode.c    ... because it is known what they call
 *   events.h      what an event does
 *   timer.c       clocks other than the processor's counter
 *   naming.c      what a function is called in results
 *   stats.c       results
 *   snapshot.c    results as pstats reads them
 *   options.c     what goes beyond the standard profiler: its constructor's part
 *   filter.c      ... modules of interest
 *   stacks.c      ... a stack for each thread and greenlet
 *   tasks.c       ... coroutines that go on while they wait
 *   greenlets.c   ... being told of their switches
 *   overhead.c    ... what measuring costs
 *   ../trace/     ... calls kept as a tree and written into a recording */
#ifndef HASTEN_EXT_CPROFILE_PROFILER_H
#define HASTEN_EXT_CPROFILE_PROFILER_H

#include "ext/common/pycompat_profiler.h"

#include "core/tracing/calls.h"
#include "core/tracing/ticks.h"
#include "ext/cprofile/bytecode.h"

enum hasten_profiler_clock {
    HASTEN_CLOCK_TICKS, /* wall time, by the cheapest clock */
    HASTEN_CLOCK_CPU,   /* of the running thread */
    HASTEN_CLOCK_TIMER, /* the user's function */
};

/* Numbers of tools in sys.monitoring: that of profilers, and the two without a use. */
enum { HASTEN_TOOL_PROFILER = 2, HASTEN_TOOL_TRACE = 4, HASTEN_TOOL_SPARE = 3 };

struct hasten_filter;
struct hasten_stacks;
struct hasten_tasks;
struct hasten_site_book;
struct hasten_sites;
struct hasten_trace;

/* The profiler's part of a function: what the core calls its object. */
struct hasten_callable {
    PyObject *name;                     /* a code object or a string */
    struct hasten_durations *durations; /* NULL: not wanted, or no memory */
    struct hasten_sites *sites;         /* sites.h; NULL: not looked at yet, or none */
};

/* What measuring a call costs, in ticks: the part that is measured as the call's
 * own and the part that falls to its caller. */
struct hasten_overhead {
    int64_t inner, outer;
};

struct hasten_profiler {
    PyObject base;
    struct hasten_calls calls;
    struct hasten_ticks ticks;
    enum hasten_profiler_clock clock;
    PyObject *timer;               /* HASTEN_CLOCK_TIMER */
    double timer_unit;             /* seconds; 0: the timer answers seconds */
    PyObject *missing;             /* sys.monitoring.MISSING, where there is monitoring */
    PyObject *disable;             /* sys.monitoring.DISABLE, likewise */
    PyObject *taps;                /* list of registered callbacks, likewise; NULL: none */
    struct hasten_site_book *book; /* sites.h; NULL: nothing is silenced */
    bool enabled;
    bool builtins;     /* C functions are calls of their own */
    bool knows_frames; /* 3.11: frame objects look as expected */
    bool in_timer;     /* the user's timer runs: nothing may be changed under it */
    /* Beyond the standard profiler; any of these makes events more work. */
    bool histogram;                     /* keep durations */
    bool subtract;                      /* take the overhead off */
    struct hasten_overhead overhead[2]; /* of Python functions, of C functions */
    struct hasten_filter *filter;       /* modules; NULL: all */
    struct hasten_stacks *stacks;       /* one a thread and greenlet; NULL: one for all */
    struct hasten_tasks *tasks;         /* coroutines go on while they wait; NULL: they end */
    bool all_threads;                   /* not only the one that enables (3.11) */
    PyObject *thread_hook;              /* 3.11: what threading told before; NULL: not replaced */
    bool greenlets;
    PyObject *greenlet_hook;    /* what greenlet told before; NULL: not replaced */
    struct hasten_trace *trace; /* ext/trace/trace.h; NULL: not recorded */
    int64_t due;                /* when to write the next time, in ticks */
    int tool;                   /* its number in sys.monitoring */
};

struct hasten_cprofile_state {
    PyTypeObject *profiler_type;
    PyTypeObject *tap_type; /* of callbacks; NULL where there is no monitoring */
    PyTypeObject *entry_type;
    PyTypeObject *subentry_type;
    PyTypeObject *durations_type;
    struct hasten_ticks ticks;  /* from the module's start */
    struct hasten_trace *trace; /* ext/trace/trace.h; NULL: the interpreter is not traced */
    bool asked_to_trace;        /* start-up files may do so twice */
    struct hasten_bytecode bytecode;
};

struct hasten_cprofile_state *hasten_cprofile_state_of(PyTypeObject *type);

extern PyType_Spec hasten_profiler_spec;

/* Of the mechanism, monitoring.c or setprofile.c. */
extern PyMethodDef hasten_profiler_methods[];
int hasten_mechanism_add_types(PyObject *module, struct hasten_cprofile_state *state);
/* What the profiler keeps of the interpreter. -1 with an exception. */
int hasten_mechanism_prepare(struct hasten_profiler *profiler);
/* Starts and stops the events. Starting one that is started is an error of the
 * version's own, or none. */
int hasten_mechanism_start(struct hasten_profiler *profiler);
int hasten_mechanism_stop(struct hasten_profiler *profiler);
/* Whether somebody took the running thread's events away from a started one. */
bool hasten_mechanism_is_displaced(const struct hasten_profiler *profiler);
/* The profiler is about to be freed. */
void hasten_mechanism_forget(struct hasten_profiler *profiler);
/* Events are no longer plain (events.h), though the profiler is started. */
void hasten_mechanism_be_full(struct hasten_profiler *profiler);

/* Methods that all versions have, to be the first of hasten_profiler_methods. */
PyObject *hasten_profiler_enable(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *hasten_profiler_disable(PyObject *self, PyObject *unused);
PyObject *hasten_profiler_clear(PyObject *self, PyObject *unused);
PyObject *hasten_profiler_getstats(PyObject *self, PyTypeObject *type, PyObject *const *args,
                                   Py_ssize_t count, PyObject *keyword_names);
PyObject *hasten_profiler_durations(PyObject *self, PyTypeObject *type, PyObject *const *args,
                                    Py_ssize_t count, PyObject *keyword_names);
PyObject *hasten_profiler_greenlet_switched(PyObject *self, PyObject *args);
extern const char hasten_profiler_enable_doc[];
extern const char hasten_profiler_disable_doc[];
extern const char hasten_profiler_clear_doc[];
extern const char hasten_profiler_getstats_doc[];
extern const char hasten_profiler_durations_doc[];

#define HASTEN_PY_METHOD(function) (PyCFunction)(void (*)(void))(function)
#define HASTEN_PY_FASTCALL_METHOD (METH_METHOD | METH_FASTCALL | METH_KEYWORDS)

/* Their rows, followed by others. */
#define HASTEN_PROFILER_METHODS                                                               \
    {"getstats", HASTEN_PY_METHOD(hasten_profiler_getstats), HASTEN_PY_FASTCALL_METHOD,       \
     hasten_profiler_getstats_doc},                                                           \
        {"durations", HASTEN_PY_METHOD(hasten_profiler_durations), HASTEN_PY_FASTCALL_METHOD, \
         hasten_profiler_durations_doc},                                                      \
        {"enable", HASTEN_PY_METHOD(hasten_profiler_enable), METH_VARARGS | METH_KEYWORDS,    \
         hasten_profiler_enable_doc},                                                         \
        {"disable", hasten_profiler_disable, METH_NOARGS, hasten_profiler_disable_doc},       \
        {"clear", hasten_profiler_clear, METH_NOARGS, hasten_profiler_clear_doc},             \
        {"_greenlet_switched", hasten_profiler_greenlet_switched, METH_VARARGS, NULL},

/* A module function of one argument: what pstats reads, from a list of entries. */
PyObject *hasten_snapshot(PyObject *module, PyObject *entries);

/* options.c: what goes beyond the standard profiler. Takes its keywords out of
 * `*keywords`, which becomes a new reference without them. */
int hasten_options_apply(struct hasten_profiler *profiler, PyObject **keywords);
void hasten_options_done(struct hasten_profiler *profiler);
/* overhead.c: measures what the profiler's configuration costs a call, to be
 * subtracted. */
int hasten_overhead_measure(struct hasten_profiler *profiler);
/* greenlets.c: tells of switches of the running thread. */
int hasten_greenlets_start(struct hasten_profiler *profiler);
int hasten_greenlets_stop(struct hasten_profiler *profiler);

/* MemoryError where some call could not be counted; 0 otherwise. */
int hasten_profiler_check_memory(struct hasten_profiler *profiler);

/* The clock of a profiler whose clock is not HASTEN_CLOCK_TICKS. What goes wrong
 * in a user's timer is reported as unraisable, and the time is 0. */
int64_t hasten_profiler_read_clock(struct hasten_profiler *profiler);
/* How long a unit of the profiler's clock is, in seconds. */
double hasten_profiler_unit(const struct hasten_profiler *profiler);

/* What results say of a code object (itself) or a callable of C (a string). The
 * callable of a method descriptor is the descriptor; `self_arg` is what it was
 * called on. */
PyObject *hasten_name_of(PyObject *callable, PyObject *self_arg);

/* All functions are about to be freed. */
void hasten_mechanism_drop_functions(struct hasten_profiler *profiler);
/* Without the name, a reference, which the caller releases. */
void hasten_callable_free(struct hasten_callable *callable);

#endif
