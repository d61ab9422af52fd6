/* SPDX-License-Identifier: MIT
 *
 * What libraries do that a library beside them must bear: handlers at fork that allocate,
 * older than its own where this is preloaded, and a signal's handler that ends the process
 * in the middle of an allocation. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

static void churn(void) {
    for (int i = 0; i < 2000; i++) {
        void *volatile block = malloc(5000);
        free(block);
    }
}

__attribute__((constructor)) static void load(void) {
    pthread_atfork(churn, churn, churn);
}

static void end(int number) {
    (void)number;
    _exit(42);
}

void end_after(int time_us) {
    struct itimerval timer = {{0, 0}, {0, time_us}};
    signal(SIGALRM, end);
    setitimer(ITIMER_REAL, &timer, NULL);
    for (;;) {
        void *volatile block = malloc(100);
        free(block);
    }
}
