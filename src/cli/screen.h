/* SPDX-License-Identifier: MIT
 *
 * What the terminal behind a descriptor can show, by the usual rules. */
#ifndef HASTEN_CLI_SCREEN_H
#define HASTEN_CLI_SCREEN_H

#include "cli/options.h"

/* How to write a report to `descriptor`: width, colour (NO_COLOR, FORCE_COLOR,
 * CLICOLOR_FORCE, CLICOLOR, TERM, then whether it is a terminal), Unicode (by
 * the locale), and what the options ask for. */
struct hasten_report_options cli_screen(int descriptor, const struct cli_options *options);

#endif
