/* SPDX-License-Identifier: MIT
 *
 * Adds samples and amounts up to a profile's values. Samples with the same
 * node, thread and state share a cell, so that memory grows with the stacks and
 * not with the time. */
#ifndef HASTEN_PROFILE_TALLY_H
#define HASTEN_PROFILE_TALLY_H

#include "core/profile/builder.h"

/* What is said of one thread while samples come. */
struct hasten_tally_thread {
    uint32_t node; /* of the cell below: the usual sample repeats the last */
    uint32_t state;
    uint32_t cell; /* HASTEN_NONE: nothing yet */
    uint64_t samples;
    uint64_t first_slot;
    uint64_t end_slot; /* one past the last slot that a sample stands for */
};

struct hasten_tally_cell {
    uint32_t node;
    uint32_t thread;
    uint32_t state; /* with flags */
    uint64_t samples;
    uint64_t weight;
};

struct hasten_tally {
    const struct hasten_allocator *allocator;
    struct hasten_map cell_of; /* (node, thread, state) -> cell */
    struct hasten_tally_cell *cells;
    size_t cell_count;
    size_t cell_capacity;
    struct hasten_map amount_of; /* (node, thread, metric) -> amount */
    struct hasten_value *amounts;
    size_t amount_count;
    size_t amount_capacity;
    struct hasten_tally_thread *threads;
    size_t thread_count;
    size_t thread_capacity;
    uint64_t samples;
};

void hasten_tally_init(struct hasten_tally *tally, const struct hasten_allocator *allocator);
void hasten_tally_done(struct hasten_tally *tally);
/* The caller has checked that the indexes exist and the state is one. NO_MEMORY,
 * or LIMIT for too many different cells. */
HASTEN_CHECKED hasten_status hasten_tally_sample(struct hasten_tally *tally, uint64_t slot,
                                                 uint32_t thread, uint32_t node, uint32_t state,
                                                 uint32_t weight);
HASTEN_CHECKED hasten_status hasten_tally_amount(struct hasten_tally *tally, uint32_t node,
                                                 uint32_t thread, uint32_t metric, int64_t amount);
/* Writes the sums into the builder's profile: values in order of node, thread,
 * metric; what is known of threads; ends of processes that nobody ended. Sums
 * beyond 64 bits stop at the largest number. */
HASTEN_CHECKED hasten_status hasten_tally_finish(struct hasten_tally *tally,
                                                 struct hasten_builder *builder,
                                                 uint64_t interval_ns);

#endif
