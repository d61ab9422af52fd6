/* SPDX-License-Identifier: MIT
 *
 * Python objects made of a snapshot. Equal ones are the same object: a path's frames,
 * and the traces of one row. */
#include "ext/tracemalloc/table.h"

#include "ext/tracemalloc/text.h"

static PyObject *frame_of(const struct hasten_traces *traces, uint64_t place) {
    size_t size = 0;
    const char *name = hasten_traces_name(traces, hasten_traces_place_file(place), &size);
    PyObject *file = hasten_py_text_new(name, size);
    return file == NULL ? NULL
                        : Py_BuildValue("NI", file, (unsigned int)hasten_traces_place_line(place));
}

/* `frames`, where it is not NULL, remembers each step's frame. */
static PyObject *frames_of(const struct hasten_traces *traces, PyObject **frames, uint32_t path) {
    uint32_t left_out = 0;
    const uint32_t depth = hasten_traces_depth(traces, path, &left_out);
    PyObject *tuple = PyTuple_New(depth);
    for (uint32_t i = 0; tuple != NULL && i < depth; i++) {
        PyObject *frame = frames == NULL ? NULL : Py_XNewRef(frames[path]);
        if (frame == NULL) {
            frame = frame_of(traces, traces->paths.items[path].place);
            if (frames != NULL) {
                frames[path] = Py_XNewRef(frame);
            }
        }
        if (frame == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, frame);
        path = traces->paths.items[path].parent;
    }
    return tuple;
}

PyObject *hasten_py_table_frames(const struct hasten_traces *traces, uint32_t path) {
    return frames_of(traces, NULL, path);
}

/* A row's trace. `paths` remembers each path's frames. */
static PyObject *trace_of(const struct hasten_traces *traces, const struct hasten_traces_row *row,
                          PyObject **frames, PyObject **paths) {
    uint32_t left_out = 0;
    const uint32_t depth = hasten_traces_depth(traces, row->path, &left_out);
    if (paths[row->path] == NULL) {
        paths[row->path] = frames_of(traces, frames, row->path);
        if (paths[row->path] == NULL) {
            return NULL;
        }
    }
    return Py_BuildValue("IKOI", (unsigned int)row->domain, (unsigned long long)row->size_bytes,
                         paths[row->path], (unsigned int)(depth + left_out));
}

static int fill(const struct hasten_traces *traces, uint64_t first, uint64_t end, PyObject *list,
                PyObject **frames, PyObject **paths) {
    size_t row = hasten_traces_row_of(traces, first);
    uint64_t next = first;
    while (next < end) {
        PyObject *trace = trace_of(traces, &traces->rows[row], frames, paths);
        if (trace == NULL) {
            return -1;
        }
        for (; next < end && next < traces->rows[row].end; next++) {
            PyList_SET_ITEM(list, (Py_ssize_t)(next - first), Py_NewRef(trace));
        }
        Py_DECREF(trace);
        row++;
    }
    return 0;
}

static void release(PyObject **objects, size_t count) {
    for (size_t i = 0; objects != NULL && i < count; i++) {
        Py_XDECREF(objects[i]);
    }
    PyMem_RawFree((void *)objects);
}

PyObject *hasten_py_table_traces(const struct hasten_traces *traces, uint64_t first, uint64_t end) {
    const size_t count = traces->paths.count + 1;
    PyObject *list = PyList_New((Py_ssize_t)(end - first));
    PyObject **frames = PyMem_RawCalloc(count, sizeof *frames);
    PyObject **paths = PyMem_RawCalloc(count, sizeof *paths);
    if (list != NULL && (frames == NULL || paths == NULL)) {
        PyErr_NoMemory();
        Py_CLEAR(list);
    }
    if (list != NULL && fill(traces, first, end, list, frames, paths) < 0) {
        Py_CLEAR(list);
    }
    release(frames, count);
    release(paths, count);
    return list;
}

PyObject *hasten_py_block_traceback(unsigned int domain, uintptr_t address) {
    struct hasten_traces traces;
    PyObject *result = NULL;
    uint32_t path = 0;
    hasten_traces_init(&traces, NULL);
    if (hasten_table_take_block(&traces, domain, address, &path) != HASTEN_OK) {
        PyErr_NoMemory();
    } else if (path == 0) {
        result = Py_NewRef(Py_None);
    } else {
        result = hasten_py_table_frames(&traces, path);
    }
    hasten_traces_done(&traces);
    return result;
}
