/* SPDX-License-Identifier: MIT
 *
 * The callbacks: see taps.h. */
#include "ext/cprofile/taps.h"

#include <stddef.h>

#include "ext/cprofile/filter.h"
#include "ext/cprofile/sites.h"

/* A callback. Holds the profiler as long as the interpreter holds the callback; the
 * profiler holds it as long, too. */
struct tap {
    PyObject base;
    vectorcallfunc call;
    struct hasten_profiler *profiler;
    const struct hasten_tap_event *event;
};

static inline struct hasten_profiler *profiler_of(PyObject *tap) {
    return ((struct tap *)tap)->profiler;
}

/* The definition of the C function that a CALL event is about; NULL where it is
 * about anything else. A method that is called through its descriptor counts as
 * what binding it would give: nothing where that would fail. */
static inline PyMethodDef *c_function(const struct hasten_profiler *profiler, PyObject *callable,
                                      PyObject *self_arg) {
    if (Py_IS_TYPE(callable, &PyCFunction_Type)) {
        return ((PyCFunctionObject *)callable)->m_ml;
    }
    if (Py_IS_TYPE(callable, &PyMethodDescr_Type)) {
        PyMethodDescrObject *method = (PyMethodDescrObject *)callable;
        PyTypeObject *type = method->d_common.d_type;
        if (self_arg == profiler->missing ||
            (!Py_IS_TYPE(self_arg, type) && !PyType_IsSubtype(Py_TYPE(self_arg), type))) {
            return NULL;
        }
        return method->d_method;
    }
    /* The usual ones, for which asking whether they are a subclass would be slow. */
    if (Py_IS_TYPE(callable, &PyFunction_Type) || Py_IS_TYPE(callable, &PyType_Type)) {
        return NULL;
    }
    return PyCFunction_Check(callable) ? ((PyCFunctionObject *)callable)->m_ml : NULL;
}

/* Arguments of all callbacks: the code object, the offset, then what the event
 * is about: the callable and its first argument in CALL, C_RETURN and C_RAISE. */
#define TAP_ARGUMENTS \
    PyObject *tap, PyObject *const *args, size_t Py_UNUSED(count), PyObject *Py_UNUSED(names)

#define NOINLINE __attribute__((noinline))

/* The function of the current call. */
static inline struct hasten_call_function *current(const struct hasten_profiler *profiler) {
    return profiler->calls.stack.top->node->function;
}

static NOINLINE PyObject *check_sites(PyObject *tap) {
    hasten_sites_check(profiler_of(tap), current(profiler_of(tap)));
    Py_RETURN_NONE;
}

static NOINLINE PyObject *enter_slowly(PyObject *tap, PyObject *code, int64_t now) {
    struct hasten_profiler *profiler = profiler_of(tap);
    if (!hasten_events_enter_other(profiler, code, now)) {
        hasten_events_step(profiler, code, HASTEN_STEP_BEGIN, NULL);
    }
    if (current(profiler)->marked) {
        hasten_sites_check(profiler, current(profiler));
    }
    Py_RETURN_NONE;
}

static NOINLINE PyObject *leave_slowly(PyObject *tap, PyObject *code) {
    hasten_events_step(profiler_of(tap), code, HASTEN_STEP_END, NULL);
    Py_RETURN_NONE;
}

static NOINLINE PyObject *c_enter_slowly(PyObject *tap, PyMethodDef *function,
                                         PyObject *const *args, int64_t now) {
    struct hasten_profiler *profiler = profiler_of(tap);
    if (!hasten_events_enter_other(profiler, function, now)) {
        hasten_events_enter_c(profiler, function, args[2], args[3]);
    }
    Py_RETURN_NONE;
}

static NOINLINE PyObject *c_leave_slowly(PyObject *tap, PyMethodDef *function) {
    hasten_events_leave_c(profiler_of(tap), function);
    Py_RETURN_NONE;
}

