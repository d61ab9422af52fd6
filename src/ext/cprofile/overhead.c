/* SPDX-License-Identifier: MIT
 *
 * What measuring a call costs. Only a running program shows it: a loop of calls is
 * timed with and without a profiler of the same configuration. What the profiler
 * takes for the callee's own time, beyond what the call takes without it, is the
 * inner part; what is left of the difference falls to the caller. */
#include "ext/cprofile/profiler.h"

#define CALLS 1000
#define ROUNDS 15
/* Of a call's time without a profiler, what is spent in the callee: half of it is
 * putting the frame there and taking it away. */
#define OWN_SHARE 0.5

/* Ten calls a turn, so that the loop itself is small. */
static const char program[] =
    "def empty(): pass\n"
    "def python(turns, call=empty):\n"
    "    for _ in turns:\n"
    "        call(); call(); call(); call(); call(); call(); call(); call(); call(); call()\n"
    "def builtin(turns, call=[].clear):\n"
    "    for _ in turns:\n"
    "        call(); call(); call(); call(); call(); call(); call(); call(); call(); call()\n";

/* One run of the loop: its time, and the callee's own time as measured, a call. */
struct run {
    double total, own;
};

static int time_loop(PyObject *loop, PyObject *turns, const struct hasten_ticks *ticks,
                     double *ret_total) {
    int64_t start = hasten_ticks_read(ticks);
    PyObject *answer = PyObject_CallOneArg(loop, turns);
    int64_t end = hasten_ticks_read(ticks);
    Py_XDECREF(answer);
    *ret_total = (double)(end - start) / CALLS;
    return answer == NULL ? -1 : 0;
}

/* The own time of what was called CALLS times. */
static double own_time(const struct hasten_calls *calls) {
    double own = 0;
    for (uint32_t i = 0; i < calls->nodes.count; i++) {
        const struct hasten_call_node *node = hasten_calls_node_at(calls, i);
        if (node->calls == CALLS) {
            own = (double)node->self / CALLS;
        }
    }
    return own;
}

static int call_method(PyObject *object, const char *name) {
    PyObject *answer = PyObject_CallMethod(object, name, NULL);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

/* The loop under the profiler, which starts and ends with nothing. */
static int time_profiled(struct hasten_profiler *probe, PyObject *loop, PyObject *turns,
                         struct run *ret_run) {
    PyObject *object = (PyObject *)probe;
    if (call_method(object, "enable") < 0) {
        return -1;
    }
    int failed = time_loop(loop, turns, &probe->ticks, &ret_run->total);
    if (call_method(object, "disable") < 0 || failed != 0) {
        return -1;
    }
    /* The profiler's clock may be another than the loop is timed by. */
    ret_run->own =
        own_time(&probe->calls) * hasten_profiler_unit(probe) / hasten_ticks_seconds(&probe->ticks);
    return call_method(object, "clear");
}

/* In ticks of wall time. */
static int measure_kind(struct hasten_profiler *probe, PyObject *names, const char *loop_name,
                        struct hasten_overhead *ret_overhead) {
    PyObject *loop = PyMapping_GetItemString(names, loop_name);
    PyObject *turns = PyBytes_FromStringAndSize(NULL, CALLS / 10);
    struct run plain = {.total = 1e18};
    struct run profiled = {.total = 1e18};
    int failed = loop == NULL || turns == NULL ? -1 : 0;
    for (int i = 0; failed == 0 && i < ROUNDS; i++) {
        struct run run;
        failed = time_loop(loop, turns, &probe->ticks, &run.total);
        plain = failed == 0 && run.total < plain.total ? run : plain;
        failed = failed != 0 ? -1 : time_profiled(probe, loop, turns, &run);
        profiled = failed == 0 && run.total < profiled.total ? run : profiled;
    }
    Py_XDECREF(loop);
    Py_XDECREF(turns);
    double added = profiled.total > plain.total ? profiled.total - plain.total : 0;
    double inner = profiled.own - OWN_SHARE * plain.total;
    inner = inner < 0 ? 0 : inner > added ? added : inner;
    if (failed == 0) {
        *ret_overhead =
            (struct hasten_overhead){.inner = (int64_t)inner, .outer = (int64_t)(added - inner)};
    }
    return failed;
}

/* A profiler that does as much at each event, but whose events are all of one
 * thread and in all modules. */
static struct hasten_profiler *make_probe(const struct hasten_profiler *profiler) {
    PyTypeObject *type = hasten_cprofile_state_of(Py_TYPE(profiler))->profiler_type;
    PyObject *keywords =
        Py_BuildValue("{s:O,s:s,s:O}", "histogram", profiler->histogram ? Py_True : Py_False,
                      "clock", profiler->clock == HASTEN_CLOCK_CPU ? "cpu" : "wall", "tasks",
                      profiler->tasks != NULL ? Py_True : Py_False);
    PyObject *none = PyTuple_New(0);
    PyObject *probe =
        keywords == NULL || none == NULL ? NULL : PyObject_Call((PyObject *)type, none, keywords);
    Py_XDECREF(keywords);
    Py_XDECREF(none);
    if (probe != NULL) {
        /* What is subtracted is nothing yet, but subtracting it is part of the cost. */
        ((struct hasten_profiler *)probe)->subtract = true;
    }
    return (struct hasten_profiler *)probe;
}

int hasten_overhead_measure(struct hasten_profiler *profiler) {
    if (profiler->clock == HASTEN_CLOCK_TIMER) {
        PyErr_SetString(PyExc_ValueError, "subtract_overhead needs the built-in timer");
        return -1;
    }
    struct hasten_profiler *probe = make_probe(profiler);
    PyObject *names = PyDict_New();
    PyObject *answer = NULL;
    int failed = -1;
    if (probe != NULL && names != NULL &&
        PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) == 0) {
        answer = PyRun_String(program, Py_file_input, names, names);
    }
    if (answer != NULL) {
        failed = measure_kind(probe, names, "python", &profiler->overhead[0]);
        failed |= measure_kind(probe, names, "builtin", &profiler->overhead[1]);
    }
    if (failed == 0 && profiler->clock == HASTEN_CLOCK_CPU) {
        /* What was measured is wall time, and the thread's clock counts nanoseconds. */
        double ns = hasten_ticks_seconds(&probe->ticks) * 1e9;
        for (int i = 0; i < 2; i++) {
            profiler->overhead[i].inner = (int64_t)((double)profiler->overhead[i].inner * ns);
            profiler->overhead[i].outer = (int64_t)((double)profiler->overhead[i].outer * ns);
        }
    }
    Py_XDECREF(answer);
    Py_XDECREF(names);
    Py_XDECREF((PyObject *)probe);
    return failed;
}
