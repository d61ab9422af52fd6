/* SPDX-License-Identifier: MIT
 *
 * Recordings there and back: what the recorder was told comes out of the log and
 * of the SQLite file alike, and what it should refuse it refuses. */
#include <sys/stat.h>

#include "check.h"
#include "failing_allocator.h"
#include "recording_fixture.h"

#define ROUNDS 25

static char path[256];

static uint32_t string_index(const struct hasten_profile *profile, const char *text) {
    for (size_t i = 0; i < profile->string_count; i++) {
        if (strcmp(profile->strings[i], text) == 0) {
            return (uint32_t)i;
        }
    }
    return HASTEN_NONE;
}

static int64_t amount_of(const struct hasten_profile *profile, uint32_t node, uint32_t thread,
                         const char *metric) {
    uint32_t index = hasten_profile_metric(profile, metric);
    for (size_t i = 0; i < profile->value_count; i++) {
        const struct hasten_value *value = &profile->values[i];
        if (value->node == node && value->thread == thread && value->metric == index) {
            return value->amount;
        }
    }
    return 0;
}

static void check_definitions(const struct hasten_profile *profile) {
    CHECK_EQ_STR(hasten_profile_fact(profile, "mode"), "wall");
    CHECK_EQ_STR(hasten_profile_fact(profile, "interval_ns"), "1000000");
    CHECK(hasten_profile_fact(profile, "start.time_ns") != NULL);
    CHECK_EQ_INT(profile->process_count, 2);
    const struct hasten_process *child = &profile->processes[1];
    CHECK_EQ_INT(child->pid, 101);
    CHECK_EQ_INT(child->parent_pid, 100);
    CHECK_EQ_INT(child->python_version, 0x030c01f0);
    CHECK_EQ_STR(profile->strings[child->command], "python app.py 'a b'");
    CHECK_EQ_STR(profile->strings[child->label], "fork");
    CHECK_EQ_INT(child->start_ns, 5000000);
    CHECK_EQ_INT(profile->thread_count, 3);
    CHECK_EQ_STR(profile->strings[profile->threads[0].name], "MainThread");
    CHECK_EQ_INT(profile->threads[0].is_main, 1);
    CHECK_EQ_INT(profile->threads[1].tid, 105);
    CHECK_EQ_INT(profile->threads[2].process, 1);
    CHECK_EQ_INT(profile->code_count, 3);
    const struct hasten_code *walk = &profile->codes[1];
    CHECK_EQ_STR(profile->strings[walk->file], "/app/app.py");
    CHECK_EQ_STR(profile->strings[walk->qualname], "Tree.walk");
    CHECK_EQ_INT(walk->first_line, 11);
    CHECK_EQ_INT(hasten_code_location(walk, 3).line, 11);
    CHECK_EQ_INT(hasten_code_location(walk, 4).line, 13);
    CHECK_EQ_INT(profile->node_count, FIXTURE_NODES + 1);
    CHECK_EQ_INT(profile->nodes[4].parent, 3);
    CHECK_EQ_INT(profile->nodes[6].instruction, 6);
}

static void check_sums(const struct hasten_profile *profile, const struct fixture *fixture,
                       int rounds) {
    const uint32_t *nodes = fixture->nodes;
    const uint32_t *threads = fixture->threads;
    const int64_t ms = FIXTURE_INTERVAL_NS;
    CHECK_EQ_INT(amount_of(profile, nodes[3], threads[0], "samples"), rounds);
    CHECK_EQ_INT(amount_of(profile, nodes[3], threads[0], "time.running_gil"), rounds * ms);
    CHECK_EQ_INT(amount_of(profile, nodes[3], threads[0], "time.native"), rounds * ms);
    CHECK_EQ_INT(amount_of(profile, nodes[3], threads[0], "time.gc"), 0);
    CHECK_EQ_INT(amount_of(profile, nodes[1], threads[1], "time.wait_lock"), 2 * rounds * ms);
    CHECK_EQ_INT(amount_of(profile, nodes[5], threads[0], "time.gc"), 3 * rounds * ms);
    CHECK_EQ_INT(amount_of(profile, nodes[4], threads[2], "time.wait_network"), rounds * ms);
    CHECK_EQ_INT(amount_of(profile, nodes[2], threads[0], "calls"), -7 * rounds);
    CHECK_EQ_INT(profile->threads[threads[0]].samples, 2 * rounds);
    CHECK_EQ_INT(profile->threads[threads[2]].samples, rounds);
    CHECK_EQ_INT(profile->threads[threads[0]].start_ns, 0);
}