static PyObject *on_enter(TAP_ARGUMENTS) {
    int64_t now = hasten_ticks_counter();
    if (hasten_events_enter(profiler_of(tap), args[0], now)) {
        if (__builtin_expect(current(profiler_of(tap))->marked, 0)) {
            return check_sites(tap);
        }
        Py_RETURN_NONE;
    }
    return enter_slowly(tap, args[0], now);
}

static PyObject *on_leave(TAP_ARGUMENTS) {
    if (hasten_events_leave(profiler_of(tap), args[0])) {
        Py_RETURN_NONE;
    }
    return leave_slowly(tap, args[0]);
}

static NOINLINE PyObject *silence(PyObject *tap, PyObject *const *args) {
    struct hasten_profiler *profiler = profiler_of(tap);
    struct hasten_call_function *caller = current(profiler);
    if (caller->key == args[0] && hasten_sites_silence(profiler, caller, args[1], args[2])) {
        return Py_NewRef(profiler->disable);
    }
    Py_RETURN_NONE;
}

/* Nothing is counted here; maybe nothing ever will. */
static inline PyObject *not_counted(PyObject *tap, PyObject *const *args) {
    if (__builtin_expect(current(profiler_of(tap))->settled, 1)) {
        Py_RETURN_NONE;
    }
    return silence(tap, args);
}

static PyObject *on_c_enter(TAP_ARGUMENTS) {
    PyMethodDef *function = c_function(profiler_of(tap), args[2], args[3]);
    if (function == NULL) {
        return not_counted(tap, args);
    }
    int64_t now = hasten_ticks_counter();
    if (hasten_events_enter(profiler_of(tap), function, now)) {
        Py_RETURN_NONE;
    }
    return c_enter_slowly(tap, function, args, now);
}

static PyObject *on_c_leave(TAP_ARGUMENTS) {
    PyMethodDef *function = c_function(profiler_of(tap), args[2], args[3]);
    if (function == NULL || hasten_events_leave(profiler_of(tap), function)) {
        Py_RETURN_NONE;
    }
    return c_leave_slowly(tap, function);
}

/* Code of no interest tells so once; what cannot be disabled is asked again. */
static PyObject *refuse(PyObject *tap) {
    if (((struct tap *)tap)->event->local) {
        return Py_NewRef(profiler_of(tap)->disable);
    }
    Py_RETURN_NONE;
}

static bool is_wanted(const struct hasten_profiler *profiler, PyObject *code) {
    return profiler->filter == NULL || hasten_filter_wants(profiler->filter, code);
}

static PyObject *on_step_fully(TAP_ARGUMENTS) {
    struct hasten_profiler *profiler = profiler_of(tap);
    if (!is_wanted(profiler, args[0])) {
        return refuse(tap);
    }
    hasten_events_step(profiler, args[0], ((struct tap *)tap)->event->step, NULL);
    Py_RETURN_NONE;
}

static PyObject *on_c_enter_fully(TAP_ARGUMENTS) {
    struct hasten_profiler *profiler = profiler_of(tap);
    if (!is_wanted(profiler, args[0])) {
        return refuse(tap);
    }
    PyMethodDef *function = c_function(profiler, args[2], args[3]);
    if (function != NULL) {
        hasten_events_enter_c(profiler, function, args[2], args[3]);
    }
    Py_RETURN_NONE;
}

static PyObject *on_c_leave_fully(TAP_ARGUMENTS) {
    struct hasten_profiler *profiler = profiler_of(tap);
    PyMethodDef *function =
        is_wanted(profiler, args[0]) ? c_function(profiler, args[2], args[3]) : NULL;
    if (function != NULL) {
        hasten_events_leave_c(profiler, function);
    }
    Py_RETURN_NONE;
}

