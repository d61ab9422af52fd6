/* SPDX-License-Identifier: MIT
 *
 * Each path of a snapshot is turned into the grouping's own once; rows then only
 * add up. */
#include "core/heap/grouping.h"

#include <stdlib.h>
#include <string.h>

void hasten_grouping_init(struct hasten_grouping *grouping, enum hasten_grouping_key key,
                          bool is_cumulative, const struct hasten_allocator *allocator) {
    memset(grouping, 0, sizeof *grouping);
    grouping->allocator = allocator;
    grouping->key = key;
    grouping->is_cumulative = is_cumulative;
    hasten_traces_init(&grouping->keys, allocator);
}

void hasten_grouping_done(struct hasten_grouping *grouping) {
    hasten_traces_done(&grouping->keys);
    hasten_release(grouping->allocator, grouping->groups,
                   grouping->group_capacity * sizeof *grouping->groups);
    hasten_release(grouping->allocator, grouping->group_of_path,
                   grouping->path_capacity * sizeof *grouping->group_of_path);
    hasten_grouping_init(grouping, grouping->key, grouping->is_cumulative, grouping->allocator);
}

/* What one snapshot's numbers are in the grouping. */
struct translation {
    uint32_t *files;
    uint32_t *paths; /* 0: not asked for yet */
};

static uint64_t key_place(const struct hasten_grouping *grouping, uint32_t file, uint64_t place) {
    uint32_t line = grouping->key == HASTEN_GROUP_BY_FILE ? 0 : hasten_traces_place_line(place);
    return hasten_traces_place(file, line);
}

/* The group of a path of the grouping; NULL where memory ran out. */
static struct hasten_group *group_of(struct hasten_grouping *grouping, uint32_t path) {
    const size_t before = grouping->path_capacity;
    if (hasten_grow(grouping->allocator, (void **)&grouping->group_of_path,
                    &grouping->path_capacity, path + (size_t)1, sizeof(uint32_t)) != 0) {
        return NULL;
    }
    memset(grouping->group_of_path + before, 0,
           (grouping->path_capacity - before) * sizeof(uint32_t));
    if (grouping->group_of_path[path] == 0) {
        if (hasten_grow(grouping->allocator, (void **)&grouping->groups, &grouping->group_capacity,
                        grouping->group_count + 1, sizeof *grouping->groups) != 0) {
            return NULL;
        }
        grouping->groups[grouping->group_count] = (struct hasten_group){.path = path};
        grouping->group_of_path[path] = (uint32_t)++grouping->group_count;
    }
    return &grouping->groups[grouping->group_of_path[path] - 1];
}

/* The grouping's path of a snapshot's; parents have smaller numbers, so that those
 * which are missing are found by going up and made by coming down. */
static hasten_status translate(struct hasten_grouping *grouping, const struct hasten_traces *traces,
                               struct translation *translation, uint32_t path, uint32_t *ret_path) {
    const struct hasten_path *items = traces->paths.items;
    while (translation->paths[path] == 0) {
        uint32_t missing = path;
        uint32_t parent = HASTEN_PATHS_ROOT;
        if (grouping->key == HASTEN_GROUP_BY_TRACEBACK) {
            while (items[missing].parent < HASTEN_PATHS_ROOT &&
                   translation->paths[items[missing].parent] == 0) {
                missing = items[missing].parent;
            }
            if (items[missing].parent < HASTEN_PATHS_ROOT) {
                parent = translation->paths[items[missing].parent];
            }
        }
        const uint64_t place = items[missing].place;
        const uint32_t file = translation->files[hasten_traces_place_file(place)];
        const uint32_t made =
            hasten_paths_add(&grouping->keys.paths, parent, key_place(grouping, file, place), file);
        if (made == 0) {
            return HASTEN_NO_MEMORY;
        }
        translation->paths[missing] = made;
    }
    *ret_path = translation->paths[path];
    return HASTEN_OK;
}

static hasten_status add_row(struct hasten_grouping *grouping, const struct hasten_traces *traces,
                             struct translation *translation, const struct hasten_traces_row *row,
                             int side) {
    uint32_t path = row->path;
    do {
        uint32_t key = 0;
        hasten_status status = translate(grouping, traces, translation, path, &key);
        if (status != HASTEN_OK) {
            return status;
        }
        struct hasten_group *group = group_of(grouping, key);
        if (group == NULL) {
            return HASTEN_NO_MEMORY;
        }
        group->size_bytes[side] += row->size_bytes * row->count;
        group->count[side] += row->count;
        path = traces->paths.items[path].parent;
    } while (grouping->is_cumulative && path < HASTEN_PATHS_ROOT);
    return HASTEN_OK;
}

hasten_status hasten_grouping_add(struct hasten_grouping *grouping,
                                  const struct hasten_traces *traces, int side) {
    const size_t files_size = (traces->file_count + 1) * sizeof(uint32_t);
    const size_t paths_size = (traces->paths.count + 1) * sizeof(uint32_t);
    struct translation translation = {
        .files = hasten_allocate(grouping->allocator, files_size),
        .paths = hasten_allocate_zeroed(grouping->allocator, paths_size),
    };
    hasten_status status =
        translation.files == NULL || translation.paths == NULL ? HASTEN_NO_MEMORY : HASTEN_OK;
    for (uint32_t i = 0; status == HASTEN_OK && i < traces->file_count; i++) {
        size_t size = 0;
        const char *name = hasten_traces_name(traces, i, &size);
        status = hasten_traces_add_file(&grouping->keys, name, size, &translation.files[i]);
    }
    for (size_t i = 0; status == HASTEN_OK && i < traces->row_count; i++) {
        status = add_row(grouping, traces, &translation, &traces->rows[i], side);
    }
    hasten_release(grouping->allocator, translation.files, files_size);
    hasten_release(grouping->allocator, translation.paths, paths_size);
    return status;
}

