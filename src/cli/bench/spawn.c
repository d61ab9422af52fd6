/* SPDX-License-Identifier: MIT
 *
 * fork, exec, wait, and /proc/stat. */
#include "cli/bench/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench/process.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/preload.h"
#include "cli/signals.h"
#include "core/base/clock.h"
#include "core/heap/counters.h"

#define MOST_PADDING 4096
/* Another place than the kernel's, for tests: many virtual machines have none. */
#define CPUFREQ_VARIABLE "HASTEN_BENCH_CPUFREQ"
#define STAT_VARIABLE "HASTEN_BENCH_STAT"

/* Sets what the side and chance ask for. */
static void set_environment(const struct bench_side *side, const struct bench_chance *chance) {
    char text[MOST_PADDING + 1];
    cli_command_environment(side->settings);
    if (getenv("PYTHONHASHSEED") == NULL) {
        snprintf(text, sizeof text, "%u", chance->hash_seed);
        setenv("PYTHONHASHSEED", text, 1);
    }
    /* Where the stack begins depends on how long the environment is, and speed
     * depends on that. */
    size_t padding = chance->padding < MOST_PADDING ? chance->padding : MOST_PADDING;
    memset(text, 'x', padding);
    text[padding] = '\0';
    setenv("HASTEN_BENCH_PADDING", text, 1);
    if (side->kind == BENCH_GROWING) {
        /* Memory of large objects goes back to the kernel and is asked for anew, page by
         * page, each time: from 128 KiB on all would be slower by a step. */
        setenv("MALLOC_MMAP_THRESHOLD_", "67108864", 0);
        setenv("MALLOC_TRIM_THRESHOLD_", "268435456", 0);
    }
    const char *equals = side->variable == NULL ? NULL : strchr(side->variable, '=');
    if (equals != NULL) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)(equals - side->variable), side->variable);
        setenv(name, equals + 1, 1);
    }
}

/* Python's own allocators would hide what they pass on. False: there is no memory. */
static bool set_counters(const struct bench_instrument *instrument) {
    return instrument->library == NULL ||
           (cli_preload_set(instrument->library) && setenv("PYTHONMALLOC", "malloc", 1) == 0 &&
            setenv(HASTEN_COUNTERS_VARIABLE, instrument->counters, 1) == 0);
}

/* In the child. The errno of what failed goes to `report`. */
static _Noreturn void become(const struct bench_side *side, const struct bench_chance *chance,
                             char *const *arguments, const int keep[2], int errors, int report,
                             pid_t parent) {
    cli_signals_lead_group(parent);
    int nothing = open("/dev/null", O_RDWR);
    bool ready = nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
                 dup2(nothing, STDOUT_FILENO) >= 0 &&
                 dup2(errors >= 0 ? errors : nothing, STDERR_FILENO) >= 0 &&
                 (side->directory == NULL || chdir(side->directory) == 0);
    for (int i = 0; i < 2 && ready; i++) {
        ready = keep[i] < 0 || fcntl(keep[i], F_SETFD, 0) == 0;
    }
    const struct bench_instrument *instrument = chance->instrument;
    if (ready) {
        set_environment(side, chance);
    }
    if (ready && instrument != NULL) {
        ready = set_counters(instrument);
        if (instrument->is_fixed) {
            (void)personality(ADDR_NO_RANDOMIZE); /* where it is forbidden: as good as it gets */
        }
    }
    if (ready) {
        execvp(arguments[0], arguments);
    }
    int reason = errno;
    ssize_t written = write(report, &reason, sizeof reason);
    _exit(written < 0 ? 126 : 127);
}

bool bench_spawn(const struct bench_side *side, const struct bench_chance *chance,
                 char *const *arguments, const int keep[2], int errors, pid_t *ret_pid) {
    int ends[2], reason = 0;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        cli_say("%s: cannot start %s: %s", bench_verb(side), arguments[0], strerror(errno));
        return false;
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        become(side, chance, arguments, keep, errors, ends[1], parent);
    }
    int fork_error = errno;
    close(ends[1]);
    if (pid < 0) {
        reason = fork_error;
    } else if (read(ends[0], &reason, sizeof reason) != (ssize_t)sizeof reason) {
        reason = 0; /* exec closed the pipe */
    }
    close(ends[0]);
    if (reason != 0) {
        if (pid > 0) {
            waitpid(pid, NULL, 0);
        }
        cli_say("%s: cannot run %s: %s", bench_verb(side), arguments[0], strerror(reason));
        return false;
    }
    *ret_pid = pid;
    return true;
}

bool bench_wait(pid_t pid, double patience_s, int *ret_status, struct rusage *ret_usage) {
    uint64_t start_ns = hasten_clock_monotonic_ns();
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
    while (descriptor >= 0 && !cli_signals_stop_asked()) {
        double left_s = patience_s - (double)(hasten_clock_monotonic_ns() - start_ns) / 1e9;
        struct pollfd event = {descriptor, POLLIN, 0};
        int wait_ms = left_s <= 0                     ? 0
                      : left_s * 1000 > BENCH_LOOK_MS ? BENCH_LOOK_MS
                                                      : (int)(left_s * 1000) + 1;
        int got = poll(&event, 1, wait_ms);
        if (got > 0 || (got == 0 && left_s <= 0)) {
            break;
        }
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return wait4(pid, ret_status, descriptor >= 0 ? WNOHANG : 0, ret_usage) == pid;
}

void bench_kill(pid_t pid) {
    if (pid > 0) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL); /* before it had a group of its own */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

uint64_t bench_stolen_ticks(void) {
    char text[512];
    const char *path = getenv(STAT_VARIABLE);
    int descriptor = open(path == NULL ? "/proc/stat" : path, O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor < 0 ? -1 : read(descriptor, text, sizeof text - 1);
    if (descriptor >= 0) {
        close(descriptor);
    }
    if (size <= 0) {
        return 0;
    }
    text[size] = '\0';
    unsigned long long stolen = 0;
    /* cpu user nice system idle iowait irq softirq steal */
    if (sscanf(text, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &stolen) != 1) {
        return 0;
    }
    return stolen;
}

uint32_t bench_frequency_khz(int processor) {
    char path[PATH_MAX], text[32];
    const char *folder = getenv(CPUFREQ_VARIABLE);
    snprintf(path, sizeof path, "%s/cpu%d/cpufreq/scaling_cur_freq",
             folder == NULL ? "/sys/devices/system/cpu" : folder, processor);
    int descriptor = processor < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return 0;
    }
    ssize_t size = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    text[size < 0 ? 0 : size] = '\0';
    unsigned long khz = strtoul(text, NULL, 10);
    return khz < UINT32_MAX ? (uint32_t)khz : 0;
}
