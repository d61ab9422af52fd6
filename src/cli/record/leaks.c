/* SPDX-License-Identifier: MIT
 *
 * Switches on what python/_hasten_leaks.py does, and reads what it wrote. */
#include "cli/record/leaks.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/python.h"

#define VARIABLE "HASTEN_LEAKS"
/* A file of findings is a few KB. */
#define MOST_BYTES (1 << 22)
/* Between the text and its JSON. */
#define SEPARATOR '\f'

bool cli_leaks_check(const struct cli_options *options) {
    if (!options->leaks) {
        if (options->leaks_when != NULL) {
            cli_say("run: --leaks-every and --leaks-mark go with --leaks");
            return false;
        }
        return true;
    }
    if (options->trace) {
        cli_say("run: --leaks goes with sampling, not with --trace");
        return false;
    }
    return true;
}

static bool can_watch(const char *python) {
    if (cli_python_has(python, "_hasten_leaks", VARIABLE)) {
        return true;
    }
    cli_say("cannot watch for leaks in %s: hasten is not installed there, and it watches inside "
            "the program; install it with `%s -m pip install hasten`, or name another interpreter "
            "with --python",
            python, python);
    return false;
}

bool cli_leaks_begin(struct cli_leaks *leaks, const struct cli_options *options, const char *python,
                     const char *path) {
    char value[PATH_MAX + 512];
    leaks->is_on = false;
    if (!options->leaks) {
        return true;
    }
    if (python != NULL && !can_watch(python)) {
        return false;
    }
    int reason = cli_parts_make(&leaks->parts, path);
    if (reason != 0) {
        cli_say("cannot make a folder beside %s: %s", path, strerror(reason));
        return false;
    }
    leaks->is_on = true;
    const char *when = options->leaks_when == NULL ? CLI_LEAKS_EVERY : options->leaks_when;
    int size = snprintf(value, sizeof value, "%s\t%s", when, leaks->parts.folder);
    if (size < 0 || (size_t)size >= sizeof value || setenv(VARIABLE, value, 1) != 0) {
        cli_say("cannot tell the program to look for leaks: its environment is full");
        cli_leaks_abandon(leaks);
        return false;
    }
    return true;
}

void cli_leaks_abandon(struct cli_leaks *leaks) {
    if (leaks->is_on) {
        cli_parts_remove(&leaks->parts);
        leaks->is_on = false;
    }
}

/* The whole file, NUL-terminated; NULL: it cannot be read. Freed by the caller. */
static char *read_file(const char *path) {
    FILE *file = fopen(path, "re");
    char *text = file == NULL ? NULL : malloc(MOST_BYTES + 1);
    if (text != NULL) {
        size_t size = fread(text, 1, MOST_BYTES, file);
        text[size] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

static void take(struct cli_session *session, const char *pid, char *text) {
    char name[64];
    char *json = strchr(text, SEPARATOR);
    if (json != NULL) {
        *json++ = '\0';
        json[strcspn(json, "\n")] = '\0';
    }
    text[strlen(text) - (text[0] != '\0' && text[strlen(text) - 1] == '\n')] = '\0';
    if (session->is_finished) {
        cli_say("process %s: %s", pid, text);
        return;
    }
    snprintf(name, sizeof name, "leaks.%s", pid);
    cli_session_fact(session, name, text);
    if (json != NULL) {
        snprintf(name, sizeof name, "leaks.%s.json", pid);
        cli_session_fact(session, name, json);
    }
}

void cli_leaks_finish(struct cli_leaks *leaks, struct cli_session *session) {
    if (!leaks->is_on) {
        return;
    }
    struct dirent **entries = NULL;
    int count = scandir(leaks->parts.folder, &entries, NULL, versionsort);
    size_t taken = 0;
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX + 300];
        char pid[24] = "";
        char rest[8] = "";
        bool is_part =
            sscanf(entries[i]->d_name, "%20[0-9]%7s", pid, rest) == 2 && strcmp(rest, ".part") == 0;
        snprintf(path, sizeof path, "%s/%s", leaks->parts.folder, entries[i]->d_name);
        char *text = is_part ? read_file(path) : NULL;
        if (text != NULL) {
            take(session, pid, text);
            taken++;
        }
        free(text);
        free(entries[i]);
    }
    free(entries);
    if (taken == 0) {
        cli_say("nothing is known of leaks: the program ended before it had looked, or no Python "
                "began in which hasten is installed");
    }
    cli_parts_remove(&leaks->parts);
}
