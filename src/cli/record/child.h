/* SPDX-License-Identifier: MIT
 *
 * The program that hasten runs: started, waited for, its end passed on. */
#ifndef HASTEN_CLI_RECORD_CHILD_H
#define HASTEN_CLI_RECORD_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct cli_child {
    pid_t pid;
    bool has_ended;
    int wait_status; /* as waitpid gives it */
};

/* Starts `arguments` (argv, looked up on PATH where the first has no slash) with
 * everything inherited. Answers 0, or the errno of exec. Installs the signal
 * handlers of cli/signals.h. */
int cli_child_start(struct cli_child *child, char *const *arguments);
/* Says that it did not start, and why; answers with what exit status a shell says that. */
int cli_child_not_started(const char *program, int reason);
/* Whether it has ended; waits for that where `block`. */
bool cli_child_ended(struct cli_child *child, bool block);
/* "0", "3", "signal 9" into `text`. */
void cli_child_status_text(const struct cli_child *child, char *text, size_t size);
/* Ends this process as the child ended. */
_Noreturn void cli_child_exit_like(const struct cli_child *child);

#endif
