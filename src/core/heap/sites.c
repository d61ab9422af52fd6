/* SPDX-License-Identifier: MIT
 *
 * Stacks and their accounts. What was alive at the peak is known without ever copying
 * all accounts: a peak only gets a number, and a site keeps what it had at the last peak
 * when it changes for the first time after it. */
#include "core/heap/sites.h"

void hasten_sites_init(struct hasten_sites *sites, const struct hasten_allocator *allocator) {
    *sites = (struct hasten_sites){.allocator = allocator};
    hasten_map_init(&sites->children, allocator);
}

void hasten_sites_done(struct hasten_sites *sites) {
    const struct hasten_allocator *allocator = sites->allocator;
    hasten_release(allocator, sites->nodes, sites->node_capacity * sizeof *sites->nodes);
    hasten_release(allocator, sites->sites, sites->site_capacity * sizeof *sites->sites);
    hasten_map_done(&sites->children);
    hasten_sites_init(sites, allocator);
}

static uint32_t add_node(struct hasten_sites *sites, uint32_t parent, uint32_t code,
                         uint64_t place) {
    void *nodes = sites->nodes;
    if (hasten_grow(sites->allocator, &nodes, &sites->node_capacity, sites->node_count + 1,
                    sizeof *sites->nodes) != 0) {
        return HASTEN_SITES_NONE;
    }
    sites->nodes = nodes;
    uint32_t index = (uint32_t)sites->node_count++;
    sites->nodes[index] = (struct hasten_heap_node){
        .place = place,
        .parent = parent == HASTEN_SITES_NONE ? index : parent,
        .code = code,
        .site = HASTEN_SITES_NONE,
    };
    return index;
}

uint32_t hasten_sites_root(struct hasten_sites *sites, uint32_t thread) {
    return add_node(sites, HASTEN_SITES_NONE, thread, 0);
}

uint32_t hasten_sites_child(struct hasten_sites *sites, uint32_t parent, uint32_t code,
                            uint64_t place, bool *ret_new) {
    struct hasten_map_key key = {.low = (uint64_t)parent << 32 | code, .high = place};
    const uint32_t *known = hasten_map_find(&sites->children, key);
    *ret_new = false;
    if (known != NULL) {
        return *known;
    }
    if (sites->node_count >= HASTEN_SITES_NODES_MAX) {
        sites->folded = true;
        return parent;
    }
    uint32_t index = add_node(sites, parent, code, place);
    if (index == HASTEN_SITES_NONE) {
        sites->folded = true;
        return parent;
    }
    if (hasten_map_insert(&sites->children, key, index, NULL) == NULL) {
        sites->node_count--;
        sites->folded = true;
        return parent;
    }
    *ret_new = true;
    return index;
}

uint32_t hasten_sites_at(struct hasten_sites *sites, uint32_t node) {
    if (sites->nodes[node].site != HASTEN_SITES_NONE) {
        return sites->nodes[node].site;
    }
    void *array = sites->sites;
    if (hasten_grow(sites->allocator, &array, &sites->site_capacity, sites->site_count + 1,
                    sizeof *sites->sites) != 0) {
        return HASTEN_SITES_NONE;
    }
    sites->sites = array;
    uint32_t index = (uint32_t)sites->site_count++;
    sites->sites[index] =
        (struct hasten_heap_site){.peak_number = sites->peak_number, .node = node};
    sites->nodes[node].site = index;
    return index;
}

/* Before what is alive at the site changes. */
static void keep_peak(const struct hasten_sites *sites, struct hasten_heap_site *site) {
    if (site->peak_number != sites->peak_number) {
        site->counts[HASTEN_HEAP_peak] = site->counts[HASTEN_HEAP_live];
        site->peak_number = sites->peak_number;
    }
}

static void add(struct hasten_heap_amount *sum, struct hasten_heap_amount amount, double sign) {
    sum->bytes += sign * amount.bytes;
    sum->blocks += sign * amount.blocks;
}

void hasten_sites_allocated(struct hasten_sites *sites, uint32_t index,
                            struct hasten_heap_amount amount) {
    struct hasten_heap_site *site = &sites->sites[index];
    keep_peak(sites, site);
    add(&site->counts[HASTEN_HEAP_allocated], amount, 1);
    add(&site->counts[HASTEN_HEAP_live], amount, 1);
    add(&sites->live, amount, 1);
    if (sites->live.bytes > sites->peak_bytes) {
        sites->peak_bytes = sites->live.bytes;
        sites->peak_number++;
    }
}

void hasten_sites_freed(struct hasten_sites *sites, uint32_t index,
                        struct hasten_heap_amount amount, bool soon) {
    struct hasten_heap_site *site = &sites->sites[index];
    keep_peak(sites, site);
    add(&site->counts[HASTEN_HEAP_live], amount, -1);
    add(&sites->live, amount, -1);
    if (soon) {
        add(&site->counts[HASTEN_HEAP_temporary], amount, 1);
    }
}

void hasten_sites_counts(const struct hasten_sites *sites, uint32_t index,
                         struct hasten_heap_amount ret_counts[HASTEN_HEAP_COUNTS]) {
    const struct hasten_heap_site *site = &sites->sites[index];
    for (int i = 0; i < HASTEN_HEAP_COUNTS; i++) {
        ret_counts[i] = site->counts[i];
    }
    if (site->peak_number != sites->peak_number) {
        ret_counts[HASTEN_HEAP_peak] = site->counts[HASTEN_HEAP_live];
    }
}
