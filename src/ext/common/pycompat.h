/* SPDX-License-Identifier: MIT
 *
 * Every difference between CPython versions that extension code meets. The only
 * file under src/ext/ that may look at PY_VERSION_HEX. */
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

/* Bytes between an object's memory block and the object. */
static inline size_t hasten_py_bytes_before(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
#if PY_VERSION_HEX >= 0x030c0000
    bool has_fields = PyType_HasFeature(type, Py_TPFLAGS_PREHEADER);
#else
    bool has_fields = PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT);
#endif
    return (PyType_IS_GC(type) ? 2 * sizeof(uintptr_t) : 0) +
           (has_fields ? 2 * sizeof(PyObject *) : 0);
}

/* The value of an object whose type is exactly int, where it fits one digit. Such an
 * int is its own hash, but for -1. */
static inline bool hasten_py_small_int(PyObject *object, Py_ssize_t *ret_value) {
#if PY_VERSION_HEX >= 0x030c0000
    if (!PyUnstable_Long_IsCompact((PyLongObject *)object)) {
        return false;
    }
    *ret_value = PyUnstable_Long_CompactValue((PyLongObject *)object);
#else
    const Py_ssize_t size = Py_SIZE(object);
    if (size < -1 || size > 1) {
        return false;
    }
    *ret_value = size * (Py_ssize_t)((PyLongObject *)object)->ob_digit[0];
#endif
    return true;
}

/* The hash of an object whose type is exactly str, -1 where nobody asked before. */
static inline Py_hash_t hasten_py_text_hash(PyObject *text) {
#if PY_VERSION_HEX >= 0x030f0000
    return PyUnstable_Unicode_GET_CACHED_HASH(text);
#else
    return ((PyASCIIObject *)text)->hash;
#endif
}

/* Whether characters can be read: up to 3.11 a str may still be in another form. */
static inline bool hasten_py_text_is_ready(PyObject *text) {
#if PY_VERSION_HEX >= 0x030c0000
    (void)text;
    return true;
#else
    return PyUnicode_IS_READY(text);
#endif
}

/* The most bytes that an object's block has, as its type tells; SIZE_MAX: it does not tell. */
static inline size_t hasten_py_most_bytes(PyObject *object) {
    const PyTypeObject *type = Py_TYPE(object);
    bool has_more = type->tp_itemsize != 0;
#if PY_VERSION_HEX >= 0x030d0000
    has_more = has_more || (type->tp_flags & Py_TPFLAGS_INLINE_VALUES) != 0;
#endif
    return has_more ? SIZE_MAX : (size_t)type->tp_basicsize + hasten_py_bytes_before(object);
}

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

/* What the standard profiler of the version does; see src/ext/cprofile/. */
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

/* The frames of the running program as the interpreter has them, for code that is
 * called at moments when no frame object may be made. Such code defines
 * HASTEN_PY_WANTS_FRAMES before this file. */
#ifdef HASTEN_PY_WANTS_FRAMES
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wpedantic"
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_interpframe_structs.h>
#else
#include <internal/pycore_frame.h>
#endif
#pragma GCC diagnostic pop
#undef Py_BUILD_CORE

typedef struct _PyInterpreterFrame hasten_py_frame;

static inline const hasten_py_frame *hasten_py_current_frame(const PyThreadState *thread) {
#if PY_VERSION_HEX >= 0x030d0000
    return thread->current_frame;
#else
    return thread->cframe->current_frame;
#endif
}

static inline const hasten_py_frame *hasten_py_frame_previous(const hasten_py_frame *frame) {
    return frame->previous;
}

/* An address in the bytecode that tells the running instruction. */
static inline uintptr_t hasten_py_frame_place(const hasten_py_frame *frame) {
#if PY_VERSION_HEX >= 0x030d0000
    return (uintptr_t)frame->instr_ptr;
#else
    return (uintptr_t)frame->prev_instr;
#endif
}

/* A borrowed reference. Only of frames that are visible. */
static inline PyCodeObject *hasten_py_frame_code(const hasten_py_frame *frame) {
#if PY_VERSION_HEX >= 0x030e0000
    /* The lowest bits say who owns the reference. */
    return (PyCodeObject *)(frame->f_executable.bits & ~(uintptr_t)3);
#elif PY_VERSION_HEX >= 0x030d0000
    return (PyCodeObject *)frame->f_executable;
#else
    return frame->f_code;
#endif
}

static inline uintptr_t hasten_py_code_start(const PyCodeObject *code) {
    return (uintptr_t)code->co_code_adaptive;
}

/* The line of a place in a code object, 0 where it has none. Only reads. */
static inline int hasten_py_code_line(PyCodeObject *code, uintptr_t place) {
    int line =
        PyCode_Addr2Line(code, (int)((intptr_t)place - (intptr_t)hasten_py_code_start(code)));
    return line < 0 ? 0 : line;
}

/* What runs in a frame and who owns it, to be compared only: while both are what they were,
 * the place from which on the frame is visible is the same. */
static inline uintptr_t hasten_py_frame_executable(const hasten_py_frame *frame) {
#if PY_VERSION_HEX >= 0x030e0000
    return frame->f_executable.bits;
#elif PY_VERSION_HEX >= 0x030d0000
    return (uintptr_t)frame->f_executable;
#else
    return (uintptr_t)frame->f_code;
#endif
}

static inline uint8_t hasten_py_frame_owner(const hasten_py_frame *frame) {
    return (uint8_t)frame->owner;
}

