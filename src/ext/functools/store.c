/* SPDX-License-Identifier: MIT */
#include "ext/functools/store.h"

#include <stddef.h>

#include "core/base/clock.h"

/* How many results that have come to their end a call that keeps one takes out. */
#define SWEPT_AT_ONCE 4
/* Whoever allows more entries than that need not ever have them. */
#define MOST_EXPECTED ((size_t)1 << 16)

static bool read_limit(PyObject *object, const char *what, Py_ssize_t least, uint64_t *ret_limit) {
    if (object == Py_None) {
        *ret_limit = UINT64_MAX / 2;
        return true;
    }
    const Py_ssize_t limit = PyNumber_AsSsize_t(object, PyExc_OverflowError);
    if (limit == -1 && PyErr_Occurred()) {
        return false;
    }
    if (limit < least) {
        PyErr_Format(PyExc_ValueError, "%s must be positive", what);
        return false;
    }
    *ret_limit = (uint64_t)limit;
    return true;
}

void hasten_py_store_init_empty(struct hasten_py_store *store) {
    hasten_py_results_init(&store->results, sizeof(struct hasten_py_kept), false);
    hasten_cache_policy_init(&store->policy, HASTEN_CACHE_LRU, 1, NULL);
    hasten_cache_recency_init(&store->ages);
}

bool hasten_py_store_init(struct hasten_py_store *store, PyObject *maxsize, Py_ssize_t least,
                          PyObject *maxbytes, const char *policy, bool is_typed) {
    static const char *const names[] = {"lru", "sieve", "s3fifo", "tinylfu"};
    size_t kind = 0;
    while (kind < 4 && strcmp(policy, names[kind]) != 0) {
        kind++;
    }
    if (kind == 4) {
        PyErr_Format(PyExc_ValueError,
                     "policy must be 'lru', 'sieve', 's3fifo' or 'tinylfu', not '%s'", policy);
        return false;
    }
    uint64_t capacity = 0;
    if (!read_limit(maxsize, "maxsize", least, &store->maxsize) ||
        !read_limit(maxbytes, "maxbytes", 1, &capacity)) {
        return false;
    }
    hasten_py_results_init(&store->results, sizeof(struct hasten_py_kept), is_typed);
    hasten_cache_policy_init(&store->policy, (enum hasten_cache_policy_kind)kind,
                             maxbytes == Py_None ? store->maxsize : capacity, NULL);
    if (maxsize != Py_None) {
        store->policy.expected =
            store->maxsize < MOST_EXPECTED ? (size_t)store->maxsize : MOST_EXPECTED;
    }
    hasten_cache_recency_init(&store->ages);
    store->random = hasten_clock_monotonic_ns() | 1;
    return true;
}

bool hasten_py_store_set_times(struct hasten_py_store *store, const struct hasten_ticks *ticks,
                               const struct hasten_py_times *times) {
    if (!(times->ttl_s >= 0) || !(times->stale_s >= 0) || !(times->failure_s >= 0)) {
        PyErr_SetString(PyExc_ValueError, "times must not be negative");
        return false;
    }
    if (!(times->jitter >= 0 && times->jitter < 1)) {
        PyErr_SetString(PyExc_ValueError, "jitter must be at least 0 and less than 1");
        return false;
    }
    store->ttl_ns = hasten_py_nanoseconds(times->ttl_s);
    store->stale_ns = hasten_py_nanoseconds(times->stale_s);
    store->failure_ns = hasten_py_nanoseconds(times->failure_s);
    store->jitter = times->jitter;
    store->has_ends = store->ttl_ns > 0 || store->failure_ns > 0;
    int64_t shortest_ns = store->ttl_ns > 0 ? store->ttl_ns : INT64_MAX;
    if (store->failure_ns > 0 && store->failure_ns < shortest_ns) {
        shortest_ns = store->failure_ns;
    }
    hasten_py_clock_init(&store->clock, ticks, times->clock, shortest_ns);
    return true;
}

int hasten_py_store_visit(struct hasten_py_store *store, visitproc visit, void *arg) {
    Py_VISIT(store->clock.function);
    return hasten_py_results_visit(&store->results, visit, arg);
}

void hasten_py_store_done(struct hasten_py_store *store) {
    hasten_cache_policy_done(&store->policy);
    Py_CLEAR(store->clock.function);
}

bool hasten_py_weigh(PyObject *weigh, PyObject *value, uint64_t *ret_size) {
    if (weigh == NULL) {
        *ret_size = 1;
        return true;
    }
    PyObject *answer = PyObject_CallOneArg(weigh, value);
    if (answer == NULL) {
        return false;
    }
    const Py_ssize_t size = PyNumber_AsSsize_t(answer, PyExc_OverflowError);
    Py_DECREF(answer);
    if (size < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "weigh must not answer a negative size");
        }
        return false;
    }
    *ret_size = (uint64_t)size;
    return true;
}

