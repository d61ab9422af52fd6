/* SPDX-License-Identifier: MIT
 *
 * Finds all objects and who holds whom. The collector knows the objects that can
 * hold others; tp_traverse tells what they hold, text and numbers included. It is C
 * of the types, the same that the collector itself calls at any time.
 *
 * Only objects that the collector tracks are asked (besides tuples and dicts, which
 * it stops tracking where they hold nothing of interest to it): others may be half
 * made. Text that is a key is not told of by dicts; they are read here. */
#include "ext/leaks/watcher.h"

struct walk {
    struct hasten_leaks_watcher *watcher;
    struct hasten_heap *heap;
    hasten_status status;
    PyObject *own_dict; /* of the object that is asked */
    bool told_of_dict;
};

static uint32_t meet(struct walk *walk, PyObject *object) {
    uint32_t node = HASTEN_HEAP_NONE;
    bool is_new = false;
    if (walk->status != HASTEN_OK) {
        return HASTEN_HEAP_NONE;
    }
    walk->status = hasten_heap_add(walk->heap, (uint64_t)(uintptr_t)object, &node, &is_new);
    if (walk->status != HASTEN_OK || !is_new) {
        return walk->status == HASTEN_OK ? node : HASTEN_HEAP_NONE;
    }
    struct hasten_heap_node *place = &walk->heap->nodes[node];
    uint32_t number = hasten_leaks_type_of(walk->watcher, object);
    if (number == HASTEN_HEAP_NONE) {
        walk->status = HASTEN_NO_MEMORY;
        return HASTEN_HEAP_NONE;
    }
    uint64_t size = hasten_leaks_size_of(walk->watcher, object, number);
    struct hasten_leaks_type *type = &walk->watcher->types.items[number];
    type->count++;
    type->bytes += size;
    place->type = number;
    place->grains = hasten_heap_grains(size);
    return node;
}

static int visit(PyObject *object, void *data) {
    struct walk *walk = data;
    walk->told_of_dict = walk->told_of_dict || object == walk->own_dict;
    uint32_t node = object == NULL ? HASTEN_HEAP_NONE : meet(walk, object);
    if (node != HASTEN_HEAP_NONE) {
        walk->status = hasten_heap_edge(walk->heap, node);
    }
    return walk->status != HASTEN_OK;
}

/* `only_text`: the rest was told by tp_traverse. */
static void visit_dict(struct walk *walk, PyObject *dict, bool only_text) {
    PyObject *key = NULL;
    PyObject *value = NULL;
    Py_ssize_t at = 0;
    while (walk->status == HASTEN_OK && PyDict_Next(dict, &at, &key, &value)) {
        if (!only_text) {
            visit(key, walk);
            visit(value, walk);
        } else if (PyUnicode_CheckExact(key)) {
            visit(key, walk);
        }
    }
}

static void visit_held(struct walk *walk, PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    if (PyDict_CheckExact(object)) {
        visit_dict(walk, object, false);
        return;
    }
    if (!PyObject_IS_GC(object) || type->tp_traverse == NULL ||
        !(PyObject_GC_IsTracked(object) || PyTuple_CheckExact(object))) {
        return;
    }
    /* Where values lie in the instance, 3.13 and later tell of them and not of the dict
     * that was made for them, which looked held by nobody then. */
    walk->told_of_dict = false;
    walk->own_dict = (type->tp_flags & Py_TPFLAGS_MANAGED_DICT)
                         ? hasten_access_dict(&walk->watcher->access, object)
                         : NULL;
    type->tp_traverse(object, visit, walk);
    if (walk->own_dict != NULL && !walk->told_of_dict) {
        visit(walk->own_dict, walk);
    }
    if (walk->status == HASTEN_OK && PyDict_Check(object)) {
        visit_dict(walk, object, true);
    }
}

static int meet_tracked(PyObject *object, void *data) {
    struct walk *walk = data;
    meet(walk, object);
    return walk->status == HASTEN_OK; /* go on */
}

/* Locals of functions that run are nobody's referents: what only they hold. */
static void meet_locals(struct walk *walk) {
    const struct hasten_access *access = &walk->watcher->access;
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread != NULL; thread = PyThreadState_Next(thread)) {
        const char *frame = hasten_access_thread_frame(access, thread);
        for (; frame != NULL; frame = hasten_access_previous(access, frame)) {
            PyCodeObject *code = hasten_access_code(access, frame);
            for (int i = 0; code != NULL && i < code->co_nlocalsplus; i++) {
                PyObject *local = hasten_access_local(access, frame, i);
                if (local != NULL) {
                    meet(walk, local);
                }
            }
        }
    }
}

static void set_exception(hasten_status status) {
    if (status == HASTEN_NO_MEMORY) {
        PyErr_NoMemory();
    } else {
        PyErr_Format(PyExc_OverflowError, "the program has more than %u objects",
                     HASTEN_HEAP_MOST_NODES);
    }
}

bool hasten_leaks_walk(struct hasten_leaks_watcher *watcher, struct hasten_heap *heap) {
    struct walk walk = {.watcher = watcher, .heap = heap, .status = HASTEN_OK};
    PyObject *held = NULL;
    hasten_leaks_types_begin(&watcher->types);
    if (!hasten_py_visit_objects(watcher->gc, meet_tracked, &walk, &held)) {
        return false;
    }
    /* Whoever lists objects holds them: that must not look like a holder. */
    Py_CLEAR(held);
    meet_locals(&walk);
    for (uint32_t node = 0; node < heap->node_count && walk.status == HASTEN_OK; node++) {
        hasten_heap_begin(heap, node);
        visit_held(&walk, hasten_leaks_object(heap, node));
    }
    if (walk.status != HASTEN_OK) {
        set_exception(walk.status);
    }
    return walk.status == HASTEN_OK;
}
