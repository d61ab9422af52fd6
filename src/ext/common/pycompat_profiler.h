/* SPDX-License-Identifier: MIT
 *
 * What the standard profiler of each version does, and what it is told of calls. */
#ifndef HASTEN_EXT_PYCOMPAT_PROFILER_H
#define HASTEN_EXT_PYCOMPAT_PROFILER_H

#include "ext/common/pycompat.h"

/* Whether a frame whose profile function is told that it returns a value only
 * yields it. Asked up to 3.11; later versions tell. */
static inline bool hasten_py_is_suspended(PyFrameObject *frame) {
    bool suspended = false;
#if PY_VERSION_HEX < 0x030c0000
    PyObject *generator = PyFrame_GetGenerator(frame);
    /* FRAME_SUSPENDED, the only negative state of one that has begun. */
    suspended = generator != NULL && ((PyGenObject *)generator)->gi_frame_state == -1;
    Py_XDECREF(generator);
#else
    (void)frame;
#endif
    return suspended;
}

/* Whether calls of subinterpreters may be looked at. The interpreters of 3.12 share the
 * code objects of frozen modules, which monitoring changes, without sharing a lock. */
#if PY_VERSION_HEX >= 0x030c0000 && PY_VERSION_HEX < 0x030d0000
#define HASTEN_PY_SUBINTERPRETERS_TRACED false
#else
#define HASTEN_PY_SUBINTERPRETERS_TRACED true
#endif

/* What the standard profiler of the version does. */
#if PY_VERSION_HEX >= 0x030c0000
#define HASTEN_PY_FLAG_FORMAT "p" /* of the switches of enable() and of the constructor */
#else
#define HASTEN_PY_FLAG_FORMAT "i"
#endif
#if PY_VERSION_HEX >= 0x030e0000
#define HASTEN_PY_ENABLE_DEFAULT 1 /* what enable() sets a switch to that is not given */
#define HASTEN_PY_TOOL_BUSY NULL   /* its message where another tool is active: the interpreter's */
#else
#define HASTEN_PY_ENABLE_DEFAULT (-1) /* nothing: as the constructor said */
#define HASTEN_PY_TOOL_BUSY "Another profiling tool is already active"
#endif

/* An exception in the profiler's external timer goes to sys.unraisablehook. */
static inline void hasten_py_timer_failed(PyObject *timer) {
#if PY_VERSION_HEX >= 0x030e0000
    PyErr_FormatUnraisable("Exception ignored while calling _lsprof timer %R", timer);
#else
    PyErr_WriteUnraisable(timer);
#endif
}

/* How the external timer's answers become 64 bits; all answer -1 with an
 * exception set. An integer that counts units: */
static inline int hasten_py_timer_units(PyObject *answer, int64_t *ret_units) {
#if PY_VERSION_HEX >= 0x030f0000
    return PyLong_AsInt64(answer, ret_units);
#else
    if (!PyLong_Check(answer)) {
        PyErr_Format(PyExc_TypeError, "expect int, got %s", Py_TYPE(answer)->tp_name);
        return -1;
    }
    int overflow = 0;
    *ret_units = PyLong_AsLongLongAndOverflow(answer, &overflow);
    if (overflow != 0) {
#if PY_VERSION_HEX >= 0x030e0000
        const char *message = "timestamp out of range for C PyTime_t";
#elif PY_VERSION_HEX >= 0x030d0000
        const char *message = "timestamp too large to convert to C PyTime_t";
#else
        const char *message = "timestamp too large to convert to C _PyTime_t";
#endif
        PyErr_SetString(PyExc_OverflowError, message);
        return -1;
    }
    return 0;
#endif
}

/* ... that it is of no type that counts seconds, ... */
static inline void hasten_py_timer_bad_type(PyObject *answer) {
#if PY_VERSION_HEX >= 0x030f0000
    PyErr_Format(PyExc_TypeError, "must be real number, not %T", answer);
#elif PY_VERSION_HEX >= 0x030e0000
    PyErr_Format(PyExc_TypeError, "'%T' object cannot be interpreted as an integer or float",
                 answer);
#else
    PyErr_Format(PyExc_TypeError, "'%.200s' object cannot be interpreted as an integer",
                 Py_TYPE(answer)->tp_name);
#endif
}

/* ... and seconds that no 64 bits of nanoseconds can hold. */
static inline void hasten_py_timer_overflow(bool is_float) {
#if PY_VERSION_HEX >= 0x030e0000
    (void)is_float;
    const char *message = "timestamp out of range for C PyTime_t";
#elif PY_VERSION_HEX >= 0x030d0000
    const char *message = is_float ? "timestamp out of range for platform time_t"
                                   : "timestamp too large to convert to C PyTime_t";
#else
    const char *message = is_float ? "timestamp out of range for platform time_t"
                                   : "timestamp too large to convert to C _PyTime_t";
#endif
    PyErr_SetString(PyExc_OverflowError, message);
}

#endif
