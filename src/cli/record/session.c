/* SPDX-License-Identifier: MIT
 *
 * Makes a recording and shows it. */
#include "cli/record/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "core/base/clock.h"
#include "hasten/recording.h"

#define NS_PER_S 1e9

static const char *mode_name(enum hasten_mode mode) {
    switch (mode) {
    case HASTEN_MODE_WALL:
        break;
    case HASTEN_MODE_CPU:
        return "cpu";
    case HASTEN_MODE_GIL:
        return "gil";
    }
    return "wall";
}

void cli_session_fact(struct cli_session *session, const char *name, const char *value) {
    if (session->recorder == NULL ||
        hasten_recorder_fact(session->recorder, name, value) == HASTEN_OK) {
        return;
    }
    /* The recorder remembers its first failure and gives it again at each call. */
}

static void write_facts(struct cli_session *session, uint64_t interval_ns) {
    char text[32];
    char directory[4096];
    cli_session_fact(session, "hasten.version", HASTEN_VERSION);
    cli_session_fact(session, "mode", mode_name(session->options->mode));
    snprintf(text, sizeof text, "%" PRIu64, interval_ns);
    cli_session_fact(session, "interval_ns", text);
    snprintf(text, sizeof text, "%" PRIu64, hasten_clock_wall_ns());
    cli_session_fact(session, "start.time_ns", text);
    if (getcwd(directory, sizeof directory) != NULL) {
        cli_session_fact(session, "directory", directory);
    }
}

bool cli_session_begin(struct cli_session *session, const struct cli_options *options,
                       const char *path) {
    struct hasten_error error = {.status = HASTEN_OK};
    uint64_t interval_ns = (uint64_t)(NS_PER_S / options->rate_hz + 0.5);
    struct hasten_sampler_options sampler_options = {
        .interval_ns = interval_ns,
        .mode = options->mode,
        .main_thread_only = options->main_thread_only,
        .blocking = options->blocking,
        .follow_children = true,
    };
    *session = (struct cli_session){.options = options, .path = path};
    if (hasten_recorder_open(path, interval_ns, NULL, &session->recorder, &error) != HASTEN_OK) {
        cli_say("cannot write the recording: %s", cli_error_text(&error));
        return false;
    }
    write_facts(session, interval_ns);
    if (hasten_sampler_new(&sampler_options, session->recorder, NULL, &session->sampler, &error) !=
        HASTEN_OK) {
        cli_say("cannot sample: %s", cli_error_text(&error));
        cli_session_abandon(session);
        return false;
    }
    session->is_sampling = true;
    if (options->duration_s > 0) {
        session->end_ns = hasten_clock_monotonic_ns() + (uint64_t)(options->duration_s * NS_PER_S);
    }
    return true;
}

bool cli_session_step(struct cli_session *session) {
    struct hasten_error error = {.status = HASTEN_OK};
    if (!session->is_sampling) {
        return false;
    }
    hasten_status status = hasten_sampler_step(session->sampler, &error);
    if (session->memory != NULL) {
        cli_memory_look(session->memory, session->recorder);
    }
    bool is_over = session->end_ns != 0 && hasten_clock_monotonic_ns() >= session->end_ns;
    if (status != HASTEN_OK && status != HASTEN_NO_PROCESS) {
        error.status = status;
        cli_say("sampling stopped: %s; what was recorded so far is kept, and the program goes on",
                cli_error_text(&error));
    }
    session->is_sampling = status == HASTEN_OK && !is_over;
    return session->is_sampling;
}

/* What was refused, when that is why there is nothing to see. */
static void say_refusal(const struct cli_session *session) {
    struct hasten_sampler_statistics statistics;
    struct hasten_error refusal = {.status = HASTEN_OK};
    hasten_sampler_get_statistics(session->sampler, &statistics);
    hasten_sampler_refusal(session->sampler, &refusal);
    if (statistics.samples == 0 && refusal.status != HASTEN_OK) {
        cli_say("not sampled: %s", cli_error_text(&refusal));
    }
}

static void close_recorder(struct cli_session *session) {
    struct hasten_error error = {.status = HASTEN_OK};
    hasten_status status = hasten_sampler_record_statistics(session->sampler);
    if (status == HASTEN_OK && session->memory != NULL) {
        status = cli_memory_gather(session->memory, session->recorder);
    }
    if (status != HASTEN_OK) {
        hasten_recorder_free(session->recorder); /* said when it happened */
    } else if (hasten_recorder_close(session->recorder, &error) != HASTEN_OK) {
        cli_say("the recording is cut short: %s", cli_error_text(&error));
    }
    session->recorder = NULL;
}

/* The log stays readable where this fails. */
static void finalize(const struct cli_session *session) {
    struct hasten_error error = {.status = HASTEN_OK};
    struct cli_progress progress;
    cli_progress_begin(&progress, "writing the recording");
    hasten_status status = hasten_recording_finalize(session->path, NULL, &error);
    cli_progress_end(&progress);
    if (status != HASTEN_OK) {
        error.status = status;
        cli_say("%s stays a log: %s; `hasten report` reads it as it is", session->path,
                cli_error_text(&error));
    }
}

bool cli_session_finish(struct cli_session *session, const char *exit_status) {
    if (session->is_finished) {
        return true;
    }
    session->is_finished = true;
    session->is_sampling = false;
    if (exit_status != NULL) {
        cli_session_fact(session, "exit.status", exit_status);
    }
    say_refusal(session);
    close_recorder(session);
    hasten_sampler_free(session->sampler);
    session->sampler = NULL;
    finalize(session);
    bool shown =
        session->options->no_report || cli_show(session->path, session->options, STDERR_FILENO);
    if (shown && !session->options->no_report) {
        cli_say("recorded in %s; `hasten report %s` shows this again", session->path,
                session->path);
    }
    return shown;
}

void cli_session_abandon(struct cli_session *session) {
    hasten_sampler_free(session->sampler);
    hasten_recorder_free(session->recorder);
    session->sampler = NULL;
    session->recorder = NULL;
    session->is_sampling = false;
    session->is_finished = true;
    unlink(session->path);
}
