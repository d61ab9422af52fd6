/* SPDX-License-Identifier: MIT
 *
 * Findings as Python's objects: a dict, whose shape hasten/leaks.py knows. */
#include "ext/leaks/findings.h"

/* Types whose growth is told. */
#define MOST_TYPES 100

static PyObject *text_of(struct hasten_buffer *buffer) {
    return PyUnicode_DecodeUTF8(hasten_buffer_cstring(buffer), (Py_ssize_t)buffer->size, "replace");
}

/* Appends and releases; false where there is nothing to append. */
static bool append(PyObject *list, PyObject *item) {
    bool appended = list != NULL && item != NULL && PyList_Append(list, item) == 0;
    Py_XDECREF(item);
    return appended;
}

static PyObject *cohorts_of(const struct hasten_leaks_groups *groups,
                            const struct hasten_leaks_group *group) {
    PyObject *list = PyList_New(0);
    bool made = list != NULL;
    for (uint32_t i = 0; made && i < groups->cohorts; i++) {
        made = append(list, Py_BuildValue("(KK)", (unsigned long long)group->counts[i],
                                          (unsigned long long)group->bytes[i]));
    }
    if (!made) {
        Py_CLEAR(list);
    }
    return list;
}

static PyObject *contents_of(const struct hasten_leaks_groups *groups,
                             const struct hasten_leaks_group *group) {
    const struct hasten_leaks_type *types = groups->analysis->watcher->types.items;
    PyObject *list = PyList_New(0);
    bool made = list != NULL;
    for (size_t i = 0; made && i < HASTEN_LEAKS_CONTENTS && group->contents[i].count > 0; i++) {
        const struct hasten_leaks_content *content = &group->contents[i];
        made = append(list, Py_BuildValue("(sKK)", types[content->type].name,
                                          (unsigned long long)content->count,
                                          (unsigned long long)content->bytes));
    }
    if (!made) {
        Py_CLEAR(list);
    }
    return list;
}

static PyObject *samples_of(const struct hasten_leaks_finding *finding) {
    PyObject *list = PyList_New((Py_ssize_t)finding->sample_count);
    for (size_t i = 0; list != NULL && i < finding->sample_count; i++) {
        PyList_SET_ITEM(list, (Py_ssize_t)i, Py_NewRef(finding->samples[i]));
    }
    return list;
}

static PyObject *finding_dict(const struct hasten_leaks_groups *groups,
                              struct hasten_leaks_finding *finding) {
    const struct hasten_leaks_type *types = groups->analysis->watcher->types.items;
    const struct hasten_leaks_group *group = finding->group;
    uint32_t iterations = groups->iterations - groups->warm;
    if (group->is_own) {
        iterations = group->sizes.first_iterations + group->sizes.last_iterations;
    }
    return Py_BuildValue(
        "{sN,sN,ss,ss,sz,sO,sK,sK,sI,sN,sN,sN}", "chain", text_of(&finding->chain), "holder",
        text_of(&finding->holder), "kind", hasten_leaks_kind_word(finding->kind), "type",
        types[finding->type].name, "holder_type",
        finding->holder_type == HASTEN_HEAP_NONE ? NULL : types[finding->holder_type].name, "own",
        group->is_own ? Py_True : Py_False, "count", (unsigned long long)group->count_sum, "bytes",
        (unsigned long long)group->byte_sum, "iterations", (unsigned)iterations, "cohorts",
        cohorts_of(groups, group), "contents", contents_of(groups, group), "samples",
        samples_of(finding));
}

/* (name, objects and bytes at the baseline, now), of types of which there are more. */
static PyObject *types_list(const struct hasten_leaks_types *types) {
    PyObject *list = PyList_New(0);
    bool made = list != NULL;
    for (size_t i = 0; made && i < types->count; i++) {
        const struct hasten_leaks_type *type = &types->items[i];
        if (type->bytes > type->first_bytes) {
            made = append(list, Py_BuildValue("(sKKKK)", type->name,
                                              (unsigned long long)type->first_count,
                                              (unsigned long long)type->count,
                                              (unsigned long long)type->first_bytes,
                                              (unsigned long long)type->bytes));
        }
    }
    if (!made) {
        Py_CLEAR(list);
    }
    return list;
}

