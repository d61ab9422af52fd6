/* SPDX-License-Identifier: MIT
 *
 * A busy program of one function, sampled into a temporary recording. */
#include "cli/doctor/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "hasten/recording.h"
#include "hasten/sampler.h"

#define TRIAL_INTERVAL_NS 2000000u
/* Wanted samples, and the time after which the trial gives up on them. */
#define TRIAL_SAMPLES 100
#define TRIAL_LIMIT_NS 5000000000u
#define ANSWER_LIMIT_MS 5000

/* The program; ends by itself in case hasten cannot end it. */
static const char program[] = "import time\n"
                              "def hasten_trial(end):\n"
                              "    while time.monotonic() < end: pass\n"
                              "hasten_trial(time.monotonic() + 20)\n";

/* Starts python with its output into `output` (-1: nowhere), isolated from the
 * user's settings. */
static pid_t start(const char *python, const char *code, int output) {
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(nowhere, STDIN_FILENO);
    dup2(output < 0 ? nowhere : output, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execl(python, python, "-I", "-c", code, (char *)NULL);
    _exit(127);
}

static void stop(pid_t pid) {
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static hasten_status sample(pid_t pid, const char *path, struct trial_result *result,
                            struct hasten_error *error) {
    struct hasten_sampler_options options = {.interval_ns = TRIAL_INTERVAL_NS,
                                             .mode = HASTEN_MODE_WALL};
    struct hasten_sampler_statistics statistics = {0};
    struct hasten_recorder *recorder = NULL;
    struct hasten_sampler *sampler = NULL;
    hasten_status status = hasten_recorder_open(path, TRIAL_INTERVAL_NS, NULL, &recorder, error);
    if (status == HASTEN_OK) {
        status = hasten_sampler_new(&options, recorder, NULL, &sampler, error);
    }
    if (status == HASTEN_OK) {
        status = hasten_sampler_add(sampler, (uint32_t)pid, true, error);
    }
    uint64_t end_ns = hasten_clock_monotonic_ns() + TRIAL_LIMIT_NS;
    while (status == HASTEN_OK && statistics.samples < TRIAL_SAMPLES &&
           hasten_clock_monotonic_ns() < end_ns) {
        status = hasten_sampler_step(sampler, error);
        hasten_sampler_get_statistics(sampler, &statistics);
    }
    if (sampler != NULL && statistics.samples == 0) {
        struct hasten_error refusal = {.status = HASTEN_OK};
        hasten_sampler_refusal(sampler, &refusal);
        if (refusal.status != HASTEN_OK) {
            *error = refusal;
            status = refusal.status;
        }
    }
    result->samples = statistics.samples;
    result->failed = statistics.failed;
    hasten_sampler_free(sampler);
    if (status == HASTEN_OK) {
        status = hasten_recorder_close(recorder, error);
    } else {
        hasten_recorder_free(recorder);
    }
    return status;
}

static hasten_status look(const char *path, struct trial_result *result,
                          struct hasten_error *error) {
    struct hasten_profile *profile = NULL;
    hasten_status status = hasten_recording_load(path, NULL, &profile, error);
    if (status != HASTEN_OK) {
        return status;
    }
    if (profile->process_count > 0) {
        result->python_version = profile->processes[0].python_version;
    }
    for (size_t i = 0; i < profile->code_count; i++) {
        if (strcmp(profile->strings[profile->codes[i].name], "hasten_trial") == 0) {
            result->found_function = true;
        }
    }
    hasten_profile_free(profile);
    return HASTEN_OK;
}

hasten_status cli_trial(const char *python, struct trial_result *ret_result,
                        struct hasten_error *error) {
    struct trial_result result = {0};
    char path[4096];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/hasten-trial-XXXXXX",
             folder == NULL || folder[0] == '\0' ? "/tmp" : folder);
    int descriptor = mkstemp(path);
    if (descriptor < 0) {
        return hasten_error_set(error, HASTEN_IO, -1, "cannot write in %s: %s",
                                folder == NULL ? "/tmp" : folder, strerror(errno));
    }
    close(descriptor);
    pid_t pid = start(python, program, -1);
    hasten_status status =
        pid < 0 ? hasten_error_set(error, HASTEN_IO, -1, "cannot start it: %s", strerror(errno))
                : sample(pid, path, &result, error);
    if (pid > 0) {
        stop(pid);
    }
    if (status == HASTEN_OK) {
        status = look(path, &result, error);
    }
    unlink(path);
    if (status == HASTEN_OK) {
        *ret_result = result;
    }
    return status;
}

bool cli_trial_version(const char *python, char *ret_text, size_t size) {
    static const char code[] = "import sys\n"
                               "n = sys.implementation.name\n"
                               "v = sys.version.split()[0]\n"
                               "print(v if n == 'cpython' else n + ' ' + v, end='')\n";
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    pid_t pid = start(python, code, ends[1]);
    close(ends[1]);
    size_t used = 0;
    struct pollfd wait = {.fd = ends[0], .events = POLLIN};
    while (pid > 0 && used + 1 < size && poll(&wait, 1, ANSWER_LIMIT_MS) > 0) {
        ssize_t got = read(ends[0], ret_text + used, size - used - 1);
        if (got <= 0) {
            break;
        }
        used += (size_t)got;
    }
    close(ends[0]);
    if (pid > 0) {
        stop(pid);
    }
    ret_text[used] = '\0';
    return used > 0;
}
