/* SPDX-License-Identifier: MIT */
#include "ext/stream/reader.h"

#include <string.h>
#include <unistd.h>

/* How long a file object that has nothing yet is left alone. */
#define PATIENCE_US 10000

static struct hasten_py_reader *reader_of(PyObject *self) {
    return (struct hasten_py_reader *)self;
}

void hasten_py_reader_detach(struct hasten_py_reader *reader) {
    reader->thread = PyEval_SaveThread();
}

void hasten_py_reader_attach(struct hasten_py_reader *reader) {
    PyEval_RestoreThread(reader->thread);
    reader->thread = NULL;
}

/* Calls readinto1() or readinto() with memory of Python's: whoever keeps it may, and may
 * write to it whenever he likes. The answer, NULL with an exception set. */
static PyObject *read_into(struct hasten_py_reader *reader, size_t size) {
    PyObject *whole = PyMemoryView_FromObject(reader->memory);
    PyObject *view = whole == NULL ? NULL : PySequence_GetSlice(whole, 0, (Py_ssize_t)size);
    PyObject *answer = view == NULL ? NULL : PyObject_CallOneArg(reader->read_into, view);
    Py_XDECREF(view);
    Py_XDECREF(whole);
    return answer;
}

/* How many bytes a file object put into the buffer; -1 with an exception set, -2: none yet. */
static Py_ssize_t read_object(struct hasten_py_reader *reader, uint8_t *buffer, size_t size) {
    size = size < reader->block_size ? size : reader->block_size;
    PyObject *answer = reader->read_into != NULL
                           ? read_into(reader, size)
                           : PyObject_CallFunction(reader->read, "n", (Py_ssize_t)size);
    Py_ssize_t got = -1;
    if (answer == Py_None) {
        got = -2;
    } else if (answer != NULL && reader->read_into != NULL) {
        got = PyNumber_AsSsize_t(answer, PyExc_ValueError);
        if (got < 0 && !PyErr_Occurred()) {
            got = (Py_ssize_t)size + 1;
        }
        if (got > 0 && got <= (Py_ssize_t)size && got <= PyByteArray_GET_SIZE(reader->memory)) {
            memcpy(buffer, PyByteArray_AS_STRING(reader->memory), (size_t)got);
        }
    } else if (answer != NULL && PyBytes_Check(answer)) {
        got = PyBytes_GET_SIZE(answer);
        if (got <= (Py_ssize_t)size) {
            memcpy(buffer, PyBytes_AS_STRING(answer), (size_t)got);
        }
    } else if (answer != NULL) {
        PyErr_Format(PyExc_TypeError, "read() should return bytes, not %.100s",
                     Py_TYPE(answer)->tp_name);
    }
    Py_XDECREF(answer);
    if (got > (Py_ssize_t)size) {
        PyErr_SetString(PyExc_ValueError, "the file object answered more than was asked for");
        got = -1;
    }
    return got;
}

/* The source of a file object. Called without the GIL. */
static hasten_status object_source_read(void *context, uint8_t *buffer, size_t size,
                                        size_t *ret_size, struct hasten_error *error) {
    struct hasten_py_reader *reader = context;
    hasten_py_reader_attach(reader);
    const Py_ssize_t got = read_object(reader, buffer, size);
    if (got == -1) {
        reader->exception = hasten_py_exception_take();
        reader->has_exception = true;
    }
    hasten_py_reader_detach(reader);
    if (got == -1) {
        return hasten_error_set(error, HASTEN_INVALID, -1, "the file object failed");
    }
    if (got == -2) {
        (void)usleep(PATIENCE_US);
        return HASTEN_INTERRUPTED;
    }
    reader->read_bytes += (uint64_t)got;
    *ret_size = (size_t)got;
    return HASTEN_OK;
}

PyObject *hasten_py_reader_raise(struct hasten_py_reader *reader, hasten_status status,
                                 const struct hasten_error *error) {
    if (reader->has_exception && status == HASTEN_INVALID) {
        reader->has_exception = false;
        hasten_py_exception_put(reader->exception);
        return NULL;
    }
    const struct hasten_py_stream_state *state = hasten_py_stream_of(Py_TYPE(reader));
    return state == NULL
               ? NULL
               : hasten_py_stream_raise(state, status, error, reader->input.descriptor.error_number,
                                        reader->path);
}

