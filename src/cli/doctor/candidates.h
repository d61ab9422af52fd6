/* SPDX-License-Identifier: MIT
 *
 * The Python interpreters installed on this machine. */
#ifndef HASTEN_CLI_DOCTOR_CANDIDATES_H
#define HASTEN_CLI_DOCTOR_CANDIDATES_H

#include <limits.h>
#include <stddef.h>

#define CANDIDATES_MOST 32

struct candidate {
    char path[PATH_MAX];     /* as found */
    char resolved[PATH_MAX]; /* without symbolic links: what it really is */
};

struct candidates {
    struct candidate rows[CANDIDATES_MOST];
    size_t count;
};

/* PATH, the usual folders, and where pyenv, uv and conda install. The one that
 * `hasten run` would take is first. Each binary once; scripts are left out. */
void candidates_find(struct candidates *candidates);

#endif
