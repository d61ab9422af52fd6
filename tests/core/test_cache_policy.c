/* SPDX-License-Identifier: MIT
 *
 * The policies of a cache against the plainest writing of each, arrays that are searched
 * and shifted: the same victims in the same order, on random traces with removals. */
#include "check.h"
#include "core/cache/policy.h"
#include "failing_allocator.h"

#define KEYS 400
#define CAPACITY 60
#define STEPS 30000

struct key {
    struct hasten_cache_node node;
    bool is_in;
};

/* A queue as an array of keys, the oldest first. */
struct list {
    int keys[KEYS * 2];
    int count;
};

struct model {
    struct list lists[2]; /* SIEVE: the first; S3-FIFO: small and main */
    struct list ghosts;
    int uses[KEYS];
    int hand;       /* SIEVE: a key, -1: begins at the oldest */
    bool came_back; /* S3-FIFO: what is missed was given up lately */
};

static int place_in(const struct list *list, int key) {
    int place = 0;
    while (place < list->count && list->keys[place] != key) {
        place++;
    }
    return place == list->count ? -1 : place;
}

static void push(struct list *list, int key) {
    list->keys[list->count++] = key;
}

static bool drop(struct list *list, int key) {
    const int place = place_in(list, key);
    if (place < 0) {
        return false;
    }
    list->count--;
    memmove(&list->keys[place], &list->keys[place + 1],
            (size_t)(list->count - place) * sizeof(int));
    return true;
}

static int sieve_model_victim(struct model *model) {
    struct list *list = &model->lists[0];
    int place = model->hand < 0 ? 0 : place_in(list, model->hand);
    while (model->uses[list->keys[place]] != 0) {
        model->uses[list->keys[place]] = 0;
        place = (place + 1) % list->count;
    }
    const int victim = list->keys[place];
    model->hand = place + 1 < list->count ? list->keys[place + 1] : -1;
    return victim;
}

static int s3fifo_model_victim(struct model *model) {
    struct list *small = &model->lists[0];
    struct list *large = &model->lists[1];
    const int entries = small->count + large->count;
    if (large->count <= CAPACITY - CAPACITY / 10) {
        while (small->count > 0) {
            const int key = small->keys[0];
            if (model->uses[key] < 2) {
                while (model->ghosts.count >= entries - entries / 10) {
                    drop(&model->ghosts, model->ghosts.keys[0]);
                }
                push(&model->ghosts, key);
                return key;
            }
            model->uses[key] = 0;
            drop(small, key);
            push(large, key);
        }
    }
    while (model->uses[large->keys[0]] > 0) {
        const int key = large->keys[0];
        model->uses[key]--;
        drop(large, key);
        push(large, key);
    }
    return large->keys[0];
}

static int model_victim(struct model *model, enum hasten_cache_policy_kind kind) {
    switch (kind) {
    case HASTEN_CACHE_SIEVE:
        return sieve_model_victim(model);
    case HASTEN_CACHE_S3FIFO:
        return s3fifo_model_victim(model);
    default:
        return model->lists[0].keys[0];
    }
}

static void model_remove(struct model *model, int key) {
    if (model->hand == key) {
        const int place = place_in(&model->lists[0], key);
        model->hand = place + 1 < model->lists[0].count ? model->lists[0].keys[place + 1] : -1;
    }
    if (!drop(&model->lists[0], key)) {
        drop(&model->lists[1], key);
    }
}

static void model_insert(struct model *model, enum hasten_cache_policy_kind kind, int key) {
    model->uses[key] = 0;
    const bool to_main = kind == HASTEN_CACHE_S3FIFO && model->came_back;
    push(&model->lists[to_main], key);
}

static void model_hit(struct model *model, enum hasten_cache_policy_kind kind, int key) {
    if (kind == HASTEN_CACHE_LRU) {
        drop(&model->lists[0], key);
        push(&model->lists[0], key);
    } else {
        const int most = kind == HASTEN_CACHE_SIEVE ? 1 : 3;
        model->uses[key] += model->uses[key] < most;
    }
}

/* Small numbers far more often than large ones. */
static int next_key(uint32_t *random) {
    *random = *random * 1664525u + 1013904223u;
    const uint32_t high = *random >> 16;
    *random = *random * 1664525u + 1013904223u;
    return (int)((*random >> 8) % (1 + high % KEYS));
}

static struct key keys[KEYS];

