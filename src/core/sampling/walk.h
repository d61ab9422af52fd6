/* SPDX-License-Identifier: MIT
 *
 * From a snapshot of a thread's memory to the stack that it shows.
 *
 * The process runs on while it is read. What makes the result true all the same:
 *
 * 1. The instant. Copy 1 of the data stack takes about 100 ns; the stack that is
 *    reported is the one of that instant. The current frame was read up to some
 *    microseconds earlier and is only a hint: frames that have returned since are
 *    cut off, frames that were pushed or resumed since are added, and where the hint
 *    leads nowhere, the frames are found from the bottom of the data stack, where
 *    they lie one after the other. So neither short calls nor their callers are
 *    favoured, and what does not stand still is not read again for that.
 * 2. The links. A frame's caller is the frame right below it on the data stack,
 *    copied within nanoseconds of it; both must say that they are not over, the
 *    caller that it is inside a call, and its value stack what it called. A caller
 *    that was not there yet when it was copied is put at the only instruction that
 *    is known to make the call. The frame of a generator lies elsewhere and was
 *    copied earlier: that it runs is told by the value stack of whoever resumes it,
 *    or, where C code runs it, by its own link to that.
 * 3. Completeness. The chain must reach the bottom of the thread.
 * 4. Chance. When the read took longer than usual, we may have been interrupted in
 *    the middle of the copy. That does not depend on what the process does: to read
 *    again is fair.
 *
 * What fails any of them is torn, and is read again by the caller. */
#ifndef HASTEN_SAMPLING_WALK_H
#define HASTEN_SAMPLING_WALK_H

#include "core/sampling/codes.h"
#include "core/sampling/edges.h"
#include "core/sampling/snapshot.h"

/* Frames of one stack. Deeper ones are refused, not cut: a cut stack would be
 * attributed to the wrong callers. */
#define HASTEN_STACK_DEPTH_MAX 200000
/* Calls of one stack that are believed for that stack alone. */
#define HASTEN_BELIEVED_MAX 64

/* Generators' frames of one stack that are read after the copies. */
#define HASTEN_LATE_MAX 4
#define HASTEN_LATE_SIZE 128 /* bytes of the fixed part of a frame, at most */

struct hasten_frame {
    uint64_t address;
    const uint8_t *bytes; /* in copy 1, or read later (a generator that was not predicted);
                             NULL: what runs is known, but not its frame */
    uint64_t code_address;
    struct hasten_code_entry *code;
    uint32_t unit;  /* start of the instruction, in code units */
    uint8_t traits; /* HASTEN_UNIT_* of that instruction */
    uint8_t owner;
    bool entered_from_c; /* C code is between this frame and its caller */
    bool over_helper;    /* a frame that does not count is between, too */
};

/* A call that was not seen before: whether `function` can be called there is to be
 * found out. */
struct hasten_unknown_call {
    struct hasten_edge edge;
    uint64_t instruction; /* address of the call; 0: there is none */
    uint64_t function;    /* address of the function object that runs above it */
    uint64_t code;        /* address of the code that runs above it */
    bool stable;          /* both frames stood still while they were read */
};

struct hasten_walk {
    const struct hasten_allocator *allocator;
    struct hasten_frame *frames; /* leaf first */
    size_t count, capacity;
    size_t leaf;    /* index of the first frame that counts */
    bool native;    /* the leaf is inside a C function */
    bool distant;   /* it rests on a frame elsewhere of which little is known: two copies tell */
    uint32_t tries; /* set by the caller: how often this stack was read already */
    uint32_t looks; /* set by the caller: counts the snapshots */
    /* A generator of the chain that had yielded when it was read, which was after the
     * copies, so that it does not name its caller any more. */
    struct hasten_frame yielded;
    bool has_yielded;
    uint8_t late[HASTEN_LATE_MAX][HASTEN_LATE_SIZE]; /* generators that were not predicted */
    size_t late_count;
    uint64_t missing_code; /* address of a code object to load, else 0 */
    struct hasten_unknown_call unknown_call;
    /* Calls believed in this snapshot only; set by the caller, who empties it for the
     * next one. */
    struct hasten_edge believed[HASTEN_BELIEVED_MAX];
    size_t believed_count;
};

void hasten_walk_init(struct hasten_walk *walk, const struct hasten_allocator *allocator);
void hasten_walk_done(struct hasten_walk *walk);

/* Fills frames[leaf..count). TORN: read again. NOT_FOUND: load `missing_code` (it is
 * unknown or was not verified in this epoch), or where that is 0 find out about
 * `unknown_call`, then walk again. */
HASTEN_CHECKED hasten_status hasten_walk_stack(struct hasten_walk *walk,
                                               struct hasten_snapshot *snapshot,
                                               const struct hasten_interpreter *interpreter,
                                               const struct hasten_codes *codes,
                                               struct hasten_edges *edges);

#endif
