/* SPDX-License-Identifier: MIT
 *
 * From a recording's path to a report on a descriptor. */
#include "cli/show.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/progress.h"
#include "cli/screen.h"
#include "hasten/recording.h"

static bool write_all(int descriptor, const char *text) {
    size_t size = strlen(text);
    while (size > 0) {
        ssize_t written = write(descriptor, text, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return errno == EPIPE;
        }
        text += written;
        size -= (size_t)written;
    }
    return true;
}

static hasten_status load(const char *path, struct hasten_profile **ret_profile,
                          struct hasten_error *error) {
    struct cli_progress progress;
    cli_progress_begin(&progress, "reading the recording");
    hasten_status status = hasten_recording_load(path, NULL, ret_profile, error);
    cli_progress_end(&progress);
    return status;
}

bool cli_show(const char *path, const struct cli_options *options, int descriptor) {
    struct hasten_error error = {.status = HASTEN_OK};
    struct hasten_profile *profile = NULL;
    char *text = NULL;
    bool shown = false;
    hasten_status status = load(path, &profile, &error);
    if (status != HASTEN_OK) {
        error.status = status;
        cli_say("cannot read %s: %s", path, cli_error_text(&error));
        return false;
    }
    struct hasten_report_options screen = cli_screen(descriptor, options);
    status = options->json ? hasten_report_json(profile, &screen, &text, &error)
                           : hasten_report_terminal(profile, &screen, &text, &error);
    if (status != HASTEN_OK) {
        error.status = status;
        cli_say("cannot show %s: %s", path, cli_error_text(&error));
    } else if (!write_all(descriptor, text)) {
        cli_say("cannot write the report: %s", strerror(errno));
    } else {
        shown = true;
    }
    hasten_report_free_text(profile, text);
    hasten_profile_free(profile);
    return shown;
}
