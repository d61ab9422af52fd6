/* SPDX-License-Identifier: MIT
 *
 * What the command says about itself, on standard error: "hasten: what happened;
 * what to do". */
#ifndef HASTEN_CLI_MESSAGE_H
#define HASTEN_CLI_MESSAGE_H

#include "hasten/status.h"

/* Exit statuses of the command; `run` otherwise has the program's. */
enum cli_exit {
    CLI_EXIT_OK = 0,
    CLI_EXIT_FAILED = 1,
    CLI_EXIT_USAGE = 2,
    CLI_EXIT_NOT_EXECUTABLE = 126, /* as in a shell */
    CLI_EXIT_NOT_FOUND = 127,
};

/* Writes "hasten: ", the text, a newline, in one write. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The error's message, else its status's sentence. */
const char *cli_error_text(const struct hasten_error *error);

#endif
