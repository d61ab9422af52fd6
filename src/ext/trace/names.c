/* SPDX-License-Identifier: MIT
 *
 * What threads and functions are called in the recording. */
#include "ext/trace/trace.h"

#include <string.h>

/* The file that functions of C are in, as cProfile says it. */
#define NO_FILE "~"

/* The name of a Thread, kept; false: it has none, or is another thread by now. */
static bool take_name(struct hasten_trace_thread *thread, PyObject *object) {
    PyObject *tid = PyObject_GetAttrString(object, "_native_id");
    bool same = tid != NULL && (!PyLong_Check(tid) || PyLong_AsLong(tid) == (long)thread->tid);
    Py_XDECREF(tid);
    PyObject *name = same ? PyObject_GetAttrString(object, "_name") : NULL;
    const char *text = name == NULL || !PyUnicode_Check(name) ? NULL : PyUnicode_AsUTF8(name);
    if (text != NULL) {
        size_t size = strlen(text);
        size = size < sizeof thread->name ? size : sizeof thread->name - 1;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) {
            size--;
        }
        memcpy(thread->name, text, size);
        thread->name[size] = '\0';
    }
    Py_XDECREF(name);
    return text != NULL;
}

/* threading knows a thread by its identifier, from soon after its beginning on. */
static bool ask_threading(struct hasten_trace_thread *thread) {
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *threading =
        modules == NULL ? NULL : PyDict_GetItemString(modules, "threading"); /* borrowed */
    PyObject *active = threading == NULL ? NULL : PyObject_GetAttrString(threading, "_active");
    PyObject *ident = active == NULL ? NULL : PyLong_FromUnsignedLong(thread->ident);
    PyObject *object = ident == NULL ? NULL : PyObject_GetItem(active, ident);
    bool found = object != NULL && take_name(thread, object);
    Py_XDECREF(object);
    Py_XDECREF(ident);
    Py_XDECREF(active);
    return found;
}

/* At its very beginning only its first frame knows: Thread._bootstrap(self). */
static void ask_frame(struct hasten_trace_thread *thread) {
    PyFrameObject *frame = PyThreadState_GetFrame(hasten_py_thread());
    PyCodeObject *code = frame == NULL ? NULL : PyFrame_GetCode(frame);
    if (code != NULL && PyUnicode_CompareWithASCIIString(code->co_name, "_bootstrap") == 0) {
        PyObject *locals = PyFrame_GetLocals(frame);
        PyObject *self = locals == NULL ? NULL : PyMapping_GetItemString(locals, "self");
        if (self != NULL) {
            take_name(thread, self);
        }
        Py_XDECREF(self);
        Py_XDECREF(locals);
    }
    Py_XDECREF(code);
    Py_XDECREF(frame);
}

void hasten_trace_name_thread(struct hasten_trace_thread *thread) {
    struct hasten_py_exception exception = hasten_py_exception_take();
    if (!ask_threading(thread)) {
        PyErr_Clear();
        ask_frame(thread);
    }
    PyErr_Clear();
    hasten_py_exception_put(exception);
}

/* UTF-8 of a string; what is not text becomes question marks. The caller releases
 * `ret_bytes`. */
static const char *text_of(PyObject *string, PyObject **ret_bytes) {
    *ret_bytes = PyUnicode_AsEncodedString(string, "utf-8", "replace");
    if (*ret_bytes == NULL) {
        PyErr_Clear();
        return "";
    }
    return PyBytes_AS_STRING(*ret_bytes);
}

static hasten_status record_python(struct hasten_trace *trace, PyCodeObject *code,
                                   uint32_t *ret_code) {
    PyObject *bytes[3] = {NULL, NULL, NULL};
    PyObject *table = PyObject_GetAttrString((PyObject *)code, "co_linetable");
    bool has_table = table != NULL && PyBytes_Check(table);
    struct hasten_code_info info = {
        .process = trace->process,
        .file = text_of(code->co_filename, &bytes[0]),
        .name = text_of(code->co_name, &bytes[1]),
        .qualname = text_of(code->co_qualname, &bytes[2]),
        .first_line = code->co_firstlineno,
        .linetable = has_table ? (const uint8_t *)PyBytes_AS_STRING(table) : NULL,
        .linetable_size = has_table ? (uint32_t)PyBytes_GET_SIZE(table) : 0,
    };
    PyErr_Clear();
    hasten_status status = hasten_recorder_code(trace->recorder, &info, ret_code);
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(bytes[i]);
    }
    Py_XDECREF(table);
    return status;
}

hasten_status hasten_trace_record_code(struct hasten_trace *trace, PyObject *name,
                                       uint32_t *ret_code) {
    if (PyCode_Check(name)) {
        return record_python(trace, (PyCodeObject *)name, ret_code);
    }
    PyObject *bytes = NULL;
    const char *text = PyUnicode_Check(name) ? text_of(name, &bytes) : "<unknown>";
    struct hasten_code_info info = {
        .process = trace->process, .file = NO_FILE, .name = text, .qualname = text};
    hasten_status status = hasten_recorder_code(trace->recorder, &info, ret_code);
    Py_XDECREF(bytes);
    return status;
}
