/* SPDX-License-Identifier: MIT
 *
 * Sums the metrics of the heap by site, and sites by what they have in common. */
#include "core/report/memory_sums.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/allocator.h"
#include "core/base/map.h"
#include "core/report/facts.h"
#include "core/report/numbers.h"
#include "core/report/paths.h"

/* Samples below which a sum says little: its error is above a third. */
#define FEW_SAMPLES 8

struct work {
    struct hasten_memory *memory;
    struct hasten_metric_role *roles; /* by metric */
    uint32_t *own_line;               /* by node: line row of the nearest own frame, HASTEN_NONE */
    uint8_t *own_rank;                /* by node: of the code that the line is in */
    uint8_t *ranks;                   /* by function */
    struct hasten_map site;           /* (own line, line, native) -> site */
};

static void add(int64_t *sum, int64_t amount) {
    int64_t result = 0;
    if (__builtin_add_overflow(*sum, amount, &result)) {
        result = amount < 0 ? INT64_MIN : INT64_MAX;
    }
    *sum = result;
}

static bool is_native(const struct hasten_code *code) {
    return code->first_line == -1 && code->linetable_size == 0;
}

/* False where no metric is one of memory. */
static bool find_roles(struct work *work) {
    const struct hasten_profile *profile = work->memory->aggregate->profile;
    bool found = false;
    for (size_t i = 0; i < profile->metric_count; i++) {
        work->roles[i] = hasten_metric_role_of(profile, i);
        found = found || work->roles[i].role == HASTEN_ROLE_MEMORY;
    }
    return found;
}

/* How much it helps to know a line: not, code without a file that may be the program's
 * own (`-c`, but also what exec makes), a file of its own. */
enum { RANK_NONE, RANK_TEXT, RANK_FILE };

/* Parents come before their children, so one pass tells the nearest own frame, and of
 * those one in a file where there is one. */
static void find_own_lines(struct work *work) {
    const struct hasten_aggregate *aggregate = work->memory->aggregate;
    const struct hasten_profile *profile = aggregate->profile;
    for (size_t i = 0; i < profile->function_count; i++) {
        const char *file = profile->strings[profile->functions[i].file];
        bool is_own = hasten_path_origin(file) == HASTEN_ORIGIN_OWN;
        work->ranks[i] = !is_own ? RANK_NONE : file[0] == '<' ? RANK_TEXT : RANK_FILE;
    }
    for (size_t i = 0; i < profile->node_count; i++) {
        const struct hasten_node *node = &profile->nodes[i];
        work->own_line[i] = i == 0 ? HASTEN_NONE : work->own_line[node->parent];
        work->own_rank[i] = i == 0 ? RANK_NONE : work->own_rank[node->parent];
        if (i == 0 || is_native(&profile->codes[node->code])) {
            continue;
        }
        uint8_t rank = work->ranks[profile->codes[node->code].function];
        if (rank > RANK_NONE && rank >= work->own_rank[i]) {
            work->own_line[i] = aggregate->node_line[i];
            work->own_rank[i] = rank;
        }
    }
}

/* The site of a node, new or known; NULL where memory ran out. */
static struct hasten_memory_site *find_site(struct work *work, uint32_t node) {
    struct hasten_memory *memory = work->memory;
    const struct hasten_profile *profile = memory->aggregate->profile;
    struct hasten_memory_site site = {.native = HASTEN_NONE, .line = HASTEN_NONE};
    while (node != 0 && is_native(&profile->codes[profile->nodes[node].code])) {
        uint32_t function = profile->codes[profile->nodes[node].code].function;
        site.native = site.native == HASTEN_NONE ? function : site.native;
        node = profile->nodes[node].parent;
    }
    site.line = memory->aggregate->node_line[node];
    site.own_line = work->own_line[node] == HASTEN_NONE ? site.line : work->own_line[node];
    void *sites = memory->sites;
    if (hasten_grow(memory->aggregate->allocator, &sites, &memory->site_capacity,
                    memory->site_count + 1, sizeof *memory->sites) != 0) {
        return NULL;
    }
    memory->sites = sites;
    struct hasten_map_key key = {(uint64_t)site.own_line << 32 | site.line, site.native};
    bool inserted = false;
    const uint32_t *index =
        hasten_map_insert(&work->site, key, (uint32_t)memory->site_count, &inserted);
    if (index == NULL) {
        return NULL;
    }
    if (inserted) {
        memory->sites[memory->site_count++] = site;
    }
    return &memory->sites[*index];
}

