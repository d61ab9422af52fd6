/* SPDX-License-Identifier: MIT
 *
 * Files of /proc/PID as text, for other sources of the core. */
#ifndef HASTEN_OS_PROCFS_H
#define HASTEN_OS_PROCFS_H

#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

/* Longest "/proc/PID/NAME" that is asked for here. */
#define HASTEN_PROCFS_PATH_MAX 64

/* What a failed system call on a file of /proc/PID says about the process. */
hasten_status hasten_procfs_status(uint32_t pid, int error_number);

/* Opens /proc/PID/NAME to read. */
HASTEN_CHECKED hasten_status hasten_procfs_open(uint32_t pid, const char *name,
                                                int *ret_descriptor);

/* Reads up to `size` - 1 bytes of /proc/PID/NAME and terminates them with NUL. */
HASTEN_CHECKED hasten_status hasten_procfs_read(uint32_t pid, const char *name, char *ret_text,
                                                size_t size, size_t *ret_length);

/* Target of the symbolic link /proc/PID/NAME. LIMIT: longer than `size` - 1;
 * NOT_FOUND: the process is there but has no such link. */
HASTEN_CHECKED hasten_status hasten_procfs_link(uint32_t pid, const char *name, char *ret_text,
                                                size_t size);

#endif