/* A group with what it is compared by, the oldest frame first. */
struct sorted {
    struct hasten_group group;
    const uint64_t *places; /* with the file's rank in place of its number */
    uint32_t depth;
    bool by_change;
};

static int compare_numbers(uint64_t left, uint64_t right) {
    return (left > right) - (left < right);
}

static uint64_t distance(const uint64_t sides[HASTEN_GROUPING_SIDES]) {
    return sides[0] > sides[1] ? sides[0] - sides[1] : sides[1] - sides[0];
}

static int compare_places(const struct sorted *left, const struct sorted *right) {
    uint32_t depth = left->depth < right->depth ? left->depth : right->depth;
    for (uint32_t i = 0; i < depth; i++) {
        if (left->places[i] != right->places[i]) {
            return compare_numbers(left->places[i], right->places[i]);
        }
    }
    return compare_numbers(left->depth, right->depth);
}

/* The larger first. */
static int compare_groups(const void *left_item, const void *right_item) {
    const struct sorted *right = left_item;
    const struct sorted *left = right_item;
    int order = 0;
    if (left->by_change) {
        order =
            compare_numbers(distance(left->group.size_bytes), distance(right->group.size_bytes));
    }
    if (order == 0) {
        order = compare_numbers(left->group.size_bytes[HASTEN_GROUPING_NEW],
                                right->group.size_bytes[HASTEN_GROUPING_NEW]);
    }
    if (order == 0 && left->by_change) {
        order = compare_numbers(distance(left->group.count), distance(right->group.count));
    }
    if (order == 0) {
        order = compare_numbers(left->group.count[HASTEN_GROUPING_NEW],
                                right->group.count[HASTEN_GROUPING_NEW]);
    }
    return order != 0 ? order : compare_places(left, right);
}

struct ranked {
    const char *name;
    size_t size;
    uint32_t file;
};

/* As Python compares strings: the bytes of their code are in the same order. */
static int compare_names(const void *left_item, const void *right_item) {
    const struct ranked *left = left_item;
    const struct ranked *right = right_item;
    size_t size = left->size < right->size ? left->size : right->size;
    int order = size == 0 ? 0 : memcmp(left->name, right->name, size);
    return order != 0 ? order : compare_numbers(left->size, right->size);
}

static hasten_status rank_files(const struct hasten_grouping *grouping, uint32_t *ranks) {
    const size_t count = grouping->keys.file_count;
    const size_t size = (count + 1) * sizeof(struct ranked);
    struct ranked *files = hasten_allocate(grouping->allocator, size);
    if (files == NULL) {
        return HASTEN_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        files[i].name = hasten_traces_name(&grouping->keys, i, &files[i].size);
        files[i].file = i;
    }
    qsort(files, count, sizeof *files, compare_names);
    for (uint32_t i = 0; i < count; i++) {
        ranks[files[i].file] = i;
    }
    hasten_release(grouping->allocator, files, size);
    return HASTEN_OK;
}

/* Writes a group's places, and returns how many. */
static uint32_t spread(const struct hasten_grouping *grouping, const uint32_t *ranks, uint32_t path,
                       uint64_t *places) {
    uint32_t left_out = 0;
    const uint32_t depth = hasten_traces_depth(&grouping->keys, path, &left_out);
    for (uint32_t i = depth; i > 0; i--) {
        const struct hasten_path *step = &grouping->keys.paths.items[path];
        places[i - 1] = hasten_traces_place(ranks[hasten_traces_place_file(step->place)],
                                            hasten_traces_place_line(step->place));
        path = step->parent;
    }
    return depth;
}

hasten_status hasten_grouping_sort(struct hasten_grouping *grouping, bool by_change) {
    size_t places = 0;
    for (size_t i = 0; i < grouping->group_count; i++) {
        uint32_t left_out = 0;
        places += hasten_traces_depth(&grouping->keys, grouping->groups[i].path, &left_out);
    }
    const size_t ranks_size = (grouping->keys.file_count + 1) * sizeof(uint32_t);
    const size_t sorted_size = (grouping->group_count + 1) * sizeof(struct sorted);
    const size_t places_size = (places + 1) * sizeof(uint64_t);
    uint32_t *ranks = hasten_allocate(grouping->allocator, ranks_size);
    struct sorted *sorted = hasten_allocate(grouping->allocator, sorted_size);
    uint64_t *room = hasten_allocate(grouping->allocator, places_size);
    hasten_status status = HASTEN_NO_MEMORY;
    if (ranks != NULL && sorted != NULL && room != NULL) {
        status = rank_files(grouping, ranks);
    }
    if (status == HASTEN_OK) {
        uint64_t *next = room;
        for (size_t i = 0; i < grouping->group_count; i++) {
            sorted[i].group = grouping->groups[i];
            sorted[i].by_change = by_change;
            sorted[i].places = next;
            sorted[i].depth = spread(grouping, ranks, grouping->groups[i].path, next);
            next += sorted[i].depth;
        }
        qsort(sorted, grouping->group_count, sizeof *sorted, compare_groups);
        for (size_t i = 0; i < grouping->group_count; i++) {
            grouping->groups[i] = sorted[i].group;
        }
    }
    hasten_release(grouping->allocator, ranks, ranks_size);
    hasten_release(grouping->allocator, sorted, sorted_size);
    hasten_release(grouping->allocator, room, places_size);
    return status;
}
