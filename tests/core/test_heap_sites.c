/* SPDX-License-Identifier: MIT
 *
 * Stacks and their accounts; the peak against copies of all accounts at each peak. */
#include "check.h"
#include "core/heap/sites.h"
#include "failing_allocator.h"

#define SITES 50u

static void test_tree(void) {
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    struct hasten_sites sites;
    hasten_sites_init(&sites, &memory.allocator);
    bool is_new = false;
    uint32_t first = hasten_sites_root(&sites, 7);
    uint32_t second = hasten_sites_root(&sites, 8);
    uint32_t main = hasten_sites_child(&sites, first, 1, 10, &is_new);
    CHECK(is_new);
    CHECK_EQ_INT(hasten_sites_child(&sites, first, 1, 10, &is_new), main);
    CHECK(!is_new);
    CHECK(hasten_sites_child(&sites, second, 1, 10, &is_new) != main);
    CHECK(is_new);
    CHECK(hasten_sites_child(&sites, first, 1, 11, &is_new) != main);
    CHECK(hasten_sites_child(&sites, first, 2, 10, &is_new) != main);
    CHECK_EQ_INT(sites.nodes[main].parent, first);
    CHECK_EQ_INT(sites.nodes[first].parent, first);
    CHECK_EQ_INT(sites.nodes[first].code, 7);
    uint32_t site = hasten_sites_at(&sites, main);
    CHECK_EQ_INT(hasten_sites_at(&sites, main), site);
    CHECK(hasten_sites_at(&sites, first) != site);
    CHECK_EQ_INT(sites.sites[site].node, main);
    CHECK(!sites.folded);
    hasten_sites_done(&sites);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
}

static void test_counts(void) {
    struct hasten_sites sites;
    struct hasten_heap_amount counts[HASTEN_HEAP_COUNTS];
    hasten_sites_init(&sites, NULL);
    uint32_t site = hasten_sites_at(&sites, hasten_sites_root(&sites, 0));
    hasten_sites_allocated(&sites, site, (struct hasten_heap_amount){100, 2});
    hasten_sites_allocated(&sites, site, (struct hasten_heap_amount){50, 1});
    hasten_sites_freed(&sites, site, (struct hasten_heap_amount){100, 2}, true);
    hasten_sites_allocated(&sites, site, (struct hasten_heap_amount){20, 1});
    hasten_sites_freed(&sites, site, (struct hasten_heap_amount){50, 1}, false);
    hasten_sites_counts(&sites, site, counts);
    CHECK(counts[HASTEN_HEAP_allocated].bytes == 170 && counts[HASTEN_HEAP_allocated].blocks == 4);
    CHECK(counts[HASTEN_HEAP_live].bytes == 20 && counts[HASTEN_HEAP_live].blocks == 1);
    CHECK(counts[HASTEN_HEAP_peak].bytes == 150 && counts[HASTEN_HEAP_peak].blocks == 3);
    CHECK(counts[HASTEN_HEAP_temporary].bytes == 100 && counts[HASTEN_HEAP_temporary].blocks == 2);
    CHECK(sites.live.bytes == 20 && sites.peak_bytes == 150);
    hasten_sites_done(&sites);
}

static void test_peak(void) {
    struct hasten_sites sites;
    hasten_sites_init(&sites, NULL);
    uint32_t ids[SITES];
    double live[SITES] = {0}, at_peak[SITES] = {0}, total = 0, peak = 0;
    bool is_new;
    uint32_t root = hasten_sites_root(&sites, 0);
    for (uint32_t i = 0; i < SITES; i++) {
        ids[i] = hasten_sites_at(&sites, hasten_sites_child(&sites, root, i, 0, &is_new));
    }
    uint32_t random = 5;
    unsigned wrong = 0;
    for (uint32_t step = 0; step < 20000; step++) {
        random = random * 1664525u + 1013904223u;
        uint32_t i = (random >> 8) % SITES;
        /* Grows, shrinks, grows higher. */
        bool frees = (random >> 20) % 100 < (step / 3000 % 2 == 0 ? 40 : 60);
        double bytes = frees ? live[i] / 2 : (double)((random >> 16) % 1000);
        struct hasten_heap_amount amount = {bytes, 1};
        if (frees) {
            hasten_sites_freed(&sites, ids[i], amount, false);
        } else {
            hasten_sites_allocated(&sites, ids[i], amount);
        }
        live[i] += frees ? -bytes : bytes;
        total += frees ? -bytes : bytes;
        if (total > peak) {
            peak = total;
            memcpy(at_peak, live, sizeof live);
        }
        if (step % 97 == 0) {
            for (uint32_t k = 0; k < SITES; k++) {
                struct hasten_heap_amount counts[HASTEN_HEAP_COUNTS];
                hasten_sites_counts(&sites, ids[k], counts);
                wrong += counts[HASTEN_HEAP_peak].bytes != at_peak[k];
                wrong += counts[HASTEN_HEAP_live].bytes != live[k];
            }
        }
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK(sites.peak_bytes == peak);
    hasten_sites_done(&sites);
}

/* Whatever cannot be had, what is known stays right, and new stacks fall to their callers. */
static void test_no_memory(void) {
    for (size_t fail_at = 1; fail_at < 12; fail_at++) {
        struct failing_allocator memory;
        failing_allocator_init(&memory, fail_at, true);
        struct hasten_sites sites;
        hasten_sites_init(&sites, &memory.allocator);
        uint32_t root = hasten_sites_root(&sites, 0);
        double sum = 0;
        for (uint32_t i = 0; root != HASTEN_SITES_NONE && i < 200; i++) {
            bool is_new;
            uint32_t node = hasten_sites_child(&sites, root, i, 0, &is_new);
            uint32_t site = hasten_sites_at(&sites, node);
            CHECK(node < sites.node_count);
            if (site != HASTEN_SITES_NONE) {
                hasten_sites_allocated(&sites, site, (struct hasten_heap_amount){1, 1});
                sum++;
            }
        }
        CHECK(sites.live.bytes == sum);
        hasten_sites_done(&sites);
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
    }
}

int main(void) {
    test_tree();
    test_counts();
    test_peak();
    test_no_memory();
    return check_done();
}
