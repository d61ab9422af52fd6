/* SPDX-License-Identifier: MIT
 *
 * Command lines as a shell would need them. */
#ifndef HASTEN_CLI_QUOTE_H
#define HASTEN_CLI_QUOTE_H

#include <stddef.h>

/* Joins `arguments` (NULL-terminated), quoting what needs it; the end is cut
 * where `size` is too small. */
void cli_quote(char *const *arguments, char *ret_text, size_t size);

#endif
