/* SPDX-License-Identifier: MIT
 *
 * Chooses the groups that are leaks and says where they hang. */
#include "ext/leaks/findings.h"

#include <stdlib.h>
#include <string.h>

/* How far down the heaviest part of what is held is followed. */
#define MOST_DESCENT 12

const char *hasten_leaks_kind_word(enum hasten_leaks_kind kind) {
    static const char *const words[] = {
#define HASTEN_LEAKS_KIND_WORD(name, word) word,
        HASTEN_LEAKS_KIND_MAP(HASTEN_LEAKS_KIND_WORD)
#undef HASTEN_LEAKS_KIND_WORD
    };
    return words[kind];
}

static bool is_named(PyObject *object, const char *name) {
    return strcmp(Py_TYPE(object)->tp_name, name) == 0;
}

/* A cache whose table has elements of a ring, not results: it has a maxsize. */
static int find_bounded(PyObject *object, void *data) {
    PyObject *key = NULL;
    PyObject *value = NULL;
    Py_ssize_t at = 0;
    bool *bounded = data;
    if (PyDict_CheckExact(object) && PyDict_Next(object, &at, &key, &value) &&
        strstr(Py_TYPE(value)->tp_name, "_lru_list_elem") != NULL) {
        *bounded = true;
    }
    return 0;
}

static bool is_bounded(PyObject *holder) {
    bool bounded = false;
    find_bounded(holder, &bounded); /* the table itself */
    if (is_named(holder, "functools._lru_cache_wrapper")) {
        Py_TYPE(holder)->tp_traverse(holder, find_bounded, &bounded);
    } else if (is_named(holder, "collections.deque")) {
        PyObject *most = PyObject_GetAttrString(holder, "maxlen");
        bounded = most != NULL && most != Py_None;
        Py_XDECREF(most);
        PyErr_Clear();
    }
    return bounded;
}

static bool is_programs(const struct hasten_leaks_groups *groups, uint32_t node) {
    const struct hasten_leaks_analysis *analysis = groups->analysis;
    uint32_t type = analysis->heap->nodes[node].type;
    return analysis->watcher->types.items[type].is_programs ||
           PyExceptionInstance_Check(hasten_leaks_object(analysis->heap, node));
}

/* From a survivor to what is most of its weight. */
static uint32_t descend(const struct hasten_leaks_groups *groups, uint32_t top) {
    const struct hasten_heap *heap = groups->analysis->heap;
    const uint32_t *parents = groups->analysis->paths.parents;
    uint32_t at = top;
    for (int depth = 0; depth < MOST_DESCENT; depth++) {
        uint32_t heaviest = HASTEN_HEAP_NONE;
        uint32_t end = hasten_heap_edges_end(heap, at);
        for (uint32_t edge = heap->nodes[at].edges; edge < end; edge++) {
            uint32_t held = heap->edges[edge];
            if (parents[held] == at && held != at && groups->groups[held] == groups->groups[top] &&
                (heaviest == HASTEN_HEAP_NONE ||
                 groups->weights[held] > groups->weights[heaviest])) {
                heaviest = held;
            }
        }
        if (heaviest == HASTEN_HEAP_NONE || groups->weights[heaviest] * 2 < groups->weights[top]) {
            break;
        }
        at = heaviest;
    }
    return at;
}

/* What a person would say is held: the first thing of the program's own making. */
static uint32_t what_is_held(const struct hasten_leaks_groups *groups, uint32_t top,
                             uint32_t bottom) {
    const uint32_t *parents = groups->analysis->paths.parents;
    uint32_t found = HASTEN_HEAP_NONE;
    for (uint32_t at = bottom; found != top; at = parents[at]) {
        if (is_programs(groups, at)) {
            found = at;
        }
        if (at == top) {
            break;
        }
    }
    return found == HASTEN_HEAP_NONE ? top : found;
}

