/* SPDX-License-Identifier: MIT
 *
 * The parts of a recording that the program's own processes make: the folder beside it
 * into which each writes a log, and how they become one. */
#ifndef HASTEN_CLI_RECORD_PARTS_H
#define HASTEN_CLI_RECORD_PARTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hasten/recorder.h"

struct cli_parts {
    char folder[PATH_MAX]; /* absolute: the program may change its directory */
};

/* What was found. */
struct cli_parts_found {
    size_t processes;
    size_t cut;    /* of those, how many did not get to write their end */
    size_t full;   /* processes that found no space left to write all, */
    size_t failed; /* and those for which it failed otherwise */
    size_t damaged;
    size_t subinterpreters; /* which are not traced */
    size_t displaced;       /* of those, in how many another profiler took over */
    size_t refused;         /* of those, in how many Python's stacks could not be read */
    bool folded;
};

/* Makes the folder for the recording at `path`. Answers 0 or an errno. */
int cli_parts_make(struct cli_parts *parts, const char *path);
/* Adds all parts to the recorder, in the order in which their processes began; that
 * of `main_pid` which began first is called "main". */
HASTEN_CHECKED hasten_status cli_parts_gather(const struct cli_parts *parts,
                                              struct hasten_recorder *recorder, uint32_t main_pid,
                                              struct cli_parts_found *ret_found);
/* Calls `visit` for all parts in that order, until it fails. */
HASTEN_CHECKED hasten_status cli_parts_visit(const struct cli_parts *parts,
                                             hasten_status (*visit)(void *context,
                                                                    const struct hasten_profile *),
                                             void *context, struct cli_parts_found *ret_found);
/* Removes the parts and their folder. */
void cli_parts_remove(const struct cli_parts *parts);

#endif
