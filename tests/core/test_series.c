/* SPDX-License-Identifier: MIT
 *
 * Series there and back: what the recorder was told comes out of the log and of
 * the SQLite file alike, in order of time; what it should refuse it refuses; and
 * parts that saw the same processes are joined. */
#include <inttypes.h>

#include "check.h"
#include "recording_fixture.h"

#define MANY 100000u

static char path[256];

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

static struct hasten_profile *load(void) {
    struct hasten_error error;
    struct hasten_profile *profile = NULL;
    if (!CHECK_STATUS(hasten_recording_load(path, NULL, &profile, &error), HASTEN_OK)) {
        fprintf(stderr, "    %s\n", error.message);
        abort();
    }
    return profile;
}

static uint32_t add_process(struct hasten_recorder *recorder, uint32_t pid, uint64_t start_ns) {
    const struct hasten_process_info info = {.pid = pid, .start_ns = start_ns};
    uint32_t process = HASTEN_NONE;
    CHECK_STATUS(hasten_recorder_process(recorder, &info, &process), HASTEN_OK);
    return process;
}

static uint32_t add_thread(struct hasten_recorder *recorder, uint32_t process, uint32_t tid) {
    uint32_t thread = HASTEN_NONE;
    CHECK_STATUS(hasten_recorder_thread(recorder, process, tid, "t", 0, &thread), HASTEN_OK);
    return thread;
}

static uint32_t add_series(struct hasten_recorder *recorder, uint32_t process, const char *name) {
    uint32_t series = HASTEN_NONE;
    CHECK_STATUS(hasten_recorder_series(recorder, process, name, "bytes", "memory", &series),
                 HASTEN_OK);
    return series;
}

static const struct hasten_series *find_series(const struct hasten_profile *profile,
                                               uint32_t process, const char *name) {
    for (size_t i = 0; i < profile->series_count; i++) {
        const struct hasten_series *series = &profile->series[i];
        if (series->process == process && strcmp(profile->strings[series->name], name) == 0) {
            return series;
        }
    }
    return NULL;
}

static void check_fixture(int rounds) {
    struct hasten_profile *profile = load();
    CHECK_EQ_INT(profile->series_count, 2);
    const struct hasten_series *rss = find_series(profile, 0, "rss.bytes");
    const struct hasten_series *heap = find_series(profile, 1, "heap.live.bytes");
    CHECK(find_series(profile, 1, "rss.bytes") == NULL);
    if (CHECK(rss != NULL && heap != NULL)) {
        CHECK_EQ_STR(profile->strings[rss->unit], "bytes");
        CHECK_EQ_STR(profile->strings[rss->description], "memory over time");
        CHECK_EQ_INT(rss->point_count, 2 * rounds);
        CHECK_EQ_INT(heap->point_count, rounds);
        for (int i = 0; i < rounds; i++) {
            const uint64_t now_ns = (uint64_t)(3 * (i + 1)) * FIXTURE_INTERVAL_NS;
            const int64_t value = 3000 * (i + 1);
            CHECK_EQ_INT(rss->points[2 * i].time_ns, now_ns);
            CHECK_EQ_INT(rss->points[2 * i].value, value);
            CHECK_EQ_INT(rss->points[2 * i + 1].time_ns, now_ns + 900);
            CHECK_EQ_INT(rss->points[2 * i + 1].value, INT64_MAX - value);
            CHECK_EQ_INT(heap->points[i].time_ns, now_ns + 5);
            CHECK_EQ_INT(heap->points[i].value, -value);
        }
    }
    hasten_profile_free(profile);
}

static void test_round_trip(void) {
    struct fixture fixture;
    struct hasten_recorder *recorder = open_recorder();
    CHECK_STATUS(fixture_record(recorder, 7, &fixture), HASTEN_OK);
    check_fixture(7); /* what was flushed, while it goes on */
    CHECK_STATUS(hasten_recorder_close(recorder, NULL), HASTEN_OK);
    check_fixture(7);
    CHECK_STATUS(hasten_recording_finalize(path, NULL, NULL), HASTEN_OK);
    check_fixture(7);
}

