/* SPDX-License-Identifier: MIT
 *
 * hasten run --leaks: the program's own interpreter looks for what it keeps; this
 * tells it to, and gathers what its processes found. */
#ifndef HASTEN_CLI_RECORD_LEAKS_H
#define HASTEN_CLI_RECORD_LEAKS_H

#include "cli/options.h"
#include "cli/record/parts.h"
#include "cli/record/session.h"

struct cli_leaks {
    struct cli_parts parts; /* what was found: a file of each process */
    bool is_on;
};

/* What does not go together. False after saying so. */
bool cli_leaks_check(const struct cli_options *options);
/* Before the program starts: makes the folder beside `path` and sets the environment.
 * Does nothing without --leaks. False after saying why not. */
bool cli_leaks_begin(struct cli_leaks *leaks, const struct cli_options *options, const char *python,
                     const char *path);
/* After its end: into the recording's facts; where that is finished, on standard
 * error. Removes the folder. */
void cli_leaks_finish(struct cli_leaks *leaks, struct cli_session *session);
/* The program did not start. */
void cli_leaks_abandon(struct cli_leaks *leaks);

#endif
