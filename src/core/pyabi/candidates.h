/* SPDX-License-Identifier: MIT
 *
 * The mapped files of a process in which its Python may be, likeliest first. */
#ifndef HASTEN_PYABI_CANDIDATES_H
#define HASTEN_PYABI_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/os/process.h"

/* Large programs map some hundred libraries; more of them are not looked at. */
#define HASTEN_CANDIDATES_MAX 2048

enum hasten_candidate_rank {
    HASTEN_CANDIDATE_EXECUTABLE,
    HASTEN_CANDIDATE_LIBPYTHON, /* a file named libpython... */
    HASTEN_CANDIDATE_OTHER,
};

struct hasten_candidate {
    uint64_t start; /* where the file's first byte is mapped */
    enum hasten_candidate_rank rank;
};

struct hasten_candidates {
    struct hasten_candidate items[HASTEN_CANDIDATES_MAX];
    size_t count;
};

/* `executable` is what hasten_process_executable says. Errors as
 * hasten_process_mappings. */
HASTEN_CHECKED hasten_status hasten_candidates_collect(uint32_t pid, const char *executable,
                                                       struct hasten_candidates *ret_candidates,
                                                       struct hasten_error *error);

/* The mapping that begins at `start`. NOT_FOUND: there is none any more. */
HASTEN_CHECKED hasten_status hasten_candidate_mapping(uint32_t pid, uint64_t start,
                                                      struct hasten_mapping *ret_mapping,
                                                      struct hasten_error *error);

/* Calls `visit` for the readable and writable mappings of the candidate's file,
 * in address order, until it answers nonzero. */
HASTEN_CHECKED hasten_status hasten_candidate_writable(
    uint32_t pid, uint64_t start, int (*visit)(void *context, const struct hasten_mapping *mapping),
    void *context, struct hasten_error *error);

#endif
