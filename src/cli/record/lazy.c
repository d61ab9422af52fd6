/* SPDX-License-Identifier: MIT
 *
 * Switches on what python/_hasten_imports.py does. */
#include "cli/record/lazy.h"

#include <stdlib.h>

#include "cli/message.h"
#include "cli/python.h"

#define VARIABLE "HASTEN_LAZY_IMPORTS"

bool cli_lazy_begin(const struct cli_options *options, const char *python) {
    if (!options->lazy_imports) {
        return true;
    }
    if (python != NULL && !cli_python_has(python, "_hasten_imports", VARIABLE)) {
        cli_say("cannot make imports lazy in %s: hasten is not installed there, and it does so "
                "inside the program; install it with `%s -m pip install hasten`, or name another "
                "interpreter with --python",
                python, python);
        return false;
    }
    if (setenv(VARIABLE, "1", 1) != 0) {
        cli_say("cannot tell the program to import lazily: its environment is full");
        return false;
    }
    return true;
}
