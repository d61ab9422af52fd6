/* SPDX-License-Identifier: MIT
 *
 * What goes beyond the standard profiler: keywords of the constructor that the
 * standard one does not have. They are taken out before its own are parsed, whose
 * messages are thereby those of the standard one. */
#include "ext/cprofile/profiler.h"

#include "ext/cprofile/filter.h"
#include "ext/cprofile/stacks.h"
#include "ext/cprofile/tasks.h"

enum option {
    THREADS,
    TASKS,
    GREENLETS,
    CLOCK,
    HISTOGRAM,
    INCLUDE,
    EXCLUDE,
    SUBTRACT,
    OPTION_COUNT
};

static const char *const option_names[OPTION_COUNT] = {
    [THREADS] = "threads",     [TASKS] = "tasks",
    [GREENLETS] = "greenlets", [CLOCK] = "clock",
    [HISTOGRAM] = "histogram", [INCLUDE] = "include",
    [EXCLUDE] = "exclude",     [SUBTRACT] = "subtract_overhead",
};

/* Moves what is given from the keywords to `ret_values`, None for the others. */
static int take(PyObject *keywords, PyObject *ret_values[OPTION_COUNT], bool *ret_any) {
    for (int i = 0; i < OPTION_COUNT; i++) {
        PyObject *value = keywords == NULL ? NULL : PyDict_GetItemString(keywords, option_names[i]);
        ret_values[i] = Py_NewRef(value == NULL ? Py_None : value);
        if (value != NULL) {
            *ret_any = true;
            if (PyDict_DelItemString(keywords, option_names[i]) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* Whether the value is the string; None is false, anything else an error. */
static int is_word(PyObject *value, const char *name, const char *word, const char *other) {
    if (value == Py_None) {
        return 0;
    }
    if (PyUnicode_Check(value)) {
        if (PyUnicode_CompareWithASCIIString(value, word) == 0) {
            return 1;
        }
        if (other != NULL && PyUnicode_CompareWithASCIIString(value, other) == 0) {
            return 0;
        }
    }
    if (other == NULL) {
        PyErr_Format(PyExc_ValueError, "%s must be '%s' or None, not %R", name, word, value);
    } else {
        PyErr_Format(PyExc_ValueError, "%s must be '%s' or '%s', not %R", name, other, word, value);
    }
    return -1;
}

struct choices {
    int all_threads, cpu_clock, tasks, greenlets, histogram, subtract;
};

static int read_choices(PyObject *const values[OPTION_COUNT], struct choices *ret_choices) {
    struct choices choices = {
        .all_threads = is_word(values[THREADS], "threads", "all", NULL),
    };
    if (choices.all_threads >= 0) {
        choices.cpu_clock = is_word(values[CLOCK], "clock", "cpu", "wall");
    }
    if (choices.all_threads < 0 || choices.cpu_clock < 0) {
        return -1;
    }
    choices.tasks = PyObject_IsTrue(values[TASKS]);
    choices.greenlets = PyObject_IsTrue(values[GREENLETS]);
    choices.histogram = PyObject_IsTrue(values[HISTOGRAM]);
    choices.subtract = PyObject_IsTrue(values[SUBTRACT]);
    *ret_choices = choices;
    return choices.tasks < 0 || choices.greenlets < 0 || choices.histogram < 0 ||
                   choices.subtract < 0
               ? -1
               : 0;
}

static int apply(struct hasten_profiler *profiler, PyObject *const values[OPTION_COUNT]) {
    struct choices choices;
    if (read_choices(values, &choices) < 0) {
        return -1;
    }
    profiler->filter = hasten_filter_new(values[INCLUDE], values[EXCLUDE]);
    if (profiler->filter == NULL && PyErr_Occurred()) {
        return -1;
    }
    /* A thread's CPU time means nothing on another thread's stack. */
    if (choices.all_threads || choices.cpu_clock || choices.greenlets) {
        profiler->stacks = hasten_stacks_new();
        if (profiler->stacks == NULL) {
            return -1;
        }
    }
    if (choices.tasks) {
        profiler->tasks = hasten_tasks_new(!choices.cpu_clock);
        if (profiler->tasks == NULL) {
            return -1;
        }
    }
    profiler->clock = choices.cpu_clock ? HASTEN_CLOCK_CPU : HASTEN_CLOCK_TICKS;
    profiler->all_threads = choices.all_threads != 0;
    profiler->greenlets = choices.greenlets != 0;
    profiler->histogram = choices.histogram != 0;
    profiler->subtract = choices.subtract != 0;
    return 0;
}

/* Whether events rely on what would be replaced. */
static bool is_in_use(const struct hasten_profiler *profiler) {
    return profiler->filter != NULL || profiler->stacks != NULL || profiler->tasks != NULL;
}

int hasten_options_apply(struct hasten_profiler *profiler, PyObject **keywords) {
    PyObject *values[OPTION_COUNT] = {NULL};
    PyObject *rest = *keywords == NULL ? NULL : PyDict_Copy(*keywords);
    bool any = false;
    int failed = *keywords != NULL && rest == NULL ? -1 : take(rest, values, &any);
    if (failed == 0 && profiler->calls.functions.count != 0 && (any || is_in_use(profiler))) {
        PyErr_SetString(PyExc_RuntimeError, "cannot change the options of a profiler in use");
        failed = -1;
    }
    if (failed == 0 && (any || is_in_use(profiler))) {
        hasten_options_done(profiler);
        failed = apply(profiler, values);
    }
    for (int i = 0; i < OPTION_COUNT; i++) {
        Py_XDECREF(values[i]);
    }
    if (failed != 0) {
        Py_CLEAR(rest);
    }
    *keywords = rest;
    return failed;
}

void hasten_options_done(struct hasten_profiler *profiler) {
    hasten_filter_free(profiler->filter);
    hasten_stacks_free(profiler->stacks, &profiler->calls);
    hasten_tasks_free(profiler->tasks);
    profiler->filter = NULL;
    profiler->stacks = NULL;
    profiler->tasks = NULL;
}
