/* SPDX-License-Identifier: MIT
 *
 * From survivors to groups, in a few passes over the objects. */
#include "ext/leaks/groups.h"

#include <string.h>

#include "core/base/hash.h"

/* What counts as held in chains: at most so many, each of at least so many objects. */
#define MOST_CHAINS 4
#define LEAST_CHAIN 100
/* Of a holder's edges. */
#define MOST_LOOKED_AT 256

static bool make_room(struct hasten_leaks_groups *groups) {
    size_t nodes = groups->analysis->heap->node_count;
    groups->groups = hasten_allocate(NULL, nodes * sizeof *groups->groups);
    groups->weights = hasten_allocate_zeroed(NULL, nodes * sizeof *groups->weights);
    groups->calls = hasten_allocate_zeroed(NULL, nodes * sizeof *groups->calls);
    groups->seen = hasten_allocate_zeroed(NULL, nodes * sizeof *groups->seen);
    if (groups->groups == NULL || groups->weights == NULL || groups->calls == NULL ||
        groups->seen == NULL) {
        return false;
    }
    memset(groups->groups, 0xff, nodes * sizeof *groups->groups); /* HASTEN_HEAP_NONE */
    return true;
}

void hasten_leaks_groups_done(struct hasten_leaks_groups *groups) {
    size_t nodes = groups->analysis->heap->node_count;
    hasten_release(NULL, groups->groups, nodes * sizeof *groups->groups);
    hasten_release(NULL, groups->weights, nodes * sizeof *groups->weights);
    hasten_release(NULL, groups->calls, nodes * sizeof *groups->calls);
    hasten_release(NULL, groups->seen, nodes * sizeof *groups->seen);
    hasten_release(NULL, groups->items, groups->capacity * sizeof *groups->items);
    hasten_map_done(&groups->numbers);
}

static struct hasten_map_key hash_text(struct hasten_map_key seed, struct hasten_buffer *text) {
    struct hasten_map_key hash = hasten_hash(seed, text->data, text->size);
    hash.low |= 1; /* zero stands for none */
    return hash;
}

/* How a root is called. */
static struct hasten_map_key call_of_root(const struct hasten_leaks_analysis *analysis,
                                          uint32_t node, struct hasten_buffer *text) {
    const struct hasten_leaks_root *root = hasten_leaks_root_at(analysis, node);
    hasten_buffer_clear(text);
    if (root != NULL) {
        hasten_leaks_root_name(root, text);
    } else {
        hasten_leaks_type_name(Py_TYPE(hasten_leaks_object(analysis->heap, node)), text);
    }
    return hash_text((struct hasten_map_key){0, 0}, text);
}

static struct hasten_map_key call_of_step(const struct hasten_leaks_groups *groups, uint32_t holder,
                                          uint32_t held, struct hasten_buffer *text) {
    hasten_buffer_clear(text);
    (void)hasten_leaks_step_name(groups->analysis, holder, held, true, text);
    return hash_text(groups->calls[holder], text);
}

/* Fills in `calls` for a node and those above it. Chains can be long: first down to
 * what is known, turning a list of the way back. */
static bool call(struct hasten_leaks_groups *groups, uint32_t node, struct hasten_buffer *text) {
    const uint32_t *parents = groups->analysis->paths.parents;
    uint32_t *way = NULL;
    size_t count = 0;
    size_t capacity = 0;
    uint32_t at = node;
    for (; groups->calls[at].low == 0 && parents[at] != at; at = parents[at]) {
        void *larger = way;
        if (hasten_grow(NULL, &larger, &capacity, count + 1, sizeof *way) < 0) {
            hasten_release(NULL, way, capacity * sizeof *way);
            return false;
        }
        way = larger;
        way[count++] = at;
    }
    if (groups->calls[at].low == 0) {
        groups->calls[at] = call_of_root(groups->analysis, at, text);
    }
    for (; count > 0; count--) {
        groups->calls[way[count - 1]] = call_of_step(groups, at, way[count - 1], text);
        at = way[count - 1];
    }
    hasten_release(NULL, way, capacity * sizeof *way);
    return true;
}

