/* SPDX-License-Identifier: MIT
 *
 * The results that a function's calls had. A result is one block: what its owner wants
 * before it (nothing, a turn, ...), the entry of the table, the value, the arguments.
 *
 * Comparing arguments may run code of the program, which may do anything to the same
 * results, in this thread or another. So a comparison that may is announced; whoever
 * removes a result or moves the chains marks those that this concerns as stale, and a
 * stale one begins again. That is also what makes the lock of an interpreter whose
 * threads run free enough, for such a lock is given up while other code runs.
 *
 * References that go away are handed to the caller as garbage, to be dropped when
 * everything is consistent again and unlocked, for dropping them may run code too. */
#ifndef HASTEN_EXT_FUNCTOOLS_RESULTS_H
#define HASTEN_EXT_FUNCTOOLS_RESULTS_H

#include "ext/functools/arguments.h"

#include "core/cache/recency.h"

struct hasten_py_result {
    struct hasten_cache_entry entry;
    PyObject *value;
    PyObject *arguments[]; /* as many as the shape says, then the names */
};

struct hasten_py_comparison {
    struct hasten_py_comparison *next;
    const struct hasten_py_result *result;
    bool is_stale;
};

struct hasten_py_results {
    struct hasten_cache_table table;
    struct hasten_py_comparison *comparisons; /* that run code of the program */
    uint64_t insertions; /* tells who looked something up whether it may have come since */
    uint32_t prefix_bytes;
    bool is_typed;
};

/* Up to so many references of a result go away without its block. */
#define HASTEN_PY_GARBAGE_REFERENCES 6

struct hasten_py_garbage {
    PyObject *references[HASTEN_PY_GARBAGE_REFERENCES];
    size_t count;
    struct hasten_py_result *chain; /* whole results */
};

enum hasten_py_outcome {
    HASTEN_PY_AGAIN = -2,
    HASTEN_PY_FAILED = -1, /* an exception is set */
    HASTEN_PY_OTHER = 0,
    HASTEN_PY_SAME = 1,
};

void hasten_py_results_init(struct hasten_py_results *results, uint32_t prefix_bytes,
                            bool is_typed);
int hasten_py_results_visit(struct hasten_py_results *results, visitproc visit, void *data);
/* Takes all results out; they become garbage. */
void hasten_py_results_clear(struct hasten_py_results *results, struct hasten_py_garbage *garbage);

/* A result of the call, in no table yet. Holds new references to `value` and the
 * arguments; the prefix is zeroed. NULL with an exception set. */
struct hasten_py_result *hasten_py_result_new(const struct hasten_py_results *results,
                                              const struct hasten_py_call *call, PyObject *value);
/* Makes a result that was removed one of another call that has as many arguments, where
 * that can be done: what it held becomes garbage. */
bool hasten_py_result_reuse(struct hasten_py_result *result, const struct hasten_py_call *call,
                            PyObject *value, struct hasten_py_garbage *garbage);
void hasten_py_results_insert(struct hasten_py_results *results, struct hasten_py_result *result);
void hasten_py_results_remove(struct hasten_py_results *results, struct hasten_py_result *result);

/* Must not be called with anything locked. */
void hasten_py_garbage_drop(const struct hasten_py_results *results,
                            struct hasten_py_garbage *garbage);

/* Compares from the argument `first` on, with code of the program. */
enum hasten_py_outcome hasten_py_same_slowly(struct hasten_py_results *results,
                                             const struct hasten_py_result *result,
                                             const struct hasten_py_call *call, uint32_t first);

static inline bool hasten_py_names_same(const struct hasten_py_result *result,
                                        const struct hasten_py_call *call, uint32_t count) {
    PyObject *names = result->arguments[count];
    if (names == call->names) {
        return true;
    }
    const Py_ssize_t named = PyTuple_GET_SIZE(names);
    if (named != PyTuple_GET_SIZE(call->names)) {
        return false;
    }
    for (Py_ssize_t i = 0; i < named; i++) {
        /* Names are strings, hardly ever of another type, and compared as strings. */
        PyObject *name = PyTuple_GET_ITEM(names, i);
        PyObject *other = PyTuple_GET_ITEM(call->names, i);
        if (name != other && !hasten_py_text_same(name, other)) {
            return false;
        }
    }
    return true;
}

/* The shapes and the tags are the same. */
static inline enum hasten_py_outcome hasten_py_same(struct hasten_py_results *results,
                                                    const struct hasten_py_result *result,
                                                    const struct hasten_py_call *call) {
    const uint32_t count = hasten_py_shape_count(call->shape);
    if (call->names != NULL && !hasten_py_names_same(result, call, count)) {
        return HASTEN_PY_OTHER;
    }
    if (results->is_typed) {
        for (uint32_t i = 0; i < count; i++) {
            if (Py_TYPE(result->arguments[i]) != Py_TYPE(call->arguments[i])) {
                return HASTEN_PY_OTHER;
            }
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        const int same = hasten_py_same_plainly(result->arguments[i], call->arguments[i]);
        if (same == 0) {
            return HASTEN_PY_OTHER;
        }
        if (same < 0) {
            return hasten_py_same_slowly(results, result, call, i);
        }
    }
    return HASTEN_PY_SAME;
}

/* Looks the call up. HASTEN_PY_SAME with the result, OTHER where there is none, or
 * FAILED. */
static inline enum hasten_py_outcome hasten_py_results_find(struct hasten_py_results *results,
                                                            const struct hasten_py_call *call,
                                                            struct hasten_py_result **ret_result) {
    struct hasten_cache_entry *entry = hasten_cache_table_first(&results->table, call->tag);
    while (entry != NULL) {
        if (entry->tag == call->tag && entry->shape == call->shape) {
            struct hasten_py_result *result = (struct hasten_py_result *)entry;
            const enum hasten_py_outcome outcome = hasten_py_same(results, result, call);
            if (outcome == HASTEN_PY_SAME) {
                *ret_result = result;
                return HASTEN_PY_SAME;
            }
            if (outcome == HASTEN_PY_FAILED) {
                return HASTEN_PY_FAILED;
            }
            if (outcome == HASTEN_PY_AGAIN) {
                entry = hasten_cache_table_first(&results->table, call->tag);
                continue;
            }
        }
        entry = entry->chain;
    }
    return HASTEN_PY_OTHER;
}

/* The turn of a result whose prefix ends with one, and back. */
static inline struct hasten_cache_turn *hasten_py_turn_of(struct hasten_py_result *result) {
    return (struct hasten_cache_turn *)result - 1;
}

static inline struct hasten_py_result *hasten_py_result_of(struct hasten_cache_turn *turn) {
    return (struct hasten_py_result *)(turn + 1);
}

#endif
