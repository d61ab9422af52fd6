/* SPDX-License-Identifier: MIT
 *
 * Finds the library beside the command, in the package that came with it. */
#include "cli/preload.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "LD_PRELOAD"

/* Relative to the command's folder: where it was built, and where it is installed. */
static const char *const places[] = {
    "preload",
    "../lib/python3*/site-packages/hasten",
    "../lib64/python3*/site-packages/hasten",
    "../lib/python3*/dist-packages/hasten",
    "../local/lib/python3*/dist-packages/hasten",
};

/* A folder's name may have what glob takes for a pattern. */
static bool escape(const char *folder, char *ret_text, size_t size) {
    size_t used = 0;
    for (; *folder != '\0'; folder++) {
        if (used + 3 > size) {
            return false;
        }
        if (strchr("*?[\\", *folder) != NULL) {
            ret_text[used++] = '\\';
        }
        ret_text[used++] = *folder;
    }
    ret_text[used] = '\0';
    return true;
}

static bool find_first(const char *folder, const char *place, const char *library, char *ret_path,
                       size_t size) {
    char pattern[2 * PATH_MAX + 128];
    char resolved[PATH_MAX];
    glob_t found;
    int used = snprintf(pattern, sizeof pattern, "%s/%s/%s", folder, place, library);
    if (used < 0 || (size_t)used >= sizeof pattern || glob(pattern, 0, NULL, &found) != 0) {
        return false;
    }
    bool fits = found.gl_pathc > 0 && realpath(found.gl_pathv[0], resolved) != NULL &&
                (size_t)snprintf(ret_path, size, "%s", resolved) < size;
    globfree(&found);
    return fits;
}

bool cli_preload_find(const char *library, char *ret_path, size_t size) {
    char self[PATH_MAX];
    char folder[2 * PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) {
        return false;
    }
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    if (!escape(self, folder, sizeof folder)) {
        return false;
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (find_first(folder, places[i], library, ret_path, size)) {
            return true;
        }
    }
    return false;
}

bool cli_preload_set(const char *library) {
    const char *others = getenv(VARIABLE);
    if (strpbrk(library, ": ") != NULL) {
        return false;
    }
    if (others == NULL || others[0] == '\0') {
        return setenv(VARIABLE, library, 1) == 0;
    }
    size_t size = strlen(library) + strlen(others) + 2;
    char *list = malloc(size);
    if (list == NULL) {
        return false;
    }
    snprintf(list, size, "%s:%s", library, others);
    bool is_set = setenv(VARIABLE, list, 1) == 0;
    free(list);
    return is_set;
}

void cli_preload_unset(void) {
    const char *list = getenv(VARIABLE);
    const char *colon = list == NULL ? NULL : strchr(list, ':');
    char *others = colon == NULL ? NULL : strdup(colon + 1);
    if (others == NULL) {
        unsetenv(VARIABLE);
        return;
    }
    setenv(VARIABLE, others, 1);
    free(others);
}
