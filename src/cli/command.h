/* SPDX-License-Identifier: MIT
 *
 * Runs another command to its end: git, pip, what a user has it build with. Its input
 * is empty; what it writes is kept or goes to a log. */
#ifndef HASTEN_CLI_COMMAND_H
#define HASTEN_CLI_COMMAND_H

#include "core/base/buffer.h"

/* Answers of cli_command_run that are no exit status. */
#define CLI_COMMAND_NOT_STARTED (-1) /* errno says why */
#define CLI_COMMAND_STOPPED (-2)     /* Ctrl-C, while it ran */

struct cli_command {
    const char *const *arguments; /* looked up on PATH; ends with NULL */
    const char *directory;        /* where it runs; NULL: here */
    /* On top of the environment: "NAME=VALUE", or "NAME" to take it away. Ends with
     * NULL; may be NULL. */
    const char *const *settings;
    int log; /* gets what has no buffer; -1: nobody */
};

/* Answers the exit status, 128 and more for a signal, or one of the above. `output`
 * and `errors`, initialised, get what it writes (NULL: the log does). Ends with
 * hasten, and what it has started with it. */
int cli_command_run(const struct cli_command *command, struct hasten_buffer *output,
                    struct hasten_buffer *errors);
/* Sets and takes away what `settings` say, in a child before exec. */
void cli_command_environment(const char *const *settings);

#endif