static uint32_t group_called(struct hasten_leaks_groups *groups, struct hasten_map_key name,
                             uint32_t sample) {
    bool is_new = false;
    uint32_t *number = hasten_map_insert(&groups->numbers, name, (uint32_t)groups->count, &is_new);
    if (number == NULL || !is_new) {
        return number == NULL ? HASTEN_HEAP_NONE : *number;
    }
    void *items = groups->items;
    if (hasten_grow(NULL, &items, &groups->capacity, groups->count + 1, sizeof *groups->items) <
        0) {
        return HASTEN_HEAP_NONE;
    }
    groups->items = items;
    groups->items[groups->count] = (struct hasten_leaks_group){
        .sample = sample,
        .growth = HASTEN_GROWTH_LEVELLED,
    };
    return (uint32_t)groups->count++;
}

static uint64_t extent_then(const struct hasten_heap *heap, uint32_t node, size_t which) {
    uint32_t extent = heap->past[node].extents[which];
    return extent == HASTEN_HEAP_NONE ? 0 : extent;
}

/* Whether what it holds came at different times: it collects. Where all of it
 * came at once, another object may lie where an older one lay. */
static bool collects(const struct hasten_leaks_groups *groups, uint32_t holder) {
    const struct hasten_heap *heap = groups->analysis->heap;
    uint32_t first = heap->nodes[holder].edges;
    uint32_t end = hasten_heap_edges_end(heap, holder);
    uint32_t birth = HASTEN_HEAP_NONE;
    for (uint32_t edge = first; edge < end && edge - first < MOST_LOOKED_AT; edge++) {
        uint32_t held = heap->edges[edge];
        if (heap->nodes[held].references != 1 && hasten_leaks_is_old(groups, held)) {
            continue; /* shared by many: None, numbers, types */
        }
        if (birth != HASTEN_HEAP_NONE && birth != heap->past[held].birth) {
            return true;
        }
        birth = heap->past[held].birth;
    }
    return birth == HASTEN_HEAP_NONE || end - first > MOST_LOOKED_AT;
}

static void count_holder(struct hasten_leaks_groups *groups, struct hasten_leaks_group *group,
                         uint32_t holder) {
    const struct hasten_heap *heap = groups->analysis->heap;
    if (groups->has_references && !groups->seen[holder] &&
        (group->is_own || collects(groups, holder))) {
        group->sizes.early += extent_then(heap, holder, groups->early);
        group->sizes.middle += extent_then(heap, holder, groups->middle);
        group->sizes.now += hasten_heap_extent(heap, holder);
    }
    groups->seen[holder] = true;
}

/* The group of something that an old object holds, or a root. */
static uint32_t group_of_top(struct hasten_leaks_groups *groups, uint32_t node,
                             struct hasten_buffer *text) {
    const struct hasten_leaks_analysis *analysis = groups->analysis;
    uint32_t holder = analysis->paths.parents[node];
    if (holder == node) {
        return group_called(groups, call_of_root(analysis, node, text), node);
    }
    if (!call(groups, holder, text)) {
        return HASTEN_HEAP_NONE;
    }
    hasten_buffer_clear(text);
    enum hasten_leaks_step step = hasten_leaks_step_name(analysis, holder, node, true, text);
    bool is_item = step == HASTEN_STEP_ITEM;
    if (is_item) { /* one group, whatever the keys */
        hasten_buffer_clear(text);
        hasten_buffer_text(text, "[*]");
    }
    uint32_t group = group_called(groups, hash_text(groups->calls[holder], text), node);
    if (group != HASTEN_HEAP_NONE && is_item) {
        groups->items[group].is_container = true;
        count_holder(groups, &groups->items[group], holder);
    }
    return group;
}

static uint32_t cohort_of(const struct hasten_leaks_groups *groups, uint32_t birth) {
    return (uint32_t)((uint64_t)(birth - 1) * groups->cohorts / groups->iterations);
}

