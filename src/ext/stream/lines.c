/* SPDX-License-Identifier: MIT */
#include "ext/stream/lines.h"

#include <string.h>

static struct hasten_py_lines *lines_of(PyObject *self) {
    return (struct hasten_py_lines *)self;
}

/* The needles' bytes as the scanner wants them. */
static bool make_scanners(struct hasten_py_lines *self, bool is_searching, unsigned wanted) {
    const size_t count = self->needles == NULL ? 0 : (size_t)PyTuple_GET_SIZE(self->needles);
    const uint8_t **bytes = PyMem_New(const uint8_t *, count + 1);
    size_t *sizes = PyMem_New(size_t, count + 1);
    hasten_status status = bytes == NULL || sizes == NULL ? HASTEN_NO_MEMORY : HASTEN_OK;
    for (size_t i = 0; i < count && status == HASTEN_OK; i++) {
        PyObject *needle = PyTuple_GET_ITEM(self->needles, (Py_ssize_t)i);
        if (!PyBytes_Check(needle) || PyBytes_GET_SIZE(needle) == 0) {
            status = HASTEN_INVALID;
            break;
        }
        bytes[i] = (const uint8_t *)PyBytes_AS_STRING(needle);
        sizes[i] = (size_t)PyBytes_GET_SIZE(needle);
    }
    if (status == HASTEN_OK) {
        status =
            hasten_scanner_init(&self->scanner, bytes, sizes, count, is_searching, wanted, NULL);
    }
    if (status == HASTEN_OK) {
        status =
            hasten_scanner_init(&self->every, NULL, NULL, 0, false, HASTEN_WANTED_CANDIDATES, NULL);
    }
    PyMem_Free((void *)bytes);
    PyMem_Free(sizes);
    if (status == HASTEN_INVALID) {
        PyErr_SetString(PyExc_TypeError, "needles are bytes, and not empty");
    } else if (status != HASTEN_OK) {
        (void)PyErr_NoMemory();
    }
    return status == HASTEN_OK;
}

struct arguments {
    PyObject *readers;
    PyObject *needles;
    PyObject *contains;
    PyObject *search;
    PyObject *progress;
    PyObject *errors;
    int text;
    int newline;
    int strip;
    int is_translated;
    int is_inverted;
    int is_slow;
    Py_ssize_t limit;
    Py_ssize_t block_size;
};

static PyObject *none_to_null(PyObject *object) {
    return object == Py_None ? NULL : Py_NewRef(object);
}

static bool set_up(struct hasten_py_lines *self, const struct arguments *given) {
    self->needles = none_to_null(given->needles);
    self->contains = none_to_null(given->contains);
    self->search = none_to_null(given->search);
    self->progress = none_to_null(given->progress);
    self->form = (struct hasten_py_line_form){
        .kernels = hasten_kernels_best(),
        .text = (enum hasten_py_text)given->text,
        .newline = (enum hasten_newline)given->newline,
        .strip = (enum hasten_py_strip)given->strip,
        .is_translated = given->is_translated != 0,
        .errors = Py_NewRef(given->errors),
    };
    self->is_inverted = given->is_inverted != 0;
    self->is_slow = given->is_slow != 0;
    self->limit = given->limit;
    /* With a pattern, lines that have a literal of it are looked at, and those that have none
     * are right where lines without a match are wanted. */
    unsigned wanted = HASTEN_WANTED_CANDIDATES;
    if (self->is_inverted) {
        wanted = HASTEN_WANTED_REST | (self->search != NULL ? HASTEN_WANTED_CANDIDATES : 0u);
    }
    if (!make_scanners(self, self->needles != NULL, wanted)) {
        return false;
    }
    if (hasten_regions_init(&self->regions, self->form.newline, (size_t)given->block_size,
                            (size_t)given->limit, NULL) != HASTEN_OK) {
        (void)PyErr_NoMemory();
        return false;
    }
    self->is_ready = true;
    self->readers = Py_NewRef(given->readers);
    return true;
}

static PyObject *lines_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"readers", "needles", "contains", "search",     "progress",
                            "errors",  "text",    "newline",  "strip",      "translate",
                            "invert",  "slow",    "limit",    "block_size", NULL};
    struct arguments given = {.needles = Py_None,
                              .contains = Py_None,
                              .search = Py_None,
                              .progress = Py_None,
                              .block_size = 1 << 18};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOOOUiiipppnn:Lines", names, &given.readers,
                                     &given.needles, &given.contains, &given.search,
                                     &given.progress, &given.errors, &given.text, &given.newline,
                                     &given.strip, &given.is_translated, &given.is_inverted,
                                     &given.is_slow, &given.limit, &given.block_size)) {
        return NULL;
    }
    if (!PyIter_Check(given.readers) || given.errors == NULL ||
        (given.needles != Py_None && !PyTuple_Check(given.needles)) ||
        (given.contains != Py_None && !PyTuple_Check(given.contains))) {
        PyErr_SetString(PyExc_TypeError, "Lines() is made by hasten.stream.lines()");
        return NULL;
    }
    if (given.limit < 0 || given.block_size < 1 || given.block_size > HASTEN_PY_BLOCK_MAX) {
        PyErr_SetString(PyExc_ValueError, "limit and block_size are numbers of bytes");
        return NULL;
    }
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL && !set_up(lines_of(self), &given)) {
        Py_CLEAR(self);
    }
    return self;
}

