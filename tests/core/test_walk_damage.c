/* SPDX-License-Identifier: MIT
 *
 * A fake interpreter's memory as it may be when it is read at a bad moment, or never
 * should be: nothing is taken for a stack that is none. */
#include "failing_allocator.h"
#include "walk_checks.h"

/* A look at damaged memory may show how the stack begins, and nothing else. */
static void expect_torn_or_part(const struct step *steps, size_t count, const char *file,
                                int line) {
    hasten_status status = walk_fixture_look(&fixture);
    size_t shown = fixture.thread->path_count;
    bool right = status == HASTEN_TORN || (status == HASTEN_OK && shown <= count &&
                                           (shown > 0 || count == 0) && stack_is(steps, shown));
    if (!check_that(right, "the look at damage", file, line)) {
        fprintf(stderr, "    is %s\n", hasten_status_name(status));
        print_stack(file, line);
    }
}

static void expect_torn(const char *file, int line) {
    hasten_status status = walk_fixture_look(&fixture);
    check_equal_text(hasten_status_name(status), "TORN", "the look at damage", file, line);
}

static void test_damage(void) {
    uint64_t bottom = fake_frame_at(&python, 0);
    uint64_t middle = fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    uint64_t leaf = fake_call(&python, B, FAKE_DIRECT, FAKE_CALL);
    const uint64_t wrong[] = {
        0,
        leaf, /* cycles of one, two and three */
        middle,
        middle + 4, /* not aligned */
        middle + 8, /* not a frame */
        1,
        8,
        python.unmapped,
        python.unmapped - 8, /* only its beginning is mapped */
        python.thread,
        UINT64_C(0x7ffffffff000),
        UINT64_C(0x800000000000),
        UINT64_C(0xffff800000000000),
        UINT64_MAX - 7,
        UINT64_MAX - 1023,
    };
    uint64_t links[] = {FRAME_FIELD(middle, previous), FRAME_FIELD(leaf, previous),
                        FRAME_FIELD(bottom, previous)};
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_WORK});
    const struct step whole[] = {{MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_WORK}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        for (int k = 0; k < 3; k++) {
            uint64_t right = fake_get(links[k], 8);
            if (wrong[i] == right)
                continue;
            fake_put(links[k], wrong[i], 8);
            if (k == 0)
                expect_torn(__FILE__, __LINE__);
            else
                expect_torn_or_part(whole, 3, __FILE__, __LINE__);
            fake_put(links[k], right, 8);
        }
        fake_set_current(&python, wrong[i]);
        expect_torn_or_part(whole, wrong[i] == 0 ? 0 : 3, __FILE__, __LINE__);
        fake_set_current(&python, leaf);
    }
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_WORK});
    fake_put(FRAME_FIELD(middle, owner), 9, 1);
    expect_torn(__FILE__, __LINE__);
    fake_put(FRAME_FIELD(middle, owner), 0, 1);
    fake_put(FRAME_FIELD(middle, code), python.unmapped, 8);
    expect_torn(__FILE__, __LINE__);
    fake_put(FRAME_FIELD(middle, code), A->address, 8);
    uint64_t instruction = fake_get(FRAME_FIELD(middle, instruction), 8);
    fake_put(FRAME_FIELD(middle, instruction), instruction + 4096, 8);
    expect_torn(__FILE__, __LINE__);
    fake_put(FRAME_FIELD(middle, instruction), instruction, 8);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_WORK});
}

/* Frames elsewhere in a circle, so that nothing of it is known beforehand. */
static void test_circle_elsewhere(void) {
    uint64_t first = fake_resume_generator(&python, A);
    uint64_t second = fake_resume_generator(&python, B);
    const struct step whole[] = {{MAIN, FAKE_ITERATE}, {A, FAKE_ITERATE}, {B, FAKE_WORK}};
    fake_put(FRAME_FIELD(first, previous), second, 8);
    expect_torn_or_part(whole, 3, __FILE__, __LINE__);
    fake_put(FRAME_FIELD(first, previous), first + 8, 8);
    expect_torn_or_part(whole, 3, __FILE__, __LINE__);
    fake_put(python.thread + python.interpreter.layout.thread_datastack_chunk, 0, 8);
    expect_torn_or_part(whole, 0, __FILE__, __LINE__);
}

static void test_damaged_chunks(void) {
    const struct hasten_layout *layout = &python.interpreter.layout;
    fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    const uint64_t heads[] = {python.chunk, python.thread + layout->thread_datastack_chunk};
    const uint64_t offsets[] = {layout->chunk_previous, layout->chunk_size, 0, 8};
    const uint64_t wrong[] = {python.chunk,     python.unmapped,      8, 1, UINT64_MAX,
                              UINT64_MAX - 511, UINT64_C(0x100000000)};
    for (size_t i = 0; i < 4 * sizeof wrong / sizeof *wrong; i++) {
        uint64_t at = heads[i % 4 / 2] + offsets[i % 4];
        uint64_t right = fake_get(at, 8);
        fake_put(at, wrong[i / 4], 8);
        hasten_snapshot_forget(&fixture.thread->snapshot);
        hasten_status status = walk_fixture_look(&fixture);
        CHECK(status == HASTEN_OK || status == HASTEN_TORN || status == HASTEN_LIMIT);
        if (status == HASTEN_OK)
            CHECK(stack_is((struct step[]){{MAIN, FAKE_CALL}, {A, FAKE_WORK}}, 2));
        fake_put(at, right, 8);
        EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    }
}

