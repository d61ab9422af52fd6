/* SPDX-License-Identifier: MIT
 *
 * Samples the Python stacks of other processes into a recorder.
 *
 * A sampler is used by one thread, the one that made it (ptrace wants that in
 * blocking mode). It never writes to a process that it watches. */
#ifndef HASTEN_SAMPLER_H
#define HASTEN_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "hasten/recorder.h"

struct hasten_sampler;

enum hasten_mode {
    HASTEN_MODE_WALL, /* every thread, also while it waits */
    HASTEN_MODE_CPU,  /* only threads that run */
    HASTEN_MODE_GIL,  /* only the thread that holds the GIL */
};

struct hasten_sampler_options {
    uint64_t interval_ns;
    enum hasten_mode mode;
    bool main_thread_only;
    bool blocking;        /* stop the process for each look (ptrace) */
    bool follow_children; /* sample Python processes that these start */
};

struct hasten_sampler_statistics {
    uint64_t samples;        /* stacks recorded, idle threads included */
    uint64_t failed;         /* threads whose stack stayed torn after every retry */
    uint64_t retried;        /* reads that were repeated */
    uint64_t slots;          /* slots in which there was a process to look at */
    uint64_t missed_slots;   /* slots that passed before we came to them */
    uint64_t cpu_ns;         /* what the sampler itself used */
    uint64_t duration_ns;    /* from the first add to the last step */
    uint64_t target_cpu_ns;  /* user + system time of the processes */
    uint32_t processes;      /* Python processes sampled */
    uint32_t processes_seen; /* all processes followed, also those not Python */
};

HASTEN_CHECKED hasten_status hasten_sampler_new(const struct hasten_sampler_options *options,
                                                struct hasten_recorder *recorder,
                                                const struct hasten_allocator *allocator,
                                                struct hasten_sampler **ret_sampler,
                                                struct hasten_error *error);
void hasten_sampler_free(struct hasten_sampler *sampler);

/* Watches `pid`. With `wait_for_python` (a program just launched) a process
 * that is not Python yet is looked at again in every slot, through exec, until
 * it is; without, it must be a readable, supported interpreter now. */
HASTEN_CHECKED hasten_status hasten_sampler_add(struct hasten_sampler *sampler, uint32_t pid,
                                                bool wait_for_python, struct hasten_error *error);

/* Sleeps to the next slot and looks at every process once. HASTEN_OK goes on;
 * HASTEN_NO_PROCESS: nothing left to watch; HASTEN_NO_SPACE, _IO, _NO_MEMORY:
 * the recorder failed. A signal that interrupts the sleep makes it return
 * early, with OK and nothing sampled. */
HASTEN_CHECKED hasten_status hasten_sampler_step(struct hasten_sampler *sampler,
                                                 struct hasten_error *error);

/* Why the most recently refused process (a child, or one waited for) could not
 * be sampled; status OK where none was. */
void hasten_sampler_refusal(const struct hasten_sampler *sampler, struct hasten_error *ret_error);

void hasten_sampler_get_statistics(const struct hasten_sampler *sampler,
                                   struct hasten_sampler_statistics *ret_statistics);

/* Writes the statistics into the recorder as facts ("samples", "samples.failed",
 * "sampler.cpu_ns", ...). Call once before closing the recorder. */
HASTEN_CHECKED hasten_status hasten_sampler_record_statistics(struct hasten_sampler *sampler);

#endif