static void count_survivor(struct hasten_leaks_groups *groups, struct hasten_leaks_group *group,
                           uint32_t node) {
    const struct hasten_heap *heap = groups->analysis->heap;
    uint32_t birth = heap->past[node].birth;
    if (birth <= groups->iterations) { /* else in use right now */
        uint32_t cohort = cohort_of(groups, birth);
        group->counts[cohort]++;
        group->bytes[cohort] += hasten_heap_bytes(heap, node);
        group->count_sum++;
        group->byte_sum += hasten_heap_bytes(heap, node);
    }
}

/* Few things hold all of it, one the other (a linked list): the holder's size says
 * nothing. */
static bool is_chained(const struct hasten_leaks_group *group) {
    return group->tops <= MOST_CHAINS && group->count_sum >= group->tops * LEAST_CHAIN;
}

/* Came after the early mark, with which sizes are compared. */
static bool is_late(const struct hasten_leaks_groups *groups, uint32_t node) {
    const struct hasten_leaks_analysis *analysis = groups->analysis;
    return groups->has_references &&
           analysis->heap->past[node].birth > analysis->watcher->history.referred[groups->early];
}

/* Holders come before what they hold. Below a survivor everything is of its group:
 * what looks older there may only lie where something older lay. */
static bool group_survivors(struct hasten_leaks_groups *groups, struct hasten_buffer *text) {
    const struct hasten_routes *paths = &groups->analysis->paths;
    for (size_t i = 0; i < paths->reached; i++) {
        uint32_t node = paths->order[i];
        bool is_old = hasten_leaks_is_old(groups, node);
        uint32_t group = groups->groups[paths->parents[node]];
        if (group == HASTEN_HEAP_NONE && is_old) {
            continue;
        }
        if (group == HASTEN_HEAP_NONE) {
            group = group_of_top(groups, node, text);
            if (group == HASTEN_HEAP_NONE) {
                return false;
            }
            groups->items[group].tops++;
            groups->items[group].late_tops += is_late(groups, node);
        }
        groups->groups[node] = group;
        if (!is_old) {
            count_survivor(groups, &groups->items[group], node);
        }
    }
    return true;
}

static bool is_top(const struct hasten_leaks_groups *groups, uint32_t node) {
    uint32_t parent = groups->analysis->paths.parents[node];
    return parent == node || groups->groups[parent] == HASTEN_HEAP_NONE;
}

/* Weights from the leaves up, and of each group the heaviest top. */
static void weigh(struct hasten_leaks_groups *groups) {
    const struct hasten_leaks_analysis *analysis = groups->analysis;
    for (size_t i = analysis->paths.reached; i-- > 0;) {
        uint32_t node = analysis->paths.order[i];
        uint32_t number = groups->groups[node];
        if (number == HASTEN_HEAP_NONE) {
            continue;
        }
        if (!hasten_leaks_is_old(groups, node)) {
            groups->weights[node] += hasten_heap_bytes(analysis->heap, node);
        }
        if (!is_top(groups, node)) {
            groups->weights[analysis->paths.parents[node]] += groups->weights[node];
            continue;
        }
        uint32_t *sample = &groups->items[number].sample;
        bool counts = analysis->heap->past[node].birth <= groups->iterations;
        if (counts && groups->weights[node] >= groups->weights[*sample]) {
            *sample = node;
        }
    }
}

/* Old objects that grow although nothing new is in them: numbers, bytes. */
static bool group_own(struct hasten_leaks_groups *groups, struct hasten_buffer *text) {
    const struct hasten_leaks_analysis *analysis = groups->analysis;
    const struct hasten_heap *heap = analysis->heap;
    for (size_t i = 0; groups->has_references && i < analysis->paths.reached; i++) {
        uint32_t node = analysis->paths.order[i];
        uint32_t before = heap->past[node].extents[groups->early];
        uint32_t extent = hasten_heap_extent(heap, node);
        if (groups->seen[node] || groups->groups[node] != HASTEN_HEAP_NONE ||
            before == HASTEN_HEAP_NONE || extent <= before + 8) {
            continue;
        }
        bool has_edges = hasten_heap_edges_end(heap, node) > heap->nodes[node].edges;
        uint64_t bytes =
            (uint64_t)(extent - before) * (has_edges ? sizeof(void *) : HASTEN_HEAP_GRAIN);
        if (!call(groups, node, text)) {
            return false;
        }
        /* Apart from the group of what it holds, which may be called the same. */
        struct hasten_map_key name = groups->calls[node];
        name.high = ~name.high;
        uint32_t number = group_called(groups, name, node);
        if (number == HASTEN_HEAP_NONE) {
            return false;
        }
        struct hasten_leaks_group *group = &groups->items[number];
        group->is_own = true;
        group->is_container = true;
        group->byte_sum += bytes;
        group->count_sum += has_edges ? extent - before : 0;
        count_holder(groups, group, node);
    }
    return true;
}

