/* SPDX-License-Identifier: MIT
 *
 * For tests of the walk: a thread of a fake interpreter, five functions to run on it,
 * and checks of what a look shows. */
#ifndef HASTEN_TESTS_WALK_CHECKS_H
#define HASTEN_TESTS_WALK_CHECKS_H

#include "check.h"
#include "recording_fixture.h"
#include "walk_fixture.h"

#define MEMORY (2u << 20)

static const uint32_t versions[] = {0x030b, 0x030c, 0x030d, 0x030e, 0x030f};

struct step {
    const struct fake_code *code;
    enum fake_site site;
};

static struct fake_python python;
static struct walk_fixture fixture;
static struct hasten_recorder *recorder;
static char path[256];
static struct fake_code codes[5]; /* main, a, b, c, d */

#define MAIN (&codes[0])
#define A (&codes[1])
#define B (&codes[2])
#define C (&codes[3])
#define D (&codes[4])

__attribute__((unused)) static bool has_index(void) {
    return python.interpreter.layout.stack_top_kind == HASTEN_STACK_TOP_INDEX;
}

/* A thread that runs `main`, which runs at FAKE_WORK. */
__attribute__((unused)) static void start(uint32_t version) {
    static const char *const names[] = {"main", "a", "b", "c", "d"};
    struct hasten_error error = {0};
    CHECK(fake_python_init(&python, version, MEMORY));
    for (uint32_t i = 0; i < 5; i++)
        codes[i] = fake_code_new(&python, names[i], 10 * i + 1);
    fake_call(&python, MAIN, FAKE_THROUGH_C, FAKE_CALL);
    fixture_path(path, sizeof path);
    CHECK_STATUS(hasten_recorder_open(path, 1000000, NULL, &recorder, &error), HASTEN_OK);
    CHECK_STATUS(walk_fixture_init(&fixture, &python, recorder, NULL), HASTEN_OK);
}

__attribute__((unused)) static void finish(void) {
    walk_fixture_done(&fixture);
    hasten_recorder_free(recorder);
    fixture_remove(path);
    fake_python_done(&python);
}

__attribute__((unused)) static bool is_step(const struct hasten_path_step *step,
                                            const struct fake_code *code, enum fake_site site) {
    const struct hasten_code_entry *entry = hasten_codes_find(&fixture.codes, code->address);
    return entry && step->code == entry->code && step->unit == python.units[site];
}

__attribute__((unused)) static bool stack_is(const struct step *steps, size_t count) {
    bool same = fixture.thread->path_count == count;
    for (size_t i = 0; same && i < count; i++)
        same = is_step(&fixture.thread->path[i], steps[i].code, steps[i].site);
    return same;
}

__attribute__((unused)) static void print_stack(const char *file, int line) {
    fprintf(stderr, "%s:%d: CPython %x, %zu frames:", file, line, python.interpreter.layout.version,
            fixture.thread->path_count);
    for (size_t i = 0; i < fixture.thread->path_count && i < 20; i++)
        fprintf(stderr, " %u@%u", fixture.thread->path[i].code, fixture.thread->path[i].unit);
    fprintf(stderr, "\n");
}

/* One more look shows these, root first. */
__attribute__((unused)) static void expect(const struct step *steps, size_t count, const char *file,
                                           int line) {
    hasten_status status = walk_fixture_look(&fixture);
    check_equal_text(hasten_status_name(status), "OK", "the look", file, line);
    bool same = status == HASTEN_OK && stack_is(steps, count);
    if (!check_that(same, "the stack", file, line))
        print_stack(file, line);
}

/* Looks so often that every call that is in the stack is known from then on. */
__attribute__((unused)) static void settle(void) {
    for (int i = 0; i < 10; i++)
        CHECK_STATUS(walk_fixture_look(&fixture), HASTEN_OK);
}

#define EXPECT(...)                            \
    expect((const struct step[]){__VA_ARGS__}, \
           sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step), __FILE__, __LINE__)

__attribute__((unused)) static uint64_t field(uint64_t frame, uint32_t offset) {
    return frame + offset;
}

#define FRAME_FIELD(frame, name) field((frame), python.interpreter.layout.frame_##name)

/* Every test on every version. */
__attribute__((unused)) static void run_tests(void (*const *tests)(void), size_t count) {
    for (size_t v = 0; v < sizeof versions / sizeof *versions; v++) {
        for (size_t i = 0; i < count; i++) {
            start(versions[v]);
            tests[i]();
            finish();
        }
    }
}

#endif
