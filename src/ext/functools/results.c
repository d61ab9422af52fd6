/* SPDX-License-Identifier: MIT */
#include "ext/functools/results.h"

/* Python's own memory, so that who looks for memory in Python finds it. */
static void *resize(void *context, void *block, size_t old_size, size_t new_size) {
    (void)context;
    (void)old_size;
    if (new_size == 0) {
        PyMem_Free(block);
        return NULL;
    }
    return PyMem_Realloc(block, new_size);
}

static const struct hasten_allocator python_memory = {.context = NULL, .resize = resize};

void hasten_py_results_init(struct hasten_py_results *results, uint32_t prefix_bytes,
                            bool is_typed) {
    hasten_cache_table_init(&results->table, &python_memory);
    results->prefix_bytes = prefix_bytes;
    results->is_typed = is_typed;
}

/* How many references to arguments a result has. */
static uint32_t references_of(uint32_t shape) {
    return hasten_py_shape_count(shape) + ((shape & HASTEN_PY_SHAPE_NAMED) != 0 ? 1 : 0);
}

int hasten_py_results_visit(struct hasten_py_results *results, visitproc visit, void *data) {
    /* Py_VISIT wants its parameters under these names. */
    void *arg = data;
    for (size_t i = 0; i <= results->table.mask && results->table.count > 0; i++) {
        for (struct hasten_cache_entry *entry = results->table.buckets[i]; entry != NULL;
             entry = entry->chain) {
            const struct hasten_py_result *result = (struct hasten_py_result *)entry;
            Py_VISIT(result->value);
            const uint32_t count = hasten_py_shape_count(entry->shape);
            for (uint32_t j = 0; j < count; j++) {
                Py_VISIT(result->arguments[j]);
            }
        }
    }
    return 0;
}

static void mark_all_stale(struct hasten_py_results *results) {
    for (struct hasten_py_comparison *each = results->comparisons; each != NULL;
         each = each->next) {
        each->is_stale = true;
    }
}

void hasten_py_results_clear(struct hasten_py_results *results, struct hasten_py_garbage *garbage) {
    mark_all_stale(results);
    for (size_t i = 0; i <= results->table.mask && results->table.count > 0; i++) {
        struct hasten_cache_entry *entry = results->table.buckets[i];
        while (entry != NULL) {
            struct hasten_cache_entry *next = entry->chain;
            entry->chain = (struct hasten_cache_entry *)garbage->chain;
            garbage->chain = (struct hasten_py_result *)entry;
            entry = next;
        }
    }
    hasten_cache_table_clear(&results->table);
}

static void fill(struct hasten_py_result *result, const struct hasten_py_call *call,
                 PyObject *value) {
    result->entry.tag = call->tag;
    result->entry.shape = call->shape;
    result->value = Py_NewRef(value);
    const uint32_t count = hasten_py_shape_count(call->shape);
    for (uint32_t i = 0; i < count; i++) {
        result->arguments[i] = Py_NewRef(call->arguments[i]);
    }
    if (call->names != NULL) {
        result->arguments[count] = Py_NewRef(call->names);
    }
}

struct hasten_py_result *hasten_py_result_new(const struct hasten_py_results *results,
                                              const struct hasten_py_call *call, PyObject *value) {
    const size_t size =
        sizeof(struct hasten_py_result) + (size_t)references_of(call->shape) * sizeof(PyObject *);
    char *block = PyMem_Malloc(results->prefix_bytes + size);
    if (block == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    memset(block, 0, results->prefix_bytes);
    struct hasten_py_result *result = (struct hasten_py_result *)(block + results->prefix_bytes);
    fill(result, call, value);
    return result;
}

bool hasten_py_result_reuse(struct hasten_py_result *result, const struct hasten_py_call *call,
                            PyObject *value, struct hasten_py_garbage *garbage) {
    const uint32_t count = references_of(result->entry.shape);
    if (count != references_of(call->shape) || count + 1 > HASTEN_PY_GARBAGE_REFERENCES) {
        return false;
    }
    garbage->references[garbage->count++] = result->value;
    for (uint32_t i = 0; i < count; i++) {
        garbage->references[garbage->count++] = result->arguments[i];
    }
    fill(result, call, value);
    return true;
}

void hasten_py_results_insert(struct hasten_py_results *results, struct hasten_py_result *result) {
    results->insertions++;
    if (hasten_cache_table_insert(&results->table, &result->entry)) {
        mark_all_stale(results);
    }
}

void hasten_py_results_remove(struct hasten_py_results *results, struct hasten_py_result *result) {
    hasten_cache_table_remove(&results->table, &result->entry);
    for (struct hasten_py_comparison *each = results->comparisons; each != NULL;
         each = each->next) {
        each->is_stale |= each->result == result;
    }
}

void hasten_py_garbage_drop(const struct hasten_py_results *results,
                            struct hasten_py_garbage *garbage) {
    for (size_t i = 0; i < garbage->count; i++) {
        Py_DECREF(garbage->references[i]);
    }
    garbage->count = 0;
    struct hasten_py_result *result = garbage->chain;
    garbage->chain = NULL;
    while (result != NULL) {
        struct hasten_py_result *next = (struct hasten_py_result *)result->entry.chain;
        const uint32_t count = references_of(result->entry.shape);
        Py_DECREF(result->value);
        for (uint32_t i = 0; i < count; i++) {
            Py_DECREF(result->arguments[i]);
        }
        PyMem_Free((char *)result - results->prefix_bytes);
        result = next;
    }
}

/* On the heap: what a thread's stack holds is somebody else's in a child of fork(),
 * where that thread is gone and its comparison is never ended. */
static struct hasten_py_comparison *begin_comparison(struct hasten_py_results *results,
                                                     const struct hasten_py_result *result) {
    struct hasten_py_comparison *comparison = PyMem_Malloc(sizeof(*comparison));
    if (comparison == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    *comparison = (struct hasten_py_comparison){.next = results->comparisons, .result = result};
    results->comparisons = comparison;
    return comparison;
}

/* Comparisons of other threads may have begun since, and go on. Answers whether it was
 * stale. */
static bool end_comparison(struct hasten_py_results *results,
                           struct hasten_py_comparison *comparison) {
    struct hasten_py_comparison **place = &results->comparisons;
    while (*place != comparison) {
        place = &(*place)->next;
    }
    *place = comparison->next;
    const bool was_stale = comparison->is_stale;
    PyMem_Free(comparison);
    return was_stale;
}

enum hasten_py_outcome hasten_py_same_slowly(struct hasten_py_results *results,
                                             const struct hasten_py_result *result,
                                             const struct hasten_py_call *call, uint32_t first) {
    struct hasten_py_comparison *comparison = begin_comparison(results, result);
    if (comparison == NULL) {
        return HASTEN_PY_FAILED;
    }
    const uint32_t count = hasten_py_shape_count(call->shape);
    int same = 1;
    for (uint32_t i = first; i < count && same == 1 && !comparison->is_stale; i++) {
        PyObject *mine = Py_NewRef(result->arguments[i]);
        same = PyObject_RichCompareBool(mine, call->arguments[i], Py_EQ);
        Py_DECREF(mine);
    }
    const bool was_stale = end_comparison(results, comparison);
    if (same < 0) {
        return HASTEN_PY_FAILED;
    }
    if (was_stale) {
        return HASTEN_PY_AGAIN;
    }
    return same ? HASTEN_PY_SAME : HASTEN_PY_OTHER;
}
