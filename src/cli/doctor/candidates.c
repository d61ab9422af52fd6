/* SPDX-License-Identifier: MIT
 *
 * Looks where interpreters are usually installed. */
#include "cli/doctor/candidates.h"

#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/python.h"

/* Scripts (pyenv's shims) lead to interpreters that are found by themselves. */
static bool is_binary(const char *path) {
    char magic[4] = "";
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool found = descriptor >= 0 && read(descriptor, magic, sizeof magic) == 4 &&
                 memcmp(magic,
                        "\x7f"
                        "ELF",
                        4) == 0;
    if (descriptor >= 0) {
        close(descriptor);
    }
    return found && access(path, X_OK) == 0;
}

static void add(struct candidates *candidates, const char *path) {
    if (candidates->count == CANDIDATES_MOST || strlen(path) >= PATH_MAX) {
        return;
    }
    struct candidate *row = &candidates->rows[candidates->count];
    if (realpath(path, row->resolved) == NULL || !is_binary(row->resolved)) {
        return;
    }
    for (size_t i = 0; i < candidates->count; i++) {
        if (strcmp(candidates->rows[i].resolved, row->resolved) == 0) {
            return;
        }
    }
    strcpy(row->path, path);
    candidates->count++;
}

/* "python3.12-config" and the like also match the patterns. */
static bool is_interpreter_name(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *rest = (slash == NULL ? path : slash + 1) + strlen("python");
    rest += strspn(rest, "0123456789.");
    rest += *rest == 't';
    return *rest == '\0';
}

static void add_pattern(struct candidates *candidates, const char *start, const char *pattern) {
    char path[PATH_MAX];
    glob_t found;
    int used = snprintf(path, sizeof path, "%s/%s", start, pattern);
    if (used <= 0 || (size_t)used >= sizeof path || glob(path, 0, NULL, &found) != 0) {
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (is_interpreter_name(found.gl_pathv[i])) {
            add(candidates, found.gl_pathv[i]);
        }
    }
    globfree(&found);
}

static void add_path_folders(struct candidates *candidates) {
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        char folder[PATH_MAX];
        size_t length = strcspn(path, ":");
        if (length > 0 && length < sizeof folder) {
            memcpy(folder, path, length);
            folder[length] = '\0';
            add_pattern(candidates, folder, "python");
            add_pattern(candidates, folder, "python3");
            add_pattern(candidates, folder, "python3.*");
        }
        path += length + (path[length] == ':');
    }
}

void candidates_find(struct candidates *candidates) {
    static const char *const in_home[] = {
        ".pyenv/versions/*/bin/python3", ".local/share/uv/python/*/bin/python3",
        ".local/bin/python3*",           "miniconda3/bin/python3",
        "miniconda3/envs/*/bin/python3", "anaconda3/bin/python3",
        "anaconda3/envs/*/bin/python3",  "miniforge3/bin/python3",
        "miniforge3/envs/*/bin/python3",
    };
    static const char *const elsewhere[] = {
        "usr/bin/python3*",         "usr/local/bin/python3*",
        "opt/conda/bin/python3",    "opt/conda/envs/*/bin/python3",
        "opt/python/*/bin/python3",
    };
    char first[PATH_MAX];
    candidates->count = 0;
    if (cli_python_choose(NULL, first, sizeof first)) {
        add(candidates, first);
    }
    add_path_folders(candidates);
    const char *home = getenv("HOME");
    for (size_t i = 0; home != NULL && i < sizeof in_home / sizeof *in_home; i++) {
        add_pattern(candidates, home, in_home[i]);
    }
    const char *pyenv = getenv("PYENV_ROOT");
    if (pyenv != NULL) {
        add_pattern(candidates, pyenv, "versions/*/bin/python3");
    }
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        add_pattern(candidates, "", elsewhere[i]);
    }
}
