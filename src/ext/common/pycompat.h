/* SPDX-License-Identifier: MIT
 *
 * The differences between CPython versions that extension code meets: in this file those
 * that concern many, in the files pycompat_*.h beside it those of one subject. Only these
 * may look at PY_VERSION_HEX or include CPython's headers. */
#ifndef HASTEN_EXT_PYCOMPAT_H
#define HASTEN_EXT_PYCOMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#if PY_VERSION_HEX < 0x030b0000
#error "hasten needs CPython 3.11 or newer"
#endif

/* Slots that tell the interpreter that a module keeps its state in the module
 * object and guards what threads share: one copy an interpreter, no GIL needed.
 * Followed by the module's own {0, NULL}. */
#if PY_VERSION_HEX >= 0x030d0000
#define HASTEN_PY_ISOLATED_SLOTS                                          \
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, \
        {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#elif PY_VERSION_HEX >= 0x030c0000
#define HASTEN_PY_ISOLATED_SLOTS \
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#else
#define HASTEN_PY_ISOLATED_SLOTS
#endif

/* The same for a module that the GIL guards: where threads run free, importing it
 * brings the GIL back. */
#if PY_VERSION_HEX >= 0x030c0000
#define HASTEN_PY_GUARDED_SLOTS \
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#else
#define HASTEN_PY_GUARDED_SLOTS
#endif

/* The names of member definitions, which had no prefix before 3.12. */
#if PY_VERSION_HEX < 0x030c0000
#include <structmember.h>
#define Py_T_OBJECT_EX T_OBJECT_EX
#define Py_T_PYSSIZET T_PYSSIZET
#define Py_READONLY READONLY
#endif
/* A member that is None where it is not set: of old, hence without a name of its own. */
#define HASTEN_PY_T_OBJECT 6

/* Guards an object's own fields: its lock where threads run free, nothing where
 * the GIL is the guard. Used as a pair around code that cannot leave early. */
#if PY_VERSION_HEX >= 0x030d0000
#define HASTEN_PY_BEGIN_LOCKED(object) Py_BEGIN_CRITICAL_SECTION(object)
#define HASTEN_PY_END_LOCKED() Py_END_CRITICAL_SECTION()
#define HASTEN_PY_BEGIN_LOCKED2(one, other) Py_BEGIN_CRITICAL_SECTION2(one, other)
#define HASTEN_PY_END_LOCKED2() Py_END_CRITICAL_SECTION2()
#else
#define HASTEN_PY_BEGIN_LOCKED(object) \
    {                                  \
        (void)(object);
#define HASTEN_PY_END_LOCKED() }
#define HASTEN_PY_BEGIN_LOCKED2(one, other) \
    {                                       \
        (void)(one);                        \
        (void)(other);
#define HASTEN_PY_END_LOCKED2() }
#endif

/* The exception that is set, taken away so that code that uses exceptions itself
 * can run, and put back. */
struct hasten_py_exception {
    PyObject *type; /* up to 3.11 */
    PyObject *value;
    PyObject *traceback; /* up to 3.11 */
};

static inline struct hasten_py_exception hasten_py_exception_take(void) {
    struct hasten_py_exception exception = {0};
#if PY_VERSION_HEX >= 0x030c0000
    exception.value = PyErr_GetRaisedException();
#else
    PyErr_Fetch(&exception.type, &exception.value, &exception.traceback);
#endif
    return exception;
}

static inline void hasten_py_exception_put(struct hasten_py_exception exception) {
#if PY_VERSION_HEX >= 0x030c0000
    PyErr_SetRaisedException(exception.value);
#else
    PyErr_Restore(exception.type, exception.value, exception.traceback);
#endif
}

/* So that there is an exception object with its traceback. */
static inline void hasten_py_exception_normalize(struct hasten_py_exception *exception) {
#if PY_VERSION_HEX < 0x030c0000
    PyErr_NormalizeException(&exception->type, &exception->value, &exception->traceback);
    if (exception->traceback != NULL) {
        (void)PyException_SetTraceback(exception->value, exception->traceback);
    }
#else
    (void)exception;
#endif
}

/* PY_VERSION_HEX of the interpreter that runs, whose last digits may be others than
 * those that this was built with. */
static inline uint32_t hasten_py_running_version(void) {
    return (uint32_t)Py_Version;
}

/* The running thread, which has the GIL. */
static inline PyThreadState *hasten_py_thread(void) {
#if PY_VERSION_HEX >= 0x030d0000
    return PyThreadState_GetUnchecked();
#else
    return _PyThreadState_UncheckedGet();
#endif
}

/* The running thread where it has a GIL, else NULL. */
static inline PyThreadState *hasten_py_attached_thread(void) {
#if PY_VERSION_HEX >= 0x030c0000
    return hasten_py_thread();
#else
    /* What is current is so for the whole process: it may be another thread's. */
    PyThreadState *current = _PyThreadState_UncheckedGet();
    return current != NULL && current == PyGILState_GetThisThreadState() ? current : NULL;
#endif
}

/* Whether interpreters never have a GIL of their own. */
static inline bool hasten_py_has_one_gil(void) {
#if PY_VERSION_HEX >= 0x030c0000
    return false;
#else
    return true;
#endif
}

static inline bool hasten_py_is_finalizing(void) {
#if PY_VERSION_HEX >= 0x030d0000
    return Py_IsFinalizing();
#else
    return _Py_IsFinalizing();
#endif
}

/* Whether the interpreter tells a function of every object that is made. */
#if PY_VERSION_HEX >= 0x030d0000
#define HASTEN_PY_HAS_REF_TRACER
#endif

/* What hasten.leaks asks of the interpreter. Builds whose objects look otherwise: */
#if defined(Py_GIL_DISABLED) || defined(Py_TRACE_REFS)
#define HASTEN_PY_IS_UNUSUAL true
#else
#define HASTEN_PY_IS_UNUSUAL false
#endif

/* Calls `visit` for the objects that the collector tracks, until it answers 0. Up to
 * 3.11 there is only the function of the module gc, which makes a list of them:
 * `*ret_held`, a new reference. Nothing else happens meanwhile. */
static inline bool hasten_py_visit_objects(PyObject *gc, int (*visit)(PyObject *, void *),
                                           void *data, PyObject **ret_held) {
#if PY_VERSION_HEX >= 0x030c0000
    (void)gc;
    (void)ret_held;
    PyUnstable_GC_VisitObjects(visit, data);
    return true;
#else
    PyObject *list = PyObject_CallMethod(gc, "get_objects", NULL);
    if (list == NULL) {
        return false;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list) && visit(PyList_GET_ITEM(list, i), data);
         i++) {
    }
    *ret_held = list;
    return true;
#endif
}

/* Whether the standard cached_property computes once where threads ask at once. */
#if PY_VERSION_HEX < 0x030c0000
#define HASTEN_PY_PROPERTY_COMPUTES_ONCE true
#else
#define HASTEN_PY_PROPERTY_COMPUTES_ONCE false
#endif

/* Whether it has a __module__ of its own, its function's. */
#if PY_VERSION_HEX >= 0x030d0000
#define HASTEN_PY_PROPERTY_HAS_MODULE true
#else
#define HASTEN_PY_PROPERTY_HAS_MODULE false
#endif

#endif