uint64_t hasten_py_reader_position(const struct hasten_py_reader *reader) {
    return reader->file != NULL
               ? reader->read_bytes
               : __atomic_load_n(&reader->input.descriptor.read_bytes, __ATOMIC_RELAXED);
}

/* The method of a file object that reads: one that answers what is there, if it has one. */
static bool find_method(struct hasten_py_reader *self) {
    static const char *const names[] = {"readinto1", "readinto", "read"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        PyObject *method = PyObject_GetAttrString(self->file, names[i]);
        if (method != NULL) {
            *(i == 2 ? &self->read : &self->read_into) = method;
            return true;
        }
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return false;
        }
        PyErr_Clear();
    }
    PyErr_Format(PyExc_TypeError, "a path, a descriptor or a file object is wanted, not %.100s",
                 Py_TYPE(self->file)->tp_name);
    return false;
}

static bool start(struct hasten_py_reader *self, PyObject *source,
                  struct hasten_input_options *options) {
    hasten_status status = HASTEN_OK;
    if (PyLong_Check(source)) {
        const long fd = PyLong_AsLong(source);
        if ((fd == -1 && PyErr_Occurred()) || fd < 0 || fd > INT32_MAX) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_ValueError, "a descriptor cannot be negative");
            }
            return false;
        }
        self->fd = (int)fd;
        status = hasten_input_init(&self->input, self->fd, options, NULL);
    } else {
        self->file = Py_NewRef(source);
        self->memory = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)self->block_size);
        if (self->memory == NULL || !find_method(self)) {
            return false;
        }
        options->may_read_ahead = false;
        const struct hasten_source object = {self, object_source_read};
        status = hasten_input_init_source(&self->input, object, options, NULL);
    }
    if (status != HASTEN_OK) {
        (void)PyErr_NoMemory();
        return false;
    }
    self->is_open = true;
    return true;
}

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"source", "path", "compression", "ahead", "block_size", "owner", NULL};
    PyObject *source = NULL;
    PyObject *path = Py_None;
    const char *compression = "auto";
    int is_ahead = 1;
    int is_owner = 0;
    Py_ssize_t block_size = 1 << 18;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$Ozpnp:Reader", names, &source, &path,
                                     &compression, &is_ahead, &block_size, &is_owner)) {
        return NULL;
    }
    struct hasten_input_options options = {
        .is_plain = compression == NULL,
        .may_read_ahead = is_ahead != 0,
        .block_size = (size_t)block_size,
    };
    if (compression != NULL && strcmp(compression, "auto") != 0) {
        options.codec = hasten_codec_named(compression);
        if (options.codec == NULL) {
            return PyErr_Format(PyExc_ValueError,
                                "compression is \"auto\", None, \"gzip\", \"zstd\", \"xz\" or "
                                "\"bzip2\", not \"%s\"",
                                compression);
        }
    }
    if (block_size < 1 || block_size > HASTEN_PY_BLOCK_MAX) {
        PyErr_SetString(PyExc_ValueError, "a block has at least one byte, and fits in memory");
        return NULL;
    }
    struct hasten_py_reader *self = (struct hasten_py_reader *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->fd = -1;
    self->path = Py_NewRef(path);
    self->block_size = (size_t)block_size;
    if (!start(self, source, &options)) {
        Py_DECREF(self);
        return NULL;
    }
    self->is_owner = is_owner != 0;
    return (PyObject *)self;
}

struct hasten_py_reader *hasten_py_reader_begin(PyObject *object, PyTypeObject *type) {
    if (!PyObject_TypeCheck(object, type)) {
        PyErr_SetString(PyExc_TypeError, "no reader");
        return NULL;
    }
    struct hasten_py_reader *self = reader_of(object);
    const char *fault = NULL;
    HASTEN_PY_BEGIN_LOCKED(object);
    fault = self->is_busy    ? "the stream is being read by another call"
            : !self->is_open ? "the stream is closed"
                             : NULL;
    self->is_busy = self->is_busy || fault == NULL;
    HASTEN_PY_END_LOCKED();
    if (fault != NULL) {
        PyErr_SetString(PyExc_ValueError, fault);
        return NULL;
    }
    return self;
}

