/* SPDX-License-Identifier: MIT
 *
 * Remembers believable pairs of call and callee. */
#include "core/sampling/edges.h"

#include "core/sampling/load.h"

void hasten_edges_init(struct hasten_edges *edges, const struct hasten_allocator *allocator) {
    *edges = (struct hasten_edges){0};
    hasten_map_init(&edges->seen, allocator);
    hasten_map_init(&edges->functions, allocator);
}

void hasten_edges_done(struct hasten_edges *edges) {
    hasten_map_done(&edges->seen);
    hasten_map_done(&edges->functions);
}

void hasten_edges_clear(struct hasten_edges *edges) {
    hasten_map_clear(&edges->seen);
    hasten_map_clear(&edges->functions);
}

bool hasten_edges_is_function(const struct hasten_edges *edges, uint64_t object) {
    return hasten_map_find(&edges->functions, (struct hasten_map_key){.low = object}) != NULL;
}

void hasten_edges_begin(struct hasten_edges *edges) {
    edges->counted = edges->counted_stable = false;
}

static struct hasten_map_key key_of(struct hasten_edge edge) {
    return (struct hasten_map_key){(uint64_t)edge.caller << 32 | edge.unit, edge.callee};
}

bool hasten_edges_known(const struct hasten_edges *edges, struct hasten_edge edge) {
    const uint32_t *points = hasten_map_find(&edges->seen, key_of(edge));
    return points && *points >= HASTEN_EVIDENCE_PROVEN;
}

void hasten_edges_add(struct hasten_edges *edges, struct hasten_edge edge,
                      enum hasten_evidence evidence) {
    bool stable =
        evidence == HASTEN_EVIDENCE_STABLE || evidence == HASTEN_EVIDENCE_CONTRADICTED_STABLE;
    bool *counted = stable ? &edges->counted_stable : &edges->counted;
    if (*counted && evidence != HASTEN_EVIDENCE_PROVEN)
        return;
    *counted = true;
    if (edges->seen.count >= HASTEN_EDGES_MAX)
        hasten_map_clear(&edges->seen);
    uint32_t *points = hasten_map_insert(&edges->seen, key_of(edge), 0, NULL);
    if (points && *points < HASTEN_EVIDENCE_PROVEN)
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
    bool versioned = opcodes->versioned[code[0]];
    enum hasten_evidence evidence;
    if (versioned && hasten_load_u32(code, 4) == version)
        evidence = HASTEN_EVIDENCE_PROVEN;
    else if (versioned)
        evidence =
            question->stable ? HASTEN_EVIDENCE_CONTRADICTED_STABLE : HASTEN_EVIDENCE_CONTRADICTED;
    else
        evidence = question->stable ? HASTEN_EVIDENCE_STABLE : HASTEN_EVIDENCE_NONE;
    hasten_edges_add(edges, question->edge, evidence);
    if (evidence == HASTEN_EVIDENCE_PROVEN && edges->functions.count < HASTEN_EDGES_MAX)
        (void)hasten_map_insert(&edges->functions,
                                (struct hasten_map_key){.low = question->function}, 1, NULL);
    bool still = question->stable && (!versioned || question->insistent);
    *ret_doubtful = !still && !hasten_edges_known(edges, question->edge);
    return HASTEN_OK;
}
