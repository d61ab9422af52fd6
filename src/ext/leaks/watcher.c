/* SPDX-License-Identifier: MIT
 *
 * hasten._leaks.Watcher. */
#include "ext/leaks/watcher.h"

static int begin(struct hasten_leaks_watcher *watcher) {
    if (watcher->busy) {
        PyErr_SetString(PyExc_RuntimeError, "this watcher is looking at the heap already");
        return -1;
    }
    watcher->busy = true;
    return 0;
}

static PyObject *watcher_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, ":Watcher", names)) {
        return NULL;
    }
    struct hasten_access access;
    PyObject *gc = hasten_access_init(&access) ? PyImport_ImportModule("gc") : NULL;
    struct hasten_leaks_watcher *watcher =
        gc == NULL ? NULL : (struct hasten_leaks_watcher *)type->tp_alloc(type, 0);
    if (watcher == NULL) {
        Py_XDECREF(gc);
        return NULL;
    }
    watcher->access = access;
    watcher->gc = gc;
    hasten_map_init(&watcher->types.numbers, NULL);
    hasten_heap_init(&watcher->heap, NULL);
    hasten_history_init(&watcher->history);
    return (PyObject *)watcher;
}

static int watcher_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct hasten_leaks_watcher *)self)->gc);
    return 0;
}

static void watcher_dealloc(PyObject *self) {
    struct hasten_leaks_watcher *watcher = (struct hasten_leaks_watcher *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    hasten_leaks_types_done(&watcher->types);
    hasten_heap_done(&watcher->heap);
    Py_CLEAR(watcher->gc);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(mark_doc, "mark($self, /)\n--\n\n"
                       "Look at all objects; answer the number of this mark, from 0.");

static PyObject *watcher_mark(PyObject *self, PyObject *Py_UNUSED(unused)) {
    struct hasten_leaks_watcher *watcher = (struct hasten_leaks_watcher *)self;
    struct hasten_heap heap;
    if (begin(watcher) < 0) {
        return NULL;
    }
    hasten_heap_init(&heap, NULL);
    bool collects = PyGC_Disable() != 0;
    bool walked = hasten_leaks_walk(watcher, &heap);
    if (walked && hasten_history_follow(&watcher->history, &watcher->heap, &heap,
                                        hasten_leaks_is_container, watcher) != HASTEN_OK) {
        PyErr_NoMemory();
        walked = false;
    }
    if (collects) {
        PyGC_Enable();
    }
    watcher->busy = false;
    if (!walked) {
        hasten_heap_done(&heap);
        return NULL;
    }
    hasten_leaks_types_mark(&watcher->types, watcher->history.marks);
    hasten_history_mark(&watcher->history, &heap);
    hasten_heap_drop_edges(&heap);
    hasten_heap_done(&watcher->heap);
    watcher->heap = heap;
    return PyLong_FromUnsignedLong(watcher->history.marks - 1);
}

PyDoc_STRVAR(report_doc,
             "report($self, /, limit=10, least_bytes=1024, unjudged=False)\n--\n\n"
             "What grew from mark to mark, and what holds it. Looks once more. Unjudged: also\n"
             "what there were too few iterations for.");

static PyObject *watcher_report(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"limit", "least_bytes", "unjudged", NULL};
    struct hasten_leaks_watcher *watcher = (struct hasten_leaks_watcher *)self;
    Py_ssize_t limit = 10;
    unsigned long long least_bytes = 1024;
    int unjudged = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|nKp:report", names, &limit, &least_bytes,
                                     &unjudged)) {
        return NULL;
    }
    if (limit < 0) {
        PyErr_SetString(PyExc_ValueError, "limit must not be negative");
        return NULL;
    }
    if (begin(watcher) < 0) {
        return NULL;
    }
    PyObject *result = hasten_leaks_report(watcher, limit, least_bytes, unjudged != 0);
    watcher->busy = false;
    return result;
}

static PyObject *watcher_marks(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLong(((struct hasten_leaks_watcher *)self)->history.marks);
}

static PyObject *watcher_objects(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromSize_t(((struct hasten_leaks_watcher *)self)->heap.node_count);
}

static PyMethodDef watcher_methods[] = {
    {"mark", watcher_mark, METH_NOARGS, mark_doc},
    {"report", HASTEN_LEAKS_METHOD(watcher_report), METH_VARARGS | METH_KEYWORDS, report_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef watcher_attributes[] = {
    {"marks", watcher_marks, NULL, "How many marks were made.", NULL},
    {"objects", watcher_objects, NULL, "How many objects there were at the last mark.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot watcher_slots[] = {
    {Py_tp_doc, "Looks at the program's objects again and again."},
    {Py_tp_new, watcher_new},
    {Py_tp_traverse, watcher_traverse},
    {Py_tp_dealloc, watcher_dealloc},
    {Py_tp_methods, watcher_methods},
    {Py_tp_getset, watcher_attributes},
    {0, NULL},
};

PyType_Spec hasten_leaks_watcher_spec = {
    .name = "hasten._leaks.Watcher",
    .basicsize = sizeof(struct hasten_leaks_watcher),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = watcher_slots,
};