static enum hasten_leaks_kind kind_of_object(PyObject *object) {
    const struct {
        bool is;
        enum hasten_leaks_kind kind;
    } kinds[] = {
        {is_named(object, "functools._lru_cache_wrapper"), HASTEN_LEAKS_KIND_CACHE},
        {PyTraceBack_Check(object), HASTEN_LEAKS_KIND_TRACEBACK},
        {PyGen_Check(object) || PyCoro_CheckExact(object) || PyAsyncGen_CheckExact(object),
         HASTEN_LEAKS_KIND_GENERATOR},
        {PyWeakref_Check(object), HASTEN_LEAKS_KIND_WEAKREF_CALLBACK},
        {PyMethod_Check(object), HASTEN_LEAKS_KIND_BOUND_METHOD},
        {PyCell_Check(object), HASTEN_LEAKS_KIND_CLOSURE},
        {is_named(object, "_thread._local"), HASTEN_LEAKS_KIND_THREAD_LOCAL},
    };
    enum hasten_leaks_kind found = HASTEN_LEAKS_KIND_OTHER;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].is && kinds[i].kind > found) {
            found = kinds[i].kind;
        }
    }
    return found;
}

/* The holder itself, where nothing along the chain is more telling. */
static enum hasten_leaks_kind kind_of_holder(PyObject *holder) {
    return PyList_Check(holder)                    ? HASTEN_LEAKS_KIND_LIST
           : PyDict_Check(holder)                  ? HASTEN_LEAKS_KIND_DICT
           : PyAnySet_Check(holder)                ? HASTEN_LEAKS_KIND_SET
           : is_named(holder, "collections.deque") ? HASTEN_LEAKS_KIND_DEQUE
                                                   : HASTEN_LEAKS_KIND_OTHER;
}

static enum hasten_leaks_kind kind_of_root(const struct hasten_leaks_root *root) {
    if (root == NULL) {
        return HASTEN_LEAKS_KIND_HELD_BY_C;
    }
    switch (root->kind) {
    case HASTEN_ROOT_THREAD:
        return HASTEN_LEAKS_KIND_THREAD_LOCAL;
    case HASTEN_ROOT_CONTEXT:
        return HASTEN_LEAKS_KIND_CONTEXT_VARIABLE;
    case HASTEN_ROOT_LOCAL:
        return HASTEN_LEAKS_KIND_LOCAL_VARIABLE;
    case HASTEN_ROOT_MODULE:
        break;
    }
    return HASTEN_LEAKS_KIND_OTHER;
}

/* Looks along the chain from the top upwards, and down to what it leads to. */
static enum hasten_leaks_kind kind_of(const struct hasten_leaks_groups *groups,
                                      const struct hasten_leaks_group *group, uint32_t top,
                                      uint32_t bottom) {
    const struct hasten_leaks_analysis *analysis = groups->analysis;
    const uint32_t *parents = analysis->paths.parents;
    enum hasten_leaks_kind found = HASTEN_LEAKS_KIND_OTHER;
    bool below_type = false;
    uint32_t at = bottom;
    for (;; at = parents[at]) {
        PyObject *object = hasten_leaks_object(analysis->heap, at);
        enum hasten_leaks_kind kind = kind_of_object(object);
        found = kind > found ? kind : found;
        below_type = below_type || (PyType_Check(object) && at != bottom);
        if (parents[at] == at) {
            break;
        }
    }
    if (found == HASTEN_LEAKS_KIND_CACHE && below_type) {
        return HASTEN_LEAKS_KIND_METHOD_CACHE;
    }
    enum hasten_leaks_kind root = kind_of_root(hasten_leaks_root_at(analysis, at));
    found = found == HASTEN_LEAKS_KIND_OTHER ? root : found;
    if (found == HASTEN_LEAKS_KIND_OTHER && below_type) {
        found = HASTEN_LEAKS_KIND_CLASS_ATTRIBUTE;
    }
    if (found == HASTEN_LEAKS_KIND_OTHER) {
        uint32_t holder = group->is_container && !group->is_own ? parents[top] : top;
        found = kind_of_holder(hasten_leaks_object(analysis->heap, holder));
    }
    return found;
}

