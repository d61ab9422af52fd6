/* SPDX-License-Identifier: MIT
 *
 * Where a recording is written. */
#ifndef HASTEN_CLI_OUTPUT_H
#define HASTEN_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* With -o: `wanted` itself; a file there is replaced only where it is a recording
 * or empty. Without: NAME.hasten in the current directory from `name` (a path, a
 * module, a word), or NAME-2.hasten, NAME-3.hasten ... so that no recording is
 * lost. The file exists afterwards: nothing can go wrong with it once the
 * program runs. False after saying what is wrong and what to do. */
bool cli_output_choose(const char *wanted, const char *name, char *ret_path, size_t size);

#endif
