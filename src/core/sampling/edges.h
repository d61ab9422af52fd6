/* SPDX-License-Identifier: MIT
 *
 * Which function was seen to be called from which instruction.
 *
 * A caller's instruction and its callee are copied some nanoseconds apart; very
 * rarely the caller has made another call in between. A pair that was never seen
 * is therefore asked about: CPython keeps at a call that is specialised for one
 * function the version of that function, which settles it. Otherwise what comes again
 * and again is believed, if it comes often enough beside the other calls of the same
 * function: an error that comes once in a thousand looks comes again and again, too. */
#ifndef HASTEN_SAMPLING_EDGES_H
#define HASTEN_SAMPLING_EDGES_H

#include "core/base/map.h"
#include "core/pyabi/interpreter.h"
#include "core/pyabi/opcodes.h"
#include "hasten/profile.h"

/* Pairs kept before the table starts anew. */
#define HASTEN_EDGES_MAX 200000

struct hasten_edge { /* codes are the recorder's identifiers */
    uint32_t caller;
    uint32_t unit;
    uint32_t callee;
};

/* What a generator ran when it was resumed. */
struct hasten_resumed {
    uint64_t code_address;
    uint32_t unit;
};

struct hasten_edges {
    const struct hasten_allocator *allocator;
    struct hasten_map seen;  /* to the points of evidence, and whether they were enough */
    struct hasten_map pairs; /* caller and callee to the instruction of a known call, and
                              * whether there is another */
    struct hasten_map sites; /* caller and instruction to an index in `resumed` */
    struct hasten_resumed *resumed;
    size_t resumed_capacity;
    bool counted, counted_stable; /* in this look */
};

void hasten_edges_init(struct hasten_edges *edges, const struct hasten_allocator *allocator);
void hasten_edges_done(struct hasten_edges *edges);
void hasten_edges_clear(struct hasten_edges *edges);
/* A new look at a thread begins. */
void hasten_edges_begin(struct hasten_edges *edges);

/* Whether it is believed. Where it is, this is a sighting, too. */
bool hasten_edges_known(struct hasten_edges *edges, struct hasten_edge edge);

/* Further sightings of a pair that is known. */
void hasten_edges_count(struct hasten_edges *edges, struct hasten_edge edge, uint32_t sightings);

/* The only instruction from which `caller` is known to call `callee`; HASTEN_NONE where
 * none is, HASTEN_EDGES_SEVERAL where there are more. */
#define HASTEN_EDGES_SEVERAL (UINT32_MAX - 1)
uint32_t hasten_edges_unit(const struct hasten_edges *edges, uint32_t caller, uint32_t callee);

/* The generator that was last seen to be resumed from an instruction. */
void hasten_edges_remember(struct hasten_edges *edges, uint32_t caller, uint32_t unit,
                           struct hasten_resumed resumed);
bool hasten_edges_recall(const struct hasten_edges *edges, uint32_t caller, uint32_t unit,
                         struct hasten_resumed *ret_resumed);

/* What a sighting is worth; a pair is known from HASTEN_EVIDENCE_PROVEN points on, if
 * these are not too few beside those of another call of the same callee.
 * "Stable": both frames stood still while they were read twice. "Contradicted": the
 * call is specialised for another function, which does not keep it from calling this
 * one, but is what an error of ours looks like, too. */
enum hasten_evidence {
    HASTEN_EVIDENCE_CONTRADICTED = 1,
    HASTEN_EVIDENCE_NONE = 6,
    HASTEN_EVIDENCE_CONTRADICTED_STABLE = 8,
    HASTEN_EVIDENCE_STABLE = 22,
    HASTEN_EVIDENCE_PROVEN = 64,
};

/* Adds a sighting: of one look, the first and the first stable one count. Nothing
 * happens where memory runs out: the pair stays unknown. */
void hasten_edges_add(struct hasten_edges *edges, struct hasten_edge edge,
                      enum hasten_evidence evidence);

/* A pair that is not known yet. */
struct hasten_call_question {
    struct hasten_edge edge;
    uint64_t instruction; /* address of the call */
    uint64_t function;    /* address of the function object that runs above it */
    uint64_t code;        /* address of the code that runs above it */
    bool stable;          /* both frames stood still while they were read */
    bool insistent;       /* it still does after several reads */
};

/* Asks the process's memory and counts the sighting. A call that is specialised for
 * this function proves it, unless the function has another code, as while its frame is
 * being made, or has been freed. `*ret_doubtful` unless it is known then, or the frames
 * stood still (insistently, where the call is specialised for another function).
 * GONE where memory is not there. */
HASTEN_CHECKED hasten_status hasten_edges_ask(struct hasten_edges *edges,
                                              const struct hasten_interpreter *interpreter,
                                              const struct hasten_opcodes *opcodes,
                                              const struct hasten_call_question *question,
                                              bool *ret_doubtful);

#endif