/* What nothing holds but itself. Garbage as long as the collector runs. */
static bool group_garbage(struct hasten_leaks_groups *groups) {
    const struct hasten_leaks_analysis *analysis = groups->analysis;
    const struct hasten_heap *heap = analysis->heap;
    struct hasten_leaks_group *group = NULL;
    for (size_t i = 0; i < heap->node_count; i++) {
        uint32_t node = (uint32_t)i;
        if (analysis->paths.parents[i] != HASTEN_HEAP_NONE) {
            continue;
        }
        groups->garbage_bytes += hasten_heap_bytes(heap, node);
        if (analysis->watcher->collector_was_on || hasten_leaks_is_old(groups, node)) {
            continue;
        }
        uint32_t number = group_called(groups, (struct hasten_map_key){1, 0}, node);
        if (number == HASTEN_HEAP_NONE) {
            return false;
        }
        group = &groups->items[number];
        group->is_garbage = true;
        groups->groups[node] = number;
        count_survivor(groups, group, node);
        const struct hasten_leaks_type *types = analysis->watcher->types.items;
        if (types[heap->nodes[node].type].is_programs &&
            !types[heap->nodes[group->sample].type].is_programs) {
            group->sample = node;
        }
    }
    return true;
}

static void keep_content(struct hasten_leaks_group *group, struct hasten_leaks_content content) {
    size_t at = HASTEN_LEAKS_CONTENTS;
    while (at > 0 && content.bytes > group->contents[at - 1].bytes) {
        if (at < HASTEN_LEAKS_CONTENTS) {
            group->contents[at] = group->contents[at - 1];
        }
        at--;
    }
    if (at < HASTEN_LEAKS_CONTENTS) {
        group->contents[at] = content;
    }
}

static bool may_grow(const struct hasten_leaks_group *group) {
    return group->growth == HASTEN_GROWTH_GROWING || group->growth == HASTEN_GROWTH_TOO_FEW;
}

/* Types of what the groups that still count hold. */
static bool count_contents(struct hasten_leaks_groups *groups) {
    const struct hasten_heap *heap = groups->analysis->heap;
    struct hasten_leaks_content *contents = NULL;
    uint32_t *owners = NULL;
    size_t count = 0;
    size_t capacity = 0;
    size_t owner_capacity = 0;
    struct hasten_map numbers;
    bool counted = true;
    hasten_map_init(&numbers, NULL);
    for (size_t i = 0; counted && i < heap->node_count; i++) {
        uint32_t owner = groups->groups[i];
        if (owner == HASTEN_HEAP_NONE || !may_grow(&groups->items[owner]) ||
            heap->past[i].birth > groups->iterations || hasten_leaks_is_old(groups, (uint32_t)i)) {
            continue;
        }
        bool is_new = false;
        struct hasten_map_key key = {.low = owner, .high = heap->nodes[i].type};
        uint32_t *number = hasten_map_insert(&numbers, key, (uint32_t)count, &is_new);
        void *items = contents;
        void *owner_items = owners;
        counted = number != NULL &&
                  hasten_grow(NULL, &items, &capacity, count + 1, sizeof *contents) == 0;
        contents = items;
        counted = counted &&
                  hasten_grow(NULL, &owner_items, &owner_capacity, count + 1, sizeof *owners) == 0;
        owners = owner_items;
        if (counted && is_new) {
            contents[count] = (struct hasten_leaks_content){.type = heap->nodes[i].type};
            owners[count++] = owner;
        }
        if (counted) {
            contents[*number].count++;
            contents[*number].bytes += hasten_heap_bytes(heap, (uint32_t)i);
        }
    }
    for (size_t i = 0; counted && i < count; i++) {
        keep_content(&groups->items[owners[i]], contents[i]);
    }
    hasten_map_done(&numbers);
    hasten_release(NULL, contents, capacity * sizeof *contents);
    hasten_release(NULL, owners, owner_capacity * sizeof *owners);
    return counted;
}