void hasten_py_reader_end(struct hasten_py_reader *reader) {
    HASTEN_PY_BEGIN_LOCKED((PyObject *)reader);
    reader->is_busy = false;
    HASTEN_PY_END_LOCKED();
}

int hasten_py_reader_close(struct hasten_py_reader *self) {
    bool was_busy = false;
    bool was_open = false;
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    was_busy = self->is_busy;
    was_open = self->is_open && !was_busy;
    self->is_open = self->is_open && was_busy;
    HASTEN_PY_END_LOCKED();
    if (was_busy) {
        PyErr_SetString(PyExc_ValueError, "the stream is being read by another call");
        return -1;
    }
    if (!was_open) {
        return 0;
    }
    /* The thread that reads ahead answers within a moment, but not at once. */
    PyThreadState *thread = PyEval_SaveThread();
    hasten_input_done(&self->input);
    if (self->is_owner) {
        (void)close(self->fd); /* nothing was written: nothing can be lost */
    }
    PyEval_RestoreThread(thread);
    return 0;
}

static int reader_traverse(PyObject *object, visitproc visit, void *arg) {
    struct hasten_py_reader *self = reader_of(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->path);
    Py_VISIT(self->file);
    Py_VISIT(self->read_into);
    Py_VISIT(self->read);
    Py_VISIT(self->memory);
    if (self->has_exception) {
        Py_VISIT(self->exception.type);
        Py_VISIT(self->exception.value);
        Py_VISIT(self->exception.traceback);
    }
    return 0;
}

static int reader_clear(PyObject *object) {
    struct hasten_py_reader *self = reader_of(object);
    Py_CLEAR(self->read_into);
    Py_CLEAR(self->read);
    if (self->has_exception) {
        self->has_exception = false;
        Py_CLEAR(self->exception.type);
        Py_CLEAR(self->exception.value);
        Py_CLEAR(self->exception.traceback);
    }
    return 0;
}

