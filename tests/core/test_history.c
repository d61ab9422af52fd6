/* SPDX-License-Identifier: MIT
 *
 * Histories as they are read: order, merges, damage, memory that runs out. */
#include <math.h>

#include "check.h"
#include "core/history/history.h"
#include "failing_allocator.h"

/* A line of a history. */
static void add_run(struct hasten_buffer *text, const char *commit, int committed,
                    const char *benchmarks) {
    hasten_buffer_format(text,
                         "{\"hasten_history\": 1, \"commit\": \"%s\", \"committed\": %d, "
                         "\"measured\": 5, \"machine\": \"m\", \"python\": \"3.11.7\", "
                         "\"dirty\": false, \"benchmarks\": {%s}}\n",
                         commit, committed, benchmarks);
}

static hasten_status parse(const char *text, struct hasten_history **history,
                           struct hasten_error *error) {
    return hasten_history_parse(text, strlen(text), NULL, history, error);
}

static void test_order(void) {
    struct hasten_history *history = NULL;
    struct hasten_buffer text;
    /* Two branches, each with its runs, as git leaves them in conflict. */
    hasten_buffer_init(&text, NULL);
    add_run(&text, "aaa", 10, "\"x::f\": {\"time_s\": 1.5, \"peak_bytes\": 100}");
    hasten_buffer_text(&text, "<<<<<<< HEAD\n");
    add_run(&text, "ccc", 30, "\"x::g\": {\"time_s\": 4}, \"x::f\": {\"time_s\": 3}");
    hasten_buffer_text(&text, "=======\r\n\n");
    add_run(&text, "bbb", 20, "\"x::f\": {\"time_s\": 2}");
    hasten_buffer_text(&text, ">>>>>>> other\n");
    hasten_status status = parse(hasten_buffer_cstring(&text), &history, NULL);
    hasten_buffer_done(&text);
    if (!CHECK_STATUS(status, HASTEN_OK)) {
        return;
    }
    CHECK_EQ_INT(history->run_count, 3);
    CHECK_EQ_STR(hasten_history_text(history, history->runs[0].commit), "aaa");
    CHECK_EQ_STR(hasten_history_text(history, history->runs[1].commit), "bbb");
    CHECK_EQ_STR(hasten_history_text(history, history->runs[2].commit), "ccc");
    CHECK_EQ_STR(hasten_history_text(history, history->runs[2].machine), "m");
    CHECK_EQ_INT(history->runs[1].committed_s, 20);
    CHECK_EQ_INT(history->benchmark_count, 2);
    CHECK_EQ_STR(hasten_history_text(history, history->benchmarks[0]), "x::f");
    CHECK_EQ_STR(hasten_history_text(history, history->benchmarks[1]), "x::g");
    CHECK_EQ_INT(history->point_count, 4);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ_INT(history->points[i].benchmark, 0);
        CHECK_EQ_INT(history->points[i].run, i);
    }
    CHECK(history->points[0].time_s == 1.5 && history->points[0].peak_bytes == 100);
    CHECK(history->points[1].time_s == 2 && isnan(history->points[1].peak_bytes));
    CHECK(history->points[3].time_s == 4 && history->points[3].benchmark == 1);
    hasten_history_free(history);
}

static void test_empty(void) {
    struct hasten_history *history = NULL;
    CHECK_STATUS(parse("", &history, NULL), HASTEN_OK);
    CHECK_EQ_INT(history->run_count, 0);
    hasten_history_free(history);
    hasten_history_free(NULL);
}

#define FIRST "{\"hasten_history\": 1, \"commit\": \"a\", \"committed\": 1, \"benchmarks\": {"

static void test_damage(void) {
    static const struct {
        const char *line;
        hasten_status status;
        const char *message;
    } faults[] = {
        {"x", HASTEN_CORRUPT, "the line at byte 1 is not of a history: not JSON"},
        {"{\"a\": ", HASTEN_CORRUPT, "the line at byte 1 is not of a history: not JSON"},
        {"[]", HASTEN_CORRUPT, "the line at byte 1 is not of a history: hasten_history is missing"},
        {"{\"hasten_history\": 2}", HASTEN_NEWER,
         "the history was written by a newer hasten (version 2)"},
        {"{\"hasten_history\": 1}", HASTEN_CORRUPT,
         "the line at byte 1 is not of a history: commit, or a time, is missing"},
        {"{\"hasten_history\": 1, \"commit\": \"a\", \"committed\": -1}", HASTEN_CORRUPT,
         "the line at byte 1 is not of a history: commit, or a time, is missing"},
        {FIRST "\"x\": {\"time_s\": -1}}}", HASTEN_CORRUPT,
         "the line at byte 1 is not of a history: a measurement is not a positive number"},
        {FIRST "\"x\": {\"time_s\": 1e999}}}", HASTEN_CORRUPT,
         "the line at byte 1 is not of a history: a measurement is not a positive number"},
        {FIRST "\"x\": {}}}", HASTEN_CORRUPT,
         "the line at byte 1 is not of a history: a measurement is not a positive number"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct hasten_history *history = NULL;
        struct hasten_error error;
        char text[512];
        snprintf(text, sizeof text, "\n%s", faults[i].line);
        CHECK_STATUS(parse(text, &history, &error), faults[i].status);
        CHECK_EQ_STR(error.message, faults[i].message);
        CHECK_EQ_INT(error.position, 1);
        CHECK(history == NULL);
    }
}

static void test_no_memory(void) {
    struct hasten_buffer text;
    hasten_buffer_init(&text, NULL);
    add_run(&text, "a", 1, "\"x\": {\"time_s\": 1}");
    add_run(&text, "b", 2, "\"y\": {\"time_s\": 1}");
    struct failing_allocator failing;
    hasten_status status = HASTEN_NO_MEMORY;
    for (unsigned call = 1; call < 100 && status == HASTEN_NO_MEMORY; call++) {
        struct hasten_history *history = NULL;
        failing_allocator_init(&failing, call, true);
        status = hasten_history_parse(text.data, text.size, &failing.allocator, &history, NULL);
        hasten_history_free(history);
        CHECK_EQ_INT(failing.live_blocks, 0);
        CHECK(!failing.wrong_size);
        CHECK(call > 1 || status == HASTEN_NO_MEMORY);
    }
    CHECK_STATUS(status, HASTEN_OK);
    hasten_buffer_done(&text);
}

static void test_files(void) {
    struct hasten_history *history = NULL;
    struct hasten_error error;
    CHECK_STATUS(hasten_history_load("/no/such/file", NULL, &history, &error), HASTEN_NOT_FOUND);
    CHECK_EQ_STR(error.message, "cannot read /no/such/file: No such file or directory");
    CHECK_STATUS(hasten_history_load("/dev/zero", NULL, &history, &error), HASTEN_INVALID);
    CHECK_EQ_STR(error.message, "/dev/zero is not a history");
}

int main(void) {
    test_order();
    test_empty();
    test_damage();
    test_no_memory();
    test_files();
    return check_done();
}