struct series {
    int count;
    int wrong;
    int stop_after;
    const struct fixture *fixture;
};

static int visit(void *context, const struct hasten_sample *sample) {
    struct series *series = context;
    int in_round = series->count % FIXTURE_SAMPLES_PER_ROUND;
    uint64_t round = (uint64_t)(series->count / FIXTURE_SAMPLES_PER_ROUND);
    const struct fixture *fixture = series->fixture;
    const struct hasten_sample expected[FIXTURE_SAMPLES_PER_ROUND] = {
        {3 * round, fixture->threads[0], fixture->nodes[3],
         HASTEN_STATE_RUNNING_GIL | HASTEN_FLAG_NATIVE, 1},
        {3 * round, fixture->threads[1], fixture->nodes[1], HASTEN_STATE_WAIT_LOCK, 2},
        {3 * round + 2, fixture->threads[0], fixture->nodes[5],
         HASTEN_STATE_RUNNING_GIL | HASTEN_FLAG_GC, 3},
        {3 * round + 2, fixture->threads[2], fixture->nodes[4], HASTEN_STATE_WAIT_NETWORK, 1},
    };
    const struct hasten_sample *want = &expected[in_round];
    series->wrong += sample->slot != want->slot || sample->thread != want->thread ||
                     sample->node != want->node || sample->state != want->state ||
                     sample->weight != want->weight;
    series->count++;
    return series->count == series->stop_after;
}

static void check_samples(const struct fixture *fixture, int rounds) {
    struct hasten_error error;
    struct series series = {.fixture = fixture};
    CHECK_STATUS(hasten_recording_samples(path, NULL, visit, &series, &error), HASTEN_OK);
    CHECK_EQ_INT(series.count, rounds * FIXTURE_SAMPLES_PER_ROUND);
    CHECK_EQ_INT(series.wrong, 0);
    series = (struct series){.fixture = fixture, .stop_after = 3};
    CHECK_STATUS(hasten_recording_samples(path, NULL, visit, &series, &error), HASTEN_OK);
    CHECK_EQ_INT(series.count, 3);
}

static void check_all(const struct fixture *fixture, int rounds, const char *incomplete) {
    struct hasten_error error;
    struct hasten_profile *profile = NULL;
    if (!CHECK_STATUS(hasten_recording_load(path, NULL, &profile, &error), HASTEN_OK)) {
        fprintf(stderr, "    %s\n", error.message);
        return;
    }
    check_definitions(profile);
    check_sums(profile, fixture, rounds);
    CHECK_EQ_STR(hasten_profile_fact(profile, "recording.incomplete"), incomplete);
    if (incomplete == NULL) {
        /* Its own end, or its last point where that is later. */
        CHECK_EQ_INT(profile->processes[1].end_ns,
                     50000000 > rounds * 3000000 ? 50000000 : rounds * 3000000 + 5);
        CHECK_EQ_STR(profile->strings[profile->threads[1].name], "worker");
    }
    hasten_profile_free(profile);
    check_samples(fixture, rounds);
}

static struct hasten_recorder *open_recorder(void) {
    struct hasten_error error;
    struct hasten_recorder *recorder = NULL;
    if (!CHECK_STATUS(hasten_recorder_open(path, FIXTURE_INTERVAL_NS, NULL, &recorder, &error),
                      HASTEN_OK)) {
        fprintf(stderr, "    %s\n", error.message);
        abort();
    }
    return recorder;
}

static void test_round_trip(void) {
    struct hasten_error error;
    struct fixture fixture;
    struct hasten_recorder *recorder = open_recorder();
    CHECK_STATUS(fixture_record(recorder, ROUNDS, &fixture), HASTEN_OK);
    check_all(&fixture, ROUNDS, "1"); /* what was flushed, while it goes on */
    CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_IO);
    CHECK_HAS_STR(error.message, "it is still being written");
    struct hasten_recorder *second = NULL;
    CHECK_STATUS(hasten_recorder_open(path, 1, NULL, &second, &error), HASTEN_IO);
    CHECK_HAS_STR(error.message, "another process is writing it");
    CHECK(second == NULL);
    CHECK_STATUS(hasten_recorder_close(recorder, &error), HASTEN_OK);
    check_all(&fixture, ROUNDS, NULL);
    CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_OK);
    check_all(&fixture, ROUNDS, NULL);
    CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_OK); /* done already */
    check_all(&fixture, ROUNDS, NULL);
}