static void describe(struct hasten_leaks_finding *finding,
                     const struct hasten_leaks_groups *groups) {
    const struct hasten_leaks_analysis *analysis = groups->analysis;
    uint32_t top = finding->group->sample;
    if (finding->group->is_garbage) {
        hasten_buffer_text(&finding->chain, "(only itself) ");
        hasten_leaks_cycle(analysis, top, &finding->chain);
        hasten_buffer_text(&finding->holder, "(only itself)");
        finding->kind = HASTEN_LEAKS_KIND_CYCLE;
        finding->type = analysis->heap->nodes[top].type;
        return;
    }
    uint32_t bottom = finding->group->is_own ? top : descend(groups, top);
    uint32_t holder = finding->group->is_own ? top : analysis->paths.parents[top];
    hasten_leaks_chain(analysis, bottom, &finding->chain);
    hasten_leaks_chain(analysis, holder, &finding->holder);
    finding->kind = kind_of(groups, finding->group, top, bottom);
    finding->type =
        analysis->heap->nodes[finding->group->is_own ? top : what_is_held(groups, top, bottom)]
            .type;
    finding->holder_type = holder == top && !finding->group->is_own
                               ? HASTEN_HEAP_NONE
                               : analysis->heap->nodes[holder].type;
}

/* Whether these are arguments of a call of a method: `self` is the program's, and the
 * cache is an attribute of a class. */
static bool are_methods_arguments(const struct hasten_leaks_groups *groups, uint32_t node) {
    const struct hasten_leaks_analysis *analysis = groups->analysis;
    const uint32_t *parents = analysis->paths.parents;
    PyObject *arguments = hasten_leaks_object(analysis->heap, node);
    if (!PyTuple_CheckExact(arguments) || PyTuple_GET_SIZE(arguments) == 0) {
        return false;
    }
    uint64_t address = (uint64_t)(uintptr_t)PyTuple_GET_ITEM(arguments, 0);
    uint32_t self = hasten_heap_find(analysis->heap, address);
    if (self == HASTEN_HEAP_NONE || !is_programs(groups, self)) {
        return false;
    }
    for (uint32_t at = parents[node]; parents[at] != at; at = parents[at]) {
        if (PyType_Check(hasten_leaks_object(analysis->heap, parents[at]))) {
            return true;
        }
    }
    return false;
}

/* Caches of the standard library that are emptied when they are full. */
static bool is_known(const struct hasten_leaks_groups *groups, uint32_t holder) {
    static const char *const known[] = {"re._cache", "re._cache2", "_strptime._regex_cache"};
    struct hasten_buffer name;
    bool found = false;
    hasten_buffer_init(&name, NULL);
    hasten_leaks_chain(groups->analysis, holder, &name);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        found = found || strcmp(hasten_buffer_cstring(&name), known[i]) == 0;
    }
    hasten_buffer_done(&name);
    return found;
}

/* Where a type lists its subclasses, weakly: those that are garbage are still there. */
static bool lists_subclasses(PyObject *holder) {
    PyObject *key = NULL;
    PyObject *value = NULL;
    Py_ssize_t at = 0;
    if (!PyDict_CheckExact(holder) || !PyDict_Next(holder, &at, &key, &value) ||
        !PyLong_CheckExact(key) || !PyWeakref_CheckRefExact(value)) {
        return false;
    }
    PyObject *referent = ((const PyWeakReference *)value)->wr_object;
    return referent == Py_None || PyType_Check(referent);
}

/* The interpreter's own table of text that is there once: it holds nothing, or what it
 * has made immortal. */
static bool is_interned_table(PyObject *holder) {
    PyObject *key = NULL;
    PyObject *value = NULL;
    Py_ssize_t at = 0;
    return PyDict_CheckExact(holder) && PyDict_Next(holder, &at, &key, &value) && key == value &&
           PyUnicode_CheckExact(key);
}

/* A bounded cache or queue is no leak, but for a cache on a method, which keeps `self`
 * alive: that becomes the group's sample. */
static bool is_limited(const struct hasten_leaks_groups *groups, struct hasten_leaks_group *group) {
    const struct hasten_leaks_analysis *analysis = groups->analysis;
    if (group->is_garbage) {
        return false;
    }
    uint32_t holder = group->is_own ? group->sample : analysis->paths.parents[group->sample];
    PyObject *object = hasten_leaks_object(analysis->heap, holder);
    if (is_interned_table(object) || lists_subclasses(object) || is_known(groups, holder)) {
        return true;
    }
    if (group->is_own || holder == group->sample || !is_bounded(object)) {
        return false;
    }
    uint32_t end = hasten_heap_edges_end(analysis->heap, holder);
    for (uint32_t edge = analysis->heap->nodes[holder].edges; edge < end; edge++) {
        uint32_t held = analysis->heap->edges[edge];
        if (analysis->paths.parents[held] == holder && !hasten_leaks_is_old(groups, held) &&
            are_methods_arguments(groups, held)) {
            group->sample = held;
            return false;
        }
    }
    return true;
}

