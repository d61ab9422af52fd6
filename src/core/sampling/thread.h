/* SPDX-License-Identifier: MIT
 *
 * One Python thread of a watched process: looks at it once, with retries, and
 * turns its stack into a node of the recording's stack tree. */
#ifndef HASTEN_SAMPLING_THREAD_H
#define HASTEN_SAMPLING_THREAD_H

#include "core/os/activity.h"
#include "core/sampling/walk.h"

/* Reads of one stack before it is given up as failed. Each is a new instant. */
#define HASTEN_THREAD_TRIES_MAX 40
/* Code objects whose fingerprints are read along with the stack. */
#define HASTEN_THREAD_HEADS_MAX 128

struct hasten_path_step {
    uint32_t code;
    uint32_t unit;
    uint32_t node;
};

struct hasten_thread_watch {
    const struct hasten_allocator *allocator;
    uint64_t address; /* of its thread state */
    uint64_t unique_id;
    uint32_t inner_tid; /* as the process calls it */
    uint32_t tid;       /* as we call it; 0: not known yet */
    uint64_t ident;     /* as threading calls it: its pthread_t */
    struct hasten_interp *interp;
    struct hasten_snapshot snapshot;
    struct hasten_activity_probe probe;
    bool is_main;
    bool seen;                  /* in the last listing of the process's threads */
    uint32_t missed;            /* listings in a row without it: not looked at meanwhile */
    uint32_t recorded;          /* the recorder's identifier, HASTEN_NONE before the first sample */
    bool named;                 /* by threading */
    struct hasten_map_key name; /* hash of that name */
    uint32_t name_tries;        /* passes over the names that did not find it */
    /* What the last look said. */
    uint64_t stamp;
    uint64_t activity_ns;
    struct hasten_activity activity;
    uint32_t node;
    uint32_t state;
    bool valid;                    /* node and state are */
    uint64_t recorded_slot;        /* of its last sample */
    struct hasten_path_step *path; /* root first */
    size_t path_count, path_capacity;
    uint64_t heads[HASTEN_THREAD_HEADS_MAX];
    size_t head_count;
};

/* What looking needs of the process. */
struct hasten_thread_context {
    const struct hasten_interpreter *interpreter;
    struct hasten_codes *codes;
    struct hasten_edges *edges;
    struct hasten_recorder *recorder;
    struct hasten_walk *walk;
    uint32_t process;  /* the recorder's */
    uint64_t *retried; /* counts repeated reads */
};

HASTEN_CHECKED hasten_status hasten_thread_new(const struct hasten_interpreter *interpreter,
                                               struct hasten_interp *interp, uint64_t address,
                                               const struct hasten_allocator *allocator,
                                               struct hasten_thread_watch **ret_thread);
void hasten_thread_free(struct hasten_thread_watch *thread);

/* Reads the stack; on OK `thread->node` and `*ret_native` are those of the instant
 * and `*ret_pulse` is the interpreter's. GONE: the thread has ended. TORN: every
 * try failed. LIMIT: the stack is deeper than we read. */
HASTEN_CHECKED hasten_status hasten_thread_look(struct hasten_thread_watch *thread,
                                                const struct hasten_thread_context *context,
                                                bool *ret_native, struct hasten_pulse *ret_pulse);

#endif
