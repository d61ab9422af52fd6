/* SPDX-License-Identifier: MIT
 *
 * Which function was seen to be called from which instruction.
 *
 * A caller's instruction and its callee are copied some nanoseconds apart; very
 * rarely the caller has made another call in between. A pair that was never seen
 * is therefore asked about: CPython keeps at a call that is specialised for one
 * function the version of that function, which settles it. */
#ifndef HASTEN_SAMPLING_EDGES_H
#define HASTEN_SAMPLING_EDGES_H

#include "core/base/map.h"
#include "core/pyabi/interpreter.h"
#include "core/pyabi/opcodes.h"

/* Pairs kept before the table starts anew. */
#define HASTEN_EDGES_MAX 200000

struct hasten_edge { /* codes are the recorder's identifiers */
    uint32_t caller;
    uint32_t unit;
    uint32_t callee;
};

struct hasten_edges {
    struct hasten_map seen; /* to how often a doubtful pair was seen; KNOWN once believed */
};

void hasten_edges_init(struct hasten_edges *edges, const struct hasten_allocator *allocator);
void hasten_edges_done(struct hasten_edges *edges);
void hasten_edges_clear(struct hasten_edges *edges);

bool hasten_edges_known(const struct hasten_edges *edges, struct hasten_edge edge);

/* Asks the process's memory about a pair and learns it, unless the call at
 * `instruction` is specialised for another function than the one at `function`
 * and the pair is new: then `*ret_doubtful`. GONE where memory is not there. */
HASTEN_CHECKED hasten_status hasten_edges_ask(struct hasten_edges *edges,
                                              const struct hasten_interpreter *interpreter,
                                              const struct hasten_opcodes *opcodes,
                                              const struct hasten_edge *edge, uint64_t instruction,
                                              uint64_t function, bool *ret_doubtful);

#endif
