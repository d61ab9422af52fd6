/* SPDX-License-Identifier: MIT
 *
 * The findings of an analysis as C has them, before Python hears of them. */
#ifndef HASTEN_EXT_LEAKS_FINDINGS_H
#define HASTEN_EXT_LEAKS_FINDINGS_H

#include "ext/leaks/groups.h"

/* Objects that are shown to whoever knows where objects were allocated. */
#define HASTEN_LEAKS_SAMPLES 16

/* What kind of holder it is: what would help follows from it. X(name, word). */
#define HASTEN_LEAKS_KIND_MAP(X)             \
    X(OTHER, "other")                        \
    X(LIST, "list")                          \
    X(DICT, "dict")                          \
    X(SET, "set")                            \
    X(DEQUE, "deque")                        \
    X(CLASS_ATTRIBUTE, "class attribute")    \
    X(CLOSURE, "closure")                    \
    X(BOUND_METHOD, "bound method")          \
    X(WEAKREF_CALLBACK, "weakref callback")  \
    X(GENERATOR, "generator")                \
    X(CONTEXT_VARIABLE, "context variable")  \
    X(THREAD_LOCAL, "thread-local")          \
    X(TRACEBACK, "traceback")                \
    X(CACHE, "lru_cache")                    \
    X(METHOD_CACHE, "lru_cache on a method") \
    X(LOCAL_VARIABLE, "local variable")      \
    X(CYCLE, "cycle")                        \
    X(HELD_BY_C, "held by C")

enum hasten_leaks_kind {
#define HASTEN_LEAKS_KIND_ENUM(name, word) HASTEN_LEAKS_KIND_##name,
    HASTEN_LEAKS_KIND_MAP(HASTEN_LEAKS_KIND_ENUM)
#undef HASTEN_LEAKS_KIND_ENUM
};

struct hasten_leaks_finding {
    const struct hasten_leaks_group *group;
    struct hasten_buffer chain;  /* to the heaviest thing */
    struct hasten_buffer holder; /* to what holds them */
    enum hasten_leaks_kind kind;
    uint32_t type;                           /* of the things held */
    uint32_t holder_type;                    /* HASTEN_HEAP_NONE: it is a root's */
    PyObject *samples[HASTEN_LEAKS_SAMPLES]; /* references, of what is held directly */
    size_t sample_count;
};

struct hasten_leaks_findings {
    struct hasten_leaks_finding *items; /* most bytes first */
    size_t count;
    size_t bounded; /* that grow, but only up to a limit of their own */
};

/* Those that grow, and those of the verdict `also`. Chooses the groups' samples. */
bool hasten_leaks_find(struct hasten_leaks_findings *findings, struct hasten_leaks_groups *groups,
                       enum hasten_growth also, size_t limit, uint64_t least_bytes);
void hasten_leaks_findings_done(struct hasten_leaks_findings *findings);
const char *hasten_leaks_kind_word(enum hasten_leaks_kind kind);

#endif
