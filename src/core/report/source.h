/* SPDX-License-Identifier: MIT
 *
 * Lines of the source files that a profile names, as they are on this machine.
 *
 * The names come from a recording, which may come from anybody: only regular
 * files of a bounded size are opened, and what is read is not yet safe for a
 * terminal. */
#ifndef HASTEN_REPORT_SOURCE_H
#define HASTEN_REPORT_SOURCE_H

#include "core/base/buffer.h"

struct hasten_source_file;

struct hasten_sources {
    const struct hasten_allocator *allocator;
    const char *directory;      /* relative names are below it; NULL: not looked for */
    uint64_t changed_before_ns; /* files changed later are not shown; 0: all are */
    struct hasten_source_file *files;
    size_t count, capacity;
    size_t bytes;
    bool any_changed; /* a file was left out because it changed */
};

void hasten_sources_init(struct hasten_sources *sources, const struct hasten_allocator *allocator,
                         const char *directory, uint64_t changed_before_ns);
void hasten_sources_done(struct hasten_sources *sources);

/* The text of a line without the white space around it, its length in
 * `*ret_size`; borrowed until hasten_sources_done. NULL where there is none.
 * `file` must live as long as the sources. */
const char *hasten_sources_line(struct hasten_sources *sources, const char *file, int32_t line,
                                size_t *ret_size);

#endif
