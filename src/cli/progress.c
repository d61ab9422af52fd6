/* SPDX-License-Identifier: MIT
 *
 * A thread that writes the progress line while the main thread works: the core
 * neither prints nor calls back. */
#include "cli/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FIRST_AFTER_S 2

static void draw(const char *what, long seconds) {
    char line[256];
    int length = snprintf(line, sizeof line, "\r\x1b[Khasten: %s ... %ld s", what, seconds);
    if (length > 0 && write(STDERR_FILENO, line, strnlen(line, sizeof line)) < 0) {
        return; /* the terminal went away */
    }
}

static void *show(void *argument) {
    struct cli_progress *progress = argument;
    struct timespec next;
    long seconds = FIRST_AFTER_S;
    bool drawn = false;
    clock_gettime(CLOCK_MONOTONIC, &next);
    next.tv_sec += FIRST_AFTER_S;
    pthread_mutex_lock(&progress->lock);
    while (!progress->is_over) {
        if (pthread_cond_timedwait(&progress->ended, &progress->lock, &next) == ETIMEDOUT) {
            draw(progress->what, seconds);
            drawn = true;
            seconds++;
            next.tv_sec++;
        }
    }
    pthread_mutex_unlock(&progress->lock);
    if (drawn && write(STDERR_FILENO, "\r\x1b[K", 4) < 0) {
        return NULL;
    }
    return NULL;
}

void cli_progress_begin(struct cli_progress *progress, const char *what) {
    pthread_condattr_t attributes;
    sigset_t all, before;
    *progress = (struct cli_progress){.what = what};
    if (isatty(STDERR_FILENO) != 1 || pthread_condattr_init(&attributes) != 0) {
        return;
    }
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&progress->lock, NULL);
    pthread_cond_init(&progress->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    /* Signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    progress->is_running = pthread_create(&progress->thread, NULL, show, progress) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void cli_progress_end(struct cli_progress *progress) {
    if (!progress->is_running) {
        return;
    }
    pthread_mutex_lock(&progress->lock);
    progress->is_over = true;
    pthread_cond_signal(&progress->ended);
    pthread_mutex_unlock(&progress->lock);
    pthread_join(progress->thread, NULL);
    pthread_cond_destroy(&progress->ended);
    pthread_mutex_destroy(&progress->lock);
    progress->is_running = false;
}
