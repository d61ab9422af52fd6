/* SPDX-License-Identifier: MIT
 *
 * Recordings of traced programs, as a process writes its part: cut at every byte they
 * have the calls up to the last whole block, and whatever bit is turned, what is made
 * of them (rows, edges, statistics) stays in bounds (the sanitizers watch). */
#include "check.h"
#include "core/pstats/table.h"
#include "core/report/callgraph.h"
#include "damage.h"
#include "hasten/pstats.h"
#include "recording_fixture.h"

#define ROUNDS 4
#define HEADER_BYTES 40

static char path[256];

struct metrics {
    uint32_t calls, self;
};

/* As often as a process writes: each node was called once more. */
static hasten_status record_round(struct hasten_recorder *recorder, const struct fixture *fixture,
                                  const struct metrics *metrics) {
    hasten_status status = HASTEN_OK;
    for (int i = 0; i < FIXTURE_NODES && status == HASTEN_OK; i++) {
        status = hasten_recorder_value(recorder, fixture->nodes[i], fixture->threads[0],
                                       metrics->calls, 1);
        if (status == HASTEN_OK) {
            status = hasten_recorder_value(recorder, fixture->nodes[i], fixture->threads[0],
                                           metrics->self, 1000 + i);
        }
    }
    return status == HASTEN_OK ? hasten_recorder_flush(recorder) : status;
}

static hasten_status record_traced(struct hasten_recorder *recorder) {
    struct fixture fixture = {0};
    struct metrics metrics = {0};
    hasten_status status = hasten_recorder_fact(recorder, "mode", "trace");
    if (status == HASTEN_OK) {
        status = fixture_processes(recorder, &fixture);
    }
    if (status == HASTEN_OK) {
        status = fixture_codes(recorder, &fixture);
    }
    if (status == HASTEN_OK) {
        status = fixture_nodes(recorder, &fixture);
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_metric(recorder, "trace.calls", "1", "", &metrics.calls);
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_metric(recorder, "trace.self", "ns", "", &metrics.self);
    }
    for (int round = 0; round < ROUNDS && status == HASTEN_OK; round++) {
        status = record_round(recorder, &fixture, &metrics);
    }
    return status == HASTEN_OK ? hasten_recorder_fact(recorder, "trace.end", "known") : status;
}

static struct bytes record(bool finish) {
    struct hasten_error error;
    struct hasten_recorder *recorder = NULL;
    CHECK_STATUS(hasten_recorder_open(path, 1, NULL, &recorder, &error), HASTEN_OK);
    CHECK_STATUS(record_traced(recorder), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_close(recorder, &error), HASTEN_OK);
    if (finish) {
        CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_OK);
    }
    return read_bytes(path);
}

struct outcome {
    hasten_status status;
    struct hasten_error error;
    int64_t calls;
    bool incomplete;
    bool ended; /* the process wrote its end */
};

/* All that is made of a traced profile. */
static hasten_status digest(const struct hasten_profile *profile, struct outcome *outcome) {
    struct hasten_aggregate *aggregate = NULL;
    struct hasten_callgraph graph = {0};
    struct hasten_pstats *table = NULL;
    hasten_status status = hasten_aggregate_new(profile, NULL, NULL, &aggregate, &outcome->error);
    if (status == HASTEN_OK) {
        outcome->calls = aggregate->calls;
        status = hasten_callgraph_init(&graph, aggregate, NULL, 0);
    }
    if (status == HASTEN_OK) {
        status = hasten_pstats_new(NULL, &table, NULL);
    }
    if (status == HASTEN_OK) {
        hasten_pstats_begin(table);
        status = hasten_pstats_stage_profile(table, profile, &outcome->error);
    }
    hasten_pstats_free(table);
    hasten_callgraph_done(&graph);
    hasten_aggregate_free(aggregate);
    return status;
}

static struct outcome read_recording(void) {
    struct outcome outcome = {0};
    struct hasten_profile *profile = NULL;
    outcome.status = hasten_recording_load(path, NULL, &profile, &outcome.error);
    if (outcome.status == HASTEN_OK) {
        const char *end = hasten_profile_fact(profile, "trace.end");
        outcome.ended = end != NULL && strcmp(end, "known") == 0;
        outcome.incomplete = hasten_profile_fact(profile, "recording.incomplete") != NULL;
        outcome.status = digest(profile, &outcome);
    }
    hasten_profile_free(profile);
    return outcome;
}

static void test_cut_log(void) {
    struct bytes bytes = record(false);
    int64_t before = 0;
    unsigned wrong = 0;
    unsigned rises = 0;
    for (size_t size = HEADER_BYTES; size <= bytes.size; size++) {
        write_bytes(path, bytes.data, size);
        struct outcome outcome = read_recording();
        wrong += outcome.status != HASTEN_OK || outcome.calls < before;
        wrong += outcome.incomplete != (size < bytes.size);
        wrong += outcome.ended && outcome.calls != (int64_t)ROUNDS * FIXTURE_NODES;
        rises += outcome.calls > before;
        before = outcome.calls;
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK_EQ_INT(rises, ROUNDS); /* each flush came through on its own */
    CHECK_EQ_INT(before, ROUNDS * FIXTURE_NODES);
    free(bytes.data);
}

/* Every bit of a log is under a checksum; SQLite has none, but is read with care. */
static void test_turned_bits(bool finished) {
    struct bytes bytes = record(finished);
    unsigned wrong = 0;
    unsigned noticed = 0;
    for (size_t at = 0; at < bytes.size; at++) {
        /* Most of a small database is empty. */
        if (finished && (bytes.data[at] == 0 || (at > 100 && at % 5 != 0))) {
            continue;
        }
        unsigned bit = (unsigned)(at % 8);
        bytes.data[at] ^= (uint8_t)(1u << bit);
        write_bytes(path, bytes.data, bytes.size);
        bytes.data[at] ^= (uint8_t)(1u << bit);
        struct outcome outcome = read_recording();
        bool told = is_verdict(outcome.status) && outcome.error.message[0] != '\0';
        noticed += told;
        if (!told && !(finished && outcome.status == HASTEN_OK) && wrong++ == 0) {
            fprintf(stderr, "byte %zu bit %u: %s, %s\n", at, bit,
                    hasten_status_name(outcome.status), outcome.error.message);
        }
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK(noticed > 100);
    free(bytes.data);
}

int main(void) {
    fixture_path(path, sizeof path);
    test_cut_log();
    test_turned_bits(false);
    test_turned_bits(true);
    fixture_remove(path);
    return check_done();
}
