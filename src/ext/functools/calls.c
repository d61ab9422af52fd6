/* SPDX-License-Identifier: MIT
 *
 * What a call of a cached function does. The order is the standard module's: look up,
 * count, call, look up again because the call may have called the same, evict, insert. */
#include "ext/functools/wrapper.h"

PyObject *hasten_py_call_uncached(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                                  PyObject *names) {
    struct hasten_py_wrapper *self = (struct hasten_py_wrapper *)callable;
    HASTEN_PY_BEGIN_LOCKED(callable);
    self->misses++;
    HASTEN_PY_END_LOCKED();
    return hasten_py_call_function(self->function, arguments, nargsf, names);
}

static inline bool describe(const struct hasten_py_wrapper *self, struct hasten_py_call *ret_call,
                            PyObject *const *arguments, size_t nargsf, PyObject *names) {
    const Py_ssize_t count = PyVectorcall_NARGS(nargsf) - self->owner.arguments;
    arguments += self->owner.arguments;
    if (names == NULL) {
        return count == 1 && !self->results.is_typed
                   ? hasten_py_call_one(ret_call, arguments)
                   : hasten_py_call_positional(ret_call, arguments, (size_t)count);
    }
    return hasten_py_call_any(ret_call, arguments, (size_t)count, names);
}

/* Looks up once more, unless nothing was inserted since there were so many insertions;
 * and again if meanwhile something was, by comparisons. As often as the standard module
 * does: a program whose comparisons always insert must end all the same. */
static enum hasten_py_outcome find_again(struct hasten_py_wrapper *self,
                                         const struct hasten_py_call *call, uint64_t insertions,
                                         struct hasten_py_result **ret_result) {
    enum hasten_py_outcome outcome = HASTEN_PY_OTHER;
    for (int i = 0; i < 2 && outcome == HASTEN_PY_OTHER && self->results.insertions != insertions;
         i++) {
        insertions = self->results.insertions;
        outcome = hasten_py_results_find(&self->results, call, ret_result);
    }
    return outcome;
}

/* Without a limit, the later value replaces one that came during the call. */
static bool keep_unlimited(struct hasten_py_wrapper *self, const struct hasten_py_call *call,
                           PyObject *value, uint64_t insertions,
                           struct hasten_py_garbage *garbage) {
    struct hasten_py_result *result = NULL;
    const enum hasten_py_outcome outcome = find_again(self, call, insertions, &result);
    if (outcome == HASTEN_PY_FAILED) {
        return false;
    }
    if (outcome == HASTEN_PY_SAME) {
        garbage->references[garbage->count++] = result->value;
        result->value = Py_NewRef(value);
        return true;
    }
    result = hasten_py_result_new(&self->results, call, value);
    if (result != NULL) {
        hasten_py_results_insert(&self->results, result);
    }
    return result != NULL;
}

/* Takes the oldest result out and gives its block to the call, or drops it. */
static struct hasten_py_result *evict(struct hasten_py_wrapper *self,
                                      const struct hasten_py_call *call, PyObject *value,
                                      struct hasten_py_garbage *garbage) {
    struct hasten_cache_turn *oldest = self->root.newer;
    struct hasten_py_result *result = hasten_py_result_of(oldest);
    hasten_cache_recency_unlink(oldest);
    hasten_py_results_remove(&self->results, result);
    if (hasten_py_result_reuse(result, call, value, garbage)) {
        return result;
    }
    result->entry.chain = NULL;
    garbage->chain = result;
    return hasten_py_result_new(&self->results, call, value);
}

/* With a limit, a result that came during the call stays. */
static bool keep_limited(struct hasten_py_wrapper *self, const struct hasten_py_call *call,
                         PyObject *value, uint64_t insertions, struct hasten_py_garbage *garbage) {
    struct hasten_py_result *result = NULL;
    const enum hasten_py_outcome outcome = find_again(self, call, insertions, &result);
    if (outcome != HASTEN_PY_OTHER) {
        return outcome == HASTEN_PY_SAME;
    }
    if (self->results.table.count < (size_t)self->maxsize) {
        result = hasten_py_result_new(&self->results, call, value);
    } else {
        result = evict(self, call, value, garbage);
    }
    if (result == NULL) {
        return false;
    }
    hasten_py_results_insert(&self->results, result);
    hasten_cache_recency_append(&self->root, hasten_py_turn_of(result));
    return true;
}

/* A call of a function that keeps results. `is_limited` is a constant where this is inlined. */
__attribute__((always_inline)) static inline PyObject *call_kept(PyObject *callable,
                                                                 PyObject *const *arguments,
                                                                 size_t nargsf, PyObject *names,
                                                                 bool is_limited) {
    struct hasten_py_wrapper *self = (struct hasten_py_wrapper *)callable;
    struct hasten_py_call call;
    if (!hasten_py_owner_is_called(&self->owner, arguments, nargsf)) {
        return hasten_py_call_function(self->function, arguments, nargsf, names);
    }
    if (!describe(self, &call, arguments, nargsf, names)) {
        return NULL;
    }
    struct hasten_py_result *result = NULL;
    PyObject *value = NULL;
    enum hasten_py_outcome outcome = HASTEN_PY_OTHER;
    uint64_t insertions = 0;
    HASTEN_PY_BEGIN_LOCKED(callable);
    outcome = hasten_py_results_find(&self->results, &call, &result);
    if (outcome == HASTEN_PY_SAME) {
        if (is_limited) {
            hasten_cache_recency_touch(&self->root, hasten_py_turn_of(result));
        }
        self->hits++;
        value = Py_NewRef(result->value);
    } else if (outcome == HASTEN_PY_OTHER) {
        self->misses++;
        insertions = self->results.insertions;
    }
    HASTEN_PY_END_LOCKED();
    if (outcome != HASTEN_PY_OTHER) {
        return value;
    }
    value = hasten_py_call_function(self->function, arguments, nargsf, names);
    if (value == NULL) {
        return NULL;
    }
    struct hasten_py_garbage garbage = {.count = 0};
    bool is_kept = false;
    HASTEN_PY_BEGIN_LOCKED(callable);
    is_kept = is_limited ? keep_limited(self, &call, value, insertions, &garbage)
                         : keep_unlimited(self, &call, value, insertions, &garbage);
    HASTEN_PY_END_LOCKED();
    hasten_py_garbage_drop(&self->results, &garbage);
    if (!is_kept) {
        Py_CLEAR(value);
    }
    return value;
}

PyObject *hasten_py_call_unlimited(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                                   PyObject *names) {
    return call_kept(callable, arguments, nargsf, names, false);
}

PyObject *hasten_py_call_limited(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                                 PyObject *names) {
    return call_kept(callable, arguments, nargsf, names, true);
}
