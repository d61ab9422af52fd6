/* SPDX-License-Identifier: MIT
 *
 * Help texts, made from the tables. */
#ifndef HASTEN_CLI_HELP_H
#define HASTEN_CLI_HELP_H

#include <stdio.h>

#include "cli/options.h"

void cli_help_overview(FILE *out);
void cli_help_verb(enum cli_verb_id verb, FILE *out);
/* CLI_VERB_COUNT where there is none of that name. */
enum cli_verb_id cli_find_verb(const char *name);

#endif
