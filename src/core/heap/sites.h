/* SPDX-License-Identifier: MIT
 *
 * Where memory was allocated, and how much: a tree of stacks for each thread, and on its
 * nodes what was allocated there, what of it is alive, what was when most was, and what
 * was freed soon.
 *
 * What a code is, and a place in it, is the caller's business. Amounts are doubles:
 * sampled blocks stand for fractions of blocks. */
#ifndef HASTEN_HEAP_SITES_H
#define HASTEN_HEAP_SITES_H

#include <stdbool.h>

#include "core/base/map.h"

/* Beyond this many nodes new stacks are not told apart: some 100 MB. */
#define HASTEN_SITES_NODES_MAX (1u << 20)
#define HASTEN_SITES_NONE UINT32_MAX

/* X(name): what is counted, in bytes and in blocks. */
#define HASTEN_HEAP_COUNT_MAP(X) \
    X(allocated)                 \
    X(live)                      \
    X(peak)                      \
    X(temporary)

enum hasten_heap_count {
#define HASTEN_HEAP_COUNT_ENUM(name) HASTEN_HEAP_##name,
    HASTEN_HEAP_COUNT_MAP(HASTEN_HEAP_COUNT_ENUM)
#undef HASTEN_HEAP_COUNT_ENUM
        HASTEN_HEAP_COUNTS
};

struct hasten_heap_amount {
    double bytes, blocks;
};

/* A stack at which something was allocated. */
struct hasten_heap_site {
    struct hasten_heap_amount counts[HASTEN_HEAP_COUNTS];
    uint64_t peak_number; /* of the peak that counts[HASTEN_HEAP_peak] is of; see below */
    uint32_t node;
};

struct hasten_heap_node {
    uint64_t place;  /* in the code */
    uint32_t parent; /* its own index: a thread's root */
    uint32_t code;   /* of a root: the thread */
    uint32_t site;   /* HASTEN_SITES_NONE: nothing was allocated right here */
};

struct hasten_sites {
    const struct hasten_allocator *allocator;
    struct hasten_heap_node *nodes; /* parents before their children */
    size_t node_count, node_capacity;
    struct hasten_map children; /* (parent and code, place) -> node */
    struct hasten_heap_site *sites;
    size_t site_count, site_capacity;
    struct hasten_heap_amount live;
    double peak_bytes;    /* the most live bytes so far */
    uint64_t peak_number; /* counts how often that rose */
    bool folded;          /* HASTEN_SITES_NODES_MAX was reached */
};

void hasten_sites_init(struct hasten_sites *sites, const struct hasten_allocator *allocator);
void hasten_sites_done(struct hasten_sites *sites);
/* A new root, for a thread. HASTEN_SITES_NONE: no memory. */
uint32_t hasten_sites_root(struct hasten_sites *sites, uint32_t thread);
/* The child of `parent`, made where it is new, which `*ret_new` tells. Where there are
 * too many or no memory, the parent itself. */
uint32_t hasten_sites_child(struct hasten_sites *sites, uint32_t parent, uint32_t code,
                            uint64_t place, bool *ret_new);
/* The site of a node. HASTEN_SITES_NONE: no memory. */
uint32_t hasten_sites_at(struct hasten_sites *sites, uint32_t node);

void hasten_sites_allocated(struct hasten_sites *sites, uint32_t site,
                            struct hasten_heap_amount amount);
void hasten_sites_freed(struct hasten_sites *sites, uint32_t site, struct hasten_heap_amount amount,
                        bool soon);
/* All counts of a site as of now. */
void hasten_sites_counts(const struct hasten_sites *sites, uint32_t site,
                         struct hasten_heap_amount ret_counts[HASTEN_HEAP_COUNTS]);

#endif
