/* SPDX-License-Identifier: MIT
 *
 * Reading on: regions, one file after the other. */
#include <unistd.h>

#include "core/base/utf8.h"
#include "ext/stream/lines.h"

/* How much is looked through before signals are, a few milliseconds' worth. */
#define PATIENCE_BYTES (UINT64_C(32) << 20)

static bool is_valid(const struct hasten_py_line_form *form, const uint8_t *data, size_t size,
                     bool has_high) {
    return !has_high || form->text == HASTEN_PY_TEXT_BYTES || form->text == HASTEN_PY_TEXT_LATIN1 ||
           (form->text == HASTEN_PY_TEXT_UTF8 &&
            hasten_utf8_valid((const char *)data, size) == size);
}

static void open_region(struct hasten_py_lines *self, const uint8_t *data, size_t size) {
    struct hasten_py_region *region = &self->region;
    const bool is_bytes = self->form.text == HASTEN_PY_TEXT_BYTES;
    const unsigned kinds = is_bytes ? 0 : self->form.kernels->classify(data, size);
    region->data = self->regions.data + (data - self->regions.data);
    region->has_high = (kinds & HASTEN_BYTES_HIGH) != 0;
    region->has_return = (kinds & HASTEN_BYTES_RETURN) != 0;
    region->is_valid = is_valid(&self->form, data, size, region->has_high);
    self->is_region_fast = region->is_valid && !self->is_slow;
    self->active = self->is_region_fast ? &self->scanner : &self->every;
    enum hasten_newline rule = self->form.newline;
    if (rule == HASTEN_NEWLINE_ANY && !region->has_return) {
        rule = HASTEN_NEWLINE_LF;
    }
    hasten_scanner_begin(self->active, data, size, rule);
    self->is_region_open = true;
}

/* Finds spans in the region that is open. */
static void scan_region(struct hasten_py_lines *self) {
    if (self->is_counting && self->is_region_fast && self->search == NULL) {
        self->counted += hasten_scanner_count(self->active);
        self->span_count = 0;
    } else {
        self->span_count = hasten_scanner_next(self->active, self->spans, HASTEN_PY_SPANS);
    }
    self->is_region_open = self->span_count != 0;
}

/* Without the GIL: until there are spans, the end, a failure, or it took a while. */
static hasten_status scan(struct hasten_py_lines *self, struct hasten_source source,
                          bool *ret_at_end, struct hasten_error *error) {
    uint64_t looked_at = 0;
    hasten_status status = HASTEN_OK;
    self->span_at = 0;
    self->span_count = 0;
    while (self->span_count == 0 && looked_at < PATIENCE_BYTES) {
        if (self->is_region_open) {
            scan_region(self);
            continue;
        }
        const uint8_t *data = NULL;
        size_t size = 0;
        status = hasten_regions_next(&self->regions, source, &data, &size, error);
        if (status != HASTEN_OK || size == 0) {
            *ret_at_end = status == HASTEN_OK;
            break;
        }
        looked_at += size;
        self->unreported_bytes += size;
        open_region(self, data, size);
    }
    return status;
}

static bool tell_progress(struct hasten_py_lines *self) {
    self->unreported_bytes = 0;
    if (self->progress == NULL || !self->is_current_reader) {
        return true;
    }
    PyObject *answer = PyObject_CallOneArg(self->progress, self->current);
    Py_XDECREF(answer);
    return answer != NULL;
}

/* Closes what is read. */
static int close_current(struct hasten_py_lines *self) {
    PyObject *current = self->current;
    if (current == NULL) {
        return 0;
    }
    int answer = 0;
    self->current = NULL;
    self->is_region_open = false;
    self->span_at = 0;
    self->span_count = 0;
    if (self->is_current_reader) {
        answer = hasten_py_reader_close((struct hasten_py_reader *)current);
    } else {
        PyObject *closed = PyObject_CallMethod(current, "close", NULL);
        answer = closed == NULL ? -1 : 0;
        Py_XDECREF(closed);
    }
    Py_DECREF(current);
    return answer;
}

