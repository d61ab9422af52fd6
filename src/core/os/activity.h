/* SPDX-License-Identifier: MIT
 *
 * What a thread of another process is doing, as the kernel sees it. Nothing here
 * stops the thread. */
#ifndef HASTEN_OS_ACTIVITY_H
#define HASTEN_OS_ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>

#include "hasten/status.h"

enum hasten_activity_kind {
    HASTEN_ACTIVITY_RUNNING, /* on a processor, or ready and waiting for one */
    HASTEN_ACTIVITY_FILE,
    HASTEN_ACTIVITY_NETWORK,
    HASTEN_ACTIVITY_LOCK,
    HASTEN_ACTIVITY_SLEEP,
    HASTEN_ACTIVITY_OTHER,
    HASTEN_ACTIVITY_UNKNOWN, /* the kernel does not tell us */
};

struct hasten_activity {
    enum hasten_activity_kind kind;
    uint64_t lock_address; /* of the futex word, for LOCK; else 0 */
};

/* Kept open from look to look: opening costs more than reading. */
struct hasten_activity_probe {
    uint32_t pid;
    uint32_t tid;
    int schedule_descriptor; /* /proc/PID/task/TID/schedstat, -1 where absent */
    int syscall_descriptor;  /* /proc/PID/task/TID/syscall, -1 where not permitted */
    int status_descriptor;   /* /proc/PID/task/TID/stat, opened when syscall is not */
};

void hasten_activity_open(struct hasten_activity_probe *probe, uint32_t pid, uint32_t tid);
void hasten_activity_close(struct hasten_activity_probe *probe);

/* A number that changes whenever the thread has run since, as far as the kernel
 * accounts (a thread that runs without a break may keep it for one scheduler
 * tick). Zero where the kernel does not tell. */
uint64_t hasten_activity_stamp(const struct hasten_activity_probe *probe);

/* GONE: the thread has ended. */
HASTEN_CHECKED hasten_status hasten_activity_look(struct hasten_activity_probe *probe,
                                                  struct hasten_activity *ret_activity);

#endif
