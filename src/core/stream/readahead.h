/* SPDX-License-Identifier: MIT
 *
 * A source that reads another one ahead, on a thread of its own, so that decompressing and
 * scanning go on at once. Memory is bounded: a few buffers, which the thread fills in turns
 * and waits for.
 *
 * The thread is started at init and ended at done; it takes no signals and knows nothing of
 * Python. While it runs, the source below is its own. A child of fork() has no such thread:
 * `pid` tells, and the child must neither read nor end what the parent made. */
#ifndef HASTEN_STREAM_READAHEAD_H
#define HASTEN_STREAM_READAHEAD_H

#include <pthread.h>
#include <sys/types.h>

#include "core/base/allocator.h"
#include "core/stream/source.h"

#define HASTEN_READAHEAD_SLOTS 4

struct hasten_readahead {
    struct hasten_source below;
    const struct hasten_allocator *allocator;
    pid_t pid;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all that follows, but not the slots' bytes */
    pthread_cond_t changed;
    uint8_t *data; /* of all slots */
    size_t slot_size;
    size_t sizes[HASTEN_READAHEAD_SLOTS];
    size_t first;   /* the slot that is read */
    size_t filled;  /* how many are, from the first on */
    size_t read_at; /* in the first: its reader's own */
    bool is_stopping;
    bool is_over; /* the thread read all that there is, or failed */
    hasten_status status;
    struct hasten_error error;
};

/* Starts the thread. `readahead` must not move afterwards. */
HASTEN_CHECKED hasten_status hasten_readahead_init(struct hasten_readahead *readahead,
                                                   struct hasten_source below, size_t slot_size,
                                                   const struct hasten_allocator *allocator,
                                                   struct hasten_error *error);
/* Ends the thread and waits for it, which takes until the source below answers. Not to be called in a child of fork(). */
void hasten_readahead_done(struct hasten_readahead *readahead);
struct hasten_source hasten_readahead_source(struct hasten_readahead *readahead);

#endif