/* Given up, as when killed: all that was flushed is there. */
static void test_killed(void) {
    struct hasten_error error;
    struct fixture fixture;
    struct hasten_recorder *recorder = open_recorder();
    CHECK_STATUS(fixture_record(recorder, ROUNDS, &fixture), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_sample(recorder, fixture.slot, 0, 1, 0, 1), HASTEN_OK);
    hasten_recorder_free(recorder);
    hasten_recorder_free(NULL);
    check_all(&fixture, ROUNDS, "1");
    CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_OK);
    check_all(&fixture, ROUNDS, "1");
}

/* The same thing defined again is the same, whatever process it comes from. */
static void test_interning(void) {
    struct fixture fixture;
    struct hasten_recorder *recorder = open_recorder();
    CHECK_STATUS(fixture_record(recorder, 0, &fixture), HASTEN_OK);
    const struct hasten_code_info same = {.process = fixture.processes[1],
                                          .file = "/app/app.py",
                                          .name = "Tree.walk",
                                          .qualname = "Tree.walk",
                                          .first_line = 11,
                                          .linetable = fixture_linetable,
                                          .linetable_size = sizeof fixture_linetable};
    struct hasten_code_info other = same;
    other.linetable_size--;
    struct hasten_code_info huge = same;
    huge.linetable_size = UINT32_MAX; /* left out: never read */
    uint32_t code = HASTEN_NONE;
    uint32_t node = HASTEN_NONE;
    uint32_t metric = HASTEN_NONE;
    CHECK_STATUS(hasten_recorder_code(recorder, &same, &code), HASTEN_OK);
    CHECK_EQ_INT(code, fixture.codes[1]);
    CHECK_STATUS(hasten_recorder_code(recorder, &other, &code), HASTEN_OK);
    CHECK_EQ_INT(code, 3);
    CHECK_STATUS(hasten_recorder_code(recorder, &huge, &code), HASTEN_OK);
    CHECK_EQ_INT(code, 4);
    CHECK_STATUS(hasten_recorder_node(recorder, fixture.nodes[0], fixture.codes[1], 1, &node),
                 HASTEN_OK);
    CHECK_EQ_INT(node, fixture.nodes[1]);
    CHECK_STATUS(hasten_recorder_metric(recorder, "calls", "x", "y", &metric), HASTEN_OK);
    CHECK_EQ_INT(metric, fixture.metric);
    hasten_recorder_free(recorder);
}

static void test_refusals(void) {
    struct fixture fixture;
    uint32_t unchanged = 12345;
    struct hasten_recorder *recorder = open_recorder();
    CHECK_STATUS(fixture_record(recorder, 1, &fixture), HASTEN_OK);
    const struct hasten_code_info code = {.process = 2};
    CHECK_STATUS(hasten_recorder_code(recorder, &code, &unchanged), HASTEN_INVALID);
    CHECK_STATUS(hasten_recorder_thread(recorder, 2, 1, "", 0, &unchanged), HASTEN_INVALID);
    CHECK_STATUS(hasten_recorder_thread_name(recorder, 3, "x"), HASTEN_INVALID);
    CHECK_STATUS(hasten_recorder_process_end(recorder, 2, 0), HASTEN_INVALID);
    CHECK_STATUS(hasten_recorder_node(recorder, 7, 0, 0, &unchanged), HASTEN_INVALID);
    CHECK_STATUS(hasten_recorder_node(recorder, 0, 3, 0, &unchanged), HASTEN_INVALID);
    CHECK_EQ_INT(unchanged, 12345);
    const struct {
        uint64_t slot;
        uint32_t thread, node, state, weight;
    } bad[] = {
        {1, 0, 0, 0, 1},                  /* back in time */
        {UINT64_MAX, 0, 0, 0, 1},         /* too far */
        {9, 3, 0, 0, 1},                  /* no such thread */
        {9, 0, 7, 0, 1},                  /* no such node */
        {9, 0, 0, HASTEN_STATE_COUNT, 1}, /* no such state */
        {9, 0, 0, 0x40, 1},               /* no such flag */
        {9, 0, 0, 0, 0},                  /* of no weight */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_STATUS(hasten_recorder_sample(recorder, bad[i].slot, bad[i].thread, bad[i].node,
                                            bad[i].state, bad[i].weight),
                     HASTEN_INVALID);
    }
    CHECK_STATUS(hasten_recorder_value(recorder, 7, 0, 0, 1), HASTEN_INVALID);
    CHECK_STATUS(hasten_recorder_value(recorder, 0, 3, 0, 1), HASTEN_INVALID);
    CHECK_STATUS(hasten_recorder_value(recorder, 0, 0, 1, 1), HASTEN_INVALID);
    struct hasten_error error;
    CHECK_STATUS(hasten_recorder_close(recorder, &error), HASTEN_OK);
    check_all(&fixture, 1, NULL);
}

