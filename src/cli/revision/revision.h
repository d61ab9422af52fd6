/* SPDX-License-Identifier: MIT
 *
 * Another revision of the project in the current directory, ready to run: its
 * sources, and an environment in which it is installed.
 *
 * What is compared with a revision, the working tree as it is, is made the very same
 * way: a copy of it in the cache, an environment of its own. Otherwise it would also be
 * compared how both were built, where they lie, and what has been left behind by
 * earlier builds.
 *
 * In the environment, the packages of the present one are found behind its own
 * (program.py), so that only the project and what a revision wants otherwise
 * is installed. Environments are kept (cache.h). */
#ifndef HASTEN_CLI_REVISION_REVISION_H
#define HASTEN_CLI_REVISION_REVISION_H

#include <limits.h>

#include "cli/revision/cache.h"
#include "core/base/buffer.h"

/* A git object's name, SHA-256's included. */
#define REVISION_NAME_SIZE 65
/* Of a revision, in messages and tables. */
#define REVISION_SHORT 10
/* What of the environment is set for it. */
#define REVISION_TEXTS 5

/* The repository around the current directory, and the present environment. */
struct revision_project {
    const char *python;
    char top[PATH_MAX];    /* the working tree */
    char inside[PATH_MAX]; /* where in it the current directory is: "", "sub/folder/" */
    char home[PATH_MAX];   /* where in it the project is (pyproject.toml, setup.py), likewise */
    char head[REVISION_NAME_SIZE];
    char head_tree[REVISION_NAME_SIZE];
    char tree[REVISION_NAME_SIZE]; /* of the working tree as it is */
    char objects[PATH_MAX];        /* the repository's, and where those of `tree` are */
    char snapshot[PATH_MAX];
    struct hasten_buffer install;   /* the user's command; "": pip, or nothing */
    struct hasten_buffer signature; /* what the present environment is */
};

struct revision {
    char label[256]; /* "HEAD~1 (1a2b3c4d5e)", "working tree" */
    char commit[REVISION_NAME_SIZE];
    char tree[REVISION_NAME_SIZE];
    char root[PATH_MAX];   /* its sources, of the whole repository */
    char folder[PATH_MAX]; /* in them, what the current directory is */
    char python[PATH_MAX];
    struct revision_entry entry;
    /* The environment of what runs in it: "NAME=VALUE" or "NAME", ends with NULL. */
    const char *settings[8];
    struct hasten_buffer texts[REVISION_TEXTS];
};

/* `python` is borrowed; `install` (--install) may be NULL: pyproject.toml says it then. False
 * after saying what is wrong. Release with revision_project_done, also then. */
bool revision_project_find(struct revision_project *project, const char *python,
                           const char *install);
void revision_project_done(struct revision_project *project);
/* Whether the working tree differs from HEAD. */
bool revision_is_dirty(const struct revision_project *project);

/* `ref` NULL is the working tree as it is. Builds it where it is not there yet, which
 * may take minutes. False after saying what is wrong. Release with revision_done, also
 * then. Too large for the stack. */
bool revision_prepare(const struct revision_project *project, const char *ref,
                      struct revision *revision);
void revision_done(struct revision *revision);

#endif
