/* SPDX-License-Identifier: MIT */
#include "core/cache/table.h"

#include <string.h>

#define FEWEST_BUCKETS 8
/* Tags have 32 bits: more buckets than that would stay empty. */
#define MOST_BUCKETS (UINT32_C(1) << 31)

void hasten_cache_table_init(struct hasten_cache_table *table,
                             const struct hasten_allocator *allocator) {
    *table = (struct hasten_cache_table){.allocator = allocator};
    table->buckets = table->first;
}

static void release_buckets(struct hasten_cache_table *table) {
    if (table->buckets != table->first) {
        hasten_release(table->allocator, table->buckets,
                       ((size_t)table->mask + 1) * sizeof(struct hasten_cache_entry *));
    }
}

void hasten_cache_table_done(struct hasten_cache_table *table) {
    release_buckets(table);
    *table = (struct hasten_cache_table){.allocator = table->allocator};
}

void hasten_cache_table_clear(struct hasten_cache_table *table) {
    release_buckets(table);
    hasten_cache_table_init(table, table->allocator);
}

void hasten_cache_table_grow(struct hasten_cache_table *table) {
    const size_t old_count = (size_t)table->mask + 1;
    const size_t new_count = old_count < FEWEST_BUCKETS ? FEWEST_BUCKETS : old_count * 2;
    if (new_count > MOST_BUCKETS) {
        return;
    }
    struct hasten_cache_entry **buckets =
        hasten_allocate_zeroed(table->allocator, new_count * sizeof(struct hasten_cache_entry *));
    if (buckets == NULL) {
        return;
    }
    const uint32_t mask = (uint32_t)new_count - 1;
    for (size_t i = 0; i < old_count; i++) {
        struct hasten_cache_entry *entry = table->buckets[i];
        while (entry != NULL) {
            struct hasten_cache_entry *next = entry->chain;
            entry->chain = buckets[entry->tag & mask];
            buckets[entry->tag & mask] = entry;
            entry = next;
        }
    }
    release_buckets(table);
    table->buckets = buckets;
    table->mask = mask;
}

void hasten_cache_table_remove(struct hasten_cache_table *table, struct hasten_cache_entry *entry) {
    struct hasten_cache_entry **place = &table->buckets[entry->tag & table->mask];
    while (*place != entry) {
        place = &(*place)->chain;
    }
    *place = entry->chain;
    entry->chain = NULL;
    table->count--;
}