/* Text that is not UTF-8, and text of a size that nobody reads. */
static void test_strange_text(void) {
    struct hasten_error error;
    struct hasten_recorder *recorder = open_recorder();
    struct hasten_profile *profile = NULL;
    size_t size = (size_t)3 << 20;
    char *huge = malloc(size);
    for (size_t i = 0; i + 2 < size; i += 2) {
        memcpy(huge + i, "\xc3\xa9", 2);
    }
    huge[(size - 1) / 2 * 2] = '\0';
    CHECK_STATUS(hasten_recorder_fact(recorder, "huge", huge), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_fact(recorder, "broken", "a\xff\xfe z"), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_fact(recorder, "", ""), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_close(recorder, &error), HASTEN_OK);
    for (int form = 0; form < 2; form++) {
        CHECK_STATUS(hasten_recording_load(path, NULL, &profile, &error), HASTEN_OK);
        CHECK_EQ_STR(hasten_profile_fact(profile, "broken"), "a\xef\xbf\xbd\xef\xbf\xbd z");
        CHECK_EQ_STR(hasten_profile_fact(profile, ""), "");
        size_t kept = strlen(hasten_profile_fact(profile, "huge"));
        CHECK(kept > 300000 && kept < 1u << 20 && kept % 2 == 0);
        CHECK(strncmp(hasten_profile_fact(profile, "huge"), huge, kept) == 0);
        CHECK_EQ_INT(string_index(profile, "broken") == HASTEN_NONE, 0);
        hasten_profile_free(profile);
        CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_OK);
    }
    free(huge);
}

/* More samples, values and definitions than any buffer holds, never flushed. */
static void test_large(void) {
    struct hasten_error error;
    struct fixture fixture;
    struct hasten_recorder *recorder = open_recorder();
    struct hasten_profile *profile = NULL;
    hasten_status status = fixture_record(recorder, 0, &fixture);
    for (uint32_t i = 0; i < 100000 && status == HASTEN_OK; i++) {
        uint32_t node = 0;
        status = hasten_recorder_node(recorder, fixture.nodes[0], fixture.codes[0], i, &node);
        if (status == HASTEN_OK) {
            status = hasten_recorder_sample(recorder, i, 0, node, 0, 1);
        }
        if (status == HASTEN_OK) {
            status = hasten_recorder_value(recorder, node, 0, fixture.metric, 2);
        }
    }
    CHECK_STATUS(status, HASTEN_OK);
    CHECK_STATUS(hasten_recorder_close(recorder, &error), HASTEN_OK);
    for (int form = 0; form < 2; form++) {
        CHECK_STATUS(hasten_recording_load(path, NULL, &profile, &error), HASTEN_OK);
        CHECK_EQ_INT(profile->threads[0].samples, 100000);
        CHECK_EQ_INT(profile->value_count, 300000);
        CHECK_EQ_INT(profile->function_count, 3);
        hasten_profile_free(profile);
        struct series series = {.fixture = &fixture};
        CHECK_STATUS(hasten_recording_samples(path, NULL, visit, &series, &error), HASTEN_OK);
        CHECK_EQ_INT(series.count, 100000);
        CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_OK);
    }
}

