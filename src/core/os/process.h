/* SPDX-License-Identifier: MIT
 *
 * What the kernel tells of a process: its mappings, binary, parents and
 * children. Nothing here reads its memory or stops it. */
#ifndef HASTEN_OS_PROCESS_H
#define HASTEN_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

struct hasten_mapping {
    uint64_t start;
    uint64_t end;
    uint64_t file_offset;
    uint64_t inode;
    uint32_t device_major, device_minor;
    bool readable, writable, executable, private_;
    bool deleted;    /* the file was unlinked or replaced */
    char path[4096]; /* in the process's own mount namespace; "" when anonymous */
};

/* Calls `visit` for each mapping in address order until it answers nonzero. */
HASTEN_CHECKED hasten_status hasten_process_mappings(
    uint32_t pid, int (*visit)(void *context, const struct hasten_mapping *mapping), void *context,
    struct hasten_error *error);

/* Opens the file behind a mapping although it may be deleted, replaced or in
 * another mount namespace: /proc/PID/map_files, else /proc/PID/exe where that is
 * it, else /proc/PID/root + path when device and inode agree. The descriptor is
 * the caller's. */
HASTEN_CHECKED hasten_status hasten_process_open_mapping(uint32_t pid,
                                                         const struct hasten_mapping *mapping,
                                                         int *ret_descriptor,
                                                         struct hasten_error *error);

/* Target of /proc/PID/exe, without the kernel's " (deleted)". */
HASTEN_CHECKED hasten_status hasten_process_executable(uint32_t pid, char *ret_path, size_t size);
/* The command line, arguments joined and quoted as a POSIX shell would need. */
HASTEN_CHECKED hasten_status hasten_process_command(uint32_t pid, char *ret_text, size_t size);

struct hasten_process_stat {
    uint32_t parent_pid;
    char state;           /* R S D T t Z X I */
    uint64_t start_ticks; /* since boot: with the pid, names a process for good */
    uint64_t cpu_ns;      /* user + system, children not included */
    uint32_t threads;
    uint64_t stack_start; /* changes with exec; 0 where it may not be read */
    bool is_kernel;       /* a thread of the kernel: has no program and no memory */
};
HASTEN_CHECKED hasten_status hasten_process_stat(uint32_t pid,
                                                 struct hasten_process_stat *ret_stat);

/* Why memory of `pid` cannot be read, and the fix: ptrace scope, another user,
 * capabilities, container or seccomp. Fills `error` with NO_PERMISSION (or
 * NO_PROCESS) and returns its status. */
hasten_status hasten_process_explain_denied(uint32_t pid, struct hasten_error *error);

#endif
