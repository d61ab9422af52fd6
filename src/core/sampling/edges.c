/* SPDX-License-Identifier: MIT
 *
 * Remembers believable pairs of call and callee. */
#include "core/sampling/edges.h"

#include "core/sampling/load.h"

#define KNOWN (UINT32_C(1) << 31) /* in a value of `seen` */
#define POINTS (KNOWN - 1)
#define MORE (UINT32_C(1) << 31) /* in a value of `pairs`: there is another call */
/* A call is not believed while another of the same callee in the same caller has so many
 * times its points: errors of ours are rarer than that on any machine. */
#define UNUSUAL 8

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

static void add_points(uint32_t *points, uint64_t more) {
    uint64_t sum = (*points & POINTS) + more;
    *points = (*points & KNOWN) | (uint32_t)(sum < POINTS ? sum : POINTS);
}

void hasten_edges_count(struct hasten_edges *edges, struct hasten_edge edge, uint32_t sightings) {
    uint32_t *points = hasten_map_find(&edges->seen, key_of(edge));
    if (points)
        add_points(points, (uint64_t)sightings * HASTEN_EVIDENCE_NONE);
}

bool hasten_edges_known(struct hasten_edges *edges, struct hasten_edge edge) {
    uint32_t *points = hasten_map_find(&edges->seen, key_of(edge));
    if (!points || !(*points & KNOWN))
        return false;
    add_points(points, HASTEN_EVIDENCE_NONE);
    return true;
}

static uint32_t points_of(const struct hasten_edges *edges, struct hasten_edge edge) {
    const uint32_t *points = hasten_map_find(&edges->seen, key_of(edge));
    return points ? *points & POINTS : 0;
}

static struct hasten_map_key pair_of(struct hasten_edge edge) {
    return (struct hasten_map_key){.low = edge.caller, .high = edge.callee};
}

uint32_t hasten_edges_unit(const struct hasten_edges *edges, uint32_t caller, uint32_t callee) {
    const uint32_t *unit =
        hasten_map_find(&edges->pairs, pair_of((struct hasten_edge){caller, 0, callee}));
    if (!unit)
        return HASTEN_NONE;
    return *unit & MORE ? HASTEN_EDGES_SEVERAL : *unit;
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

/* The points of the known call that `pair` names. */
static uint32_t points_of_pair(const struct hasten_edges *edges, struct hasten_edge edge,
                               const uint32_t *pair) {
    return points_of(edges, (struct hasten_edge){edge.caller, *pair & ~MORE, edge.callee});
}

/* Of several, the one that has most points now. */
static void note_known(struct hasten_edges *edges, struct hasten_edge edge) {
    if (edges->pairs.count >= HASTEN_EDGES_MAX)
        hasten_map_clear(&edges->pairs);
    uint32_t *pair = hasten_map_insert(&edges->pairs, pair_of(edge), edge.unit, NULL);
    if (!pair || (*pair & ~MORE) == edge.unit)
        return;
    bool better = points_of(edges, edge) > points_of_pair(edges, edge, pair);
    *pair = (better ? edge.unit : *pair) | MORE;
}

static bool is_unusual(const struct hasten_edges *edges, struct hasten_edge edge, uint32_t points) {
    const uint32_t *pair = hasten_map_find(&edges->pairs, pair_of(edge));
    return pair && points_of_pair(edges, edge, pair) / UNUSUAL >= points;
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
    if (!points || (*points & KNOWN))
        return;
    add_points(points, evidence);
    if (evidence != HASTEN_EVIDENCE_PROVEN &&
        (*points < HASTEN_EVIDENCE_PROVEN || is_unusual(edges, edge, *points)))
        return;
    *points |= KNOWN;
    note_known(edges, edge);
}

hasten_status hasten_edges_ask(struct hasten_edges *edges,
                               const struct hasten_interpreter *interpreter,
                               const struct hasten_opcodes *opcodes,
                               const struct hasten_call_question *question, bool *ret_doubtful) {
    uint8_t code[8]; /* opcode and argument, counter, version */
    uint32_t version = 0;
    uint64_t function_code = 0;
    struct hasten_read reads[] = {
        {hasten_raddr_at(question->instruction), code, sizeof code},
        {hasten_raddr_at(question->function + interpreter->layout.function_version), &version,
         sizeof version},
        {hasten_raddr_at(question->function + interpreter->layout.function_code), &function_code,
         sizeof function_code},
    };
    size_t bytes = 0;
    hasten_status status =
        hasten_memory_read_batch(interpreter->pid, reads, sizeof reads / sizeof *reads, &bytes);
    if (status != HASTEN_OK)
        return status;
    bool versioned = opcodes->versioned[code[0]];
    enum hasten_evidence evidence;
    if (versioned && hasten_load_u32(code, 4) == version && function_code == question->code)
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
