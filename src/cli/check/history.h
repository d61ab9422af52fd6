/* SPDX-License-Identifier: MIT
 *
 * The history of a project's benchmarks: what a check appends to it, and what is shown
 * of it. The file's format is core/history/history.h's. */
#ifndef HASTEN_CLI_CHECK_HISTORY_H
#define HASTEN_CLI_CHECK_HISTORY_H

#include "cli/check/list.h"
#include "core/history/history.h"

/* Appends what was measured of the working tree. False after saying why not. */
bool check_history_record(const struct check_list *list);
/* Shows it. 0, or 1 where `--fail-if-worse` asks for that; 2 after saying why not. */
int check_history_show(const struct cli_options *options);

/* Where it is, by the command line, else the settings, else in the project's folder. */
void check_history_path(const struct check_settings *settings, const struct cli_options *options,
                        char *ret_path, size_t size);
/* "AMD EPYC 7B13, 2 processors, x86_64": whose times can be compared. */
void check_history_machine(char *ret_text, size_t size);

#endif