static int lines_traverse(PyObject *object, visitproc visit, void *arg) {
    struct hasten_py_lines *self = lines_of(object);
    Py_VISIT(self->readers);
    Py_VISIT(self->current);
    Py_VISIT(self->contains);
    Py_VISIT(self->search);
    Py_VISIT(self->progress);
    return hasten_py_stage_traverse(object, visit, arg);
}

static int lines_clear(PyObject *object) {
    struct hasten_py_lines *self = lines_of(object);
    self->is_over = true;
    self->span_at = self->span_count;
    Py_CLEAR(self->readers);
    Py_CLEAR(self->current);
    Py_CLEAR(self->contains);
    Py_CLEAR(self->search);
    Py_CLEAR(self->progress);
    return hasten_py_stage_clear(object);
}

static void lines_dealloc(PyObject *object) {
    struct hasten_py_lines *self = lines_of(object);
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->is_ready) {
        const struct hasten_py_exception exception = hasten_py_exception_take();
        if (hasten_py_lines_stop(self) < 0) {
            PyErr_WriteUnraisable(NULL);
        }
        hasten_py_exception_put(exception);
    }
    (void)lines_clear(object);
    if (self->is_ready) {
        hasten_regions_done(&self->regions);
    }
    hasten_scanner_done(&self->scanner);
    hasten_scanner_done(&self->every);
    Py_CLEAR(self->needles);
    Py_CLEAR(self->form.errors);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Whether one of the texts is in the line: 1, 0, or -1 with an exception set. */
static int has_text(PyObject *contains, PyObject *line) {
    int found = 0;
    for (Py_ssize_t i = 0; found == 0 && i < PyTuple_GET_SIZE(contains); i++) {
        found = PySequence_Contains(line, PyTuple_GET_ITEM(contains, i));
    }
    return found;
}

static int has_match(PyObject *search, PyObject *line) {
    PyObject *match = PyObject_CallOneArg(search, line);
    const int found = match == NULL ? -1 : match != Py_None;
    Py_XDECREF(match);
    return found;
}

/* A line that is wanted, stripped; else NULL, where an exception may be set. The reference
 * is taken. `is_looked_for`: its text has to be looked at, too. */
static PyObject *judge(const struct hasten_py_lines *self, PyObject *line, bool is_looked_for) {
    int found = 1;
    if (is_looked_for && self->contains != NULL) {
        found = has_text(self->contains, line);
    }
    if (found == 1 && self->search != NULL) {
        found = has_match(self->search, line);
    }
    if (found < 0 || (found == 1) == self->is_inverted) {
        Py_DECREF(line);
        return NULL;
    }
    return hasten_py_line_strip(&self->form, line);
}

/* The line of a span, if it is wanted. */
static PyObject *line_of(struct hasten_py_lines *self, const struct hasten_span *span) {
    uint8_t *bytes = self->region.data + span->start;
    const size_t size = span->end - span->start;
    const bool is_fast = self->is_region_fast;
    if (is_fast && (self->search == NULL || !span->is_candidate)) {
        return hasten_py_line_make(&self->form, &self->region, bytes, size, self->form.strip);
    }
    PyObject *line =
        hasten_py_line_make(&self->form, &self->region, bytes, size, HASTEN_PY_STRIP_NOTHING);
    if (line != NULL && !is_fast && PyObject_Size(line) == 0) {
        /* A last line of nothing but bytes that errors= leaves out is none. */
        Py_CLEAR(line);
    }
    return line == NULL ? NULL : judge(self, line, !is_fast);
}

/* The next str of an iterator, if it is wanted. NULL without an exception: it is not, or
 * there is none, in which case there is no current iterator any more. */
static PyObject *line_of_iterator(struct hasten_py_lines *self) {
    PyObject *current = Py_NewRef(self->current);
    hasten_py_lines_take_turn(self);
    PyObject *line = PyIter_Next(current);
    const int answer = line != NULL ? 1 : PyErr_Occurred() ? -1 : 2;
    if (answer == 2 && self->current == current) {
        Py_CLEAR(self->current);
    }
    if (hasten_py_lines_end_turn(self, answer) < 1) {
        Py_CLEAR(line); /* or it came too late */
    }
    Py_DECREF(current);
    return line == NULL ? NULL : judge(self, line, true);
}