static void make_keys(void) {
    memset(keys, 0, sizeof(keys));
    for (int i = 0; i < KEYS; i++) {
        keys[i].node.size = 1;
        keys[i].node.tag = (uint32_t)i * UINT32_C(2654435761);
    }
}

static int key_of(const struct hasten_cache_node *node) {
    return (int)((const struct key *)node - keys);
}

static void test_against_model(enum hasten_cache_policy_kind kind) {
    static struct model model;
    memset(&model, 0, sizeof(model));
    model.hand = -1;
    make_keys();
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    struct hasten_cache_policy policy;
    hasten_cache_policy_init(&policy, kind, CAPACITY, &memory.allocator);
    uint32_t random = 7;
    unsigned wrong = 0;
    for (int step = 0; step < STEPS && wrong == 0; step++) {
        const int key = next_key(&random);
        struct hasten_cache_node *node = &keys[key].node;
        if (keys[key].is_in && (random >> 5) % 50 == 0) {
            model_remove(&model, key);
            hasten_cache_policy_remove(&policy, node);
            keys[key].is_in = false;
        } else if (keys[key].is_in) {
            model_hit(&model, kind, key);
            hasten_cache_policy_hit(&policy, node);
        } else {
            model.came_back = drop(&model.ghosts, key);
            hasten_cache_policy_miss(&policy, node->tag);
            if (!hasten_cache_policy_has_room(&policy, 1)) {
                const int expected = model_victim(&model, kind);
                struct hasten_cache_node *victim = hasten_cache_policy_evict(&policy);
                wrong += victim == NULL || key_of(victim) != expected;
                /* The hand is past it already. */
                if (!drop(&model.lists[0], expected)) {
                    drop(&model.lists[1], expected);
                }
                keys[expected].is_in = false;
            }
            model_insert(&model, kind, key);
            hasten_cache_policy_insert(&policy, node);
            keys[key].is_in = true;
        }
        const int count = model.lists[0].count + model.lists[1].count;
        wrong += policy.count != (size_t)count;
        wrong += policy.size != policy.count;
    }
    CHECK_EQ_INT(wrong, 0);
    hasten_cache_policy_done(&policy);
    CHECK_EQ_INT(memory.live_bytes, 0);
    CHECK(!memory.wrong_size);
}

/* The share of hits on a trace, in hundredths of a percent. */
static int hits_of(enum hasten_cache_policy_kind kind, int (*trace)(int, uint32_t *),
                   size_t fails_at) {
    make_keys();
    struct failing_allocator memory;
    failing_allocator_init(&memory, fails_at, true);
    struct hasten_cache_policy policy;
    hasten_cache_policy_init(&policy, kind, CAPACITY, &memory.allocator);
    uint32_t random = 11;
    int hits = 0;
    for (int step = 0; step < STEPS; step++) {
        const int key = trace(step, &random);
        struct hasten_cache_node *node = &keys[key].node;
        if (keys[key].is_in) {
            hits++;
            hasten_cache_policy_hit(&policy, node);
            continue;
        }
        hasten_cache_policy_miss(&policy, node->tag);
        while (!hasten_cache_policy_has_room(&policy, 1)) {
            keys[key_of(hasten_cache_policy_evict(&policy))].is_in = false;
        }
        hasten_cache_policy_insert(&policy, node);
        keys[key].is_in = true;
    }
    CHECK_EQ_INT(policy.count, CAPACITY);
    hasten_cache_policy_done(&policy);
    CHECK_EQ_INT(memory.live_bytes, 0);
    return hits * 10000 / STEPS;
}

static int skewed(int step, uint32_t *random) {
    (void)step;
    return next_key(random);
}

static int loop(int step, uint32_t *random) {
    (void)random;
    return step % (CAPACITY * 3 / 2);
}

/* A few that are used all the time, among many that are used once. */
static int scan(int step, uint32_t *random) {
    return step % 2 == 0 ? next_key(random) % (CAPACITY / 2)
                         : CAPACITY / 2 + step / 2 % (KEYS - CAPACITY / 2);
}

static void test_what_policies_are_for(void) {
    const int lru = hits_of(HASTEN_CACHE_LRU, skewed, 0);
    CHECK(hits_of(HASTEN_CACHE_SIEVE, skewed, 0) > lru);
    CHECK(hits_of(HASTEN_CACHE_S3FIFO, skewed, 0) > lru);
    CHECK(hits_of(HASTEN_CACHE_TINYLFU, skewed, 0) > lru);
    CHECK_EQ_INT(hits_of(HASTEN_CACHE_LRU, loop, 0), 0);
    CHECK(hits_of(HASTEN_CACHE_S3FIFO, loop, 0) > 1000);
    /* The optimum is 2/3. */
    CHECK(hits_of(HASTEN_CACHE_TINYLFU, loop, 0) > 5500);
    CHECK(hits_of(HASTEN_CACHE_S3FIFO, scan, 0) > 4700);
    CHECK(hits_of(HASTEN_CACHE_TINYLFU, scan, 0) > 4700);
}

