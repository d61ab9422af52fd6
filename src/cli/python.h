/* SPDX-License-Identifier: MIT
 *
 * Which Python `hasten run SCRIPT` runs. */
#ifndef HASTEN_CLI_PYTHON_H
#define HASTEN_CLI_PYTHON_H

#include <stdbool.h>
#include <stddef.h>

/* `wanted` (--python, may be NULL), else $VIRTUAL_ENV/bin/python, else the python
 * beside the hasten executable, else python3 or python on PATH. Symbolic links
 * are kept: a virtual environment is found through them. False where there is
 * none; nothing is said. */
bool cli_python_choose(const char *wanted, char *ret_path, size_t size);
/* Finds an executable on PATH. */
bool cli_python_on_path(const char *name, char *ret_path, size_t size);
/* Whether that interpreter has what the environment's `variable` switches on inside it,
 * `module`, and can use it. True, too, where it cannot be started: starting the program
 * says why not. */
bool cli_python_has(const char *python, const char *module, const char *variable);

#endif
