/* SPDX-License-Identifier: MIT
 *
 * What git is asked about a repository. The user's repository is only read: a working
 * tree's state becomes objects in a place of their own. */
#ifndef HASTEN_CLI_REVISION_GIT_H
#define HASTEN_CLI_REVISION_GIT_H

#include "cli/revision/revision.h"

/* Fills all of `project` that is git's. All answer false after saying what is wrong. */
bool revision_git_project(struct revision_project *project);
/* The commit that `ref` means, and its tree. */
bool revision_git_commit(const struct revision_project *project, const char *ref,
                         char ret_commit[REVISION_NAME_SIZE], char ret_tree[REVISION_NAME_SIZE]);
/* HEAD, its date (seconds since the epoch), and whether the working tree differs. */
bool revision_git_head(char ret_commit[REVISION_NAME_SIZE], int64_t *ret_committed_s,
                       bool *ret_is_dirty);
/* Fills entry/src with the tree on top of the commit: a clone that has the
 * repository's objects, its tags, and its history, for builds that ask git for a
 * version. What git says goes to `log` as well. */
bool revision_git_checkout(const struct revision_project *project, const struct revision *revision,
                           int log);

#endif