/* The first place at which tracebacks show the frame. UINTPTR_MAX: they never do, because it
 * is one between C and Python. Before it, the frame is still being set up. */
static inline uintptr_t hasten_py_frame_first_visible(const hasten_py_frame *frame) {
#if PY_VERSION_HEX >= 0x030e0000
    if (frame->owner >= FRAME_OWNED_BY_INTERPRETER) {
        return UINTPTR_MAX;
    }
#elif PY_VERSION_HEX >= 0x030d0000
    if (frame->owner >= FRAME_OWNED_BY_CSTACK) {
        return UINTPTR_MAX;
    }
#endif
    if (frame->owner == FRAME_OWNED_BY_GENERATOR) {
        return 0;
    }
    const PyCodeObject *code = hasten_py_frame_code(frame);
    return hasten_py_code_start(code) + (size_t)code->_co_firsttraceable * sizeof(_Py_CODEUNIT);
}

/* How many frames a thread has by the interpreter's own count, which it keeps for the limit
 * on recursion, and which frames are in it: all that are not between C and Python. Up to
 * 3.11 calls of C are counted too. */
#if PY_VERSION_HEX >= 0x030c0000
#define HASTEN_PY_COUNTS_FRAMES true
#else
#define HASTEN_PY_COUNTS_FRAMES false
#endif

static inline uint32_t hasten_py_frame_count(const PyThreadState *thread) {
#if PY_VERSION_HEX >= 0x030c0000
    return (uint32_t)thread->py_recursion_limit - (uint32_t)thread->py_recursion_remaining;
#else
    (void)thread;
    return 0;
#endif
}

static inline bool hasten_py_frame_is_counted(const hasten_py_frame *frame) {
#if PY_VERSION_HEX >= 0x030e0000
    return frame->owner < FRAME_OWNED_BY_INTERPRETER;
#elif PY_VERSION_HEX >= 0x030c0000
    return frame->owner < FRAME_OWNED_BY_CSTACK;
#else
    (void)frame;
    return true;
#endif
}

static inline bool hasten_py_frame_is_visible(const hasten_py_frame *frame) {
    return hasten_py_frame_place(frame) >= hasten_py_frame_first_visible(frame);
}
#endif

/* The attributes of an instance where the interpreter keeps them, read without making
 * the dict that it does without as long as nobody asks for it. Code that reads them
 * defines HASTEN_PY_WANTS_ATTRIBUTES before this file. */
#ifdef HASTEN_PY_WANTS_ATTRIBUTES
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wpedantic"
#undef _PyGC_FINALIZED              /* a function in what follows, on 3.12 */
#define object hasten_py_ast_object /* the name of a type there, on 3.14: ours would hide it */
#include <internal/pycore_dict.h>
#undef object
#pragma GCC diagnostic pop
#undef Py_BUILD_CORE

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

struct hasten_py_attributes {
    PyDictKeysObject *keys;  /* NULL: there are none yet */
    PyObject *const *values; /* by the keys' order; NULL: they are with the keys */
};

/* False where they are kept in another way, or other threads may change them. */
static inline bool hasten_py_attributes_of(PyObject *instance,
                                           struct hasten_py_attributes *ret_attributes) {
    PyTypeObject *type = Py_TYPE(instance);
    PyDictObject *dict = NULL;
    PyDictValues *values = NULL;
#ifdef Py_GIL_DISABLED
    return false;
#endif
    if (!PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) {
        return false;
    }
#if PY_VERSION_HEX >= 0x030d0000
    if (PyType_HasFeature(type, Py_TPFLAGS_INLINE_VALUES)) {
        values = (PyDictValues *)((char *)instance + type->tp_basicsize);
        values = values->valid ? values : NULL;
    }
    dict = values == NULL ? ((PyDictObject **)instance)[-3] : NULL;
#elif PY_VERSION_HEX >= 0x030c0000
    /* One place for both; values are told by the lowest bit, one below their address. */
    char *either = ((char **)instance)[-3];
    if (((uintptr_t)either & 1) != 0) {
        values = (PyDictValues *)(either + 1);
    } else {
        dict = (PyDictObject *)either;
    }
#else
    values = ((PyDictValues **)instance)[-4];
    dict = values == NULL ? ((PyDictObject **)instance)[-3] : NULL;
#endif
    if (dict != NULL) {
        if (!PyDict_CheckExact(dict)) {
            return false;
        }
        ret_attributes->keys = dict->ma_keys;
        values = dict->ma_values;
    } else {
        ret_attributes->keys = values == NULL ? NULL : ((PyHeapTypeObject *)type)->ht_cached_keys;
    }
    ret_attributes->values = values == NULL ? NULL : values->values;
    return ret_attributes->keys == NULL || DK_IS_UNICODE(ret_attributes->keys);
}

static inline Py_ssize_t hasten_py_attributes_count(const struct hasten_py_attributes *attributes) {
    return attributes->keys == NULL ? 0 : attributes->keys->dk_nentries;
}

/* Borrowed; a name may be NULL, and so may a value, of what was deleted. */
static inline PyObject *hasten_py_attributes_name(const struct hasten_py_attributes *attributes,
                                                  Py_ssize_t index) {
    return DK_UNICODE_ENTRIES(attributes->keys)[index].me_key;
}

static inline PyObject *hasten_py_attributes_value(const struct hasten_py_attributes *attributes,
                                                   Py_ssize_t index) {
    return attributes->values != NULL ? attributes->values[index]
                                      : DK_UNICODE_ENTRIES(attributes->keys)[index].me_value;
}
#endif

#endif
