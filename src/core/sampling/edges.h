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
    struct hasten_map seen; /* to the points of evidence */
};

void hasten_edges_init(struct hasten_edges *edges, const struct hasten_allocator *allocator);
void hasten_edges_done(struct hasten_edges *edges);
void hasten_edges_clear(struct hasten_edges *edges);

bool hasten_edges_known(const struct hasten_edges *edges, struct hasten_edge edge);

/* What a sighting is worth. */
enum hasten_evidence {
    HASTEN_EVIDENCE_CONTRADICTED = 1, /* the call is specialised for another function */
    HASTEN_EVIDENCE_NONE = 4,
    HASTEN_EVIDENCE_PROVEN = 12,
};

/* Adds a sighting; the pair is known from 12 points on. Nothing happens where memory
 * runs out: it stays unknown. */
void hasten_edges_add(struct hasten_edges *edges, struct hasten_edge edge,
                      enum hasten_evidence evidence);

/* A pair that is not known yet. */
struct hasten_call_question {
    struct hasten_edge edge;
    uint64_t instruction; /* address of the call */
    uint64_t function;    /* address of the function object that runs above it */
    bool stable;          /* both frames stood still while they were read */
};

/* Asks the process's memory. A call that is specialised for this function settles it,
 * so does one that is not specialised when both frames stood still; otherwise the
 * sighting is counted and `*ret_doubtful`. GONE where memory is not there. */
HASTEN_CHECKED hasten_status hasten_edges_ask(struct hasten_edges *edges,
                                              const struct hasten_interpreter *interpreter,
                                              const struct hasten_opcodes *opcodes,
                                              const struct hasten_call_question *question,
                                              bool *ret_doubtful);

#endif
