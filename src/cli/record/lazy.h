/* SPDX-License-Identifier: MIT
 *
 * hasten run --lazy-imports: the program's interpreter imports lazily. */
#ifndef HASTEN_CLI_LAZY_H
#define HASTEN_CLI_LAZY_H

#include "cli/options.h"

/* Before the program starts: sets the environment. Does nothing without --lazy-imports.
 * `python` is NULL for a command. False after saying why not. */
bool cli_lazy_begin(const struct cli_options *options, const char *python);

#endif
