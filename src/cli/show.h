/* SPDX-License-Identifier: MIT
 *
 * Reads a recording and writes its report. */
#ifndef HASTEN_CLI_SHOW_H
#define HASTEN_CLI_SHOW_H

#include "cli/options.h"

/* Writes to `descriptor` as text, or as JSON where the options ask for it. False
 * after saying why not. A reader that went away (a closed pipe) is no failure. */
bool cli_show(const char *path, const struct cli_options *options, int descriptor);

#endif