/* With the object's lock held. */
static PyObject *next_locked(struct hasten_py_lines *self) {
    PyObject *line = NULL;
    while (line == NULL) {
        if (self->is_busy || self->span_at == self->span_count) {
            if (self->is_over || hasten_py_lines_fill(self) <= 0) {
                return NULL;
            }
        }
        if (self->span_at < self->span_count) {
            const struct hasten_span span = self->spans[self->span_at++];
            line = line_of(self, &span);
        } else if (self->current != NULL && !self->is_current_reader) {
            line = line_of_iterator(self);
        }
        if (line == NULL && PyErr_Occurred()) {
            const struct hasten_py_exception exception = hasten_py_exception_take();
            (void)hasten_py_lines_stop(self);
            PyErr_Clear();
            hasten_py_exception_put(exception);
            return NULL;
        }
    }
    return line;
}

static PyObject *lines_next(PyObject *object) {
    PyObject *line = NULL;
    HASTEN_PY_BEGIN_LOCKED(object);
    line = next_locked(lines_of(object));
    HASTEN_PY_END_LOCKED();
    return line;
}

PyDoc_STRVAR(count_doc, "count($self, /)\n--\n\n"
                        "How many lines are left. No objects are made of them where that can be.");

static PyObject *lines_count(PyObject *object, PyObject *none) {
    (void)none;
    struct hasten_py_lines *self = lines_of(object);
    uint64_t made = 0;
    HASTEN_PY_BEGIN_LOCKED(object);
    /* What was found for objects already. */
    const bool is_plain = self->is_region_fast && self->search == NULL && !self->is_busy;
    if (is_plain) {
        made = self->span_count - self->span_at;
        self->span_at = self->span_count;
    }
    self->counted = 0;
    self->is_counting = true;
    for (PyObject *line; (line = next_locked(self)) != NULL; made++) {
        Py_DECREF(line);
    }
    self->is_counting = false;
    made += self->counted;
    HASTEN_PY_END_LOCKED();
    return PyErr_Occurred() ? NULL : PyLong_FromUnsignedLongLong(made);
}

PyDoc_STRVAR(close_doc, "close($self, /)\n--\n\n"
                        "End reading. No descriptor and no thread is left.");

static PyObject *lines_close(PyObject *object, PyObject *none) {
    (void)none;
    struct hasten_py_lines *self = lines_of(object);
    int answer = -1;
    HASTEN_PY_BEGIN_LOCKED(object);
    if (self->is_busy) {
        PyErr_SetString(PyExc_ValueError, "the stream is being read");
    } else {
        answer = hasten_py_lines_stop(self);
    }
    HASTEN_PY_END_LOCKED();
    if (answer < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *current_attribute(PyObject *object, const char *name) {
    struct hasten_py_lines *self = lines_of(object);
    PyObject *current = NULL;
    HASTEN_PY_BEGIN_LOCKED(object);
    current = self->is_current_reader ? Py_XNewRef(self->current) : NULL;
    HASTEN_PY_END_LOCKED();
    if (current == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *value = PyObject_GetAttrString(current, name);
    Py_DECREF(current);
    return value;
}

static PyObject *get_path(PyObject *object, void *none) {
    (void)none;
    return current_attribute(object, "path");
}

static PyObject *get_position(PyObject *object, void *none) {
    (void)none;
    return current_attribute(object, "position");
}

static PyObject *get_file_number(PyObject *object, void *none) {
    (void)none;
    uint64_t number = 0;
    HASTEN_PY_BEGIN_LOCKED(object);
    number = lines_of(object)->file_number;
    HASTEN_PY_END_LOCKED();
    return PyLong_FromUnsignedLongLong(number);
}

static PyMethodDef lines_methods[] = {
    {"count", lines_count, METH_NOARGS, count_doc},
    {"close", lines_close, METH_NOARGS, close_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef lines_properties[] = {
    {"path", get_path, NULL, "The file that is being read; None where none is.", NULL},
    {"position", get_position, NULL, "Bytes that were read of it, compressed as they are.", NULL},
    {"file_number", get_file_number, NULL, "How many files were begun.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(lines_doc, "The lines of files, of which only those that are wanted become objects.");

static PyType_Slot lines_slots[] = {
    {Py_tp_doc, (void *)lines_doc},   {Py_tp_new, lines_new},
    {Py_tp_dealloc, lines_dealloc},   {Py_tp_traverse, lines_traverse},
    {Py_tp_clear, lines_clear},       {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, lines_next},     {Py_tp_methods, lines_methods},
    {Py_tp_getset, lines_properties}, {0, NULL},
};

PyType_Spec hasten_py_lines_spec = {
    .name = "hasten.stream.Lines",
    .basicsize = sizeof(struct hasten_py_lines),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = lines_slots,
};
