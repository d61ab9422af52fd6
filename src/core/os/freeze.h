/* SPDX-License-Identifier: MIT
 *
 * Stops all threads of another process for a look at it (ptrace), for blocking
 * mode only. Between looks nothing is traced: signals and endings take their usual
 * way. If we die, the kernel lets the process go on. */
#ifndef HASTEN_OS_FREEZE_H
#define HASTEN_OS_FREEZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"
#include "hasten/status.h"

struct hasten_frozen_task {
    uint32_t tid;
    bool stopped; /* in a ptrace stop that we have to end */
    int signal;   /* to deliver when it goes on */
};

struct hasten_freeze {
    const struct hasten_allocator *allocator;
    uint32_t pid;
    struct hasten_frozen_task *tasks;
    size_t count, capacity; /* none between looks */
};

void hasten_freeze_init(struct hasten_freeze *freeze, uint32_t pid,
                        const struct hasten_allocator *allocator);
/* Lets every thread go on. */
void hasten_freeze_done(struct hasten_freeze *freeze);
/* Returns once no thread of the process runs. NO_PERMISSION, NO_PROCESS, GONE; then,
 * too, hasten_freeze_resume is to follow. */
HASTEN_CHECKED hasten_status hasten_freeze_stop(struct hasten_freeze *freeze);
/* Lets all threads go on, with the signals that arrived meanwhile; a process that was
 * stopped by job control stays so. */
void hasten_freeze_resume(struct hasten_freeze *freeze);

#endif