static PyObject *result_of(const struct hasten_leaks_groups *groups,
                           struct hasten_leaks_findings *findings) {
    size_t levelled = 0;
    size_t replaced = 0;
    for (size_t i = 0; i < groups->count; i++) {
        levelled += groups->items[i].growth == HASTEN_GROWTH_LEVELLED;
        replaced += groups->items[i].growth == HASTEN_GROWTH_REPLACED;
    }
    PyObject *list = PyList_New(0);
    bool made = list != NULL;
    for (size_t i = 0; made && i < findings->count; i++) {
        made = append(list, finding_dict(groups, &findings->items[i]));
    }
    if (!made) {
        Py_XDECREF(list);
        return NULL;
    }
    const struct hasten_leaks_watcher *watcher = groups->analysis->watcher;
    return Py_BuildValue(
        "{sN,sI,sn,sn,sn,sn,sK,sO,sN}", "findings", list, "iterations",
        (unsigned)groups->iterations, "objects", (Py_ssize_t)groups->analysis->heap->node_count,
        "levelled", (Py_ssize_t)levelled, "replaced", (Py_ssize_t)replaced, "bounded",
        (Py_ssize_t)findings->bounded, "garbage_bytes", (unsigned long long)groups->garbage_bytes,
        "collector", watcher->collector_was_on ? Py_True : Py_False, "types",
        types_list(&watcher->types));
}

/* Everything up to the findings, in which no object is made. */
static bool analyse(struct hasten_leaks_watcher *watcher, struct hasten_heap *heap,
                    struct hasten_leaks_analysis *analysis, struct hasten_leaks_groups *groups) {
    if (!hasten_leaks_walk(watcher, heap)) {
        return false;
    }
    if (hasten_history_follow(&watcher->history, &watcher->heap, heap, hasten_leaks_is_container,
                              watcher) != HASTEN_OK ||
        !hasten_leaks_reach(analysis) || !hasten_leaks_group(groups, analysis)) {
        PyErr_NoMemory();
        return false;
    }
    return true;
}

PyObject *hasten_leaks_report(struct hasten_leaks_watcher *watcher, Py_ssize_t limit,
                              unsigned long long least_bytes, bool unjudged) {
    struct hasten_heap heap;
    hasten_heap_init(&heap, NULL);
    struct hasten_leaks_analysis analysis = {.watcher = watcher, .heap = &heap};
    struct hasten_leaks_groups groups = {.analysis = &analysis};
    const enum hasten_growth least = unjudged ? HASTEN_GROWTH_TOO_FEW : HASTEN_GROWTH_GROWING;
    struct hasten_leaks_findings findings = {.items = NULL};
    PyObject *result = NULL;
    hasten_routes_init(&analysis.paths, NULL);
    hasten_map_init(&analysis.root_numbers, NULL);
    hasten_map_init(&groups.numbers, NULL);
    watcher->collector_was_on = PyGC_Disable() != 0;
    bool analysed = analyse(watcher, &heap, &analysis, &groups);
    if (analysed && !hasten_leaks_find(&findings, &groups, least, (size_t)limit, least_bytes)) {
        PyErr_NoMemory();
        analysed = false;
    }
    if (analysed) {
        result = result_of(&groups, &findings);
    }
    if (watcher->collector_was_on) {
        PyGC_Enable();
    }
    hasten_leaks_findings_done(&findings);
    hasten_leaks_groups_done(&groups);
    hasten_leaks_analysis_done(&analysis);
    hasten_heap_done(&heap);
    return result;
}
