/* SPDX-License-Identifier: MIT
 *
 * What survived, put together by what holds it. A survivor is an object that is
 * younger than the warming up; its holder is the nearest older object along the
 * shortest chain. Holders that a program would write the same way, but for the place
 * in a container, are one group: "app.index[*]" for all lists of a dict. */
#ifndef HASTEN_EXT_LEAKS_GROUPS_H
#define HASTEN_EXT_LEAKS_GROUPS_H

#include "ext/leaks/watcher.h"

/* Types of what a group holds that are told. */
#define HASTEN_LEAKS_CONTENTS 4

struct hasten_leaks_content {
    uint32_t type;
    uint64_t count, bytes;
};

struct hasten_leaks_group {
    bool is_container; /* its holders have a size; a variable or attribute has none */
    bool is_own;       /* not what it holds grows, but itself */
    bool is_garbage;
    bool by_size;       /* whether it grows is told by the size of its holders */
    uint64_t tops;      /* survivors that are held directly */
    uint64_t late_tops; /* of these, since the early mark */
    uint32_t sample;    /* the largest thing held directly; of is_own: the holder */
    uint64_t counts[HASTEN_LEAKS_COHORTS], bytes[HASTEN_LEAKS_COHORTS];
    uint64_t count_sum, byte_sum;
    struct hasten_growth_sizes sizes; /* of its holders */
    enum hasten_growth growth;
    struct hasten_leaks_content contents[HASTEN_LEAKS_CONTENTS]; /* most bytes first */
};

struct hasten_leaks_groups {
    const struct hasten_leaks_analysis *analysis;
    struct hasten_leaks_group *items;
    size_t count, capacity;
    struct hasten_map numbers; /* by the hash of how it is called */
    uint32_t iterations, cohorts;
    uint32_t warm; /* who was born at this mark or before is old */
    bool has_references;
    size_t early, middle;         /* of the extents */
    uint32_t *groups;             /* by node: of a survivor; HASTEN_HEAP_NONE: old */
    uint64_t *weights;            /* by node: of a survivor, with what it alone leads to */
    struct hasten_map_key *calls; /* by node: hash of how an old one is called */
    bool *seen;                   /* by node: a holder whose size is counted */
    uint64_t garbage_bytes;       /* what the collector has not taken yet */
};

/* Groups with a verdict each. False: no memory. */
bool hasten_leaks_group(struct hasten_leaks_groups *groups,
                        const struct hasten_leaks_analysis *analysis);
void hasten_leaks_groups_done(struct hasten_leaks_groups *groups);

static inline bool hasten_leaks_is_old(const struct hasten_leaks_groups *groups, uint32_t node) {
    return groups->analysis->heap->past[node].birth <= groups->warm;
}

#endif
