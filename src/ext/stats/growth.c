/* SPDX-License-Identifier: MIT
 *
 * The type Scaling: core/scaling, asked and told from Python. */
#include "ext/stats/stats.h"

#include <string.h>
#include <unistd.h>

#include "core/scaling/words.h"

struct scaling_object {
    PyObject ob_base;
    struct hasten_scaling *scaling;
    struct hasten_ask ask; /* that was not answered yet */
};

static void scaling_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    hasten_scaling_free(((struct scaling_object *)self)->scaling);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The sizes, at most as many as there is room for; -1 with an exception. */
static int take_sizes(PyObject *sizes, uint64_t *ret_sizes, size_t *ret_count) {
    *ret_count = 0;
    if (sizes == Py_None) {
        return 0;
    }
    PyObject *items = PySequence_Tuple(sizes);
    if (items == NULL) {
        return -1;
    }
    const Py_ssize_t count = PyTuple_GET_SIZE(items);
    if (count == 0 || count > HASTEN_SCALING_MOST_SIZES) {
        PyErr_Format(PyExc_ValueError, "1 to %d sizes are expected", HASTEN_SCALING_MOST_SIZES);
    }
    for (Py_ssize_t i = 0; i < count && PyErr_Occurred() == NULL; i++) {
        ret_sizes[i] = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(items, i));
    }
    Py_DECREF(items);
    *ret_count = (size_t)count;
    return PyErr_Occurred() == NULL ? 0 : -1;
}

static PyObject *scaling_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static const char *const names[] = {"sizes", "budget", "patience", "memory", "seed", NULL};
    PyObject *sizes = Py_None;
    double budget_s = 10, patience_s = 60;
    int wants_memory = 0;
    unsigned long long seed = 0;
    uint64_t numbers[HASTEN_SCALING_MOST_SIZES] = {0};
    size_t count = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|OddpK:Scaling", (char **)names, &sizes,
                                     &budget_s, &patience_s, &wants_memory, &seed) ||
        take_sizes(sizes, numbers, &count) < 0) {
        return NULL;
    }
    if (!(budget_s > 0 && budget_s <= 86400) || !(patience_s > 0)) {
        PyErr_SetString(PyExc_ValueError, "a budget is a number of seconds from 0 to 86400");
        return NULL;
    }
    const long cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
    const struct hasten_scaling_options options = {
        .sizes = numbers,
        .size_count = count,
        .budget_s = budget_s,
        .patience_s = patience_s,
        .wants_memory = wants_memory != 0,
        .seed = seed,
        .cache_bytes = cache > 0 ? (double)cache : 0,
    };
    struct hasten_scaling *scaling = NULL;
    struct hasten_error error;
    const hasten_status status = hasten_scaling_new(NULL, &options, &scaling, &error);
    if (status != HASTEN_OK) {
        return status == HASTEN_NO_MEMORY ? PyErr_NoMemory()
                                          : PyErr_Format(PyExc_ValueError, "%s", error.message);
    }
    struct scaling_object *self = (struct scaling_object *)type->tp_alloc(type, 0);
    if (self == NULL) {
        hasten_scaling_free(scaling);
        return NULL;
    }
    self->scaling = scaling;
    return (PyObject *)self;
}

PyDoc_STRVAR(next_doc, "next($self, seconds, /)\n--\n\n"
                       "What to do after so many seconds: ('time', size, executions,\n"
                       "draw) or ('memory', size, 1, 0); None at the end.");

static PyObject *scaling_next(PyObject *object, PyObject *argument) {
    struct scaling_object *self = (struct scaling_object *)object;
    const double now_s = PyFloat_AsDouble(argument);
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    struct hasten_ask ask;
    HASTEN_PY_BEGIN_LOCKED(object);
    ask = self->ask = hasten_scaling_next(self->scaling, now_s);
    HASTEN_PY_END_LOCKED();
    if (ask.kind == HASTEN_ASK_NOTHING) {
        Py_RETURN_NONE;
    }
    return Py_BuildValue("(sKKI)", ask.kind == HASTEN_ASK_TIME ? "time" : "memory",
                         (unsigned long long)ask.size, (unsigned long long)ask.executions,
                         (unsigned int)ask.draw);
}

/* Takes what was asked for, once. */
static bool take_ask(struct scaling_object *self, enum hasten_ask_kind kind) {
    const bool was_asked =
        kind == HASTEN_ASK_NOTHING ? self->ask.kind != HASTEN_ASK_NOTHING : self->ask.kind == kind;
    self->ask.kind = was_asked ? HASTEN_ASK_NOTHING : self->ask.kind;
    return was_asked;
}