static void add_to_row(struct hasten_memory_row *row, const struct hasten_metric_role *role,
                       bool is_native_part, int64_t amount) {
    struct hasten_memory_amount *all = &row->all[role->memory];
    struct hasten_memory_amount *native = &row->native[role->memory];
    add(role->is_blocks ? &all->blocks : &all->bytes, amount);
    if (is_native_part) {
        add(role->is_blocks ? &native->blocks : &native->bytes, amount);
    }
}

static hasten_status sum_values(struct work *work) {
    struct hasten_memory *memory = work->memory;
    const struct hasten_profile *profile = memory->aggregate->profile;
    for (size_t i = 0; i < profile->value_count; i++) {
        const struct hasten_value *value = &profile->values[i];
        const struct hasten_metric_role *role = &work->roles[value->metric];
        if (role->role != HASTEN_ROLE_MEMORY || value->amount == 0) {
            continue;
        }
        struct hasten_memory_site *site = find_site(work, value->node);
        if (site == NULL) {
            return HASTEN_NO_MEMORY;
        }
        struct hasten_memory_amount *amount = &site->amounts[role->memory];
        add(role->is_blocks ? &amount->blocks : &amount->bytes, value->amount);
        uint32_t process = profile->threads[value->thread].process;
        bool native = site->native != HASTEN_NONE;
        add_to_row(&memory->threads[value->thread], role, native, value->amount);
        add_to_row(&memory->processes[process].row, role, native, value->amount);
        memory->has_heap = true;
    }
    return HASTEN_OK;
}

static void drop_negative(struct hasten_memory_amount *amount) {
    amount->bytes = amount->bytes < 0 ? 0 : amount->bytes;
    amount->blocks = amount->blocks < 0 ? 0 : amount->blocks;
}

static void drop_negative_row(struct hasten_memory_row *row) {
    for (size_t kind = 0; kind < HASTEN_MEMORY_KIND_COUNT; kind++) {
        struct hasten_memory_amount *all = &row->all[kind];
        struct hasten_memory_amount *native = &row->native[kind];
        drop_negative(all);
        drop_negative(native);
        native->bytes = native->bytes < all->bytes ? native->bytes : all->bytes;
        native->blocks = native->blocks < all->blocks ? native->blocks : all->blocks;
    }
}

static void add_site(struct hasten_memory_row *row, const struct hasten_memory_site *site) {
    for (size_t kind = 0; kind < HASTEN_MEMORY_KIND_COUNT; kind++) {
        const struct hasten_memory_amount *amount = &site->amounts[kind];
        add(&row->all[kind].bytes, amount->bytes);
        add(&row->all[kind].blocks, amount->blocks);
        if (site->native != HASTEN_NONE) {
            add(&row->native[kind].bytes, amount->bytes);
            add(&row->native[kind].blocks, amount->blocks);
        }
    }
}

static hasten_status add_to_group(const struct hasten_memory *memory, struct hasten_map *keys,
                                  struct hasten_memory_groups *groups, uint32_t group_key,
                                  const struct hasten_memory_site *site) {
    void *items = groups->items;
    if (hasten_grow(memory->aggregate->allocator, &items, &groups->capacity, groups->count + 1,
                    sizeof *groups->items) != 0) {
        return HASTEN_NO_MEMORY;
    }
    groups->items = items;
    bool inserted = false;
    const uint32_t *index = hasten_map_insert(keys, (struct hasten_map_key){group_key, 0},
                                              (uint32_t)groups->count, &inserted);
    if (index == NULL) {
        return HASTEN_NO_MEMORY;
    }
    if (inserted) {
        groups->items[groups->count++] = (struct hasten_memory_group){.key = group_key};
    }
    add_site(&groups->items[*index].row, site);
    return HASTEN_OK;
}

static hasten_status group_sites(struct hasten_memory *memory) {
    hasten_status status = HASTEN_OK;
    struct hasten_map own_lines, lines, natives;
    hasten_map_init(&own_lines, memory->aggregate->allocator);
    hasten_map_init(&lines, memory->aggregate->allocator);
    hasten_map_init(&natives, memory->aggregate->allocator);
    for (size_t i = 0; i < memory->site_count && status == HASTEN_OK; i++) {
        struct hasten_memory_site *site = &memory->sites[i];
        for (size_t kind = 0; kind < HASTEN_MEMORY_KIND_COUNT; kind++) {
            drop_negative(&site->amounts[kind]);
        }
        add_site(&memory->sum, site);
        status = add_to_group(memory, &own_lines, &memory->own_lines, site->own_line, site);
        if (status == HASTEN_OK) {
            status = add_to_group(memory, &lines, &memory->lines, site->line, site);
        }
        if (status == HASTEN_OK && site->native != HASTEN_NONE) {
            status = add_to_group(memory, &natives, &memory->natives, site->native, site);
        }
    }
    hasten_map_done(&own_lines);
    hasten_map_done(&lines);
    hasten_map_done(&natives);
    return status;
}

