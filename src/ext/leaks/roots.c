/* SPDX-License-Identifier: MIT
 *
 * Roots: what is there whoever holds it. Those with names come first, the better the
 * name the nearer: modules, what threads keep, locals of functions that run. What is
 * left and has more references than the walk found holders is held by C. What is then
 * left holds only itself: garbage that the collector has not taken yet. */
#include "ext/leaks/watcher.h"

/* A chain from a module is better than one from a local that is this much shorter. */
#define LEVEL_MODULE 0
#define LEVEL_THREAD 1
#define LEVEL_LOCAL 3

static bool add_root(struct hasten_leaks_analysis *analysis, PyObject *object, uint32_t level,
                     struct hasten_leaks_root root) {
    root.node = hasten_heap_find(analysis->heap, (uint64_t)(uintptr_t)object);
    if (root.node == HASTEN_HEAP_NONE) {
        return true; /* holds nothing of interest */
    }
    void *roots = analysis->roots;
    void *starts = analysis->starts;
    if (hasten_grow(NULL, &roots, &analysis->root_capacity, analysis->root_count + 1,
                    sizeof *analysis->roots) < 0) {
        return false;
    }
    analysis->roots = roots;
    if (hasten_grow(NULL, &starts, &analysis->start_capacity, analysis->root_count + 1,
                    sizeof *analysis->starts) < 0) {
        return false;
    }
    analysis->starts = starts;
    struct hasten_map_key key = {.low = root.node};
    if (hasten_map_insert(&analysis->root_numbers, key, (uint32_t)analysis->root_count, NULL) ==
        NULL) {
        return false;
    }
    analysis->roots[analysis->root_count] = root;
    analysis->starts[analysis->root_count++] =
        (struct hasten_route_root){.node = root.node, .level = level};
    return true;
}

static bool add_modules(struct hasten_leaks_analysis *analysis) {
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *name = NULL;
    PyObject *module = NULL;
    Py_ssize_t at = 0;
    bool added = true;
    while (added && modules != NULL && PyDict_Check(modules) &&
           PyDict_Next(modules, &at, &name, &module)) {
        if (!PyUnicode_Check(name)) {
            continue;
        }
        struct hasten_leaks_root root = {.kind = HASTEN_ROOT_MODULE, .owner = name};
        PyObject *names = PyModule_Check(module) ? PyModule_GetDict(module) : NULL;
        added = (names == NULL || add_root(analysis, names, LEVEL_MODULE, root)) &&
                add_root(analysis, module, LEVEL_MODULE, root);
    }
    return added;
}

static bool add_thread_data(struct hasten_leaks_analysis *analysis) {
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    bool added = true;
    for (; added && thread != NULL; thread = PyThreadState_Next(thread)) {
        struct hasten_leaks_root root = {.kind = HASTEN_ROOT_THREAD,
                                         .index = (int)PyThreadState_GetID(thread)};
        added = thread->dict == NULL || add_root(analysis, thread->dict, LEVEL_THREAD, root);
        root.kind = HASTEN_ROOT_CONTEXT;
        added = added && (thread->context == NULL ||
                          add_root(analysis, thread->context, LEVEL_THREAD, root));
    }
    return added;
}

static PyObject *module_name_of(PyObject *function) {
    PyObject *module = function != NULL && PyFunction_Check(function)
                           ? ((PyFunctionObject *)function)->func_module
                           : NULL;
    return module != NULL && PyUnicode_Check(module) ? module : NULL;
}

static bool add_locals(struct hasten_leaks_analysis *analysis, const char *frame) {
    const struct hasten_access *access = &analysis->watcher->access;
    PyCodeObject *code = hasten_access_code(access, frame);
    bool added = true;
    if (code == NULL) {
        return true;
    }
    PyObject *module = module_name_of(hasten_access_function(access, frame));
    for (int i = 0; added && i < code->co_nlocalsplus; i++) {
        PyObject *local = hasten_access_local(access, frame, i);
        struct hasten_leaks_root root = {.kind = HASTEN_ROOT_LOCAL,
                                         .owner = (PyObject *)code,
                                         .module_name = module,
                                         .index = i};
        added = local == NULL || add_root(analysis, local, LEVEL_LOCAL, root);
    }
    return added;
}

