/* SPDX-License-Identifier: MIT
 *
 * Stacks read from a fake interpreter of every version: what is plain, and what is a
 * moment out of date. Nothing runs meanwhile, so that each case is the same each time. */
#include "walk_checks.h"

static void test_plain(void) {
    EXPECT({MAIN, FAKE_WORK});
    CHECK(!fixture.native);
    fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    fake_specialise(&python, A, B);
    fake_call(&python, B, FAKE_DIRECT, FAKE_EXACT_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_EXACT_CALL}, {B, FAKE_WORK});
    CHECK(!fixture.native);
    settle();
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_EXACT_CALL}, {B, FAKE_WORK});
    CHECK_EQ_INT(fixture.retried, 0);
    fake_run_at(&python, FAKE_CALL); /* of a C function */
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_EXACT_CALL}, {B, FAKE_CALL});
    CHECK(fixture.native);
    fake_return(&python);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    /* An operator or a property pushes a frame and names nothing. */
    fake_call(&python, C, FAKE_DIRECT, FAKE_ATTRIBUTE);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_ATTRIBUTE}, {C, FAKE_WORK});
}

static void test_recursion(void) {
    for (int i = 0; i < 40; i++)
        fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    struct step steps[41];
    for (int i = 0; i < 41; i++)
        steps[i] = (struct step){i == 0 ? MAIN : A, i == 40 ? FAKE_WORK : FAKE_CALL};
    expect(steps, 41, __FILE__, __LINE__);
    while (python.depth > 2)
        fake_return(&python);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
}

static void test_deep(void) {
    enum { DEPTH = 600 };
    static struct step steps[DEPTH + 1];
    python.chunk_bytes = 4096;
    steps[0] = (struct step){MAIN, FAKE_CALL};
    for (int i = 1; i <= DEPTH; i++) {
        steps[i] = (struct step){&codes[1 + i % 4], i == DEPTH ? FAKE_WORK : FAKE_CALL};
        fake_call(&python, steps[i].code, i % 7 == 0 ? FAKE_THROUGH_C : FAKE_DIRECT, FAKE_CALL);
    }
    expect(steps, DEPTH + 1, __FILE__, __LINE__);
    CHECK(fixture.thread->snapshot.chunk_count > 15);
    for (int i = 0; i < 400 && fixture.retried > 0; i++) /* a few more calls are known each time */
        CHECK_STATUS(walk_fixture_look(&fixture), HASTEN_OK);
    expect(steps, DEPTH + 1, __FILE__, __LINE__);
    CHECK_EQ_INT(fixture.retried, 0);
    /* Down again into older chunks, and up anew. */
    while (python.depth > 101)
        fake_return(&python);
    steps[100].site = FAKE_WORK;
    expect(steps, 101, __FILE__, __LINE__);
    fake_call(&python, MAIN, FAKE_DIRECT, FAKE_CALL);
    steps[100].site = FAKE_CALL;
    steps[101] = (struct step){MAIN, FAKE_WORK};
    expect(steps, 102, __FILE__, __LINE__);
}

/* More frames at once than are read along on suspicion. */
static void test_burst(void) {
    enum { DEPTH = 80 };
    static struct step steps[DEPTH + 1];
    EXPECT({MAIN, FAKE_WORK});
    steps[0] = (struct step){MAIN, FAKE_CALL};
    for (int i = 1; i <= DEPTH; i++) {
        steps[i] = (struct step){A, i == DEPTH ? FAKE_WORK : FAKE_CALL};
        fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    }
    CHECK_EQ_INT(fixture.thread->snapshot.chunk_count, 1);
    expect(steps, DEPTH + 1, __FILE__, __LINE__);
    CHECK(fixture.retried < 5);
}

