/* SPDX-License-Identifier: MIT
 *
 * hasten check: measures, judges, tells whoever wants to know. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/check/history.h"
#include "cli/check/judge.h"
#include "cli/check/show.h"
#include "cli/message.h"
#include "cli/screen.h"
#include "cli/signals.h"

/* It could not be measured; as wrong usage. 1 is a regression. */
#define EXIT_NOT_MEASURED CLI_EXIT_USAGE

/* What is appended to belongs to a file that others write to as well. */
static bool write_file(const char *path, int flags, const struct hasten_buffer *text) {
    int descriptor = text->failed ? -1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    bool done = descriptor >= 0;
    for (size_t written = 0; done && written < text->size;) {
        ssize_t size = write(descriptor, text->data + written, text->size - written);
        done = size > 0 || (size < 0 && errno == EINTR);
        written += size > 0 ? (size_t)size : 0;
    }
    if (descriptor >= 0 && close(descriptor) != 0) {
        done = false;
    }
    if (!done) {
        cli_say("check: cannot write %s: %s", path,
                text->failed ? "out of memory" : strerror(errno));
    }
    return done;
}

/* Files, and what GitHub wants. */
static bool write_extras(const struct check_list *list) {
    const struct cli_check_options *check = &list->options->check;
    const char *actions = getenv("GITHUB_ACTIONS");
    const char *summary = getenv("GITHUB_STEP_SUMMARY");
    struct hasten_buffer out;
    bool done = true;
    hasten_buffer_init(&out, NULL);
    if (check->junit != NULL) {
        check_junit(&out, list);
        done = write_file(check->junit, O_TRUNC, &out);
    }
    if (check->github || (actions != NULL && strcmp(actions, "true") == 0)) {
        hasten_buffer_clear(&out);
        check_annotations(&out, list);
        /* JSON on standard output stays JSON: the log of a step has both. */
        fwrite(out.data, 1, out.size, list->options->json ? stderr : stdout);
        if (summary != NULL && summary[0] != '\0') {
            hasten_buffer_clear(&out);
            check_markdown(&out, list);
            done = write_file(summary, O_APPEND, &out) && done;
        }
    }
    hasten_buffer_done(&out);
    return done;
}

static bool show(const struct check_list *list) {
    struct hasten_report_options screen = cli_screen(STDOUT_FILENO, list->options);
    struct hasten_buffer out;
    hasten_buffer_init(&out, NULL);
    if (list->options->json) {
        check_json(&out, list);
    } else {
        check_show(&out, list, &screen);
    }
    bool is_whole = !out.failed;
    if (is_whole) {
        fwrite(out.data, 1, out.size, stdout);
    } else {
        cli_say("check: out of memory");
    }
    hasten_buffer_done(&out);
    return is_whole && write_extras(list);
}

int cmd_check(const struct cli_options *options) {
    struct check_list list;
    int status = EXIT_NOT_MEASURED;
    if (options->is_command) {
        cli_say("check: commands cannot be checked, only functions in files");
        return status;
    }
    cli_signals_catch_stop();
    if (options->check.shows_history) {
        return check_history_show(options);
    }
    if (check_list_make(&list, options) && check_measure(&list) && check_judge(&list) &&
        show(&list) && (!options->check.records || check_history_record(&list))) {
        status = check_exit_status(&list);
    }
    check_list_done(&list);
    if (cli_signals_stop_asked()) {
        cli_signals_die_by(SIGINT);
    }
    return status;
}