/* The functions of one thread, the outermost first: what it passes on is its own. */
static bool add_thread_frames(struct hasten_leaks_analysis *analysis, PyThreadState *thread) {
    const struct hasten_access *access = &analysis->watcher->access;
    const char **frames = NULL;
    size_t count = 0;
    size_t capacity = 0;
    bool added = true;
    const char *frame = hasten_access_thread_frame(access, thread);
    for (; added && frame != NULL; frame = hasten_access_previous(access, frame)) {
        void *larger = (void *)frames;
        added = hasten_grow(NULL, &larger, &capacity, count + 1, sizeof *frames) == 0;
        frames = larger;
        if (added) {
            frames[count++] = frame;
        }
    }
    for (; added && count > 0; count--) {
        added = add_locals(analysis, frames[count - 1]);
    }
    hasten_release(NULL, (void *)frames, capacity * sizeof *frames);
    return added;
}

static bool add_frames(struct hasten_leaks_analysis *analysis) {
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    bool added = true;
    for (; added && thread != NULL; thread = PyThreadState_Next(thread)) {
        added = add_thread_frames(analysis, thread);
    }
    return added;
}

/* What was not reached and has references that nobody was seen to hold. */
static bool reach_unnamed(struct hasten_leaks_analysis *analysis) {
    const struct hasten_heap *heap = analysis->heap;
    struct hasten_route_root *roots = NULL;
    size_t count = 0;
    size_t capacity = 0;
    for (size_t i = 0; i < heap->node_count; i++) {
        if (analysis->paths.parents[i] != HASTEN_HEAP_NONE ||
            Py_REFCNT(hasten_leaks_object(heap, (uint32_t)i)) <=
                (Py_ssize_t)heap->nodes[i].references) {
            continue;
        }
        void *larger = roots;
        if (hasten_grow(NULL, &larger, &capacity, count + 1, sizeof *roots) < 0) {
            hasten_release(NULL, roots, capacity * sizeof *roots);
            return false;
        }
        roots = larger;
        roots[count++] = (struct hasten_route_root){.node = (uint32_t)i, .level = 0};
    }
    hasten_routes_extend(&analysis->paths, heap, roots, count);
    hasten_release(NULL, roots, capacity * sizeof *roots);
    return true;
}

bool hasten_leaks_reach(struct hasten_leaks_analysis *analysis) {
    if (hasten_routes_begin(&analysis->paths, analysis->heap) != HASTEN_OK ||
        !add_modules(analysis) || !add_thread_data(analysis) || !add_frames(analysis)) {
        return false;
    }
    hasten_routes_extend(&analysis->paths, analysis->heap, analysis->starts, analysis->root_count);
    return reach_unnamed(analysis);
}

void hasten_leaks_analysis_done(struct hasten_leaks_analysis *analysis) {
    hasten_routes_done(&analysis->paths);
    hasten_map_done(&analysis->root_numbers);
    hasten_release(NULL, analysis->roots, analysis->root_capacity * sizeof *analysis->roots);
    hasten_release(NULL, analysis->starts, analysis->start_capacity * sizeof *analysis->starts);
}

const struct hasten_leaks_root *hasten_leaks_root_at(const struct hasten_leaks_analysis *analysis,
                                                     uint32_t node) {
    const uint32_t *number =
        hasten_map_find(&analysis->root_numbers, (struct hasten_map_key){.low = node});
    return number == NULL ? NULL : &analysis->roots[*number];
}

void hasten_leaks_root_name(const struct hasten_leaks_root *root, struct hasten_buffer *out) {
    PyCodeObject *code = NULL;
    switch (root->kind) {
    case HASTEN_ROOT_MODULE:
        hasten_leaks_text(root->owner, out);
        break;
    case HASTEN_ROOT_LOCAL:
        code = (PyCodeObject *)root->owner;
        if (root->module_name != NULL) {
            hasten_leaks_text(root->module_name, out);
            hasten_buffer_byte(out, '.');
        }
        hasten_leaks_text(code->co_qualname, out);
        hasten_buffer_text(out, "(): ");
        hasten_leaks_text(PyTuple_GET_ITEM(code->co_localsplusnames, root->index), out);
        break;
    case HASTEN_ROOT_THREAD:
        hasten_buffer_format(out, "(threading.local data of thread %d)", root->index);
        break;
    case HASTEN_ROOT_CONTEXT:
        hasten_buffer_format(out, "(context of thread %d)", root->index);
        break;
    }
}