static void test_ended_thread(void) {
    const struct hasten_layout *layout = &python.interpreter.layout;
    EXPECT({MAIN, FAKE_WORK});
    fake_put(python.thread + layout->thread_interp, python.none, 8);
    CHECK_STATUS(walk_fixture_look(&fixture), HASTEN_GONE);
    fake_put(python.thread + layout->thread_interp, python.interp, 8);
    EXPECT({MAIN, FAKE_WORK});
    fixture.thread->snapshot.thread_state = python.unmapped;
    CHECK_STATUS(walk_fixture_look(&fixture), HASTEN_GONE);
    fixture.thread->snapshot.thread_state = python.thread;
    EXPECT({MAIN, FAKE_WORK});
}

/* A code object is freed, another is made in its place: the old name is never seen. */
static void test_replaced_code(void) {
    fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    uint32_t seen[4];
    for (uint32_t i = 0; i < 4; i++) {
        const struct hasten_code_entry *entry = hasten_codes_find(&fixture.codes, A->address);
        seen[i] = entry->code;
        static const char *const names[] = {"second", "third", "fourth", "fifth"};
        fake_code_replace(&python, A, names[i], 500 + i);
        EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
        for (uint32_t k = 0; k <= i; k++)
            CHECK(fixture.thread->path[1].code != seen[k]);
    }
    /* Not a code object any more: no Python frame. */
    fake_put(A->address + python.interpreter.layout.object_type,
             fake_get(python.none + python.interpreter.layout.object_type, 8), 8);
    if (python.code_counter != 0)
        fake_put(python.code_counter, 1000, 4);
    EXPECT({MAIN, FAKE_CALL});
}

/* A call that is specialised for one function is believed to have called another only
 * when that stands still for some reads, and long not for good. */
static void test_contradicting_call(void) {
    fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    settle();
    fake_specialise(&python, A, C);
    fake_call(&python, B, FAKE_DIRECT, FAKE_EXACT_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_EXACT_CALL}, {B, FAKE_WORK});
    CHECK(fixture.retried >= 3);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_EXACT_CALL}, {B, FAKE_WORK});
    CHECK(fixture.retried >= 3);
    CHECK(!hasten_edges_known(&fixture.edges, fixture.walk.unknown_call.edge));
    for (int i = 0; i < 64; i++)
        EXPECT({MAIN, FAKE_CALL}, {A, FAKE_EXACT_CALL}, {B, FAKE_WORK});
    CHECK_EQ_INT(fixture.retried, 0);
    /* The right one is believed at once. */
    fake_return(&python);
    fake_call(&python, C, FAKE_DIRECT, FAKE_EXACT_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_EXACT_CALL}, {C, FAKE_WORK});
    CHECK_EQ_INT(fixture.retried, 1); /* to load its code */
}

/* Where memory runs out, the look says so, once and for all wanted of it; the next
 * one has everything. */
static void test_no_memory(void) {
    fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    fake_resume_generator(&python, B);
    fake_call(&python, C, FAKE_THROUGH_C, FAKE_CALL);
    bool failed = true;
    for (size_t n = 1; failed && n < 200; n++) {
        struct failing_allocator memory;
        walk_fixture_done(&fixture);
        failing_allocator_init(&memory, n, false);
        hasten_status status = walk_fixture_init(&fixture, &python, recorder, &memory.allocator);
        if (status == HASTEN_OK)
            status = walk_fixture_look(&fixture);
        CHECK(status == HASTEN_OK || (memory.failed && status == HASTEN_NO_MEMORY));
        failed = memory.failed;
        if (fixture.thread)
            EXPECT({MAIN, FAKE_CALL}, {A, FAKE_ITERATE}, {B, FAKE_CALL}, {C, FAKE_WORK});
        walk_fixture_done(&fixture);
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
        CHECK_STATUS(walk_fixture_init(&fixture, &python, recorder, NULL), HASTEN_OK);
    }
    CHECK(!failed);
}

static void (*const tests[])(void) = {
    test_damage,        test_circle_elsewhere,   test_damaged_chunks, test_ended_thread,
    test_replaced_code, test_contradicting_call, test_no_memory,
};

/* Stacks deeper than is read are refused: a cut one would blame the wrong callers. */
static void test_depth_limit(uint32_t version) {
    struct hasten_error error = {0};
    CHECK(fake_python_init(&python, version, 56u << 20));
    python.chunk_bytes = 48u << 20;
    struct fake_code code = fake_code_new(&python, "deep", 1);
    fixture_path(path, sizeof path);
    CHECK_STATUS(hasten_recorder_open(path, 1000000, NULL, &recorder, &error), HASTEN_OK);
    CHECK_STATUS(walk_fixture_init(&fixture, &python, recorder, NULL), HASTEN_OK);
    while (python.depth < HASTEN_STACK_DEPTH_MAX)
        fake_call(&python, &code, FAKE_DIRECT, FAKE_CALL);
    CHECK_STATUS(walk_fixture_look(&fixture), HASTEN_OK);
    CHECK_EQ_INT(fixture.thread->path_count, HASTEN_STACK_DEPTH_MAX);
    fake_call(&python, &code, FAKE_DIRECT, FAKE_CALL);
    CHECK_STATUS(walk_fixture_look(&fixture), HASTEN_LIMIT);
    finish();
}

int main(void) {
    run_tests(tests, sizeof tests / sizeof *tests);
    test_depth_limit(0x030d);
    return check_done();
}