/* The current frame was read, then it returned: it is not in the stack. */
static void test_popped(void) {
    fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    fake_call(&python, B, FAKE_DIRECT, FAKE_CALL);
    fake_call(&python, C, FAKE_DIRECT, FAKE_CALL);
    uint64_t hint = fake_frame_at(&python, 0);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_CALL}, {C, FAKE_WORK});
    fake_return(&python);
    fake_set_current(&python, hint);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_WORK});
    fake_return(&python);
    fake_set_current(&python, hint);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    /* Another one where it was, called from elsewhere, with the same hint. */
    fake_call(&python, D, FAKE_DIRECT, FAKE_ATTRIBUTE);
    fake_set_current(&python, hint);
    if (has_index()) /* says of its caller that it was called */
        EXPECT({MAIN, FAKE_CALL}, {A, FAKE_ATTRIBUTE}, {D, FAKE_WORK});
    fake_return(&python);
    fake_return(&python);
    fake_set_current(&python, hint);
    EXPECT({MAIN, FAKE_WORK});
}

/* The current frame was read, then others were pushed: they are in the stack. */
static void test_pushed(void) {
    uint64_t hint = fake_frame_at(&python, 0);
    fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    fake_call(&python, B, FAKE_DIRECT, FAKE_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_WORK});
    settle();
    fake_set_current(&python, hint);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_WORK});
    CHECK_EQ_INT(fixture.retried, 0);
    fake_set_current(&python, fake_frame_at(&python, 1));
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_WORK});
    /* B is left over when A runs. */
    fake_return(&python);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
}

/* The same through C. Up to 3.12 that makes a new C frame, which the hint lacks. */
static void test_pushed_through_c(void) {
    uint64_t hint = fake_frame_at(&python, 0);
    uint64_t cframe = python.cframe;
    fake_call(&python, A, FAKE_THROUGH_C, FAKE_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    settle(); /* 3.11 has nothing else to tell it from a frame that is left over */
    if (python.interpreter.layout.thread_cframe != HASTEN_ABSENT)
        fake_put(python.thread + python.interpreter.layout.thread_cframe, cframe, 8);
    else
        fake_set_current(&python, hint);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
}

/* What lies above the leaf names a caller that is not mapped any more. */
static void test_leftover_of_unmapped(void) {
    fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    uint64_t leftover = fake_frame_at(&python, 0);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    fake_return(&python);
    EXPECT({MAIN, FAKE_WORK});
    fake_put(FRAME_FIELD(leftover, code), A->address, 8);
    fake_put(FRAME_FIELD(leftover, previous), python.unmapped, 8);
    fake_put(FRAME_FIELD(leftover, stack_top), has_index() ? UINT32_MAX : leftover + 96, 4);
    EXPECT({MAIN, FAKE_WORK});
    EXPECT({MAIN, FAKE_WORK});
    CHECK_EQ_INT(fixture.retried, 0);
}

/* A frame that has not begun hides what seems to be above it. */
static void test_unstarted(void) {
    fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    fake_call(&python, B, FAKE_DIRECT, FAKE_CALL);
    fake_run_at(&python, FAKE_START);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL});
    fake_run_at(&python, FAKE_WORK);
    fake_call(&python, C, FAKE_DIRECT, FAKE_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_CALL}, {C, FAKE_WORK});
    uint64_t hint = fake_frame_at(&python, 0);
    fake_return(&python);
    fake_return(&python);
    fake_call(&python, D, FAKE_DIRECT, FAKE_CALL);
    fake_run_at(&python, FAKE_START);
    fake_put(FRAME_FIELD(hint, code), C->address, 8);
    fake_put(FRAME_FIELD(hint, stack_top), has_index() ? UINT32_MAX : hint + 96, 4);
    fake_set_current(&python, hint);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL});
    /* A frame on its way is no leaf's callee either. */
    fake_set_current(&python, fake_frame_at(&python, 1));
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL});
}

/* A class called, a helper below its __init__: the call names the class. */
static void test_init_helper(void) {
    struct fake_code helper = fake_helper_new(&python);
    fake_call(&python, &helper, FAKE_DIRECT, FAKE_CALL);
    uint64_t frame = fake_call(&python, A, FAKE_DIRECT, FAKE_START);
    uint64_t hint = fake_frame_at(&python, 2);
    fake_put(FRAME_FIELD(hint, localsplus) + 24, python.none, 8);
    for (int i = 0; i < 20; i++)
        EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    CHECK(frame == fake_frame_at(&python, 0));
    /* Seen often enough to be believed from the caller alone. */
    fake_set_current(&python, hint);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    fake_set_current(&python, fake_frame_at(&python, 1));
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    fake_call(&python, B, FAKE_DIRECT, FAKE_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_WORK});
}

