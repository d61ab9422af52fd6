/* SPDX-License-Identifier: MIT
 *
 * Gathers the parts of a recording. */
#include "cli/record/parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/recording/part_names.h"
#include "hasten/recording.h"

/* How far a process got with its part: what the part's name says. */
enum part_end { PART_WHOLE, PART_FULL, PART_FAILED };

struct part {
    uint64_t start_ns;
    enum part_end end;
    struct hasten_profile *profile;
};

struct part_list {
    struct part *parts;
    size_t count, capacity;
};

int cli_parts_make(struct cli_parts *parts, const char *path) {
    char resolved[PATH_MAX];
    if (realpath(path, resolved) == NULL) {
        return errno;
    }
    int size = snprintf(parts->folder, sizeof parts->folder, "%s.XXXXXX", resolved);
    if (size < 0 || (size_t)size >= sizeof parts->folder) {
        return ENAMETOOLONG;
    }
    return mkdtemp(parts->folder) == NULL ? errno : 0;
}

static bool is_part(const char *name) {
    size_t size = strlen(name);
    size_t end = strlen(HASTEN_PART_SUFFIX);
    return size > end && strcmp(name + size - end, HASTEN_PART_SUFFIX) == 0;
}

/* The path of an entry that is a part; false: it is none. */
static bool part_path(const struct cli_parts *parts, const struct dirent *entry, char *ret_path,
                      size_t size) {
    int used = snprintf(ret_path, size, "%s/%s", parts->folder, entry->d_name);
    return is_part(entry->d_name) && used > 0 && (size_t)used < size;
}

static enum part_end end_of(const char *name) {
    if (strstr(name, HASTEN_PART_FULL HASTEN_PART_SUFFIX) != NULL) {
        return PART_FULL;
    }
    return strstr(name, HASTEN_PART_FAILED HASTEN_PART_SUFFIX) != NULL ? PART_FAILED : PART_WHOLE;
}

static bool keep(struct part_list *list, struct hasten_profile *profile, enum part_end end) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        struct part *larger = reallocarray(list->parts, capacity, sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        list->parts = larger;
        list->capacity = capacity;
    }
    list->parts[list->count++] = (struct part){profile->processes[0].start_ns, end, profile};
    return true;
}

static int compare_parts(const void *left_item, const void *right_item) {
    const struct part *left = left_item;
    const struct part *right = right_item;
    return (left->start_ns > right->start_ns) - (left->start_ns < right->start_ns);
}

static void count_end(struct cli_parts_found *found, enum part_end end) {
    found->full += end == PART_FULL;
    found->failed += end == PART_FAILED;
}

/* A part of a process that was killed before it wrote anything has no process; nor has
 * that of one which found no space at all. */
static void add_part(struct part_list *list, struct cli_parts_found *found, const char *path,
                     enum part_end end) {
    struct hasten_profile *profile = NULL;
    if (hasten_recording_load(path, NULL, &profile, NULL) == HASTEN_OK &&
        profile->process_count > 0 && keep(list, profile, end)) {
        return;
    }
    hasten_profile_free(profile);
    found->damaged += end == PART_WHOLE;
    count_end(found, end);
}

static void load_all(const struct cli_parts *parts, struct part_list *list,
                     struct cli_parts_found *found) {
    char path[PATH_MAX];
    DIR *folder = opendir(parts->folder);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (part_path(parts, entry, path, sizeof path)) {
            add_part(list, found, path, end_of(entry->d_name));
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

static void look_at(const struct part *part, struct cli_parts_found *found) {
    const struct hasten_profile *profile = part->profile;
    const char *end = hasten_profile_fact(profile, "trace.end");
    const char *subinterpreters = hasten_profile_fact(profile, "trace.subinterpreters");
    end = end == NULL ? hasten_profile_fact(profile, "heap.end") : end;
    found->processes++;
    found->cut += part->end == PART_WHOLE && (end == NULL || strcmp(end, "known") != 0);
    count_end(found, part->end);
    found->refused += hasten_profile_fact(profile, "heap.refused") != NULL;
    found->folded |= hasten_profile_fact(profile, "heap.folded") != NULL;
    found->subinterpreters += subinterpreters == NULL ? 0 : strtoul(subinterpreters, NULL, 10);
    found->displaced += hasten_profile_fact(profile, "trace.displaced") != NULL;
    found->folded |= hasten_profile_fact(profile, "trace.folded") != NULL;
}

/* Traced processes: the program's first one has its name. */
struct gathering {
    struct hasten_recorder *recorder;
    uint32_t main_pid;
    bool main_seen;
};

static hasten_status absorb(void *context, const struct hasten_profile *profile) {
    struct gathering *gathering = context;
    bool is_main = !gathering->main_seen && profile->processes[0].pid == gathering->main_pid;
    gathering->main_seen = gathering->main_seen || is_main;
    return hasten_recorder_absorb(gathering->recorder, profile, is_main ? "main" : NULL);
}

hasten_status cli_parts_gather(const struct cli_parts *parts, struct hasten_recorder *recorder,
                               uint32_t main_pid, struct cli_parts_found *ret_found) {
    struct gathering gathering = {.recorder = recorder, .main_pid = main_pid};
    return cli_parts_visit(parts, absorb, &gathering, ret_found);
}

hasten_status cli_parts_visit(const struct cli_parts *parts,
                              hasten_status (*visit)(void *context, const struct hasten_profile *),
                              void *context, struct cli_parts_found *ret_found) {
    struct part_list list = {NULL, 0, 0};
    struct cli_parts_found found = {0};
    hasten_status status = HASTEN_OK;
    load_all(parts, &list, &found);
    if (list.count > 0) {
        qsort(list.parts, list.count, sizeof *list.parts, compare_parts);
    }
    for (size_t i = 0; i < list.count; i++) {
        struct hasten_profile *profile = list.parts[i].profile;
        look_at(&list.parts[i], &found);
        if (status == HASTEN_OK) {
            status = visit(context, profile);
        }
        hasten_profile_free(profile);
    }
    free(list.parts);
    *ret_found = found;
    return status;
}

void cli_parts_remove(const struct cli_parts *parts) {
    char path[PATH_MAX];
    DIR *folder = opendir(parts->folder);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (part_path(parts, entry, path, sizeof path)) {
            unlink(path);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    rmdir(parts->folder);
}
