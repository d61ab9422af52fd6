/* SPDX-License-Identifier: MIT
 *
 * Remembers believable pairs of call and callee. */
#include "core/sampling/edges.h"

#include "core/sampling/load.h"

/* A call may be specialised for one function and be used for others, too, or not be
 * specialised at all: a pair without evidence is believed when it comes three times,
 * one that is contradicted when it comes twelve times. One that is an error of ours
 * comes once in a million samples. */
#define KNOWN HASTEN_EVIDENCE_PROVEN

void hasten_edges_init(struct hasten_edges *edges, const struct hasten_allocator *allocator) {
    hasten_map_init(&edges->seen, allocator);
}

void hasten_edges_done(struct hasten_edges *edges) {
    hasten_map_done(&edges->seen);
}

void hasten_edges_clear(struct hasten_edges *edges) {
    hasten_map_clear(&edges->seen);
}

static struct hasten_map_key key_of(struct hasten_edge edge) {
    return (struct hasten_map_key){(uint64_t)edge.caller << 32 | edge.unit, edge.callee};
}

bool hasten_edges_known(const struct hasten_edges *edges, struct hasten_edge edge) {
    const uint32_t *points = hasten_map_find(&edges->seen, key_of(edge));
    return points && *points >= KNOWN;
}

void hasten_edges_add(struct hasten_edges *edges, struct hasten_edge edge,
                      enum hasten_evidence evidence) {
    if (edges->seen.count >= HASTEN_EDGES_MAX)
        hasten_map_clear(&edges->seen);
    uint32_t *points = hasten_map_insert(&edges->seen, key_of(edge), 0, NULL);
    if (points && *points < KNOWN)
        *points += evidence;
}

hasten_status hasten_edges_ask(struct hasten_edges *edges,
                               const struct hasten_interpreter *interpreter,
                               const struct hasten_opcodes *opcodes,
                               const struct hasten_call_question *question, bool *ret_doubtful) {
    uint8_t code[8]; /* opcode and argument, counter, version */
    uint32_t version = 0;
    struct hasten_read reads[2] = {
        {hasten_raddr_at(question->instruction), code, sizeof code},
        {hasten_raddr_at(question->function + interpreter->layout.function_version), &version,
         sizeof version},
    };
    size_t bytes = 0;
    hasten_status status = hasten_memory_read_batch(interpreter->pid, reads, 2, &bytes);
    if (status != HASTEN_OK)
        return status;
    enum hasten_evidence evidence =
        question->stable ? HASTEN_EVIDENCE_PROVEN : HASTEN_EVIDENCE_NONE;
    if (opcodes->versioned[code[0]])
        evidence = hasten_load_u32(code, 4) == version ? HASTEN_EVIDENCE_PROVEN
                                                       : HASTEN_EVIDENCE_CONTRADICTED;
    hasten_edges_add(edges, question->edge, evidence);
    *ret_doubtful = !hasten_edges_known(edges, question->edge);
    return HASTEN_OK;
}
