/* SPDX-License-Identifier: MIT
 *
 * Which calls are believed: those that CPython's call caches prove, those that stood
 * still, those that come often. */
#include "core/sampling/edges.h"

#include <unistd.h>

#include "check.h"
#include "failing_allocator.h"

static struct hasten_interpreter interpreter;
static const struct hasten_opcodes *opcodes = &hasten_opcodes_313;

/* In our own memory, which is read like another process's. */
static _Alignas(8) uint8_t instruction[8];
static _Alignas(8) uint8_t function[512];

static uint8_t opcode_that(const uint8_t *has, const uint8_t *lacks) {
    for (int i = 1; i < 256; i++)
        if (has[i] && (!lacks || !lacks[i]))
            return (uint8_t)i;
    return 0;
}

static void put_call(uint8_t opcode, uint32_t cached, uint32_t version) {
    instruction[0] = opcode;
    memcpy(instruction + 4, &cached, sizeof cached);
    memcpy(function + interpreter.layout.function_version, &version, sizeof version);
}

static bool insistent; /* the frames stand still for long */
static uint64_t function_code = 0x5000, running_code = 0x5000;

static bool ask(struct hasten_edges *edges, struct hasten_edge edge, bool stable) {
    memcpy(function + interpreter.layout.function_code, &function_code, sizeof function_code);
    struct hasten_call_question question = {
        .edge = edge,
        .instruction = (uint64_t)(uintptr_t)instruction,
        .function = (uint64_t)(uintptr_t)function,
        .code = running_code,
        .stable = stable,
        .insistent = insistent,
    };
    bool doubtful = false;
    CHECK_STATUS(hasten_edges_ask(edges, &interpreter, opcodes, &question, &doubtful), HASTEN_OK);
    CHECK(!doubtful || !hasten_edges_known(edges, edge));
    return !doubtful;
}

