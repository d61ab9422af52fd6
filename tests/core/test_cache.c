/* SPDX-License-Identifier: MIT
 *
 * The table and the order of a cache against plain arrays of what they should hold. */
#include "check.h"
#include "core/cache/recency.h"
#include "core/cache/table.h"
#include "failing_allocator.h"

#define KEYS 500

struct item {
    struct hasten_cache_turn turn;
    struct hasten_cache_entry entry;
    bool is_in;
};

static struct item *find(const struct hasten_cache_table *table, uint32_t tag) {
    struct hasten_cache_entry *entry = hasten_cache_table_first(table, tag);
    while (entry != NULL && entry->tag != tag) {
        entry = entry->chain;
    }
    return entry == NULL ? NULL : (struct item *)((char *)entry - offsetof(struct item, entry));
}

/* `fails_at`: the allocation that fails, and all after it; 0: none does. */
static void test_table_against_array(size_t fails_at) {
    static struct item items[KEYS];
    memset(items, 0, sizeof(items));
    struct failing_allocator memory;
    failing_allocator_init(&memory, fails_at, true);
    struct hasten_cache_table table;
    hasten_cache_table_init(&table, &memory.allocator);
    uint32_t random = 12345;
    size_t count = 0;
    unsigned wrong = 0;
    for (uint32_t step = 0; step < 40000; step++) {
        random = random * 1664525u + 1013904223u;
        const uint32_t number = (random >> 8) % KEYS;
        /* Few distinct low bits, so that chains are long. */
        const uint32_t tag = number * 16;
        wrong += find(&table, tag) != (items[number].is_in ? &items[number] : NULL);
        if (items[number].is_in) {
            hasten_cache_table_remove(&table, &items[number].entry);
            count--;
        } else {
            items[number].entry.tag = tag;
            hasten_cache_table_insert(&table, &items[number].entry);
            count++;
        }
        items[number].is_in = !items[number].is_in;
        wrong += table.count != count;
        if (step % 10000 == 9999) {
            hasten_cache_table_clear(&table);
            memset(items, 0, sizeof(items));
            count = 0;
        }
    }
    CHECK_EQ_INT(wrong, 0);
    hasten_cache_table_done(&table);
    CHECK_EQ_INT(memory.live_bytes, 0);
}

/* All bits of a hash count: whatever the step between hashes is, tags fill the buckets. */
static void test_tags_of_regular_hashes(void) {
    for (unsigned shift = 0; shift < 64; shift++) {
        unsigned used = 0;
        bool seen[256] = {false};
        const uint64_t hashes = shift > 56 ? UINT64_C(1) << (64 - shift) : 256;
        for (uint64_t i = 0; i < hashes; i++) {
            bool *place = &seen[hasten_cache_tag(i << shift) % 256];
            used += !*place;
            *place = true;
        }
        /* At random, 1 - 1/e of the buckets would be used, 0.63; most do better. */
        CHECK(used * 5 >= hashes * 2);
    }
}

static void test_order(void) {
    struct item items[5];
    struct hasten_cache_turn root;
    hasten_cache_recency_init(&root);
    CHECK(hasten_cache_recency_is_empty(&root));
    for (size_t i = 0; i < 5; i++) {
        hasten_cache_recency_append(&root, &items[i].turn);
    }
    hasten_cache_recency_touch(&root, &items[4].turn); /* already the newest */
    hasten_cache_recency_touch(&root, &items[0].turn);
    hasten_cache_recency_touch(&root, &items[2].turn);
    const size_t expected[] = {1, 3, 4, 0, 2};
    for (size_t i = 0; i < 5; i++) {
        CHECK(root.newer == &items[expected[i]].turn);
        hasten_cache_recency_unlink(root.newer);
    }
    CHECK(hasten_cache_recency_is_empty(&root));
}

int main(void) {
    test_table_against_array(0);
    for (size_t fails_at = 1; fails_at < 8; fails_at++) {
        test_table_against_array(fails_at);
    }
    test_tags_of_regular_hashes();
    test_order();
    return check_done();
}
