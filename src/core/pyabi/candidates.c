/* SPDX-License-Identifier: MIT
 *
 * Sorts the mappings of a process into candidates. Opens and reads nothing. */
#include "core/pyabi/candidates.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

struct collecting {
    struct hasten_candidates *candidates;
    const char *executable;
    struct stat executable_facts;
    bool has_facts;
    /* The file of the mapping before, so that the parts of one file count once. */
    uint64_t previous_inode;
    uint32_t previous_major, previous_minor;
};

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static enum hasten_candidate_rank rank_of(const struct collecting *collecting,
                                          const struct hasten_mapping *mapping) {
    const struct stat *facts = &collecting->executable_facts;

    if (strcmp(mapping->path, collecting->executable) == 0 ||
        (collecting->has_facts && facts->st_ino == mapping->inode &&
         major(facts->st_dev) == mapping->device_major &&
         minor(facts->st_dev) == mapping->device_minor))
        return HASTEN_CANDIDATE_EXECUTABLE;
    if (strncmp(base_name(mapping->path), "libpython", 9) == 0)
        return HASTEN_CANDIDATE_LIBPYTHON;
    return HASTEN_CANDIDATE_OTHER;
}

static int collect_one(void *context, const struct hasten_mapping *mapping) {
    struct collecting *collecting = context;
    struct hasten_candidates *candidates = collecting->candidates;

    if (mapping->inode == 0 || mapping->path[0] != '/')
        return 0;
    bool same_file = mapping->inode == collecting->previous_inode &&
                     mapping->device_major == collecting->previous_major &&
                     mapping->device_minor == collecting->previous_minor;
    collecting->previous_inode = mapping->inode;
    collecting->previous_major = mapping->device_major;
    collecting->previous_minor = mapping->device_minor;
    if (same_file || mapping->file_offset != 0 || !mapping->readable)
        return 0;
    enum hasten_candidate_rank rank = rank_of(collecting, mapping);
    size_t at = candidates->count;
    if (at == HASTEN_CANDIDATES_MAX) {
        if (rank == HASTEN_CANDIDATE_OTHER)
            return 0;
        at--;
    } else {
        candidates->count++;
    }
    for (; at > 0 && candidates->items[at - 1].rank > rank; at--)
        candidates->items[at] = candidates->items[at - 1];
    candidates->items[at] = (struct hasten_candidate){mapping->start, rank};
    return 0;
}

hasten_status hasten_candidates_collect(uint32_t pid, const char *executable,
                                        struct hasten_candidates *ret_candidates,
                                        struct hasten_error *error) {
    struct collecting collecting = {.candidates = ret_candidates, .executable = executable};
    char path[32];

    (void)snprintf(path, sizeof path, "/proc/%u/exe", pid);
    collecting.has_facts = stat(path, &collecting.executable_facts) == 0;
    ret_candidates->count = 0;
    return hasten_process_mappings(pid, collect_one, &collecting, error);
}

struct finding {
    uint64_t start;
    struct hasten_mapping *mapping;
    bool found;
};

static int find_one(void *context, const struct hasten_mapping *mapping) {
    struct finding *finding = context;

    if (mapping->start != finding->start)
        return mapping->start > finding->start;
    *finding->mapping = *mapping;
    finding->found = true;
    return 1;
}

hasten_status hasten_candidate_mapping(uint32_t pid, uint64_t start,
                                       struct hasten_mapping *ret_mapping,
                                       struct hasten_error *error) {
    struct finding finding = {start, ret_mapping, false};

    hasten_status status = hasten_process_mappings(pid, find_one, &finding, error);
    if (status == HASTEN_OK && !finding.found)
        return hasten_error_set(error, HASTEN_NOT_FOUND, (int64_t)start,
                                "a file that process %u had mapped is gone", pid);
    return status;
}

struct filtering {
    uint64_t start;
    uint64_t inode;
    uint32_t device_major, device_minor;
    int (*visit)(void *context, const struct hasten_mapping *mapping);
    void *context;
};

static int filter_one(void *context, const struct hasten_mapping *mapping) {
    struct filtering *filtering = context;

    if (mapping->start < filtering->start)
        return 0;
    if (mapping->start == filtering->start) {
        filtering->inode = mapping->inode;
        filtering->device_major = mapping->device_major;
        filtering->device_minor = mapping->device_minor;
    }
    if (!mapping->readable || !mapping->writable || filtering->inode == 0 ||
        mapping->inode != filtering->inode || mapping->device_major != filtering->device_major ||
        mapping->device_minor != filtering->device_minor)
        return 0;
    return filtering->visit(filtering->context, mapping);
}

hasten_status hasten_candidate_writable(uint32_t pid, uint64_t start,
                                        int (*visit)(void *context,
                                                     const struct hasten_mapping *mapping),
                                        void *context, struct hasten_error *error) {
    struct filtering filtering = {.start = start, .visit = visit, .context = context};

    return hasten_process_mappings(pid, filter_one, &filtering, error);
}