/* Where the holder has no size of its own: are there more of what it holds? */
static enum hasten_growth growth_of_type(const struct hasten_leaks_groups *groups,
                                         const struct hasten_leaks_group *group) {
    const struct hasten_leaks_content *most = &group->contents[0];
    for (size_t i = 1; i < HASTEN_LEAKS_CONTENTS; i++) {
        most = group->contents[i].count > most->count ? &group->contents[i] : most;
    }
    const struct hasten_leaks_type *type = &groups->analysis->watcher->types.items[most->type];
    struct hasten_growth_sizes sizes = group->sizes;
    sizes.early = type->counts[groups->early];
    sizes.middle = type->counts[groups->middle];
    sizes.now = type->count;
    return hasten_growth_of_sizes(&sizes);
}

/* Its holders must have grown by as much as was put there, or nearly: else it was put
 * in another's place. What grows by itself has no survivors that tell of each
 * iteration: it must have grown in both parts, not at once. */
static enum hasten_growth growth_of_holders(const struct hasten_leaks_group *group) {
    const struct hasten_growth_sizes *sizes = &group->sizes;
    if (group->is_own && sizes->middle <= sizes->early) {
        return HASTEN_GROWTH_LEVELLED;
    }
    if (!group->is_own && sizes->now < sizes->early + group->late_tops / 2) {
        return HASTEN_GROWTH_REPLACED;
    }
    return hasten_growth_of_sizes(sizes);
}

static bool judge(struct hasten_leaks_groups *groups) {
    const struct hasten_history *history = &groups->analysis->watcher->history;
    for (size_t i = 0; i < groups->count; i++) {
        struct hasten_leaks_group *group = &groups->items[i];
        if (groups->has_references) {
            group->sizes.first_iterations =
                history->referred[groups->middle] - history->referred[groups->early];
            group->sizes.last_iterations = groups->iterations - history->referred[groups->middle];
        }
        group->growth = group->is_own ? hasten_growth_of_sizes(&group->sizes)
                                      : hasten_growth_of_survivors(group->counts, groups->cohorts);
        group->by_size = group->is_own || (group->is_container && !is_chained(group));
        if (group->growth == HASTEN_GROWTH_GROWING && group->by_size && groups->has_references) {
            group->growth = growth_of_holders(group);
        }
    }
    if (!count_contents(groups)) {
        return false;
    }
    for (size_t i = 0; i < groups->count; i++) {
        struct hasten_leaks_group *group = &groups->items[i];
        if (group->growth == HASTEN_GROWTH_GROWING && !group->by_size && groups->has_references) {
            group->growth = growth_of_type(groups, group);
        }
    }
    return true;
}

bool hasten_leaks_group(struct hasten_leaks_groups *groups,
                        const struct hasten_leaks_analysis *analysis) {
    const struct hasten_history *history = &analysis->watcher->history;
    uint32_t iterations = history->marks > 0 ? history->marks - 1 : 0;
    *groups = (struct hasten_leaks_groups){
        .analysis = analysis,
        .iterations = iterations,
        .cohorts = iterations < HASTEN_LEAKS_COHORTS ? iterations : HASTEN_LEAKS_COHORTS,
        .warm = iterations / 4,
    };
    hasten_map_init(&groups->numbers, NULL);
    if (iterations >= HASTEN_GROWTH_LEAST) {
        groups->has_references =
            hasten_history_references(history, &groups->early, &groups->middle);
    }
    struct hasten_buffer text;
    hasten_buffer_init(&text, NULL);
    bool made = make_room(groups) && group_survivors(groups, &text) && group_own(groups, &text) &&
                group_garbage(groups);
    hasten_buffer_done(&text);
    if (!made) {
        return false;
    }
    weigh(groups);
    return judge(groups);
}
