/* SPDX-License-Identifier: MIT
 *
 * The library that is loaded into the program to record its memory. */
#ifndef HASTEN_CLI_PRELOAD_H
#define HASTEN_CLI_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/* The path of a library (CLI_PRELOAD_HEAP); false: it is not installed where the command
 * looks for it. */
#define CLI_PRELOAD_HEAP "hasten_heap.so"
bool cli_preload_find(const char *library, char *ret_path, size_t size);
/* Puts it in front of what the environment has loaded already. False: a list of such
 * libraries cannot hold its name, or there is no memory. */
bool cli_preload_set(const char *library);
/* Takes it off again. */
void cli_preload_unset(void);

#endif
