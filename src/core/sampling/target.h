/* SPDX-License-Identifier: MIT
 *
 * One watched process: waits until it is Python, keeps its interpreters and
 * threads listed, and looks at every thread once a slot. */
#ifndef HASTEN_SAMPLING_TARGET_H
#define HASTEN_SAMPLING_TARGET_H

#include "core/os/freeze.h"
#include "core/sampling/thread.h"
#include "core/sampling/thread_names.h"
#include "hasten/sampler.h"

/* Interpreters of one process and threads of one interpreter that are listed. */
#define HASTEN_TARGET_INTERPS_MAX 4096
#define HASTEN_TARGET_THREADS_MAX 65536

enum hasten_target_state {
    HASTEN_TARGET_PENDING, /* may become Python: looked at again at `check_ns` */
    HASTEN_TARGET_ACTIVE,  /* sampled */
    HASTEN_TARGET_GONE,
};

/* What targets share; owned by the sampler. */
struct hasten_target_shared {
    const struct hasten_allocator *allocator;
    const struct hasten_sampler_options *options;
    struct hasten_recorder *recorder;
    struct hasten_sampler_statistics *statistics;
    struct hasten_walk walk;
    uint64_t start_ns;           /* of the recording, monotonic */
    struct hasten_error refusal; /* the last process that could not be sampled */
};

/* Passes over the names of the threads, in steps (naming.c). */
struct hasten_naming {
    struct hasten_thread_names names;
    bool asked;    /* a thread was recorded that has no name yet */
    bool running;  /* a pass is */
    bool all;      /* this pass reads the names that are known, too */
    size_t interp; /* where the pass is: index and entry */
    uint64_t entry;
    uint64_t earliest_ns; /* of the next step */
    uint64_t check_ns;    /* when it is seen whether a pass is needed */
    uint64_t all_ns;      /* when all names are read again */
};

struct hasten_target {
    struct hasten_target_shared *shared;
    uint32_t pid, parent_pid;
    enum hasten_target_state state;
    const char *label;           /* of a process asked for: "main", "attached"; NULL: a child */
    uint64_t parent_stack_start; /* of a child: tells fork from exec */
    uint64_t check_ns, check_delay_ns;
    uint64_t start_ticks, stack_start;
    uint64_t image_check_ns;
    uint64_t cpu_ns;
    uint64_t last_slot;
    uint32_t recorded; /* the recorder's identifier, HASTEN_NONE before it is one */
    struct hasten_interpreter interpreter;
    struct hasten_interp **interps;
    size_t interp_count, interp_capacity;
    struct hasten_thread_watch **threads;
    size_t thread_count, thread_capacity;
    uint64_t listed_ns;    /* when the threads were last listed */
    uint64_t threads_made; /* sum of the interpreters' thread counters then */
    bool relist;
    struct hasten_codes codes;
    struct hasten_edges edges;
    struct hasten_freeze freeze;
    struct hasten_naming naming;
};

HASTEN_CHECKED hasten_status hasten_target_new(struct hasten_target_shared *shared, uint32_t pid,
                                               uint32_t parent_pid, const char *label,
                                               uint64_t now_ns, struct hasten_target **ret_target);
void hasten_target_free(struct hasten_target *target);

/* Tries to find the interpreter now. OK: active. NOT_PYTHON, NOT_READY: stays
 * pending. Others: refused. */
HASTEN_CHECKED hasten_status hasten_target_find(struct hasten_target *target, uint64_t now_ns,
                                                struct hasten_error *error);

/* Looks at all threads once. Only failures of the recorder (or of memory) are
 * returned; what happens to the process changes `state`. */
HASTEN_CHECKED hasten_status hasten_target_look(struct hasten_target *target, uint64_t slot,
                                                uint64_t now_ns);

/* Threads listed (in threads.c). */
HASTEN_CHECKED hasten_status hasten_target_list_threads(struct hasten_target *target,
                                                        uint64_t now_ns);
/* Names threads (in naming.c): a step of at most a millisecond, if one is due. */
HASTEN_CHECKED hasten_status hasten_target_name_threads(struct hasten_target *target,
                                                        uint64_t now_ns);
void hasten_target_drop_threads(struct hasten_target *target);

#endif