static void test_evidence(void) {
    struct hasten_edges edges;
    hasten_edges_init(&edges, NULL);
    uint8_t versioned = opcode_that(opcodes->versioned, NULL);
    uint8_t plain = opcode_that(opcodes->call, opcodes->versioned);
    put_call(versioned, 77, 77);
    CHECK(!hasten_edges_known(&edges, (struct hasten_edge){1, 2, 3}));
    CHECK(ask(&edges, (struct hasten_edge){1, 2, 3}, false));
    /* The three numbers are the pair's, in this order. */
    static const struct hasten_edge others[] = {{1, 2, 4}, {1, 3, 3}, {2, 2, 3}, {2, 1, 3},
                                                {3, 2, 1}, {0, 2, 3}, {1, 0, 3}, {1, 2, 0}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        CHECK(!hasten_edges_known(&edges, others[i]));
    /* A cache for another function is evidence against, however still it was. */
    put_call(versioned, 77, 78);
    CHECK(!ask(&edges, (struct hasten_edge){1, 2, 4}, true));
    /* Unless it stays so: then it is believed this once. */
    insistent = true;
    CHECK(!ask(&edges, (struct hasten_edge){1, 2, 4}, false));
    CHECK(ask(&edges, (struct hasten_edge){1, 2, 4}, true));
    insistent = false;
    CHECK(!hasten_edges_known(&edges, (struct hasten_edge){1, 2, 4}));
    /* Not specialised: standing still decides. */
    put_call(plain, 77, 77);
    CHECK(!ask(&edges, (struct hasten_edge){1, 2, 5}, false));
    CHECK(ask(&edges, (struct hasten_edge){1, 2, 5}, true));
    hasten_edges_clear(&edges);
    CHECK(!hasten_edges_known(&edges, (struct hasten_edge){1, 2, 3}));
    hasten_edges_done(&edges);
}

/* How many sightings of a kind it takes. */
static void test_sightings(void) {
    static const struct {
        enum hasten_evidence evidence;
        int sightings;
    } kinds[] = {{HASTEN_EVIDENCE_CONTRADICTED, 64},
                 {HASTEN_EVIDENCE_NONE, 11},
                 {HASTEN_EVIDENCE_PROVEN, 1}};
    struct hasten_edges edges;
    hasten_edges_init(&edges, NULL);
    for (uint32_t k = 0; k < 3; k++) {
        struct hasten_edge edge = {7, 8, 9 + k};
        for (int i = 0; i < kinds[k].sightings; i++) {
            CHECK(!hasten_edges_known(&edges, edge));
            hasten_edges_begin(&edges);
            hasten_edges_add(&edges, edge, kinds[k].evidence);
            if (kinds[k].sightings > 1) /* one look is one sighting */
                hasten_edges_add(&edges, edge, kinds[k].evidence);
        }
        CHECK(hasten_edges_known(&edges, edge));
        hasten_edges_add(&edges, edge, kinds[k].evidence);
        CHECK(hasten_edges_known(&edges, edge));
    }
    /* Asked about a call that is specialised for another function. */
    put_call(opcode_that(opcodes->versioned, NULL), 1, 2);
    for (int i = 1; i <= 64; i++) {
        hasten_edges_begin(&edges);
        CHECK_EQ_INT(ask(&edges, (struct hasten_edge){7, 8, 20}, false), i == 64);
    }
    /* And one that is not specialised and did not stand still. */
    put_call(opcode_that(opcodes->call, opcodes->versioned), 1, 2);
    for (int i = 1; i <= 11; i++) {
        hasten_edges_begin(&edges);
        CHECK_EQ_INT(ask(&edges, (struct hasten_edge){7, 8, 21}, false), i == 11);
    }
    hasten_edges_done(&edges);
}

/* A frame that is being made names the new function and still has the last one's code. */
static void test_function_of_other_code(void) {
    struct hasten_edges edges;
    struct hasten_edge edge = {1, 2, 3};
    hasten_edges_init(&edges, NULL);
    put_call(opcode_that(opcodes->versioned, NULL), 77, 77);
    running_code = 0x6000;
    CHECK(!ask(&edges, edge, false));
    CHECK(!ask(&edges, edge, true));
    CHECK(!hasten_edges_known(&edges, edge));
    running_code = function_code;
    CHECK(ask(&edges, edge, false));
    CHECK(hasten_edges_known(&edges, edge));
    hasten_edges_done(&edges);
}

static void sight(struct hasten_edges *edges, struct hasten_edge edge,
                  enum hasten_evidence evidence, int times) {
    for (int i = 0; i < times; i++) {
        hasten_edges_begin(edges);
        hasten_edges_add(edges, edge, evidence);
    }
}

/* What is seen once where the same function is seen a hundred times from another
 * instruction is an error, however often that comes. */
static void test_unusual(void) {
    struct hasten_edges edges;
    struct hasten_edge usual = {1, 2, 3}, rare = {1, 4, 3}, second = {1, 5, 3};
    hasten_edges_init(&edges, NULL);
    sight(&edges, usual, HASTEN_EVIDENCE_NONE, 11);
    hasten_edges_count(&edges, usual, 1000);
    sight(&edges, rare, HASTEN_EVIDENCE_NONE, 100);
    CHECK(!hasten_edges_known(&edges, rare));
    CHECK_EQ_INT(hasten_edges_unit(&edges, 1, 3), 2);
    sight(&edges, second, HASTEN_EVIDENCE_NONE, 200);
    CHECK(hasten_edges_known(&edges, second));
    CHECK_EQ_INT(hasten_edges_unit(&edges, 1, 3), HASTEN_EDGES_SEVERAL);
    /* Each time that a known pair is asked for is a sighting. */
    struct hasten_edge other = {9, 2, 3}, late = {9, 4, 3};
    sight(&edges, other, HASTEN_EVIDENCE_NONE, 11);
    for (int i = 0; i < 1000; i++)
        CHECK(hasten_edges_known(&edges, other));
    sight(&edges, late, HASTEN_EVIDENCE_NONE, 100);
    CHECK(!hasten_edges_known(&edges, late));
    /* A proof is one. */
    sight(&edges, late, HASTEN_EVIDENCE_PROVEN, 1);
    CHECK(hasten_edges_known(&edges, late));
    /* Nothing of it holds for other callers and callees; and nothing overflows. */
    hasten_edges_count(&edges, usual, UINT32_MAX);
    hasten_edges_count(&edges, usual, UINT32_MAX);
    CHECK(hasten_edges_known(&edges, usual));
    hasten_edges_count(&edges, (struct hasten_edge){70, 71, 72}, 5);
    CHECK(!hasten_edges_known(&edges, (struct hasten_edge){70, 71, 72}));
    hasten_edges_done(&edges);
}

static void test_not_mapped(void) {
    struct hasten_edges edges;
    bool doubtful = true;
    hasten_edges_init(&edges, NULL);
    struct hasten_call_question question = {
        .edge = {1, 2, 3}, .instruction = 8, .function = (uint64_t)(uintptr_t)function};
    CHECK_STATUS(hasten_edges_ask(&edges, &interpreter, opcodes, &question, &doubtful),
                 HASTEN_GONE);
    question.instruction = (uint64_t)(uintptr_t)instruction;
    question.function = UINT64_MAX - 7;
    CHECK_STATUS(hasten_edges_ask(&edges, &interpreter, opcodes, &question, &doubtful),
                 HASTEN_GONE);
    CHECK(doubtful);
    CHECK(!hasten_edges_known(&edges, question.edge));
    hasten_edges_done(&edges);
}

static void test_limit(void) {
    struct hasten_edges edges;
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    hasten_edges_init(&edges, &memory.allocator);
    for (uint32_t i = 0; i < 2 * HASTEN_EDGES_MAX + 10; i++) {
        hasten_edges_begin(&edges);
        hasten_edges_add(&edges, (struct hasten_edge){i, i, i}, HASTEN_EVIDENCE_NONE);
    }
    CHECK(edges.seen.count <= HASTEN_EDGES_MAX);
    CHECK(edges.seen.count >= 10);
    hasten_edges_done(&edges);
    CHECK_EQ_INT(memory.live_blocks, 0);
}

/* Without memory a pair stays unknown, and nothing else happens. */
static void test_no_memory(void) {
    struct hasten_edges edges;
    struct failing_allocator memory;
    failing_allocator_init(&memory, 1, true);
    hasten_edges_init(&edges, &memory.allocator);
    put_call(opcode_that(opcodes->versioned, NULL), 5, 5);
    CHECK(!ask(&edges, (struct hasten_edge){1, 2, 3}, true));
    CHECK(memory.failed);
    memory.fail_at = 0;
    memory.fail_after = false;
    CHECK(ask(&edges, (struct hasten_edge){1, 2, 3}, true));
    hasten_edges_done(&edges);
    CHECK_EQ_INT(memory.live_blocks, 0);
}

int main(void) {
    interpreter.layout = *hasten_layout_of(0x030d);
    interpreter.pid = (uint32_t)getpid();
    test_evidence();
    test_sightings();
    test_function_of_other_code();
    test_unusual();
    test_not_mapped();
    test_limit();
    test_no_memory();
    return check_done();
}
