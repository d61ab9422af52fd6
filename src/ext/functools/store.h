/* SPDX-License-Identifier: MIT
 *
 * Results with all that the standard module's caches lack: a policy, sizes, ages, values
 * that are failures. What calls of cached functions (managed.c) and the mapping
 * (mapping.c) have in common. None of it calls code of the program but comparisons, so
 * that it can be locked; what the caller gives (clock, sizes) is asked for before. */
#ifndef HASTEN_EXT_FUNCTOOLS_STORE_H
#define HASTEN_EXT_FUNCTOOLS_STORE_H

#include "ext/functools/clock.h"
#include "ext/functools/results.h"

#include "core/cache/policy.h"

/* What is before a result. */
struct hasten_py_kept {
    struct hasten_cache_node node;
    struct hasten_cache_turn age; /* among all with an end, by when they were kept */
    int64_t end_ns;               /* INT64_MAX: none */
    bool is_failure;              /* the value is an exception */
    bool is_untold;               /* on_evict is not told: replaced, or taken out on request */
};

struct hasten_py_store {
    struct hasten_py_results results;
    struct hasten_cache_policy policy;
    struct hasten_cache_turn ages;
    uint64_t maxsize;   /* entries; 0: nothing is kept */
    int64_t ttl_ns;     /* 0: results have no end */
    int64_t stale_ns;   /* how long after their end they may be served */
    int64_t failure_ns; /* in place of ttl_ns, of failures */
    double jitter;      /* by which share of it a result's time differs */
    uint64_t random;
    struct hasten_py_clock clock;
    bool has_ends; /* any result may have one: the time must be known */
    uint64_t hits, misses, evictions, expirations, stale_hits;
};

struct hasten_py_counts {
    uint64_t hits, misses, evictions, expirations, stale_hits;
    uint64_t size; /* what all weigh */
};

enum hasten_py_found {
    HASTEN_PY_FOUND_ERROR = -1, /* an exception is set */
    HASTEN_PY_ABSENT = 0,
    HASTEN_PY_FRESH = 1,
    HASTEN_PY_STALE = 2, /* to be computed again, by one */
};

/* What deallocation needs, for a store whose arguments may yet be wrong. */
void hasten_py_store_init_empty(struct hasten_py_store *store);
/* Sets up from keyword arguments; `least`: of entries, 0 or 1. False with an exception set. */
bool hasten_py_store_init(struct hasten_py_store *store, PyObject *maxsize, Py_ssize_t least,
                          PyObject *maxbytes, const char *policy, bool is_typed);

struct hasten_py_times {
    double ttl_s;     /* 0: without an end */
    double jitter;    /* of it, by which share it differs */
    double stale_s;   /* how long after its end a result may be served */
    double failure_s; /* how long failures are kept; 0: they are not */
    PyObject *clock;  /* None: the system's */
};

/* Takes references. False with an exception set. */
bool hasten_py_store_set_times(struct hasten_py_store *store, const struct hasten_ticks *ticks,
                               const struct hasten_py_times *times);
int hasten_py_store_visit(struct hasten_py_store *store, visitproc visit, void *arg);
/* Of a store without results. */
void hasten_py_store_done(struct hasten_py_store *store);

/* To be called with the owner locked. */
static inline struct hasten_py_counts hasten_py_store_counts(const struct hasten_py_store *store) {
    return (struct hasten_py_counts){store->hits,        store->misses,     store->evictions,
                                     store->expirations, store->stale_hits, store->policy.size};
}

/* What a value weighs by the program's function; 1 where that is NULL. False with an
 * exception set. */
bool hasten_py_weigh(PyObject *weigh, PyObject *value, uint64_t *ret_size);

/* The time, 0 where it does not matter. False with an exception set. */
static inline bool hasten_py_store_now(struct hasten_py_store *store, int64_t *ret_now_ns) {
    *ret_now_ns = 0;
    return !store->has_ends || hasten_py_clock_now(&store->clock, ret_now_ns);
}

/* `*ret_result` where it is fresh or stale. What has come to its end becomes garbage. */
enum hasten_py_found hasten_py_store_find(struct hasten_py_store *store,
                                          const struct hasten_py_call *call, int64_t now_ns,
                                          struct hasten_py_result **ret_result,
                                          struct hasten_py_garbage *garbage);
/* Counts a hit of a result that was found fresh. */
static inline void hasten_py_store_hit(struct hasten_py_store *store,
                                       struct hasten_py_result *result) {
    store->hits++;
    hasten_cache_policy_hit(&store->policy, &((struct hasten_py_kept *)result - 1)->node);
}

/* Keeps a value, in place of the present one of the same call. One that is larger than all
 * is not kept. False with an exception set. */
bool hasten_py_store_keep(struct hasten_py_store *store, const struct hasten_py_call *call,
                          PyObject *value, uint64_t size, int64_t now_ns, bool is_failure,
                          struct hasten_py_garbage *garbage);
void hasten_py_store_take_out(struct hasten_py_store *store, struct hasten_py_result *result,
                              struct hasten_py_garbage *garbage);
/* Takes out what the policy would: garbage, and the result, or NULL. */
struct hasten_py_result *hasten_py_store_evict(struct hasten_py_store *store,
                                               struct hasten_py_garbage *garbage);
/* Takes out all that has come to its end; at most `most`, 0: all. */
void hasten_py_store_sweep(struct hasten_py_store *store, int64_t now_ns, size_t most,
                           struct hasten_py_garbage *garbage);
void hasten_py_store_clear(struct hasten_py_store *store, struct hasten_py_garbage *garbage);

/* Drops garbage; tells `on_evict`, unless NULL, of each result in it first. Answers 0, or
 * -1 with the first exception that it raised. */
int hasten_py_store_tell(struct hasten_py_store *store, PyObject *on_evict,
                         struct hasten_py_garbage *garbage);
/* The key of a result as a program sees it: the single argument, or a tuple of the
 * arguments, with a tuple of name and value for each keyword. */
PyObject *hasten_py_result_key(const struct hasten_py_result *result);

static inline struct hasten_py_kept *hasten_py_kept_of(struct hasten_py_result *result) {
    return (struct hasten_py_kept *)result - 1;
}

#endif
