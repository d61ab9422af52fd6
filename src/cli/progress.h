/* SPDX-License-Identifier: MIT
 *
 * A line on the terminal for what takes longer than two seconds. */
#ifndef HASTEN_CLI_PROGRESS_H
#define HASTEN_CLI_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>

struct cli_progress {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool is_running;
    bool is_over;
    const char *what;
};

/* "writing app.hasten" and the seconds so far, on standard error where that is a
 * terminal. `what` is borrowed. Does nothing where it cannot. */
void cli_progress_begin(struct cli_progress *progress, const char *what);
/* Takes the line away again. */
void cli_progress_end(struct cli_progress *progress);

#endif
