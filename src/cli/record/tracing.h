/* SPDX-License-Identifier: MIT
 *
 * hasten run --trace. */
#ifndef HASTEN_CLI_RECORD_TRACING_H
#define HASTEN_CLI_RECORD_TRACING_H

#include "cli/options.h"

/* Whether options are given that mean nothing without sampling; says which. */
bool cli_tracing_check(const struct cli_options *options);
/* Runs `arguments` traced and records into `path`, which exists. Comes back only
 * where the program could not be started, with an exit status. */
int cli_tracing_run(const struct cli_options *options, char **arguments, const char *path);

#endif