static void test_through_c(void) {
    fake_call(&python, A, FAKE_THROUGH_C, FAKE_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    fake_call(&python, B, FAKE_THROUGH_C, FAKE_WORK); /* a finaliser: from anywhere */
    fake_call(&python, C, FAKE_DIRECT, FAKE_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK}, {B, FAKE_CALL}, {C, FAKE_WORK});
    /* Shims are kept in sight as long as they are used. */
    settle();
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK}, {B, FAKE_CALL}, {C, FAKE_WORK});
    CHECK_EQ_INT(fixture.retried, 0);
    for (int i = 0; i < 3; i++)
        fake_return(&python);
    EXPECT({MAIN, FAKE_WORK});
}

/* Up to 3.12, a C frame is linked before it is filled in: for a moment it says what
 * was on the C stack. A thread that lost its processor then shows that in every try. */
static void test_nonsense_c_frame(void) {
    const struct hasten_layout *layout = &python.interpreter.layout;
    if (layout->thread_cframe == HASTEN_ABSENT)
        return;
    fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_WORK});
    fake_call(&python, B, FAKE_THROUGH_C, FAKE_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_WORK});
    fake_run_at(&python, FAKE_START);
    static const uint64_t nonsense[] = {8, 3, UINT64_MAX - 7, UINT64_C(0x5a5a5a5a5a5a5a58)};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        fake_set_current(&python, nonsense[i]);
        EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL});
    }
}

/* The same with a generator, whose frame is not on the data stack. */
static void test_nonsense_at_generator(void) {
    const struct hasten_layout *layout = &python.interpreter.layout;
    if (layout->thread_cframe == HASTEN_ABSENT)
        return;
    fake_resume_generator(&python, A);
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_WORK});
    fake_set_current(&python, 8);
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_WORK});
}

static void test_generators(void) {
    fake_resume_generator(&python, A);
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_WORK});
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_WORK});
    CHECK_EQ_INT(fixture.retried, 0);
    fake_call(&python, B, FAKE_DIRECT, FAKE_CALL);
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_CALL}, {B, FAKE_WORK});
    fake_resume_generator(&python, C);
    fake_resume_generator(&python, D);
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_CALL}, {B, FAKE_ITERATE}, {C, FAKE_ITERATE},
           {D, FAKE_WORK});
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_CALL}, {B, FAKE_ITERATE}, {C, FAKE_ITERATE},
           {D, FAKE_WORK});
    CHECK_EQ_INT(fixture.retried, 0);
    fake_return(&python);
    fake_return(&python);
    fake_return(&python);
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_WORK});
    fake_return(&python);
    EXPECT({MAIN, FAKE_WORK});
}

/* The current frame was read, then a generator was resumed, or it yielded. */
static void test_resumed_meanwhile(void) {
    uint64_t generator = fake_resume_generator(&python, A);
    settle();
    fake_set_current(&python, fake_frame_at(&python, 1));
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_WORK});
    fake_call(&python, B, FAKE_DIRECT, FAKE_CALL);
    settle();
    fake_set_current(&python, fake_frame_at(&python, 2));
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_CALL}, {B, FAKE_WORK});
    fake_return(&python);
    fake_return(&python);
    fake_set_current(&python, generator);
    EXPECT({MAIN, FAKE_WORK});
    CHECK_EQ_INT(fixture.retried, 0);
}

/* A generator was copied when it was over; another one lies in its place by now. */
static void test_resumed_in_place(void) {
    uint64_t generator = fake_resume_generator(&python, A);
    if (python.interpreter.layout.frame_is_entry != HASTEN_ABSENT)
        return; /* 3.11 does not name what it resumes */
    settle();
    fake_run_at(&python, FAKE_RETURN);
    fake_put(FRAME_FIELD(generator, previous), 0, 8);
    fake_set_current(&python, fake_frame_at(&python, 1));
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_WORK});
    /* It ran other code then. */
    fake_put(FRAME_FIELD(generator, code), B->address, 8);
    fake_put(FRAME_FIELD(generator, instruction),
             B->address + python.interpreter.layout.code_bytecode + 2 * python.units[FAKE_RETURN],
             8);
    EXPECT({MAIN, FAKE_ITERATE}, {A, FAKE_WORK});
}

