/* SPDX-License-Identifier: MIT
 *
 * Remembers believable pairs of call and callee. */
#include "core/sampling/edges.h"

#include "core/sampling/load.h"

void hasten_edges_init(struct hasten_edges *edges, const struct hasten_allocator *allocator) {
    *edges = (struct hasten_edges){.allocator = allocator};
    hasten_map_init(&edges->seen, allocator);
    hasten_map_init(&edges->pairs, allocator);
    hasten_map_init(&edges->sites, allocator);
}

void hasten_edges_done(struct hasten_edges *edges) {
    hasten_map_done(&edges->seen);
    hasten_map_done(&edges->pairs);
    hasten_map_done(&edges->sites);
    hasten_release(edges->allocator, edges->resumed,
                   edges->resumed_capacity * sizeof *edges->resumed);
}

void hasten_edges_clear(struct hasten_edges *edges) {
    hasten_map_clear(&edges->seen);
    hasten_map_clear(&edges->pairs);
    hasten_map_clear(&edges->sites);
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

uint32_t hasten_edges_unit(const struct hasten_edges *edges, uint32_t caller, uint32_t callee) {
    const uint32_t *unit =
        hasten_map_find(&edges->pairs, (struct hasten_map_key){.low = caller, .high = callee});
    return unit ? *unit : HASTEN_NONE;
}

void hasten_edges_remember(struct hasten_edges *edges, uint32_t caller, uint32_t unit,
                           struct hasten_resumed resumed) {
    struct hasten_map_key key = {.low = caller, .high = unit};
    if (edges->sites.count >= HASTEN_EDGES_MAX)
        hasten_map_clear(&edges->sites);
    size_t next = edges->sites.count;
    if (hasten_grow(edges->allocator, (void **)&edges->resumed, &edges->resumed_capacity, next + 1,
                    sizeof *edges->resumed) != 0)
        return;
    uint32_t *place = hasten_map_insert(&edges->sites, key, (uint32_t)next, NULL);
    if (place)
        edges->resumed[*place] = resumed;
}

bool hasten_edges_recall(const struct hasten_edges *edges, uint32_t caller, uint32_t unit,
                         struct hasten_resumed *ret_resumed) {
    const uint32_t *place =
        hasten_map_find(&edges->sites, (struct hasten_map_key){.low = caller, .high = unit});
    if (place)
        *ret_resumed = edges->resumed[*place];
    return place != NULL;
}

static void note_known(struct hasten_edges *edges, struct hasten_edge edge) {
    if (edges->pairs.count >= HASTEN_EDGES_MAX)
        hasten_map_clear(&edges->pairs);
    uint32_t *unit = hasten_map_insert(
        &edges->pairs, (struct hasten_map_key){.low = edge.caller, .high = edge.callee}, edge.unit,
        NULL);
    if (unit && *unit != edge.unit)
        *unit = HASTEN_EDGES_SEVERAL;
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
    if (!points || *points >= HASTEN_EVIDENCE_PROVEN)
        return;
    *points += evidence;
    if (*points >= HASTEN_EVIDENCE_PROVEN)
        note_known(edges, edge);
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
    bool still = question->stable && (!versioned || question->insistent);
    *ret_doubtful = !still && !hasten_edges_known(edges, question->edge);
    return HASTEN_OK;
}