const struct hasten_tap_event hasten_tap_events[] = {
    {"PY_START", false, true, HASTEN_STEP_BEGIN, on_enter, on_step_fully},
    {"PY_RESUME", false, true, HASTEN_STEP_RESUME, on_enter, on_step_fully},
    {"PY_THROW", false, false, HASTEN_STEP_RESUME, on_enter, on_step_fully},
    {"PY_RETURN", false, true, HASTEN_STEP_END, on_leave, on_step_fully},
    {"PY_YIELD", false, true, HASTEN_STEP_SUSPEND, on_leave, on_step_fully},
    {"PY_UNWIND", false, false, HASTEN_STEP_END, on_leave, on_step_fully},
    {"CALL", true, true, HASTEN_STEP_BEGIN, on_c_enter, on_c_enter_fully},
    {"C_RETURN", true, false, HASTEN_STEP_END, on_c_leave, on_c_leave_fully},
    {"C_RAISE", true, false, HASTEN_STEP_END, on_c_leave, on_c_leave_fully},
};
_Static_assert(sizeof hasten_tap_events == HASTEN_TAP_EVENTS * sizeof hasten_tap_events[0],
               "as many as told");

static void tap_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((struct tap *)self)->profiler);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef tap_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct tap, call), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot tap_slots[] = {
    {Py_tp_dealloc, tap_dealloc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_members, tap_members},
    {0, NULL},
};

static PyType_Spec tap_spec = {
    .name = "hasten._cprofile.Tap",
    .basicsize = sizeof(struct tap),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = tap_slots,
};

PyTypeObject *hasten_tap_type(PyObject *module) {
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &tap_spec, NULL);
}

PyObject *hasten_tap_new(struct hasten_profiler *profiler, PyTypeObject *type,
                         const struct hasten_tap_event *event) {
    struct tap *tap = (struct tap *)type->tp_alloc(type, 0);
    if (tap != NULL) {
        tap->call = hasten_events_are_plain(profiler) ? event->plain : event->full;
        tap->event = event;
        tap->profiler = (struct hasten_profiler *)Py_NewRef((PyObject *)profiler);
    }
    return (PyObject *)tap;
}

/* The interpreter looks a callback's function up each time. */
void hasten_taps_be_full(PyObject *taps) {
    for (Py_ssize_t i = 0; taps != NULL && i < PyList_GET_SIZE(taps); i++) {
        struct tap *tap = (struct tap *)PyList_GET_ITEM(taps, i);
        tap->call = tap->event->full;
    }
}

/* The callbacks as methods, which the standard profiler has too. */
static bool check_count(const char *name, Py_ssize_t count, Py_ssize_t expected) {
    if (count != expected) {
        PyErr_Format(PyExc_TypeError, "%s expected %zd arguments, got %zd", name, expected, count);
        return false;
    }
    return true;
}

PyObject *hasten_tap_call_start(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (!check_count("_pystart_callback", count, 2)) {
        return NULL;
    }
    hasten_events_step((struct hasten_profiler *)self, args[0], HASTEN_STEP_BEGIN, NULL);
    Py_RETURN_NONE;
}

PyObject *hasten_tap_call_throw(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (!check_count("_pythrow_callback", count, 3)) {
        return NULL;
    }
    hasten_events_step((struct hasten_profiler *)self, args[0], HASTEN_STEP_RESUME, NULL);
    Py_RETURN_NONE;
}

PyObject *hasten_tap_call_return(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (!check_count("_pyreturn_callback", count, 3)) {
        return NULL;
    }
    hasten_events_step((struct hasten_profiler *)self, args[0], HASTEN_STEP_END, NULL);
    Py_RETURN_NONE;
}

PyObject *hasten_tap_call_c_enter(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    struct hasten_profiler *profiler = (struct hasten_profiler *)self;
    if (!check_count("_ccall_callback", count, 4)) {
        return NULL;
    }
    PyMethodDef *function = profiler->builtins ? c_function(profiler, args[2], args[3]) : NULL;
    if (function != NULL) {
        hasten_events_enter_c(profiler, function, args[2], args[3]);
    }
    Py_RETURN_NONE;
}

PyObject *hasten_tap_call_c_leave(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    struct hasten_profiler *profiler = (struct hasten_profiler *)self;
    if (!check_count("_creturn_callback", count, 4)) {
        return NULL;
    }
    PyMethodDef *function = profiler->builtins ? c_function(profiler, args[2], args[3]) : NULL;
    if (function != NULL) {
        hasten_events_leave_c(profiler, function);
    }
    Py_RETURN_NONE;
}