static struct hasten_py_kept *kept_of_age(struct hasten_cache_turn *age) {
    return (struct hasten_py_kept *)((char *)age - offsetof(struct hasten_py_kept, age));
}

/* Out of the table and the ring of ages; the policy let go of it. */
static void detach(struct hasten_py_store *store, struct hasten_py_result *result,
                   struct hasten_py_garbage *garbage) {
    struct hasten_py_kept *kept = hasten_py_kept_of(result);
    if (kept->end_ns != INT64_MAX) {
        hasten_cache_recency_unlink(&kept->age);
    }
    hasten_py_results_remove(&store->results, result);
    result->entry.chain = (struct hasten_cache_entry *)garbage->chain;
    garbage->chain = result;
}

void hasten_py_store_take_out(struct hasten_py_store *store, struct hasten_py_result *result,
                              struct hasten_py_garbage *garbage) {
    hasten_cache_policy_remove(&store->policy, &hasten_py_kept_of(result)->node);
    detach(store, result, garbage);
}

static void expire(struct hasten_py_store *store, struct hasten_py_kept *kept,
                   struct hasten_py_garbage *garbage) {
    store->expirations++;
    hasten_py_store_take_out(store, (struct hasten_py_result *)(kept + 1), garbage);
}

/* When it cannot be served any more. */
static bool is_over(const struct hasten_py_store *store, const struct hasten_py_kept *kept,
                    int64_t now_ns) {
    return kept->end_ns <= now_ns && (kept->is_failure || now_ns - kept->end_ns >= store->stale_ns);
}

void hasten_py_store_sweep(struct hasten_py_store *store, int64_t now_ns, size_t most,
                           struct hasten_py_garbage *garbage) {
    struct hasten_cache_turn *age = store->ages.newer;
    for (size_t i = 0; age != &store->ages && (most == 0 || i < most); i++) {
        struct hasten_py_kept *kept = kept_of_age(age);
        age = age->newer;
        if (is_over(store, kept, now_ns)) {
            expire(store, kept, garbage);
        } else if (most != 0) {
            break; /* those that came later end later, but for jitter */
        }
    }
}

enum hasten_py_found hasten_py_store_find(struct hasten_py_store *store,
                                          const struct hasten_py_call *call, int64_t now_ns,
                                          struct hasten_py_result **ret_result,
                                          struct hasten_py_garbage *garbage) {
    struct hasten_py_result *result = NULL;
    const enum hasten_py_outcome outcome = hasten_py_results_find(&store->results, call, &result);
    if (outcome != HASTEN_PY_SAME) {
        return outcome == HASTEN_PY_OTHER ? HASTEN_PY_ABSENT : HASTEN_PY_FOUND_ERROR;
    }
    struct hasten_py_kept *kept = hasten_py_kept_of(result);
    if (kept->end_ns <= now_ns) {
        if (is_over(store, kept, now_ns)) {
            expire(store, kept, garbage);
            return HASTEN_PY_ABSENT;
        }
        *ret_result = result;
        return HASTEN_PY_STALE;
    }
    *ret_result = result;
    return HASTEN_PY_FRESH;
}

/* A number from -1 to 1. */
static double random_share(struct hasten_py_store *store) {
    /* xorshift64 */
    store->random ^= store->random << 13;
    store->random ^= store->random >> 7;
    store->random ^= store->random << 17;
    return (double)(store->random >> 11) / (double)(UINT64_C(1) << 52) - 1;
}

static int64_t end_of(struct hasten_py_store *store, int64_t now_ns, int64_t lifetime_ns) {
    if (lifetime_ns == 0) {
        return INT64_MAX;
    }
    if (store->jitter > 0) {
        lifetime_ns += (int64_t)((double)lifetime_ns * store->jitter * random_share(store));
    }
    return hasten_py_clock_end(now_ns, lifetime_ns);
}

struct hasten_py_result *hasten_py_store_evict(struct hasten_py_store *store,
                                               struct hasten_py_garbage *garbage) {
    struct hasten_cache_node *node = hasten_cache_policy_evict(&store->policy);
    if (node == NULL) {
        return NULL;
    }
    struct hasten_py_result *result =
        (struct hasten_py_result *)((struct hasten_py_kept *)node + 1);
    detach(store, result, garbage);
    return result;
}

static void make_room(struct hasten_py_store *store, uint64_t size,
                      struct hasten_py_garbage *garbage) {
    while (!hasten_cache_policy_has_room(&store->policy, size) ||
           store->policy.count >= store->maxsize) {
        if (hasten_py_store_evict(store, garbage) == NULL) {
            return;
        }
        store->evictions++;
    }
}