static int compare_groups(const void *left, const void *right) {
    const struct hasten_leaks_group *a = *(const struct hasten_leaks_group *const *)left;
    const struct hasten_leaks_group *b = *(const struct hasten_leaks_group *const *)right;
    return (a->byte_sum < b->byte_sum) - (a->byte_sum > b->byte_sum);
}

/* References to some of what is held directly, spread over all of it. Taken last:
 * nothing is looked at any more. */
static void take_samples(struct hasten_leaks_findings *findings,
                         const struct hasten_leaks_groups *groups) {
    const struct hasten_leaks_analysis *analysis = groups->analysis;
    for (size_t i = 0; i < analysis->heap->node_count; i++) {
        uint32_t node = (uint32_t)i;
        uint32_t number = groups->groups[node];
        uint32_t parent = analysis->paths.parents[node];
        if (number == HASTEN_HEAP_NONE || (parent != HASTEN_HEAP_NONE && parent != node &&
                                           groups->groups[parent] != HASTEN_HEAP_NONE)) {
            continue;
        }
        for (size_t k = 0; k < findings->count; k++) {
            struct hasten_leaks_finding *finding = &findings->items[k];
            uint32_t held = finding->group == &groups->items[number] ? node : HASTEN_HEAP_NONE;
            if (held == HASTEN_HEAP_NONE || finding->sample_count == HASTEN_LEAKS_SAMPLES) {
                continue;
            }
            if (!finding->group->is_garbage) {
                held = what_is_held(groups, node, descend(groups, node));
            }
            if (analysis->heap->nodes[held].type == finding->type) {
                finding->samples[finding->sample_count++] =
                    Py_NewRef(hasten_leaks_object(analysis->heap, held));
            }
        }
    }
}

bool hasten_leaks_find(struct hasten_leaks_findings *findings, struct hasten_leaks_groups *groups,
                       enum hasten_growth also, size_t limit, uint64_t least_bytes) {
    size_t count = 0;
    *findings = (struct hasten_leaks_findings){.items = NULL};
    const struct hasten_leaks_group **growing =
        calloc(groups->count + 1, sizeof(const struct hasten_leaks_group *));
    if (growing == NULL) {
        return false;
    }
    for (size_t i = 0; i < groups->count; i++) {
        struct hasten_leaks_group *group = &groups->items[i];
        if ((group->growth != HASTEN_GROWTH_GROWING && group->growth != also) ||
            group->byte_sum < least_bytes) {
            continue;
        }
        if (is_limited(groups, group)) {
            findings->bounded++;
        } else {
            growing[count++] = group;
        }
    }
    qsort(growing, count, sizeof *growing, compare_groups);
    count = count < limit ? count : limit;
    findings->items = calloc(count + 1, sizeof *findings->items);
    bool found = findings->items != NULL;
    for (size_t i = 0; found && i < count; i++) {
        struct hasten_leaks_finding *finding = &findings->items[findings->count++];
        finding->group = growing[i];
        finding->holder_type = HASTEN_HEAP_NONE;
        hasten_buffer_init(&finding->chain, NULL);
        hasten_buffer_init(&finding->holder, NULL);
        describe(finding, groups);
        found = !finding->chain.failed && !finding->holder.failed;
    }
    free(growing);
    if (found) {
        take_samples(findings, groups);
    }
    return found;
}

void hasten_leaks_findings_done(struct hasten_leaks_findings *findings) {
    for (size_t i = 0; i < findings->count; i++) {
        struct hasten_leaks_finding *finding = &findings->items[i];
        hasten_buffer_done(&finding->chain);
        hasten_buffer_done(&finding->holder);
        for (size_t k = 0; k < finding->sample_count; k++) {
            Py_DECREF(finding->samples[k]);
        }
    }
    free(findings->items);
    findings->items = NULL;
    findings->count = 0;
}