static void look_at_series(struct hasten_memory *memory) {
    const struct hasten_profile *profile = memory->aggregate->profile;
    for (size_t i = 0; i < profile->series_count; i++) {
        const struct hasten_series *series = &profile->series[i];
        struct hasten_memory_process *process = &memory->processes[series->process];
        struct hasten_memory_moment *moment = NULL;
        if (strcmp(profile->strings[series->name], HASTEN_SERIES_RSS) == 0) {
            moment = &process->rss;
        } else if (strcmp(profile->strings[series->name], HASTEN_SERIES_HEAP) == 0) {
            moment = &process->heap;
        }
        for (size_t k = 0; moment != NULL && k < series->point_count; k++) {
            const struct hasten_point *point = &series->points[k];
            memory->has_series = true;
            if (!moment->is_known || point->value > moment->bytes) {
                *moment = (struct hasten_memory_moment){true, point->time_ns, point->value};
            }
        }
    }
}

static void find_largest_process(struct hasten_memory *memory) {
    int64_t most = 0;
    for (size_t i = 0; i < memory->aggregate->profile->process_count; i++) {
        drop_negative_row(&memory->processes[i].row);
        int64_t bytes = memory->processes[i].row.all[HASTEN_MEMORY_PEAK].bytes;
        if (bytes > most) {
            most = bytes;
            memory->largest_process = (uint32_t)i;
        }
    }
    for (size_t i = 0; i < memory->aggregate->profile->thread_count; i++) {
        drop_negative_row(&memory->threads[i]);
    }
}

static void look_at_facts(struct hasten_memory *memory) {
    uint64_t interval_bytes = 0;
    memory->mode = hasten_profile_fact(memory->aggregate->profile, "memory.mode");
    memory->is_sampled = memory->mode != NULL && strcmp(memory->mode, "sampled") == 0;
    const char *interval = hasten_profile_fact(memory->aggregate->profile, "memory.interval_bytes");
    if (memory->is_sampled && hasten_number_parse(interval, &interval_bytes)) {
        memory->interval_bytes =
            interval_bytes < INT64_MAX / 8 ? (int64_t)interval_bytes : INT64_MAX / 8;
    }
}

hasten_status hasten_memory_init(struct hasten_memory *memory,
                                 const struct hasten_aggregate *aggregate) {
    const struct hasten_profile *profile = aggregate->profile;
    const struct hasten_allocator *allocator = aggregate->allocator;
    *memory = (struct hasten_memory){.aggregate = aggregate, .largest_process = HASTEN_NONE};
    struct work work = {.memory = memory};
    hasten_map_init(&work.site, allocator);
    hasten_status status = HASTEN_NO_MEMORY;
    memory->threads =
        hasten_allocate_zeroed(allocator, profile->thread_count * sizeof *memory->threads);
    memory->processes =
        hasten_allocate_zeroed(allocator, profile->process_count * sizeof *memory->processes);
    work.roles = hasten_allocate_zeroed(allocator, profile->metric_count * sizeof *work.roles);
    work.own_line = hasten_allocate(allocator, profile->node_count * sizeof *work.own_line);
    work.own_rank = hasten_allocate(allocator, profile->node_count);
    work.ranks = hasten_allocate(allocator, profile->function_count);
    if (memory->threads != NULL && memory->processes != NULL && work.roles != NULL &&
        work.own_line != NULL && work.own_rank != NULL && work.ranks != NULL) {
        look_at_facts(memory);
        look_at_series(memory);
        status = HASTEN_OK;
        if (find_roles(&work)) { /* most recordings have none, and reports are read often */
            find_own_lines(&work);
            status = sum_values(&work);
        }
    }
    if (status == HASTEN_OK) {
        find_largest_process(memory);
        status = group_sites(memory);
    }
    hasten_release(allocator, work.roles, profile->metric_count * sizeof *work.roles);
    hasten_release(allocator, work.own_line, profile->node_count * sizeof *work.own_line);
    hasten_release(allocator, work.own_rank, profile->node_count);
    hasten_release(allocator, work.ranks, profile->function_count);
    hasten_map_done(&work.site);
    if (status != HASTEN_OK) {
        hasten_memory_done(memory);
    }
    return status;
}

