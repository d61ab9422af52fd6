/* SPDX-License-Identifier: MIT
 *
 * One run as a line at the end of the history, whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/check/history.h"
#include "cli/message.h"
#include "cli/revision/git.h"
#include "core/base/clock.h"
#include "core/report/json_writer.h"

#define NS_PER_S 1000000000

void check_history_path(const struct check_settings *settings, const struct cli_options *options,
                        char *ret_path, size_t size) {
    if (options->check.history_file != NULL) {
        snprintf(ret_path, size, "%s", options->check.history_file);
    } else if (settings->history[0] != '\0') {
        snprintf(ret_path, size, "%s", settings->history);
    } else {
        snprintf(ret_path, size, "%s/hasten-history.jsonl", settings->home);
    }
}

void check_history_machine(char *ret_text, size_t size) {
    char model[128] = "unknown processor", line[256];
    struct utsname system;
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (colon != NULL && strncmp(line, "model name", 10) == 0) {
            snprintf(model, sizeof model, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(ret_text, size, "%s, %ld processor%s, %s", model, processors,
             processors == 1 ? "" : "s", uname(&system) == 0 ? system.machine : "?");
}

static void write_results(struct hasten_json *json, const struct check_list *list) {
    hasten_json_open(json, "benchmarks", '{');
    for (size_t i = 0; i < list->count; i++) {
        const struct check_entry *entry = list->entries[i];
        const struct bench_series *now = check_series(entry, CHECK_NOW);
        if (now == NULL) {
            continue;
        }
        hasten_json_open(json, entry->name, '{');
        hasten_json_number(json, "time_s", now->summary.median / 1e9);
        hasten_json_number(json, "low_s", now->interval.low / 1e9);
        hasten_json_number(json, "high_s", now->interval.high / 1e9);
        const struct bench_amount *peak = check_peak(entry, CHECK_NOW);
        if (peak != NULL) {
            hasten_json_number(json, "peak_bytes", peak->value);
        }
        if (entry->result.side_count == 2) {
            hasten_json_number(json, "ratio", entry->result.ratio.ratio);
        }
        hasten_json_close(json, '}');
    }
    hasten_json_close(json, '}');
}

static bool make_line(const struct check_list *list, struct hasten_buffer *out) {
    char commit[REVISION_NAME_SIZE], machine[256];
    int64_t committed_s = 0;
    bool is_dirty = false;
    if (!revision_git_head(commit, &committed_s, &is_dirty)) {
        return false;
    }
    check_history_machine(machine, sizeof machine);
    /* One line: a row inside of an array that is not written. */
    struct hasten_json json = {.out = out, .on_one_line = true};
    hasten_json_open(&json, NULL, '{');
    hasten_json_integer(&json, "hasten_history", HASTEN_HISTORY_VERSION);
    hasten_json_string(&json, "commit", commit);
    hasten_json_integer(&json, "committed", committed_s);
    hasten_json_integer(&json, "measured", (int64_t)(hasten_clock_wall_ns() / NS_PER_S));
    hasten_json_boolean(&json, "dirty", is_dirty);
    hasten_json_string(&json, "machine", machine);
    hasten_json_string(&json, "python", list->settings.python_version);
    if (list->revisions != NULL) {
        hasten_json_string(&json, "against", list->revisions[CHECK_REFERENCE].commit);
    }
    write_results(&json, list);
    hasten_json_close(&json, '}');
    hasten_buffer_byte(out, '\n');
    if (out->failed) {
        cli_say("check: out of memory");
    }
    return !out->failed;
}

/* Whole, or not at all: what a full disk left of it is taken away again. */
static bool append(int descriptor, const struct hasten_buffer *line) {
    struct stat info;
    char last = '\n';
    if (flock(descriptor, LOCK_EX) != 0 || fstat(descriptor, &info) != 0) {
        return false;
    }
    if (info.st_size > 0 && pread(descriptor, &last, 1, info.st_size - 1) != 1) {
        return false;
    }
    /* Somebody's editor may have left the last line without its end. */
    if (last != '\n' && write(descriptor, "\n", 1) != 1) {
        return false;
    }
    errno = ENOSPC;
    if (write(descriptor, line->data, line->size) == (ssize_t)line->size) {
        return true;
    }
    int reason = errno;
    if (ftruncate(descriptor, info.st_size) != 0) {
        return false;
    }
    errno = reason;
    return false;
}

bool check_history_record(const struct check_list *list) {
    char path[2 * PATH_MAX];
    struct hasten_buffer line;
    hasten_buffer_init(&line, NULL);
    check_history_path(&list->settings, list->options, path, sizeof path);
    bool done = make_line(list, &line);
    if (done) {
        bool is_new = access(path, F_OK) != 0;
        int descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
        done = descriptor >= 0 && append(descriptor, &line);
        if (descriptor >= 0 && close(descriptor) != 0) {
            done = false;
        }
        if (!done) {
            cli_say("check: cannot write %s: %s", path, strerror(errno));
        } else if (is_new) {
            const char *slash = strrchr(path, '/');
            cli_say("check: made %s; with `%s merge=union` in .gitattributes git merges it", path,
                    slash == NULL ? path : slash + 1);
        }
    }
    hasten_buffer_done(&line);
    return done;
}
