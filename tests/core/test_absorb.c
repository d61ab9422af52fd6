/* SPDX-License-Identifier: MIT
 *
 * Profiles put into a recording that is being written. */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "failing_allocator.h"
#include "hasten/recorder.h"
#include "hasten/recording.h"
#include "traced_fixture.h"

static void make_path(char *path, size_t size) {
    snprintf(path, size, "/tmp/hasten-absorb-%d.hasten", (int)getpid());
}

static int64_t sum_of(const struct hasten_profile *profile, const char *name) {
    uint32_t metric = hasten_profile_metric(profile, name);
    int64_t sum = 0;
    for (size_t i = 0; i < profile->value_count; i++) {
        sum += profile->values[i].metric == metric ? profile->values[i].amount : 0;
    }
    return sum;
}

/* Twice the same: processes and threads are others, all else is shared. */
static void test_two(void) {
    char path[64];
    struct hasten_profile *profile = traced_profile();
    struct hasten_profile *both = NULL;
    struct hasten_recorder *recorder = NULL;
    make_path(path, sizeof path);
    CHECK_STATUS(hasten_recorder_open(path, 1, NULL, &recorder, NULL), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_absorb(recorder, profile, "first"), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_absorb(recorder, profile, NULL), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_close(recorder, NULL), HASTEN_OK);
    CHECK_STATUS(hasten_recording_finalize(path, NULL, NULL), HASTEN_OK);
    CHECK_STATUS(hasten_recording_load(path, NULL, &both, NULL), HASTEN_OK);
    if (both != NULL) {
        CHECK_EQ_INT(both->process_count, 2);
        CHECK_EQ_STR(both->strings[both->processes[0].label], "first");
        CHECK_EQ_STR(both->strings[both->processes[1].label], "main");
        CHECK_EQ_INT(both->thread_count, 4);
        CHECK_EQ_STR(both->strings[both->threads[3].name], "worker");
        CHECK_EQ_INT(both->threads[3].process, 1);
        CHECK_EQ_INT(both->code_count, profile->code_count);
        CHECK_EQ_INT(both->node_count, profile->node_count);
        CHECK_EQ_INT(both->value_count, 2 * profile->value_count);
        CHECK_EQ_INT(sum_of(both, "trace.calls"), 2 * sum_of(profile, "trace.calls"));
        CHECK_EQ_INT(sum_of(both, "trace.self"), 2 * sum_of(profile, "trace.self"));
    }
    hasten_profile_free(both);
    hasten_profile_free(profile);
    unlink(path);
}

static void test_out_of_memory(void) {
    char path[64];
    struct hasten_profile *profile = traced_profile();
    bool succeeded = false;
    make_path(path, sizeof path);
    for (size_t fail_at = 1; !succeeded && fail_at < 1000; fail_at++) {
        struct failing_allocator memory;
        struct hasten_recorder *recorder = NULL;
        failing_allocator_init(&memory, 0, true);
        CHECK_STATUS(hasten_recorder_open(path, 1, &memory.allocator, &recorder, NULL), HASTEN_OK);
        memory.fail_at = memory.requests + fail_at;
        hasten_status status = hasten_recorder_absorb(recorder, profile, NULL);
        succeeded = status == HASTEN_OK;
        CHECK(succeeded || status == HASTEN_NO_MEMORY);
        hasten_recorder_free(recorder);
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
    }
    CHECK(succeeded);
    hasten_profile_free(profile);
    unlink(path);
}

int main(void) {
    test_two();
    test_out_of_memory();
    return check_done();
}