static void release_groups(const struct hasten_allocator *allocator,
                           struct hasten_memory_groups *groups) {
    hasten_release(allocator, groups->items, groups->capacity * sizeof *groups->items);
    *groups = (struct hasten_memory_groups){0};
}

void hasten_memory_done(struct hasten_memory *memory) {
    const struct hasten_profile *profile = memory->aggregate->profile;
    const struct hasten_allocator *allocator = memory->aggregate->allocator;
    hasten_release(allocator, memory->threads, profile->thread_count * sizeof *memory->threads);
    hasten_release(allocator, memory->processes,
                   profile->process_count * sizeof *memory->processes);
    hasten_release(allocator, memory->sites, memory->site_capacity * sizeof *memory->sites);
    release_groups(allocator, &memory->own_lines);
    release_groups(allocator, &memory->lines);
    release_groups(allocator, &memory->natives);
    memory->threads = NULL;
    memory->processes = NULL;
    memory->sites = NULL;
    memory->site_count = memory->site_capacity = 0;
}

/* By Newton's method: the core does without the library of mathematics. */
static double square_root(double square) {
    double root = square > 1 ? square : 1;
    for (int i = 0; i < 64; i++) {
        root = (root + square / root) / 2;
    }
    return root;
}

double hasten_memory_error(const struct hasten_memory *memory, int64_t bytes) {
    if (memory->interval_bytes == 0 || bytes <= 0) {
        return 0;
    }
    double square = (double)memory->interval_bytes / (double)bytes;
    return square >= 1 ? 1 : square_root(square);
}

bool hasten_memory_is_noise(const struct hasten_memory *memory, int64_t bytes) {
    return memory->interval_bytes > 0 && bytes / FEW_SAMPLES < memory->interval_bytes;
}

static uint32_t largest(const int64_t *amounts, size_t count) {
    uint32_t best = HASTEN_NONE;
    int64_t most = 0;
    for (size_t i = 0; i < count; i++) {
        if (amounts[i] > most) {
            most = amounts[i];
            best = (uint32_t)i;
        }
    }
    return best;
}

uint32_t hasten_memory_through(const struct hasten_memory *memory, uint32_t own_line,
                               enum hasten_memory_kind kind, bool is_native_part) {
    const struct hasten_aggregate *aggregate = memory->aggregate;
    size_t count = aggregate->profile->function_count;
    int64_t *amounts = hasten_allocate_zeroed(aggregate->allocator, count * sizeof *amounts);
    if (amounts == NULL) {
        return HASTEN_NONE; /* the report is complete without it */
    }
    int64_t direct = 0; /* through nothing: right in the line, or by Python's allocator */
    for (size_t i = 0; i < memory->site_count; i++) {
        const struct hasten_memory_site *site = &memory->sites[i];
        uint32_t function = site->native;
        if (!is_native_part) {
            function = site->line == HASTEN_NONE || site->line == own_line
                           ? HASTEN_NONE
                           : aggregate->lines[site->line].function;
        }
        if (site->own_line == own_line) {
            add(function == HASTEN_NONE ? &direct : &amounts[function], site->amounts[kind].bytes);
        }
    }
    uint32_t best = largest(amounts, count);
    best = best != HASTEN_NONE && amounts[best] < direct ? HASTEN_NONE : best;
    hasten_release(aggregate->allocator, amounts, count * sizeof *amounts);
    return best;
}

uint32_t hasten_memory_native_line(const struct hasten_memory *memory, uint32_t native,
                                   enum hasten_memory_kind kind) {
    const struct hasten_aggregate *aggregate = memory->aggregate;
    size_t count = aggregate->line_count;
    int64_t *amounts = hasten_allocate_zeroed(aggregate->allocator, count * sizeof *amounts);
    if (amounts == NULL) {
        return HASTEN_NONE;
    }
    for (size_t i = 0; i < memory->site_count; i++) {
        const struct hasten_memory_site *site = &memory->sites[i];
        if (site->native == native && site->own_line != HASTEN_NONE) {
            add(&amounts[site->own_line], site->amounts[kind].bytes);
        }
    }
    uint32_t best = largest(amounts, count);
    hasten_release(aggregate->allocator, amounts, count * sizeof *amounts);
    return best;
}