static void test_interning(void) {
    struct hasten_recorder *recorder = open_recorder();
    uint32_t first = add_process(recorder, 1, 0);
    uint32_t second = add_process(recorder, 2, 0);
    uint32_t series = add_series(recorder, first, "rss.bytes");
    CHECK_EQ_INT(add_series(recorder, first, "rss.bytes"), series);
    CHECK(add_series(recorder, second, "rss.bytes") != series);
    CHECK(add_series(recorder, first, "heap.live.bytes") != series);
    hasten_recorder_free(recorder);
}

static void test_refusals(void) {
    uint32_t unchanged = 12345;
    struct hasten_recorder *recorder = open_recorder();
    uint32_t process = add_process(recorder, 1, 0);
    CHECK_STATUS(hasten_recorder_series(recorder, process + 1, "a", "b", "c", &unchanged),
                 HASTEN_INVALID);
    CHECK_EQ_INT(unchanged, 12345);
    CHECK_STATUS(hasten_recorder_point(recorder, 0, 0, 1), HASTEN_INVALID);
    uint32_t series = add_series(recorder, process, "rss.bytes");
    CHECK_STATUS(hasten_recorder_point(recorder, series, (uint64_t)1 << 62, 1), HASTEN_INVALID);
    CHECK_STATUS(hasten_recorder_point(recorder, series, UINT64_MAX, 1), HASTEN_INVALID);
    CHECK_STATUS(hasten_recorder_point(recorder, series, 5, 1), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_point(recorder, series, 4, 2), HASTEN_INVALID);
    CHECK_STATUS(hasten_recorder_point(recorder, series, 5, 3), HASTEN_OK); /* in its place */
    CHECK_STATUS(hasten_recorder_flush(recorder), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_point(recorder, series, 5, 4), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_point(recorder, series, ((uint64_t)1 << 62) - 1, INT64_MIN),
                 HASTEN_OK);
    CHECK_STATUS(hasten_recorder_close(recorder, NULL), HASTEN_OK);
    for (int form = 0; form < 2; form++) {
        struct hasten_profile *profile = load();
        CHECK_EQ_INT(profile->series_count, 1);
        CHECK_EQ_INT(profile->series[0].point_count, 2);
        CHECK_EQ_INT(profile->series[0].points[0].time_ns, 5);
        CHECK_EQ_INT(profile->series[0].points[0].value, 4);
        CHECK(profile->series[0].points[1].value == INT64_MIN);
        /* Nobody saw it end: it lasts as long as it was measured. */
        CHECK_EQ_INT(profile->processes[0].end_ns, ((int64_t)1 << 62) - 1);
        hasten_profile_free(profile);
        CHECK_STATUS(hasten_recording_finalize(path, NULL, NULL), HASTEN_OK);
    }
}

/* More points than any buffer holds, never flushed, of series that take turns. */
static void test_many(void) {
    struct hasten_recorder *recorder = open_recorder();
    uint32_t process = add_process(recorder, 1, 0);
    uint32_t series[2] = {add_series(recorder, process, "a"), add_series(recorder, process, "b")};
    hasten_status status = HASTEN_OK;
    for (uint32_t i = 0; i < MANY && status == HASTEN_OK; i++) {
        status = hasten_recorder_point(recorder, series[i % 2], (uint64_t)i * 1000003u,
                                       (int64_t)i * 4096);
    }
    CHECK_STATUS(status, HASTEN_OK);
    CHECK_STATUS(hasten_recorder_close(recorder, NULL), HASTEN_OK);
    for (int form = 0; form < 2; form++) {
        struct hasten_profile *profile = load();
        unsigned wrong = 0;
        for (uint32_t i = 0; i < MANY; i++) {
            const struct hasten_series *owner = &profile->series[i % 2];
            wrong += owner->point_count != MANY / 2 ||
                     owner->points[i / 2].time_ns != (uint64_t)i * 1000003u ||
                     owner->points[i / 2].value != (int64_t)i * 4096;
        }
        CHECK_EQ_INT(wrong, 0);
        hasten_profile_free(profile);
        CHECK_STATUS(hasten_recording_finalize(path, NULL, NULL), HASTEN_OK);
    }
}

/* What another process wrote of itself: pid 20 twice, the second time after an
 * exec, and a child. */