static void test_without_memory(void) {
    for (size_t fails_at = 1; fails_at < 6; fails_at++) {
        CHECK(hits_of(HASTEN_CACHE_S3FIFO, skewed, fails_at) > 0);
        CHECK(hits_of(HASTEN_CACHE_TINYLFU, skewed, fails_at) > 0);
    }
}

static void test_sizes(enum hasten_cache_policy_kind kind) {
    make_keys();
    struct hasten_cache_policy policy;
    hasten_cache_policy_init(&policy, kind, 1000, NULL);
    uint32_t random = 3;
    for (int step = 0; step < STEPS; step++) {
        const int key = next_key(&random);
        struct hasten_cache_node *node = &keys[key].node;
        if (keys[key].is_in) {
            hasten_cache_policy_hit(&policy, node);
            continue;
        }
        node->size = (uint64_t)key % 97;
        hasten_cache_policy_miss(&policy, node->tag);
        while (!hasten_cache_policy_has_room(&policy, node->size)) {
            struct hasten_cache_node *victim = hasten_cache_policy_evict(&policy);
            if (!CHECK(victim != NULL)) {
                return;
            }
            keys[key_of(victim)].is_in = false;
        }
        hasten_cache_policy_insert(&policy, node);
        keys[key].is_in = true;
    }
    uint64_t size = 0;
    for (int i = 0; i < KEYS; i++) {
        size += keys[i].is_in ? keys[i].node.size : 0;
    }
    CHECK_EQ_INT(policy.size, size);
    CHECK(size <= 1000 && size > 800);
    while (hasten_cache_policy_evict(&policy) != NULL) {
    }
    CHECK_EQ_INT(policy.size, 0);
    hasten_cache_policy_done(&policy);
}

static void test_ghosts(void) {
    struct hasten_cache_ghosts ghosts;
    hasten_cache_ghosts_init(&ghosts, NULL);
    CHECK(!hasten_cache_ghosts_take(&ghosts, 5));
    for (uint32_t tag = 0; tag < 1000; tag++) {
        hasten_cache_ghosts_put(&ghosts, tag % 700, 100);
        hasten_cache_ghosts_put(&ghosts, tag % 700, 100);
        CHECK(ghosts.count <= 100);
    }
    unsigned found = 0;
    for (uint32_t tag = 0; tag < 700; tag++) {
        found += hasten_cache_ghosts_take(&ghosts, tag);
    }
    CHECK_EQ_INT(found, 100);
    CHECK_EQ_INT(ghosts.count, 0);
    hasten_cache_ghosts_done(&ghosts);
}

static void test_sketch(void) {
    struct hasten_cache_sketch sketch;
    hasten_cache_sketch_init(&sketch, NULL);
    CHECK_EQ_INT(hasten_cache_sketch_count(&sketch, 1), 0);
    for (int i = 0; i < 20; i++) {
        hasten_cache_sketch_add(&sketch, 1, 1000);
    }
    hasten_cache_sketch_add(&sketch, 2, 1000);
    CHECK_EQ_INT(hasten_cache_sketch_count(&sketch, 1), 15);
    CHECK_EQ_INT(hasten_cache_sketch_count(&sketch, 2), 1);
    for (uint32_t i = 0; i < 11000; i++) {
        hasten_cache_sketch_add(&sketch, 1000 + i * 7919, 1000);
    }
    CHECK(hasten_cache_sketch_count(&sketch, 1) < 15);
    hasten_cache_sketch_done(&sketch);
}

int main(void) {
    test_against_model(HASTEN_CACHE_LRU);
    test_against_model(HASTEN_CACHE_SIEVE);
    test_against_model(HASTEN_CACHE_S3FIFO);
    test_what_policies_are_for();
    test_without_memory();
    for (enum hasten_cache_policy_kind kind = HASTEN_CACHE_LRU; kind <= HASTEN_CACHE_TINYLFU;
         kind++) {
        test_sizes(kind);
    }
    test_ghosts();
    test_sketch();
    return check_done();
}