/* 1: there is a next file; 0: there is none. */
static int open_next(struct hasten_py_lines *self) {
    const struct hasten_py_stream_state *state = hasten_py_stream_of(Py_TYPE(&self->stage.ob_base));
    PyObject *next = state == NULL || self->readers == NULL ? NULL : PyIter_Next(self->readers);
    if (next == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    self->is_current_reader = PyObject_TypeCheck(next, state->reader);
    if (!self->is_current_reader && !PyIter_Check(next)) {
        PyErr_Format(PyExc_TypeError, "a reader or an iterator is wanted, not %.100s",
                     Py_TYPE(next)->tp_name);
        Py_DECREF(next);
        return -1;
    }
    self->current = next;
    self->file_number++;
    hasten_regions_restart(&self->regions);
    return 1;
}

/* One turn: 1: there are spans, or a str may be asked for; 2: to be called again. */
static int fill_once(struct hasten_py_lines *self) {
    if (self->current == NULL) {
        const int answer = open_next(self);
        return answer == 1 ? 2 : answer;
    }
    if (!self->is_current_reader) {
        return 1;
    }
    PyTypeObject *type = Py_TYPE(self->current);
    struct hasten_py_reader *reader = hasten_py_reader_begin(self->current, type);
    if (reader == NULL) {
        return -1;
    }
    struct hasten_error error = {HASTEN_OK, -1, ""};
    bool is_at_end = false;
    hasten_py_reader_detach(reader);
    const hasten_status status =
        scan(self, hasten_input_source(&reader->input), &is_at_end, &error);
    hasten_py_reader_attach(reader);
    hasten_py_reader_end(reader);
    if (status == HASTEN_INTERRUPTED) {
        return PyErr_CheckSignals() < 0 ? -1 : 2;
    }
    if (status != HASTEN_OK) {
        (void)hasten_py_reader_raise(reader, status, &error);
        return -1;
    }
    if (is_at_end) {
        return tell_progress(self) && close_current(self) == 0 ? 2 : -1;
    }
    if (self->unreported_bytes >= PATIENCE_BYTES && !tell_progress(self)) {
        return -1;
    }
    return self->span_count != 0 ? 1 : PyErr_CheckSignals() < 0 ? -1 : 2;
}

int hasten_py_lines_stop(struct hasten_py_lines *self) {
    self->is_over = true;
    if (self->is_busy) {
        return 0; /* another thread's turn, whose end does the rest */
    }
    PyObject *readers = self->readers;
    self->readers = NULL;
    int answer = close_current(self);
    /* A generator may have a file open that it has not handed on. */
    if (readers != NULL && answer == 0) {
        PyObject *closed = PyObject_CallMethod(readers, "close", NULL);
        answer = closed == NULL ? -1 : 0;
        Py_XDECREF(closed);
    }
    Py_XDECREF(readers);
    return answer;
}

/* Waits until no other thread reads. */
static bool wait_for_turn(struct hasten_py_lines *self) {
    while (self->is_busy) {
        if (pthread_equal(self->busy_thread, pthread_self()) != 0) {
            PyErr_SetString(PyExc_ValueError, "the stream is being read by this call already");
            return false;
        }
        if (self->busy_pid != getpid()) {
            PyErr_SetString(PyExc_RuntimeError,
                            "the stream was being read by a thread of the parent process");
            return false;
        }
        Py_BEGIN_ALLOW_THREADS(void) usleep(1000);
        Py_END_ALLOW_THREADS if (PyErr_CheckSignals() < 0) {
            return false;
        }
    }
    return true;
}

void hasten_py_lines_take_turn(struct hasten_py_lines *self) {
    self->is_busy = true;
    self->busy_thread = pthread_self();
    self->busy_pid = getpid();
}

int hasten_py_lines_end_turn(struct hasten_py_lines *self, int answer) {
    self->is_busy = false;
    if (answer < 0 || self->is_over) {
        /* As a generator: after its end, or a failure, there is nothing more. */
        const struct hasten_py_exception exception = hasten_py_exception_take();
        const int stopped = hasten_py_lines_stop(self);
        if (answer < 0) {
            PyErr_Clear();
            hasten_py_exception_put(exception);
        } else {
            answer = stopped;
        }
    }
    return answer;
}

int hasten_py_lines_fill(struct hasten_py_lines *self) {
    if (!wait_for_turn(self)) {
        return -1;
    }
    if (self->span_at < self->span_count) {
        return 1; /* the thread that was waited for found them */
    }
    hasten_py_lines_take_turn(self);
    int answer = 2;
    while (answer == 2 && !self->is_over) {
        answer = fill_once(self);
    }
    if (answer == 0) {
        self->is_over = true;
    }
    return hasten_py_lines_end_turn(self, answer);
}
