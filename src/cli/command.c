/* SPDX-License-Identifier: MIT
 *
 * fork, exec, and reading two pipes until both are closed. */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/signals.h"

/* What a command that went wild writes is cut here. */
#define MOST_KEPT (64u << 20)
/* Reads after its end: what it wrote itself is in the pipes then, which hold 1 MiB at most. */
#define MOST_LATE_READS 256

struct streams {
    int ends[2]; /* of standard output and error to read from; -1: not wanted, or over */
    struct hasten_buffer *buffers[2];
};

void cli_command_environment(const char *const *settings) {
    for (; settings != NULL && *settings != NULL; settings++) {
        const char *equals = strchr(*settings, '=');
        char name[256];
        if (equals == NULL) {
            unsetenv(*settings);
        } else if (equals - *settings < (ptrdiff_t)sizeof name) {
            snprintf(name, sizeof name, "%.*s", (int)(equals - *settings), *settings);
            setenv(name, equals + 1, 1);
        }
    }
}

/* In the child. `writers` are the pipes' other ends, -1 where the log is meant. */
static _Noreturn void become(const struct cli_command *command, const int writers[2], int report,
                             pid_t parent) {
    cli_signals_lead_group(parent);
    int nothing = open("/dev/null", O_RDWR);
    int rest = command->log >= 0 ? command->log : nothing;
    bool ready = nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
                 dup2(writers[0] >= 0 ? writers[0] : rest, STDOUT_FILENO) >= 0 &&
                 dup2(writers[1] >= 0 ? writers[1] : rest, STDERR_FILENO) >= 0 &&
                 (command->directory == NULL || chdir(command->directory) == 0);
    if (ready) {
        cli_command_environment(command->settings);
        execvp(command->arguments[0], (char *const *)command->arguments);
    }
    int reason = errno;
    ssize_t written = write(report, &reason, sizeof reason);
    _exit(written < 0 ? 126 : 127);
}

static void close_end(int *end) {
    if (*end >= 0) {
        close(*end);
        *end = -1;
    }
}

/* False at the stream's end. */
static bool take(struct streams *streams, size_t which) {
    char text[8192];
    ssize_t size = read(streams->ends[which], text, sizeof text);
    if (size < 0 && errno == EINTR) {
        return true;
    }
    struct hasten_buffer *buffer = streams->buffers[which];
    if (size > 0 && buffer != NULL && buffer->size < MOST_KEPT) {
        hasten_buffer_append(buffer, text, (size_t)size);
    }
    return size > 0;
}

/* Until both streams are closed, the command has ended, or a stop was asked for. */
static void read_all(struct streams *streams, pid_t pid) {
    unsigned late_reads = 0;
    for (bool has_ended = false; !cli_signals_stop_asked();) {
        struct pollfd events[2] = {{streams->ends[0], POLLIN, 0}, {streams->ends[1], POLLIN, 0}};
        int got = poll(events, 2, has_ended ? 0 : 50);
        for (size_t which = 0; which < 2 && got > 0; which++) {
            if (events[which].revents != 0 && !take(streams, which)) {
                close_end(&streams->ends[which]);
            }
        }
        if (has_ended && (got == 0 || late_reads++ == MOST_LATE_READS)) {
            return; /* something that it started still has the pipe, and may write for ever */
        }
        siginfo_t info = {0};
        has_ended =
            waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) != 0 || info.si_pid != 0;
    }
}

static int wait_for(pid_t pid) {
    int status = 0;
    if (cli_signals_stop_asked()) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (cli_signals_stop_asked()) {
        return CLI_COMMAND_STOPPED;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int cli_command_run(const struct cli_command *command, struct hasten_buffer *output,
                    struct hasten_buffer *errors) {
    struct streams streams = {{-1, -1}, {output, errors}};
    int writers[2] = {-1, -1}, report[2] = {-1, -1}, reason = 0, status = CLI_COMMAND_NOT_STARTED;
    bool ready = pipe2(report, O_CLOEXEC) == 0;
    for (size_t which = 0; which < 2 && ready; which++) {
        int ends[2];
        if (streams.buffers[which] != NULL) {
            ready = pipe2(ends, O_CLOEXEC) == 0;
            streams.ends[which] = ready ? ends[0] : -1;
            writers[which] = ready ? ends[1] : -1;
        }
    }
    pid_t parent = getpid(), pid = ready ? fork() : -1;
    if (pid == 0) {
        become(command, writers, report[1], parent);
    }
    reason = pid < 0 ? errno : 0;
    close_end(&writers[0]);
    close_end(&writers[1]);
    close_end(&report[1]);
    if (pid > 0) {
        if (read(report[0], &reason, sizeof reason) != (ssize_t)sizeof reason) {
            reason = 0; /* exec closed the pipe */
            read_all(&streams, pid);
        }
        status = wait_for(pid);
    }
    close_end(&report[0]);
    close_end(&streams.ends[0]);
    close_end(&streams.ends[1]);
    if (reason != 0) {
        errno = reason;
        return CLI_COMMAND_NOT_STARTED;
    }
    return status;
}