static PyObject *answer_told(bool was_asked) {
    if (!was_asked) {
        PyErr_SetString(PyExc_ValueError, "that was not asked for");
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(tell_time_doc,
             "tell_time($self, executions, nanoseconds, whole_nanoseconds, input_bytes, fresh, "
             "/)\n--\n\nHow executions went.");

static PyObject *scaling_tell_time(PyObject *object, PyObject *arguments) {
    struct scaling_object *self = (struct scaling_object *)object;
    unsigned long long executions = 0;
    double whole_ns = 0;
    int is_fresh = 0;
    struct hasten_timed timed = {0};
    if (!PyArg_ParseTuple(arguments, "Kdddp:tell_time", &executions, &timed.spent_ns, &whole_ns,
                          &timed.input_bytes, &is_fresh)) {
        return NULL;
    }
    timed.executions = executions;
    timed.whole_s = whole_ns / 1e9;
    timed.is_fresh = is_fresh != 0;
    bool was_asked = false;
    HASTEN_PY_BEGIN_LOCKED(object);
    was_asked = take_ask(self, HASTEN_ASK_TIME);
    if (was_asked) {
        hasten_scaling_tell_time(self->scaling, &timed);
    }
    HASTEN_PY_END_LOCKED();
    return answer_told(was_asked);
}

PyDoc_STRVAR(tell_memory_doc, "tell_memory($self, bytes, /)\n--\n\nThe peak of one execution.");

static PyObject *scaling_tell_memory(PyObject *object, PyObject *argument) {
    struct scaling_object *self = (struct scaling_object *)object;
    const double bytes = PyFloat_AsDouble(argument);
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    bool was_asked = false;
    HASTEN_PY_BEGIN_LOCKED(object);
    was_asked = take_ask(self, HASTEN_ASK_MEMORY);
    if (was_asked) {
        hasten_scaling_tell_memory(self->scaling, bytes);
    }
    HASTEN_PY_END_LOCKED();
    return answer_told(was_asked);
}

PyDoc_STRVAR(tell_failure_doc, "tell_failure($self, /)\n--\n\nIt raised an exception.");

static PyObject *scaling_tell_failure(PyObject *object, PyObject *Py_UNUSED(unused)) {
    struct scaling_object *self = (struct scaling_object *)object;
    bool was_asked = false;
    HASTEN_PY_BEGIN_LOCKED(object);
    was_asked = take_ask(self, HASTEN_ASK_NOTHING);
    if (was_asked) {
        hasten_scaling_tell_failure(self->scaling, false);
    }
    HASTEN_PY_END_LOCKED();
    return answer_told(was_asked);
}

static PyObject *verdict_words(const struct hasten_verdict *verdict) {
    struct hasten_buffer words;
    hasten_buffer_init(&words, NULL);
    hasten_scaling_verdict(&words, verdict);
    PyObject *text =
        words.failed ? PyErr_NoMemory() : PyUnicode_FromString(hasten_buffer_cstring(&words));
    hasten_buffer_done(&words);
    return text;
}

static PyObject *weights_dict(const struct hasten_verdict *verdict) {
    PyObject *dict = PyDict_New();
    for (int i = 0; i < HASTEN_GROWTH_COUNT && dict != NULL; i++) {
        if (!hasten_stats_put(dict, hasten_growth_name((enum hasten_growth)i),
                              PyFloat_FromDouble(verdict->fits[i].weight))) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

static PyObject *none_unless(bool is_known, PyObject *value) {
    if (!is_known) {
        Py_XDECREF(value);
        return Py_NewRef(Py_None);
    }
    return value;
}

/* The fields of the JSON: docs/complexity.md. */
static PyObject *verdict_dict(const struct hasten_scaling_result *result, bool of_memory) {
    const struct hasten_verdict *verdict = of_memory ? &result->memory : &result->time;
    if (of_memory && !result->has_memory) {
        return Py_NewRef(Py_None);
    }
    PyObject *dict = PyDict_New();
    const bool is_sure = verdict->doubt == HASTEN_DOUBT_NONE;
    const bool done =
        dict != NULL &&
        hasten_stats_put(
            dict, "class",
            none_unless(is_sure, PyUnicode_FromString(hasten_growth_name(verdict->growth)))) &&
        hasten_stats_put(dict, "doubt",
                         is_sure ? Py_NewRef(Py_None)
                                 : PyUnicode_FromString(hasten_doubt_name(verdict->doubt))) &&
        hasten_stats_put(dict, "confidence", PyFloat_FromDouble(verdict->confidence)) &&
        hasten_stats_put(dict, "words", verdict_words(verdict)) &&
        hasten_stats_put(dict, "doubling",
                         PyFloat_FromDouble(hasten_scaling_doubling(result, of_memory))) &&
        hasten_stats_put(dict, "power",
                         none_unless(verdict->power > 0, PyFloat_FromDouble(verdict->power))) &&
        hasten_stats_put(dict, "weights", weights_dict(verdict));
    if (!done) {
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *row_dict(const struct hasten_scaling_row *row) {
    PyObject *dict = PyDict_New();
    const bool done =
        dict != NULL && hasten_stats_put(dict, "size", PyLong_FromUnsignedLongLong(row->size)) &&
        hasten_stats_put(dict, "time_s", PyFloat_FromDouble(row->time_ns / 1e9)) &&
        hasten_stats_put(dict, "error", PyFloat_FromDouble(row->error)) &&
        hasten_stats_put(dict, "rounds", PyLong_FromUnsignedLong(row->rounds)) &&
        hasten_stats_put(dict, "executions_per_round",
                         PyLong_FromUnsignedLongLong(row->executions)) &&
        hasten_stats_put(dict, "memory_bytes",
                         none_unless(row->has_memory, PyLong_FromDouble(row->memory_bytes)));
    if (!done) {
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *rows_list(const struct hasten_scaling_result *result) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < result->row_count && list != NULL; i++) {
        PyObject *row = row_dict(&result->rows[i]);
        if (row == NULL || PyList_Append(list, row) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(row);
    }
    return list;
}

PyDoc_STRVAR(result_doc, "result($self, /)\n--\n\nWhat is known, as a dict.");

static PyObject *scaling_result(PyObject *object, PyObject *Py_UNUSED(unused)) {
    static const char *const ends[] = {"all", "budget", "raised", "hung"};
    const struct hasten_scaling_result *result =
        hasten_scaling_result(((struct scaling_object *)object)->scaling);
    PyObject *dict = PyDict_New();
    const bool done = dict != NULL && hasten_stats_put(dict, "time", verdict_dict(result, false)) &&
                      hasten_stats_put(dict, "memory", verdict_dict(result, true)) &&
                      hasten_stats_put(dict, "sizes", rows_list(result)) &&
                      hasten_stats_put(dict, "rounds", PyLong_FromUnsignedLong(result->rounds)) &&
                      hasten_stats_put(dict, "spent_s", PyFloat_FromDouble(result->spent_s)) &&
                      hasten_stats_put(dict, "end", PyUnicode_FromString(ends[result->end])) &&
                      hasten_stats_put(dict, "end_size",
                                       none_unless(result->end_size > 0,
                                                   PyLong_FromUnsignedLongLong(result->end_size)));
    if (!done) {
        Py_CLEAR(dict);
    }
    return dict;
}

PyDoc_STRVAR(text_doc, "text($self, columns, unicode, /)\n--\n\nThe result for a terminal.");

static PyObject *scaling_text(PyObject *object, PyObject *arguments) {
    unsigned int columns = 80;
    int unicode = 0;
    if (!PyArg_ParseTuple(arguments, "Ip:text", &columns, &unicode)) {
        return NULL;
    }
    struct hasten_buffer out;
    hasten_buffer_init(&out, NULL);
    HASTEN_PY_BEGIN_LOCKED(object);
    hasten_scaling_text(&out, hasten_scaling_result(((struct scaling_object *)object)->scaling),
                        columns, unicode != 0);
    HASTEN_PY_END_LOCKED();
    PyObject *text =
        out.failed ? PyErr_NoMemory() : PyUnicode_DecodeUTF8(out.data, (Py_ssize_t)out.size, NULL);
    hasten_buffer_done(&out);
    return text;
}

static PyMethodDef scaling_methods[] = {
    {"next", scaling_next, METH_O, next_doc},
    {"tell_time", scaling_tell_time, METH_VARARGS, tell_time_doc},
    {"tell_memory", scaling_tell_memory, METH_O, tell_memory_doc},
    {"tell_failure", scaling_tell_failure, METH_NOARGS, tell_failure_doc},
    {"result", scaling_result, METH_NOARGS, result_doc},
    {"text", scaling_text, METH_VARARGS, text_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(scaling_doc, "Scaling(sizes=None, budget=10.0, patience=60.0, memory=False, seed=0)\n"
                          "--\n\nWhich sizes to measure, and what follows.");

static PyType_Slot scaling_slots[] = {
    {Py_tp_new, scaling_new},
    {Py_tp_dealloc, scaling_dealloc},
    {Py_tp_methods, scaling_methods},
    {Py_tp_doc, (void *)scaling_doc},
    {0, NULL},
};

PyType_Spec hasten_stats_scaling_spec = {
    .name = "hasten._stats.Scaling",
    .basicsize = sizeof(struct scaling_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = scaling_slots,
};
