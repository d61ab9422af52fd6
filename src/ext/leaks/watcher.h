/* SPDX-License-Identifier: MIT
 *
 * What the files of hasten._leaks share: the watcher, which walks over the program's
 * objects at each mark, and the analysis of its last walk.
 *
 *   types.c     types of objects: names, sizes, how many there are
 *   walk.c      all objects and who holds whom: the heap (core/leaks)
 *   roots.c     where chains of holders begin
 *   access.c    reading objects without asking them
 *   steps.c     what the step from a holder to what it holds is called
 *   chains.c    whole chains
 *   groups.c    what survived, by holder; what of it grows
 *   findings.c  results for Python
 *
 * All of it runs under the GIL in one piece, with the collector switched off and
 * without calling the program: nothing changes under it, and no reference is taken
 * before the analysis is over. What it keeps is C's memory. */
#ifndef HASTEN_EXT_LEAKS_WATCHER_H
#define HASTEN_EXT_LEAKS_WATCHER_H

#include "ext/leaks/access.h"

#include "core/base/buffer.h"
#include "core/base/map.h"
#include "core/leaks/growth.h"
#include "core/leaks/heap.h"
#include "core/leaks/history.h"
#include "core/leaks/routes.h"

/* Cohorts that are told apart: of more iterations several are one. */
#define HASTEN_LEAKS_COHORTS 24

struct hasten_leaks_type {
    uint64_t address;
    char *name;            /* with its module where that is not builtins */
    bool is_programs;      /* made by a class statement */
    bool is_container;     /* whose address the interpreter gives to the next of them */
    uint32_t walk;         /* in which it was last seen: by then another may lie there */
    PyMethodDef *size_of;  /* NULL: tp_basicsize and tp_itemsize say it */
    uint64_t count, bytes; /* in the last walk */
    uint64_t first_count, first_bytes;    /* at the baseline */
    uint64_t counts[HASTEN_HEAP_EXTENTS]; /* at the history's marks */
};

struct hasten_leaks_types {
    struct hasten_leaks_type *items;
    size_t count, capacity;
    struct hasten_map numbers; /* by address */
    uint32_t walk;
    uint64_t last_address; /* of the object looked at before: most are of few types */
    uint32_t last_number;
};

enum hasten_leaks_root_kind {
    HASTEN_ROOT_MODULE,  /* owner: its name */
    HASTEN_ROOT_LOCAL,   /* owner: code; index: the variable */
    HASTEN_ROOT_THREAD,  /* what threading.local keeps for a thread; index: the thread */
    HASTEN_ROOT_CONTEXT, /* context variables of a thread */
};

struct hasten_leaks_root {
    enum hasten_leaks_root_kind kind;
    uint32_t node;
    PyObject *owner;       /* borrowed, during the analysis */
    PyObject *module_name; /* of a local's function; may be NULL */
    int index;
};

/* One analysis: of the walk just made. */
struct hasten_leaks_analysis {
    struct hasten_leaks_watcher *watcher;
    struct hasten_heap *heap;
    struct hasten_routes paths;
    struct hasten_leaks_root *roots;
    struct hasten_route_root *starts; /* the same, for the search */
    size_t root_count, root_capacity, start_capacity;
    struct hasten_map root_numbers; /* by node; the first of several */
};

struct hasten_leaks_watcher {
    PyObject_HEAD struct hasten_access access;
    struct hasten_leaks_types types;
    struct hasten_heap heap; /* of the last mark, without edges */
    struct hasten_history history;
    PyObject *gc;          /* the module */
    bool busy;             /* a walk is going on: weird types could come back */
    bool collector_was_on; /* before the last walk */
};

#define HASTEN_LEAKS_METHOD(function) (PyCFunction)(void (*)(void))(function)

extern PyType_Spec hasten_leaks_watcher_spec;

/* types.c. HASTEN_HEAP_NONE: no memory. */
uint32_t hasten_leaks_type_of(struct hasten_leaks_watcher *watcher, PyObject *object);
uint64_t hasten_leaks_size_of(struct hasten_leaks_watcher *watcher, PyObject *object,
                              uint32_t type);
bool hasten_leaks_is_container(void *watcher, uint32_t type);
void hasten_leaks_types_begin(struct hasten_leaks_types *types);
void hasten_leaks_types_mark(struct hasten_leaks_types *types, uint32_t mark);
void hasten_leaks_types_done(struct hasten_leaks_types *types);
/* "app.Session", "dict": what a person calls it. */
void hasten_leaks_type_name(PyTypeObject *type, struct hasten_buffer *out);

/* walk.c: fills an empty heap. An exception is set where it fails. */
bool hasten_leaks_walk(struct hasten_leaks_watcher *watcher, struct hasten_heap *heap);

/* roots.c: finds them and the shortest chains. False: no memory. */
bool hasten_leaks_reach(struct hasten_leaks_analysis *analysis);
void hasten_leaks_analysis_done(struct hasten_leaks_analysis *analysis);
const struct hasten_leaks_root *hasten_leaks_root_at(const struct hasten_leaks_analysis *analysis,
                                                     uint32_t node);
void hasten_leaks_root_name(const struct hasten_leaks_root *root, struct hasten_buffer *out);

/* steps.c. */
enum hasten_leaks_step {
    HASTEN_STEP_SILENT,    /* what it holds is a part of itself */
    HASTEN_STEP_ATTRIBUTE, /* ".name", " (local name of f())" and the like */
    HASTEN_STEP_ITEM,      /* "[3]", "['k']": one of many */
    HASTEN_STEP_OTHER,     /* " -> type": the type does not say more */
};
/* Says what the step is called. `brief` does not search for an item's place and
 * writes "[*]"; a key of a small dict with text keys is told apart even so. */
enum hasten_leaks_step hasten_leaks_step_name(const struct hasten_leaks_analysis *analysis,
                                              uint32_t holder, uint32_t held, bool brief,
                                              struct hasten_buffer *out);
/* A key as in the program's text, where its type permits: "'k'", "3", "<Key>". */
void hasten_leaks_key_text(PyObject *key, struct hasten_buffer *out);
void hasten_leaks_text(PyObject *unicode, struct hasten_buffer *out);

/* chains.c: from the root to the node. */
void hasten_leaks_chain(const struct hasten_leaks_analysis *analysis, uint32_t node,
                        struct hasten_buffer *out);
/* A cycle through a node that nothing else holds; writes nothing where none is. */
void hasten_leaks_cycle(const struct hasten_leaks_analysis *analysis, uint32_t node,
                        struct hasten_buffer *out);

/* findings.c: a dict of the results. */
PyObject *hasten_leaks_report(struct hasten_leaks_watcher *watcher, Py_ssize_t limit,
                              unsigned long long least_bytes, bool unjudged);

static inline PyObject *hasten_leaks_object(const struct hasten_heap *heap, uint32_t node) {
    return (PyObject *)(uintptr_t)heap->nodes[node].address;
}

#endif