/* As many frames elsewhere as are read, and one more. */
static void test_many_generators(void) {
    static struct step steps[HASTEN_SNAPSHOT_OUTSIDE_MAX + 1];
    /* Stale ones make room. */
    for (int i = 0; i < 10; i++)
        fake_resume_generator(&python, B);
    CHECK_STATUS(walk_fixture_look(&fixture), HASTEN_OK);
    while (python.depth > 1)
        fake_return(&python);
    EXPECT({MAIN, FAKE_WORK});
    size_t most = HASTEN_SNAPSHOT_OUTSIDE_MAX;
    for (size_t i = 0; i <= most; i++)
        steps[i] = (struct step){i == 0 ? MAIN : A, i == most ? FAKE_WORK : FAKE_ITERATE};
    /* Up to 3.11, that takes no shims. */
    for (size_t i = 0; i < most; i++)
        fake_resume_generator(&python, A);
    /* Room for the shim below main, and for the C frame. */
    size_t others = (python.interpreter.layout.frame_is_entry == HASTEN_ABSENT) +
                    (python.interpreter.layout.thread_cframe != HASTEN_ABSENT);
    for (; others > 0; others--) {
        fake_return(&python);
        steps[--most].site = FAKE_WORK;
    }
    expect(steps, most + 1, __FILE__, __LINE__);
    /* The shim below main is known by now and leaves its room to the first one. */
    fake_resume_generator(&python, A);
    fake_resume_generator(&python, A);
    CHECK_STATUS(walk_fixture_look(&fixture), HASTEN_LIMIT);
}

static void test_no_frames(void) {
    EXPECT({MAIN, FAKE_WORK});
    fake_return(&python);
    CHECK_STATUS(walk_fixture_look(&fixture), HASTEN_OK);
    CHECK_EQ_INT(fixture.thread->path_count, 0);
    CHECK_EQ_INT(fixture.thread->node, 0);
    CHECK(!fixture.native);
    fake_call(&python, A, FAKE_THROUGH_C, FAKE_CALL);
    EXPECT({A, FAKE_WORK});
}

/* A frame that lies where its caller does not end was left there by another call. */
static void test_misplaced(void) {
    fake_call(&python, A, FAKE_DIRECT, FAKE_CALL);
    fake_call(&python, B, FAKE_DIRECT, FAKE_CALL);
    EXPECT({MAIN, FAKE_CALL}, {A, FAKE_CALL}, {B, FAKE_WORK});
    uint64_t hint = fake_frame_at(&python, 0);
    uint64_t main_frame = fake_frame_at(&python, 2);
    fake_put(FRAME_FIELD(hint, previous), main_frame, 8);
    CHECK_STATUS(walk_fixture_look(&fixture), HASTEN_TORN);
    fake_return(&python);
    fake_return(&python);
    fake_put(FRAME_FIELD(hint, code), B->address, 8);
    fake_put(FRAME_FIELD(hint, previous), main_frame, 8);
    fake_set_current(&python, hint);
    if (has_index()) /* main says that it has called nothing */
        EXPECT({MAIN, FAKE_WORK});
}

static void (*const tests[])(void) = {
    test_plain,
    test_recursion,
    test_deep,
    test_burst,
    test_popped,
    test_pushed,
    test_pushed_through_c,
    test_leftover_of_unmapped,
    test_unstarted,
    test_init_helper,
    test_through_c,
    test_nonsense_c_frame,
    test_nonsense_at_generator,
    test_generators,
    test_resumed_meanwhile,
    test_resumed_in_place,
    test_many_generators,
    test_no_frames,
    test_misplaced,
};

int main(void) {
    run_tests(tests, sizeof tests / sizeof *tests);
    return check_done();
}
