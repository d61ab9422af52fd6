/* SPDX-License-Identifier: MIT
 *
 * What `hasten imports` can be asked for. */
#include <stdlib.h>

#include "cli/options.h"

/* Examples in these texts are run by tests/cli/test_cli_examples.py. */
const char cli_imports_usage[] = "hasten imports [OPTIONS] SCRIPT [ARGS...]\n"
                                 "hasten imports [OPTIONS] -m MODULE [ARGS...]\n"
                                 "hasten imports [OPTIONS] -c CODE [ARGS...]\n";

const char cli_imports_details[] =
    "Runs the program, and shows what importing its modules took: time, and by how\n"
    "much resident memory grew, of each with what it imported (total) and without\n"
    "(self), as a tree of who was loaded while whom was. Marked are modules that were\n"
    "never used: no code that ran names them, and no function of theirs ran once they\n"
    "were loaded.\n"
    "\n"
    "Examples:\n"
    "  hasten imports app.py\n"
    "  hasten imports --unused --depth 2 app.py\n"
    "  hasten imports --json -o imports.json app.py\n"
    "\n"
    "Exit status:\n"
    "  as the program's; 1 where hasten failed before it started, 2 wrong usage, 127\n"
    "  no interpreter\n";

const char *cli_store_depth(struct cli_options *options, const char *value) {
    char *end = NULL;
    const unsigned long depth = strtoul(value, &end, 10);
    if (end == value || *end != '\0' || value[0] == '-' || depth > 1000) {
        return "a number from 0 to 1000 is expected";
    }
    options->imports.depth = (uint32_t)depth;
    return NULL;
}

const char *cli_store_unused(struct cli_options *options, const char *value) {
    (void)value;
    options->imports.unused = true;
    return NULL;
}

const char *cli_store_lazy_imports(struct cli_options *options, const char *value) {
    (void)value;
    options->lazy_imports = true;
    return NULL;
}