/* Through a link, and only for those who might read the log. */
static void test_link_and_mode(void) {
    char link_path[300];
    struct hasten_error error;
    struct fixture fixture;
    struct stat state;
    snprintf(link_path, sizeof link_path, "%s-link", path);
    struct hasten_recorder *recorder = open_recorder();
    CHECK_STATUS(fixture_record(recorder, ROUNDS, &fixture), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_close(recorder, &error), HASTEN_OK);
    CHECK_EQ_INT(chmod(path, 0640), 0);
    CHECK_EQ_INT(symlink(path, link_path), 0);
    CHECK_STATUS(hasten_recording_finalize(link_path, NULL, &error), HASTEN_OK);
    CHECK_EQ_INT(lstat(link_path, &state), 0);
    CHECK(S_ISLNK(state.st_mode));
    CHECK_EQ_INT(stat(path, &state), 0);
    CHECK_EQ_INT(state.st_mode & 0777, 0640);
    check_all(&fixture, ROUNDS, NULL);
    unlink(link_path);
}

/* What the recorder holds for a large program: far under 20 MB. */
static void test_memory(void) {
    static uint8_t linetable[400];
    struct failing_allocator memory;
    struct hasten_recorder *recorder = NULL;
    uint32_t process = 0;
    uint32_t node = 0;
    failing_allocator_init(&memory, 0, false);
    hasten_status status = hasten_recorder_open(path, 1, &memory.allocator, &recorder, NULL);
    const struct hasten_process_info info = {.pid = 1};
    if (status == HASTEN_OK) {
        status = hasten_recorder_process(recorder, &info, &process);
    }
    for (uint32_t i = 0; i < 10000 && status == HASTEN_OK; i++) {
        char name[64];
        uint32_t id = 0;
        snprintf(name, sizeof name, "a_module_of_the_program.function_%u", i);
        const struct hasten_code_info code = {.file = name,
                                              .name = name,
                                              .qualname = name,
                                              .linetable = linetable,
                                              .linetable_size = sizeof linetable};
        status = hasten_recorder_code(recorder, &code, &id);
    }
    for (uint32_t i = 0; i < 100000 && status == HASTEN_OK; i++) {
        status = hasten_recorder_node(recorder, i % 7 == 0 ? 0 : node, i % 10000, i, &node);
    }
    CHECK_STATUS(status, HASTEN_OK);
    CHECK(memory.peak_bytes < 12000000);
    hasten_recorder_free(recorder);
    CHECK_EQ_INT(memory.live_blocks, 0);
}

/* More facts than a reader takes are refused; those before can all be read. */
static void test_limits(void) {
    struct hasten_error error;
    struct hasten_recorder *recorder = open_recorder();
    struct hasten_profile *profile = NULL;
    hasten_status status = HASTEN_OK;
    unsigned count = 0;
    for (; status == HASTEN_OK && count < 10000; count++) {
        char name[32];
        snprintf(name, sizeof name, "fact %u", count);
        status = hasten_recorder_fact(recorder, name, "");
    }
    CHECK_STATUS(status, HASTEN_LIMIT);
    CHECK_STATUS(hasten_recorder_fact(recorder, "fact 7", "new"), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_close(recorder, &error), HASTEN_OK);
    for (int form = 0; form < 2; form++) {
        CHECK_STATUS(hasten_recording_load(path, NULL, &profile, &error), HASTEN_OK);
        CHECK_EQ_STR(hasten_profile_fact(profile, "fact 7"), "new");
        CHECK(profile->fact_count >= count - 1);
        hasten_profile_free(profile);
        CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_OK);
    }
}

/* Nothing happened at all. */
static void test_empty_run(void) {
    struct hasten_error error;
    struct hasten_profile *profile = NULL;
    CHECK_STATUS(hasten_recorder_close(open_recorder(), &error), HASTEN_OK);
    for (int form = 0; form < 2; form++) {
        CHECK_STATUS(hasten_recording_load(path, NULL, &profile, &error), HASTEN_OK);
        CHECK_EQ_INT(profile->node_count, 1);
        CHECK_EQ_INT(profile->value_count, 0);
        hasten_profile_free(profile);
        struct series series = {0};
        CHECK_STATUS(hasten_recording_samples(path, NULL, visit, &series, &error), HASTEN_OK);
        CHECK_EQ_INT(series.count, 0);
        CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_OK);
    }
}

int main(void) {
    fixture_path(path, sizeof path);
    test_round_trip();
    test_killed();
    test_interning();
    test_refusals();
    test_strange_text();
    test_large();
    test_limits();
    test_link_and_mode();
    test_memory();
    test_empty_run();
    fixture_remove(path);
    return check_done();
}
