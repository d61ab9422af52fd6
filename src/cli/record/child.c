/* SPDX-License-Identifier: MIT
 *
 * fork, exec and wait. */
#include "cli/record/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/signals.h"

/* In the child: becomes the program, or tells the parent why not. */
static _Noreturn void become(char *const *arguments, int report) {
    cli_signals_restore();
    execvp(arguments[0], arguments);
    int reason = errno;
    if (write(report, &reason, sizeof reason) < 0) {
        _exit(127);
    }
    _exit(127);
}

/* The errno that the child sent; 0 where exec closed the pipe. */
static int read_reason(int descriptor) {
    int reason = 0;
    ssize_t got;
    do {
        got = read(descriptor, &reason, sizeof reason);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof reason ? reason : 0;
}

int cli_child_start(struct cli_child *child, char *const *arguments) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }
    cli_signals_prepare();
    pid_t pid = fork();
    if (pid == 0) {
        become(arguments, ends[1]);
    }
    int reason = pid < 0 ? errno : 0;
    close(ends[1]);
    if (pid > 0) {
        *child = (struct cli_child){.pid = pid};
        cli_signals_forward_to(pid);
        reason = read_reason(ends[0]);
        if (reason != 0) {
            cli_child_ended(child, true);
        }
    }
    close(ends[0]);
    if (reason != 0) {
        cli_signals_restore();
    }
    return reason;
}

/* True when the child has ended. It is looked at before it is collected: blocking
 * mode traces it, and a tracer is told of stops, which are the sampler's. */
static bool is_over(const struct cli_child *child, bool block) {
    const struct timespec pause = {0, 1000000};
    for (;;) {
        siginfo_t info = {0};
        int flags = WEXITED | WNOWAIT | (block ? 0 : WNOHANG);
        if (waitid(P_PID, (id_t)child->pid, &info, flags) != 0) {
            if (errno != EINTR)
                return true;
        } else if (info.si_pid != 0 && (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
                                        info.si_code == CLD_DUMPED)) {
            return true;
        } else if (!block) {
            return false;
        } else {
            nanosleep(&pause, NULL); /* a stop that the sampler has not seen yet */
        }
    }
}

int cli_child_not_started(const char *program, int reason) {
    if (reason == ENOENT || reason == ENOTDIR) {
        cli_say("cannot run %s: it was not found", program);
        return CLI_EXIT_NOT_FOUND;
    }
    cli_say("cannot run %s: %s", program, strerror(reason));
    return CLI_EXIT_NOT_EXECUTABLE;
}

bool cli_child_ended(struct cli_child *child, bool block) {
    while (!child->has_ended && is_over(child, block)) {
        pid_t got = waitpid(child->pid, &child->wait_status, 0);
        if (got == child->pid || (got < 0 && errno != EINTR)) {
            child->has_ended = true;
            cli_signals_child_gone();
        }
    }
    return child->has_ended;
}

void cli_child_status_text(const struct cli_child *child, char *text, size_t size) {
    if (WIFSIGNALED(child->wait_status)) {
        snprintf(text, size, "signal %d", WTERMSIG(child->wait_status));
    } else {
        snprintf(text, size, "%d", WEXITSTATUS(child->wait_status));
    }
}

_Noreturn void cli_child_exit_like(const struct cli_child *child) {
    fflush(NULL);
    if (WIFSIGNALED(child->wait_status)) {
        cli_signals_die_by(WTERMSIG(child->wait_status));
    }
    _exit(WEXITSTATUS(child->wait_status));
}
