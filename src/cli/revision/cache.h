/* SPDX-License-Identifier: MIT
 *
 * Where revisions are kept: $XDG_CACHE_HOME/hasten/revisions (~/.cache without), a
 * folder each, named by what was built, from what, with what.
 *
 * A folder is locked while it is used (shared) or built (alone): two hastens that want
 * the same build it once. It counts as built when `done` is in it, which is written
 * last. Those that were not used for long are deleted. */
#ifndef HASTEN_CLI_REVISION_CACHE_H
#define HASTEN_CLI_REVISION_CACHE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct revision_entry {
    char path[PATH_MAX - 256]; /* room for what is in it */
    int lock;                  /* descriptor of the folder; -1: not open */
    bool is_built;
};

/* The folder for revisions, made where it is missing. False after saying why not. */
bool revision_cache_folder(char *ret_path, size_t size);
/* Opens the entry `key`, in use from then on, or, where it is not built, to be built
 * by this process alone, and empty. False after saying why not. */
bool revision_entry_open(struct revision_entry *entry, const char *key);
/* It is built: others may use it. False after saying why not. */
bool revision_entry_finish(struct revision_entry *entry);
void revision_entry_close(struct revision_entry *entry);
/* Deletes what has not been used for long and is not in use. */
void revision_cache_clean(void);

#endif
