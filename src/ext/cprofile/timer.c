/* SPDX-License-Identifier: MIT
 *
 * Clocks other than the processor's counter: the running thread's CPU time, and
 * the user's own timer, which answers seconds (an integer or a float) or, with a
 * unit, an integer that counts units. */
#include "ext/cprofile/profiler.h"

#include <math.h>

#define NS_PER_SECOND 1000000000

static int seconds_to_ns(PyObject *answer, int64_t *ret_ns) {
    if (PyFloat_Check(answer)) {
        double ns = floor(PyFloat_AsDouble(answer) * 1e9);
        if (isnan(ns)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        if (!(ns >= (double)INT64_MIN && ns < -(double)INT64_MIN)) {
            hasten_py_timer_overflow(true);
            return -1;
        }
        *ret_ns = (int64_t)ns;
        return 0;
    }
    if (!PyIndex_Check(answer)) {
        hasten_py_timer_bad_type(answer);
        return -1;
    }
    PyObject *number = PyNumber_Index(answer);
    if (number == NULL) {
        return -1;
    }
    int overflow = 0;
    long long seconds = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (overflow != 0 || __builtin_mul_overflow(seconds, NS_PER_SECOND, ret_ns)) {
        hasten_py_timer_overflow(false);
        return -1;
    }
    return 0;
}

static int64_t call_timer(struct hasten_profiler *profiler) {
    /* A timer may replace the timer. */
    PyObject *timer = Py_NewRef(profiler->timer);
    int64_t time = 0;
    bool nested = profiler->in_timer;
    profiler->in_timer = true;
    PyObject *answer = PyObject_CallNoArgs(timer);
    int failed = answer == NULL               ? -1
                 : profiler->timer_unit > 0.0 ? hasten_py_timer_units(answer, &time)
                                              : seconds_to_ns(answer, &time);
    Py_XDECREF(answer);
    profiler->in_timer = nested;
    if (failed != 0) {
        hasten_py_timer_failed(timer);
        time = 0;
    }
    Py_DECREF(timer);
    return time;
}

int64_t hasten_profiler_read_clock(struct hasten_profiler *profiler) {
    switch (profiler->clock) {
    case HASTEN_CLOCK_CPU:
        return hasten_ticks_kernel(CLOCK_THREAD_CPUTIME_ID);
    case HASTEN_CLOCK_TIMER: {
        struct hasten_py_exception exception = hasten_py_exception_take();
        int64_t time = call_timer(profiler);
        hasten_py_exception_put(exception);
        return time;
    }
    case HASTEN_CLOCK_TICKS:
        break;
    }
    return hasten_ticks_read(&profiler->ticks);
}

double hasten_profiler_unit(const struct hasten_profiler *profiler) {
    if (profiler->clock == HASTEN_CLOCK_TICKS) {
        return hasten_ticks_seconds(&profiler->ticks);
    }
    bool has_unit = profiler->clock == HASTEN_CLOCK_TIMER && profiler->timer_unit != 0.0;
    return has_unit ? profiler->timer_unit : 1e-9;
}
