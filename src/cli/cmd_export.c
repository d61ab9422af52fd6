/* SPDX-License-Identifier: MIT
 *
 * hasten export: a recording in another program's format. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "core/base/buffer.h"
#include "core/pstats/table.h"
#include "hasten/pstats.h"
#include "hasten/recording.h"

/* "app.hasten" -> "app.pstats". */
static char *default_name(const char *path) {
    static const char ending[] = ".hasten";
    size_t size = strlen(path);
    if (size > sizeof ending - 1 && strcmp(path + size - (sizeof ending - 1), ending) == 0) {
        size -= sizeof ending - 1;
    }
    char *name = NULL;
    return asprintf(&name, "%.*s.pstats", (int)size, path) < 0 ? NULL : name;
}

static hasten_status make_pstats(const struct hasten_profile *profile, struct hasten_buffer *out,
                                 struct hasten_error *error) {
    struct hasten_pstats *table = NULL;
    struct hasten_pstats_sums sums;
    hasten_status status = hasten_pstats_new(NULL, &table, error);
    if (status != HASTEN_OK) {
        return status;
    }
    hasten_pstats_begin(table);
    status = hasten_pstats_stage_profile(table, profile, error);
    if (status == HASTEN_OK) {
        status = hasten_pstats_commit(table, false, &sums);
    }
    if (status == HASTEN_OK) {
        status = hasten_pstats_dump(table, out);
    }
    hasten_pstats_free(table);
    return status;
}

/* All of it, or nothing of it stays. "-" is standard output. */
static bool write_file(const char *path, const struct hasten_buffer *data) {
    bool to_output = strcmp(path, "-") == 0;
    FILE *file = to_output ? stdout : fopen(path, "we");
    if (file == NULL) {
        cli_say("cannot write %s: %s; name another file with -o", path, strerror(errno));
        return false;
    }
    bool written = fwrite(data->data, 1, data->size, file) == data->size && fflush(file) == 0;
    int reason = errno;
    struct stat info;
    bool is_file = fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode);
    if (!to_output && fclose(file) != 0 && written) {
        reason = errno;
        written = false;
    }
    if (!written) {
        cli_say("cannot write %s: %s", path, strerror(reason));
        if (!to_output && is_file) {
            unlink(path);
        }
    }
    return written;
}

static bool export_pstats(const char *path, const char *output) {
    struct hasten_error error = {.status = HASTEN_OK};
    struct hasten_profile *profile = NULL;
    struct hasten_buffer data;
    struct cli_progress progress;
    cli_progress_begin(&progress, "reading the recording");
    error.status = hasten_recording_load(path, NULL, &profile, &error);
    cli_progress_end(&progress);
    if (error.status != HASTEN_OK) {
        cli_say("cannot read %s: %s", path, cli_error_text(&error));
        return false;
    }
    hasten_buffer_init(&data, NULL);
    error.status = make_pstats(profile, &data, &error);
    hasten_profile_free(profile);
    bool written = false;
    if (error.status != HASTEN_OK) {
        cli_say("cannot export %s: %s", path, cli_error_text(&error));
    } else {
        written = write_file(output, &data);
    }
    hasten_buffer_done(&data);
    return written;
}

int cmd_export(const struct cli_options *options) {
    if (options->argument_count != 1) {
        cli_say("export: %s; `hasten help export` shows how",
                options->argument_count == 0 ? "which recording?" : "one recording at a time");
        return CLI_EXIT_USAGE;
    }
    const char *path = options->arguments[0];
    char *made = options->output == NULL ? default_name(path) : NULL;
    const char *output = options->output == NULL ? made : options->output;
    if (output == NULL) {
        cli_say("out of memory");
        return CLI_EXIT_FAILED;
    }
    if (options->output == NULL && access(output, F_OK) == 0) {
        cli_say("%s is there already; name another file with -o, or this one to replace it",
                output);
        free(made);
        return CLI_EXIT_FAILED;
    }
    bool written = export_pstats(path, output);
    if (written && strcmp(output, "-") != 0) {
        cli_say("written to %s", output);
    }
    free(made);
    return written ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}
