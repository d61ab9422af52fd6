/* SPDX-License-Identifier: MIT
 *
 * The table of a cache: entries by a tag of 32 bits, in chains. What an entry holds and
 * whether two are the same is the owner's: it has this structure first in its own, walks
 * the chain of a tag and compares. Chains rather than probing, because a bounded cache
 * removes an entry for each that it inserts, and that leaves nothing behind here.
 *
 * The table owns its buckets, not the entries. It never fails: without memory for more
 * buckets its chains get longer. */
#ifndef HASTEN_CACHE_TABLE_H
#define HASTEN_CACHE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"

struct hasten_cache_entry {
    struct hasten_cache_entry *chain;
    uint32_t tag;
    uint32_t shape; /* the owner's; here, because the tag would leave a gap of 32 bits */
};

struct hasten_cache_table {
    const struct hasten_allocator *allocator;
    struct hasten_cache_entry **buckets;
    uint32_t mask; /* number of buckets - 1 */
    size_t count;
    struct hasten_cache_entry *first[1]; /* the buckets of a table that has no memory yet */
};

/* The tag of a hash of 64 bits, whichever of its bits differ. */
static inline uint32_t hasten_cache_tag(uint64_t hash) {
    /* 2^64 / the golden ratio: Fibonacci hashing takes the product's high bits. */
    return (uint32_t)(((hash ^ (hash >> 32)) * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* The newest entry whose tag may be this one; go on with its `chain`. */
static inline struct hasten_cache_entry *
hasten_cache_table_first(const struct hasten_cache_table *table, uint32_t tag) {
    return table->buckets[tag & table->mask];
}

/* The table must not move afterwards. */
void hasten_cache_table_init(struct hasten_cache_table *table,
                             const struct hasten_allocator *allocator);
void hasten_cache_table_done(struct hasten_cache_table *table);
/* Forgets all entries and gives the buckets back. */
void hasten_cache_table_clear(struct hasten_cache_table *table);
/* Makes room for one more entry; chains and buckets may have moved. */
void hasten_cache_table_grow(struct hasten_cache_table *table);
/* The entry must be in the table. */
void hasten_cache_table_remove(struct hasten_cache_table *table, struct hasten_cache_entry *entry);

/* Small tables, which are in the processor's cache, have two buckets for an entry, so that
 * most chains are short and none is a surprise; large ones up to three entries for two
 * buckets, so as not to need memory for nothing. */
#define HASTEN_CACHE_LARGE_BUCKETS 4096

static inline size_t hasten_cache_table_room(const struct hasten_cache_table *table) {
    const size_t mask = table->mask;
    return mask < HASTEN_CACHE_LARGE_BUCKETS - 1 ? mask / 2 : mask + mask / 2;
}

/* The entry has its tag. Answers whether chains moved. */
static inline int hasten_cache_table_insert(struct hasten_cache_table *table,
                                            struct hasten_cache_entry *entry) {
    int moved = 0;
    if (table->count > hasten_cache_table_room(table)) {
        hasten_cache_table_grow(table);
        moved = 1;
    }
    /* At the end: who compares on this chain and lets another thread insert comes upon it. */
    struct hasten_cache_entry **place = &table->buckets[entry->tag & table->mask];
    while (*place != NULL) {
        place = &(*place)->chain;
    }
    entry->chain = NULL;
    *place = entry;
    table->count++;
    return moved;
}

#endif