static struct hasten_profile *make_part(void) {
    struct hasten_recorder *recorder = open_recorder();
    const uint32_t processes[3] = {add_process(recorder, 20, 1000), add_process(recorder, 20, 9000),
                                   add_process(recorder, 21, 1500)};
    uint32_t metric = 0;
    CHECK_STATUS(hasten_recorder_metric(recorder, "heap.live.bytes", "bytes", "", &metric),
                 HASTEN_OK);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t thread = add_thread(recorder, processes[i], 20 + i);
        uint32_t series = add_series(recorder, processes[i], "heap.live.bytes");
        CHECK_STATUS(hasten_recorder_value(recorder, 0, thread, metric, 100 + (int64_t)i),
                     HASTEN_OK);
        CHECK_STATUS(hasten_recorder_point(recorder, series, 2000 + i, 7 + (int64_t)i), HASTEN_OK);
    }
    CHECK_STATUS(hasten_recorder_close(recorder, NULL), HASTEN_OK);
    return load();
}

static int64_t value_of(const struct hasten_profile *profile, uint32_t thread) {
    for (size_t i = 0; i < profile->value_count; i++) {
        if (profile->values[i].thread == thread) {
            return profile->values[i].amount;
        }
    }
    return -1;
}

static void test_join(void) {
    struct hasten_profile *part = make_part();
    struct hasten_recorder *recorder = open_recorder();
    uint32_t before = add_process(recorder, 20, 1100);
    uint32_t old_thread = add_thread(recorder, before, 20);
    uint32_t known = add_thread(recorder, before, 20); /* the number was used again */
    uint32_t after = add_process(recorder, 20, 8900);
    uint32_t series = add_series(recorder, before, "rss.bytes");
    CHECK_STATUS(hasten_recorder_point(recorder, series, 5, 5), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_join(recorder, part), HASTEN_OK);
    hasten_profile_free(part);
    CHECK_STATUS(hasten_recorder_close(recorder, NULL), HASTEN_OK);
    struct hasten_profile *profile = load();
    CHECK_EQ_INT(profile->process_count, 3); /* only pid 21 is new */
    CHECK_EQ_INT(profile->processes[2].pid, 21);
    CHECK_EQ_INT(profile->thread_count, 4);
    CHECK_EQ_INT(profile->threads[2].process, after);
    CHECK_EQ_INT(profile->threads[3].process, 2);
    CHECK_EQ_INT(value_of(profile, old_thread), -1);
    CHECK_EQ_INT(value_of(profile, known), 100);
    CHECK_EQ_INT(value_of(profile, 2), 101);
    CHECK_EQ_INT(value_of(profile, 3), 102);
    CHECK_EQ_INT(profile->series_count, 4);
    const struct hasten_series *joined = find_series(profile, before, "heap.live.bytes");
    if (CHECK(joined != NULL)) {
        CHECK_EQ_INT(joined->point_count, 1);
        CHECK_EQ_INT(joined->points[0].value, 7);
    }
    hasten_profile_free(profile);
}

/* Two parts that turn out to be one process: points that go back are left out. */
static void test_join_overlapping(void) {
    struct hasten_profile *part = make_part();
    struct hasten_recorder *recorder = open_recorder();
    uint32_t process = add_process(recorder, 20, 5000);
    CHECK_STATUS(hasten_recorder_join(recorder, part), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_join(recorder, part), HASTEN_OK);
    hasten_profile_free(part);
    CHECK_STATUS(hasten_recorder_close(recorder, NULL), HASTEN_OK);
    struct hasten_profile *profile = load();
    CHECK_EQ_INT(profile->process_count, 2);
    const struct hasten_series *joined = find_series(profile, process, "heap.live.bytes");
    if (CHECK(joined != NULL)) {
        CHECK_EQ_INT(joined->point_count, 2);
        CHECK_EQ_INT(joined->points[0].value, 7);
        CHECK_EQ_INT(joined->points[1].value, 8);
    }
    hasten_profile_free(profile);
}

int main(void) {
    fixture_path(path, sizeof path);
    test_round_trip();
    test_interning();
    test_refusals();
    test_many();
    test_join();
    test_join_overlapping();
    fixture_remove(path);
    return check_done();
}
