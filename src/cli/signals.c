/* SPDX-License-Identifier: MIT
 *
 * Forwarding, counting, restoring and dying by signals. */
#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/message.h"

/* What may be meant for the program. Stop signals are not: the shell wants to
 * see its own child, hasten, stop. */
static const int forwarded[] = {SIGINT,  SIGQUIT, SIGTERM, SIGHUP, SIGUSR1,
                                SIGUSR2, SIGALRM, SIGURG,  SIGIO,  SIGPWR};
#define FORWARDED_COUNT (sizeof forwarded / sizeof *forwarded)

static struct sigaction saved_forwarded[FORWARDED_COUNT];
static struct sigaction saved_child;
static const int ignored[] = {SIGPIPE, SIGTTOU, SIGXFSZ};
#define IGNORED_COUNT (sizeof ignored / sizeof *ignored)
static struct sigaction saved_ignored[IGNORED_COUNT];
static sigset_t saved_mask;
static volatile sig_atomic_t child_pid;
static volatile sig_atomic_t stop_asked;

static void forward(int number, siginfo_t *info, void *context) {
    (void)context;
    int saved_errno = errno;
    /* si_code above 0: the kernel sent it, to the whole group (a terminal) or to
     * this process alone (a fault, a timer); either way not for the program. */
    if (child_pid > 0 && info->si_code <= 0) {
        kill((pid_t)child_pid, number);
    }
    errno = saved_errno;
}

/* There is nothing to do: that it was called ends the sampler's sleep. */
static void note_child(int number) {
    (void)number;
}

static void note_stop(int number) {
    (void)number;
    stop_asked = 1;
}

static void install(int number, void (*simple)(int), struct sigaction *ret_before) {
    struct sigaction action = {.sa_handler = simple};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, ret_before);
}

void cli_signals_prepare(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &saved_mask);
    for (size_t i = 0; i < FORWARDED_COUNT; i++) {
        struct sigaction action = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO};
        sigemptyset(&action.sa_mask);
        sigaction(forwarded[i], &action, &saved_forwarded[i]);
    }
    /* No SA_RESTART: the death of a child shall end the sampler's sleep. */
    struct sigaction action = {.sa_handler = note_child, .sa_flags = SA_NOCLDSTOP};
    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, &saved_child);
    /* A report to a closed pipe or written from the background, a recording that
     * exceeds a limit: none must end the launcher before it has passed on the
     * program's status. */
    for (size_t i = 0; i < IGNORED_COUNT; i++) {
        install(ignored[i], SIG_IGN, &saved_ignored[i]);
    }
}

void cli_signals_forward_to(pid_t child) {
    sigset_t mask = saved_mask;
    child_pid = child;
    for (size_t i = 0; i < FORWARDED_COUNT; i++) {
        sigdelset(&mask, forwarded[i]);
    }
    sigdelset(&mask, SIGCHLD);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

void cli_signals_restore(void) {
    for (size_t i = 0; i < FORWARDED_COUNT; i++) {
        sigaction(forwarded[i], &saved_forwarded[i], NULL);
    }
    for (size_t i = 0; i < IGNORED_COUNT; i++) {
        sigaction(ignored[i], &saved_ignored[i], NULL);
    }
    sigaction(SIGCHLD, &saved_child, NULL);
    sigprocmask(SIG_SETMASK, &saved_mask, NULL);
}

void cli_signals_child_gone(void) {
    child_pid = 0;
    install(SIGINT, SIG_IGN, NULL);
}

void cli_signals_catch_stop(void) {
    struct sigaction before;
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        install(stops[i], note_stop, &before);
        if (before.sa_handler == SIG_IGN && stops[i] == SIGHUP) {
            sigaction(stops[i], &before, NULL); /* nohup */
        }
    }
    install(SIGPIPE, SIG_IGN, NULL);
    install(SIGXFSZ, SIG_IGN, NULL); /* the recording may exceed a limit */
}

bool cli_signals_stop_asked(void) {
    return stop_asked != 0;
}

void cli_signals_lead_group(pid_t parent) {
    static const int defaults[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) { /* it ended before that */
        _exit(CLI_EXIT_FAILED);
    }
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        signal(defaults[i], SIG_DFL);
    }
}

_Noreturn void cli_signals_die_by(int number) {
    struct rlimit none = {0, 0};
    sigset_t only;
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* also where cores go to a pipe */
    install(number, SIG_DFL, NULL);
    sigemptyset(&only);
    sigaddset(&only, number);
    kill(getpid(), number);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    _exit(128 + number); /* the signal's default is not to end a process */
}