bool hasten_py_store_keep(struct hasten_py_store *store, const struct hasten_py_call *call,
                          PyObject *value, uint64_t size, int64_t now_ns, bool is_failure,
                          struct hasten_py_garbage *garbage) {
    /* Twice, should comparisons have inserted the same: then it is found. */
    for (int i = 0; i < 2; i++) {
        struct hasten_py_result *old = NULL;
        const uint64_t insertions = store->results.insertions;
        const enum hasten_py_outcome outcome = hasten_py_results_find(&store->results, call, &old);
        if (outcome == HASTEN_PY_FAILED) {
            return false;
        }
        if (outcome == HASTEN_PY_SAME) {
            hasten_py_kept_of(old)->is_untold = true;
            hasten_py_store_take_out(store, old, garbage);
        }
        if (store->results.insertions == insertions) {
            break;
        }
    }
    if (store->has_ends) {
        hasten_py_store_sweep(store, now_ns, SWEPT_AT_ONCE, garbage);
    }
    if (size > store->policy.capacity || store->maxsize == 0) {
        return true;
    }
    struct hasten_py_result *result = hasten_py_result_new(&store->results, call, value);
    if (result == NULL) {
        return false;
    }
    hasten_cache_policy_miss(&store->policy, call->tag);
    make_room(store, size, garbage);
    struct hasten_py_kept *kept = hasten_py_kept_of(result);
    kept->node.size = size;
    kept->node.tag = call->tag;
    kept->is_failure = is_failure;
    kept->end_ns = end_of(store, now_ns, is_failure ? store->failure_ns : store->ttl_ns);
    if (kept->end_ns != INT64_MAX) {
        hasten_cache_recency_append(&store->ages, &kept->age);
    }
    hasten_py_results_insert(&store->results, result);
    hasten_cache_policy_insert(&store->policy, &kept->node);
    return true;
}

void hasten_py_store_clear(struct hasten_py_store *store, struct hasten_py_garbage *garbage) {
    hasten_py_results_clear(&store->results, garbage);
    hasten_cache_policy_clear(&store->policy);
    hasten_cache_recency_init(&store->ages);
}

PyObject *hasten_py_result_key(const struct hasten_py_result *result) {
    const uint32_t count = hasten_py_shape_count(result->entry.shape);
    const bool is_named = (result->entry.shape & HASTEN_PY_SHAPE_NAMED) != 0;
    if (count == 1 && !is_named) {
        return Py_NewRef(result->arguments[0]);
    }
    PyObject *names = is_named ? result->arguments[count] : NULL;
    const Py_ssize_t positional = (Py_ssize_t)count - (names == NULL ? 0 : PyTuple_GET_SIZE(names));
    PyObject *key = PyTuple_New((Py_ssize_t)count);
    for (Py_ssize_t i = 0; key != NULL && i < (Py_ssize_t)count; i++) {
        PyObject *argument = result->arguments[i];
        PyObject *item = i < positional
                             ? Py_NewRef(argument)
                             : PyTuple_Pack(2, PyTuple_GET_ITEM(names, i - positional), argument);
        if (item == NULL) {
            Py_CLEAR(key);
            break;
        }
        PyTuple_SET_ITEM(key, i, item);
    }
    return key;
}

/* The order in which they were taken out. */
static void reverse(struct hasten_py_garbage *garbage) {
    struct hasten_py_result *result = garbage->chain;
    garbage->chain = NULL;
    while (result != NULL) {
        struct hasten_py_result *next = (struct hasten_py_result *)result->entry.chain;
        result->entry.chain = (struct hasten_cache_entry *)garbage->chain;
        garbage->chain = result;
        result = next;
    }
}

int hasten_py_store_tell(struct hasten_py_store *store, PyObject *on_evict,
                         struct hasten_py_garbage *garbage) {
    struct hasten_py_exception first = {0};
    bool has_raised = false;
    reverse(garbage);
    for (struct hasten_py_result *result = garbage->chain; result != NULL && on_evict != NULL;
         result = (struct hasten_py_result *)result->entry.chain) {
        if (hasten_py_kept_of(result)->is_failure || hasten_py_kept_of(result)->is_untold) {
            continue;
        }
        PyObject *key = hasten_py_result_key(result);
        PyObject *answer =
            key == NULL ? NULL : PyObject_CallFunctionObjArgs(on_evict, key, result->value, NULL);
        Py_XDECREF(key);
        if (answer == NULL) {
            if (!has_raised) {
                first = hasten_py_exception_take();
                has_raised = true;
            } else {
                PyErr_WriteUnraisable(on_evict);
            }
        }
        Py_XDECREF(answer);
    }
    hasten_py_garbage_drop(&store->results, garbage);
    if (has_raised) {
        hasten_py_exception_put(first);
        return -1;
    }
    return 0;
}
