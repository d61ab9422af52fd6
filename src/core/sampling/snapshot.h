/* SPDX-License-Identifier: MIT
 *
 * One or two copies of a thread's stack memory, taken in a single batched read.
 *
 * The batch is ordered in time: with two copies first all regions (copy 0); then
 * the thread state, which names the current frame; then all regions (copy 1); with
 * one copy then the generators' frames once more. A region is the used part of a
 * data-stack chunk or a frame that lives elsewhere (in a generator, on the C stack;
 * 3.11 and 3.12 also have the name of the current frame there). Which regions to read
 * is predicted from the last look; what turns out to be missing is added for the next
 * try. */
#ifndef HASTEN_SAMPLING_SNAPSHOT_H
#define HASTEN_SAMPLING_SNAPSHOT_H

#include "core/base/allocator.h"
#include "core/sampling/interp.h"

/* Bounds on what one thread's stack may make us copy. A chunk is 16 KiB or one
 * larger frame; 64 MiB hold some 500 000 frames. */
#define HASTEN_SNAPSHOT_CHUNKS_MAX 4096
#define HASTEN_SNAPSHOT_OUTSIDE_MAX 512
#define HASTEN_SNAPSHOT_BYTES_MAX (64u << 20)
#define HASTEN_THREAD_WINDOW_MAX 1024 /* bytes of a thread state that we look at */

struct hasten_region {
    uint64_t address;
    uint32_t size;     /* bytes to read from now on */
    uint32_t copied;   /* bytes of it that the copies have: what was wanted since is not there */
    uint32_t limit;    /* bytes that exist: a chunk's size; equals size elsewhere */
    size_t offset;     /* in each of the two copies */
    uint32_t unused;   /* looks since a frame was found in it (frames elsewhere); of the first
                          chunk: the chunk in which something was found last */
    bool starts_piece; /* begins a piece of the batched read (frames elsewhere only) */
    bool generator;    /* a generator's frame: read once more, after copy 1 */
    bool again;        /* that was done */
};

/* What a read takes. */
struct hasten_usual {
    int64_t mean_ns, deviation_ns; /* mean 0: nothing is known yet */
};

struct hasten_snapshot {
    const struct hasten_allocator *allocator;
    uint64_t thread_state; /* its address */
    /* Newest chunk first. */
    struct hasten_region *chunks;
    size_t chunk_count, chunk_capacity;
    struct hasten_region *outside; /* by address */
    size_t outside_count, outside_capacity;
    /* What the first frame of the data stack named, when it was last found that this leads
     * out of Python: it does so as long as that frame lives. 0: not known. */
    uint64_t bottom_link;
    uint8_t *copies[2]; /* one block, copies[0] owns it */
    size_t copy_capacity;
    uint8_t thread[HASTEN_THREAD_WINDOW_MAX];
    uint32_t thread_size;
    uint32_t top_slack; /* bytes above the newest chunk's used part read along */
    struct hasten_read *reads;
    size_t read_count, read_capacity;
    bool primed;
    bool doubled;                 /* set by the owner: take copy 0, too */
    bool disturbed;               /* the last read took longer than it should */
    struct hasten_usual usual[2]; /* with one copy and with two */
};

void hasten_snapshot_init(struct hasten_snapshot *snapshot,
                          const struct hasten_interpreter *interpreter, uint64_t thread_state,
                          const struct hasten_allocator *allocator);
void hasten_snapshot_done(struct hasten_snapshot *snapshot);

/* Reads the copies, then `extra` (in the same batch, after them). GONE: the
 * thread state itself is not there any more. TORN: something else was missing;
 * the prediction was renewed, try again. */
HASTEN_CHECKED hasten_status hasten_snapshot_take(struct hasten_snapshot *snapshot,
                                                  const struct hasten_interpreter *interpreter,
                                                  const struct hasten_read *extra,
                                                  size_t extra_count);

/* The current frame's address according to the copy; NULL address when the thread
 * runs no Python. Where its holder (3.11, 3.12: the C frame) is one that was not
 * predicted, it is what that says now; GONE where it is not there any more. */
HASTEN_CHECKED hasten_status
hasten_snapshot_current_frame(struct hasten_snapshot *snapshot,
                              const struct hasten_interpreter *interpreter, uint64_t *ret_frame);

/* Where the data stack's first frame is; 0 where there is no data stack. */
uint64_t hasten_snapshot_bottom(const struct hasten_snapshot *snapshot,
                                const struct hasten_interpreter *interpreter);
/* Where the frame above a frame that ends at `end` starts: there, or in the next
 * chunk. 0 at the top of the data stack. */
uint64_t hasten_snapshot_above(const struct hasten_snapshot *snapshot,
                               const struct hasten_interpreter *interpreter, uint64_t end);

/* The copied bytes [address, address + size) in copy 0 (before the thread state
 * was read) or 1 (after), or NULL where they were not copied. */
const uint8_t *hasten_snapshot_at(const struct hasten_snapshot *snapshot, int copy,
                                  uint64_t address, uint32_t size);
/* The first `size` bytes of a frame elsewhere in copy 1; NULL where it was not copied.
 * That it was looked at does not count. */
const uint8_t *hasten_snapshot_peek(const struct hasten_snapshot *snapshot, size_t outside,
                                    uint32_t size);
/* True when the address lies in a chunk of the data stack. */
bool hasten_snapshot_holds(const struct hasten_snapshot *snapshot, uint64_t address);
/* True when both addresses lie in the same chunk of the data stack. */
bool hasten_snapshot_same_chunk(const struct hasten_snapshot *snapshot, uint64_t first,
                                uint64_t second);

/* Adds [address, address + size) to what is read from now on. */
HASTEN_CHECKED hasten_status hasten_snapshot_want(struct hasten_snapshot *snapshot,
                                                  uint64_t address, uint32_t size);
/* The same for a generator's frame, which is then read before and after the data stack. */
HASTEN_CHECKED hasten_status hasten_snapshot_want_generator(struct hasten_snapshot *snapshot,
                                                            uint64_t address, uint32_t size);
/* The fixed part of a generator's frame as it was after copy 1; NULL where that was not
 * read, as it is not where there are two copies. */
const uint8_t *hasten_snapshot_after(const struct hasten_snapshot *snapshot, uint64_t address);

/* Forgets frames elsewhere that were not looked up for a while. */
void hasten_snapshot_trim(struct hasten_snapshot *snapshot);
/* Forgets all predictions. */
void hasten_snapshot_forget(struct hasten_snapshot *snapshot);

#endif