static void reader_dealloc(PyObject *object) {
    struct hasten_py_reader *self = reader_of(object);
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    const struct hasten_py_exception exception = hasten_py_exception_take();
    (void)hasten_py_reader_close(self);
    hasten_py_exception_put(exception);
    (void)reader_clear(object);
    Py_CLEAR(self->path);
    Py_CLEAR(self->file);
    Py_CLEAR(self->memory);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Reads once, as long as nothing comes. With an exception set: -1, or -2 where it is that of
 * a signal. */
static Py_ssize_t read_once(struct hasten_py_reader *self, uint8_t *buffer, size_t size) {
    const struct hasten_source source = hasten_input_source(&self->input);
    for (;;) {
        struct hasten_error error = {HASTEN_OK, -1, ""};
        size_t got = 0;
        hasten_py_reader_detach(self);
        const hasten_status status = source.read(source.context, buffer, size, &got, &error);
        hasten_py_reader_attach(self);
        if (status == HASTEN_OK) {
            return (Py_ssize_t)got;
        }
        if (status != HASTEN_INTERRUPTED) {
            (void)hasten_py_reader_raise(self, status, &error);
            return -1;
        }
        if (PyErr_CheckSignals() < 0) {
            return -2;
        }
    }
}

/* The exception that is to be raised by the next call. */
static void keep_exception(struct hasten_py_reader *self) {
    self->exception = hasten_py_exception_take();
    self->has_exception = true;
}

PyDoc_STRVAR(readinto_doc, "readinto($self, buffer, /)\n--\n\n"
                           "Read what is there, at least one byte; 0: the end.");

static PyObject *reader_readinto(PyObject *object, PyObject *into) {
    const struct hasten_py_stream_state *state = hasten_py_stream_of(Py_TYPE(object));
    Py_buffer buffer;
    if (state == NULL || PyObject_GetBuffer(into, &buffer, PyBUF_WRITABLE) < 0) {
        return NULL;
    }
    Py_ssize_t got = -1;
    struct hasten_py_reader *self = hasten_py_reader_begin(object, state->reader);
    if (self != NULL) {
        got = buffer.len == 0 ? 0 : read_once(self, buffer.buf, (size_t)buffer.len);
        hasten_py_reader_end(self);
    }
    PyBuffer_Release(&buffer);
    return got < 0 ? NULL : PyLong_FromSsize_t(got);
}

PyDoc_STRVAR(read_doc, "read($self, size, /)\n--\n\n"
                       "So many bytes; fewer only at the end, or before a failure.");

static PyObject *reader_read(PyObject *object, PyObject *number) {
    const struct hasten_py_stream_state *state = hasten_py_stream_of(Py_TYPE(object));
    const Py_ssize_t size = PyNumber_AsSsize_t(number, PyExc_OverflowError);
    if (state == NULL || (size == -1 && PyErr_Occurred())) {
        return NULL;
    }
    PyObject *bytes = size < 0 ? NULL : PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "a size is not negative");
    }
    struct hasten_py_reader *self = hasten_py_reader_begin(object, state->reader);
    if (self == NULL) {
        Py_DECREF(bytes);
        return NULL;
    }
    Py_ssize_t all = 0;
    Py_ssize_t got = 0;
    if (self->has_exception) {
        self->has_exception = false;
        hasten_py_exception_put(self->exception);
        got = -2;
    }
    while (got >= 0 && all < size) {
        got = read_once(self, (uint8_t *)PyBytes_AS_STRING(bytes) + all, (size_t)(size - all));
        if (got == 0) {
            break;
        }
        all += got > 0 ? got : 0;
    }
    if (got == -1 && all != 0) {
        keep_exception(self); /* what is good first */
    } else if (got < 0) {
        Py_CLEAR(bytes);
    }
    hasten_py_reader_end(self);
    if (bytes != NULL && all != size) {
        (void)_PyBytes_Resize(&bytes, all);
    }
    return bytes;
}

PyDoc_STRVAR(close_doc, "close($self, /)\n--\n\nEnd reading; a descriptor of ours is closed.");

static PyObject *reader_close(PyObject *object, PyObject *none) {
    (void)none;
    if (hasten_py_reader_close(reader_of(object)) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *get_path(PyObject *object, void *none) {
    (void)none;
    return Py_NewRef(reader_of(object)->path);
}

static PyObject *get_position(PyObject *object, void *none) {
    (void)none;
    return PyLong_FromUnsignedLongLong(hasten_py_reader_position(reader_of(object)));
}

static PyObject *get_compression(PyObject *object, void *none) {
    (void)none;
    const struct hasten_py_reader *self = reader_of(object);
    const char *format = self->is_open ? hasten_input_format(&self->input) : NULL;
    if (format == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(format);
}

static PyMethodDef reader_methods[] = {
    {"readinto", reader_readinto, METH_O, readinto_doc},
    {"read", reader_read, METH_O, read_doc},
    {"close", reader_close, METH_NOARGS, close_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef reader_properties[] = {
    {"path", get_path, NULL, "What messages call it.", NULL},
    {"position", get_position, NULL, "Bytes that were read, compressed as they are.", NULL},
    {"compression", get_compression, NULL, "Its format, once that is known.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(reader_doc,
             "Reader(source, *, path=None, compression='auto', ahead=True, block_size=262144,\n"
             "       owner=False)\n--\n\nThe decompressed bytes of a descriptor or file object.");

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, (void *)reader_doc},   {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},   {Py_tp_traverse, reader_traverse},
    {Py_tp_clear, reader_clear},       {Py_tp_methods, reader_methods},
    {Py_tp_getset, reader_properties}, {0, NULL},
};

PyType_Spec hasten_py_reader_spec = {
    .name = "hasten._stream.Reader",
    .basicsize = sizeof(struct hasten_py_reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = reader_slots,
};
