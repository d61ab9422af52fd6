/* SPDX-License-Identifier: MIT
 *
 * What happens when memory, the disk or a process ends: exact statuses, nothing
 * lost that was written, nothing left behind. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"
#include "failing_allocator.h"
#include "recording_fixture.h"

#define ROUNDS 3

static char path[256];
static char new_path[300]; /* where finishing writes first */

static hasten_status record(const struct hasten_allocator *allocator, struct hasten_error *error) {
    struct hasten_recorder *recorder = NULL;
    struct fixture fixture;
    hasten_status status =
        hasten_recorder_open(path, FIXTURE_INTERVAL_NS, allocator, &recorder, error);
    if (status != HASTEN_OK) {
        return status;
    }
    hasten_status first = fixture_record(recorder, ROUNDS, &fixture);
    status = hasten_recorder_close(recorder, error);
    CHECK(first == HASTEN_OK || first == status); /* the first failure stays */
    return status;
}

static hasten_status load(const struct hasten_allocator *allocator, struct hasten_error *error) {
    struct hasten_profile *profile = NULL;
    hasten_status status = hasten_recording_load(path, allocator, &profile, error);
    CHECK((profile != NULL) == (status == HASTEN_OK));
    hasten_profile_free(profile);
    return status;
}

static int count_visit(void *context, const struct hasten_sample *sample) {
    (void)sample;
    ++*(uint64_t *)context;
    return 0;
}

static hasten_status read_samples(const struct hasten_allocator *allocator,
                                  struct hasten_error *error) {
    uint64_t count = 0;
    hasten_status status = hasten_recording_samples(path, allocator, count_visit, &count, error);
    CHECK(status != HASTEN_OK || count == ROUNDS * FIXTURE_SAMPLES_PER_ROUND);
    return status;
}

static hasten_status finalize(const struct hasten_allocator *allocator,
                              struct hasten_error *error) {
    return hasten_recording_finalize(path, allocator, error);
}

/* Runs the step with the N-th allocation failing, for every N until none fails.
 * `prepare` puts the file back. */
static void fail_each(hasten_status (*step)(const struct hasten_allocator *, struct hasten_error *),
                      void (*prepare)(void), bool still_readable) {
    struct failing_allocator memory;
    struct hasten_error error;
    for (size_t fail_at = 1;; fail_at++) {
        prepare();
        failing_allocator_init(&memory, fail_at, false);
        hasten_status status = step(&memory.allocator, &error);
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
        if (!memory.failed) {
            CHECK_STATUS(status, HASTEN_OK);
            CHECK(fail_at > 3);
            return;
        }
        CHECK_STATUS(status, HASTEN_NO_MEMORY);
        CHECK_STATUS(error.status, HASTEN_NO_MEMORY);
        if (still_readable) {
            CHECK_STATUS(load(NULL, &error), HASTEN_OK);
        }
        CHECK(access(new_path, F_OK) != 0);
        if (!CHECK(fail_at < 5000)) { /* it must end */
            return;
        }
    }
}

static void prepare_nothing(void) {
}

static void prepare_log(void) {
    CHECK_STATUS(record(NULL, NULL), HASTEN_OK);
}

static void test_out_of_memory(void) {
    fail_each(record, prepare_nothing, false);
    prepare_log();
    fail_each(load, prepare_nothing, true);
    fail_each(read_samples, prepare_nothing, true);
    fail_each(finalize, prepare_log, true);
    fail_each(load, prepare_nothing, true);
    fail_each(read_samples, prepare_nothing, true);
}

static void limit_file_size(rlim_t bytes) {
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* The disk is full after each number of bytes. */
static void test_full_while_recording(void) {
    struct hasten_error error;
    CHECK_STATUS(record(NULL, NULL), HASTEN_OK);
    struct stat state;
    CHECK_EQ_INT(stat(path, &state), 0);
    unsigned wrong = 0;
    for (off_t bytes = 0; bytes < state.st_size; bytes += 3) {
        limit_file_size((rlim_t)bytes);
        hasten_status status = record(NULL, &error);
        limit_file_size(RLIM_INFINITY);
        wrong += status != HASTEN_NO_SPACE || strstr(error.message, path) == NULL;
        hasten_status expected = bytes < 40 ? HASTEN_NOT_RECORDING : HASTEN_OK;
        wrong += load(NULL, &error) != expected;
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK_STATUS(
        hasten_recorder_open("/dev/full", 1, NULL, &(struct hasten_recorder *){NULL}, &error),
        HASTEN_NO_SPACE);
    CHECK_HAS_STR(error.message, "No space left on device");
}

/* After the failure every call answers it. */
static void test_failure_stays(void) {
    struct hasten_error error;
    struct hasten_recorder *recorder = NULL;
    struct fixture fixture;
    uint32_t id = 0;
    CHECK_STATUS(hasten_recorder_open(path, 1, NULL, &recorder, &error), HASTEN_OK);
    CHECK_STATUS(fixture_record(recorder, 1, &fixture), HASTEN_OK);
    CHECK_STATUS(fixture_round(recorder, &fixture), HASTEN_OK);
    limit_file_size(100);
    CHECK_STATUS(hasten_recorder_flush(recorder), HASTEN_NO_SPACE);
    limit_file_size(RLIM_INFINITY);
    const struct hasten_process_info process = {.pid = 1};
    const struct hasten_code_info code = {.process = 0};
    CHECK_STATUS(hasten_recorder_fact(recorder, "a", "b"), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_process(recorder, &process, &id), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_process_end(recorder, 0, 1), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_thread(recorder, 0, 1, "", 0, &id), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_thread_name(recorder, 0, ""), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_code(recorder, &code, &id), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_node(recorder, 0, 0, 0, &id), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_sample(recorder, 9, 0, 0, 0, 1), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_metric(recorder, "m", "", "", &id), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_value(recorder, 0, 0, 0, 1), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_series(recorder, 0, "s", "", "", &id), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_point(recorder, 0, 1, 1), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_flush(recorder), HASTEN_NO_SPACE);
    CHECK_STATUS(hasten_recorder_close(recorder, &error), HASTEN_NO_SPACE);
    CHECK_HAS_STR(error.message, "what was recorded before stays readable");
    CHECK_STATUS(load(NULL, &error), HASTEN_OK);
}

static void test_full_while_finishing(void) {
    struct hasten_error error;
    struct stat before;
    struct stat after;
    CHECK_STATUS(record(NULL, NULL), HASTEN_OK);
    CHECK_EQ_INT(stat(path, &before), 0);
    for (rlim_t bytes = 0; bytes < 60000; bytes += 1777) {
        limit_file_size(bytes);
        hasten_status status = finalize(NULL, &error);
        limit_file_size(RLIM_INFINITY);
        CHECK_STATUS(status, HASTEN_NO_SPACE);
        CHECK_HAS_STR(error.message, "the recording itself is unharmed");
        CHECK(access(new_path, F_OK) != 0);
        CHECK_EQ_INT(stat(path, &after), 0);
        CHECK(before.st_size == after.st_size && before.st_ino == after.st_ino);
    }
    CHECK_STATUS(finalize(NULL, &error), HASTEN_OK);
}

static void test_deleted(void) {
    struct hasten_error error;
    struct hasten_recorder *recorder = NULL;
    struct fixture fixture;
    CHECK_STATUS(hasten_recorder_open(path, 1, NULL, &recorder, &error), HASTEN_OK);
    CHECK_STATUS(fixture_record(recorder, 1, &fixture), HASTEN_OK);
    fixture_remove(path);
    CHECK_STATUS(hasten_recorder_flush(recorder), HASTEN_IO);
    CHECK_STATUS(fixture_round(recorder, &fixture), HASTEN_IO);
    CHECK_STATUS(hasten_recorder_close(recorder, &error), HASTEN_IO);
    CHECK_HAS_STR(error.message, "it was deleted while it was written");
    CHECK_STATUS(finalize(NULL, &error), HASTEN_NOT_FOUND);
    CHECK_STATUS(load(NULL, &error), HASTEN_NOT_FOUND);
    CHECK_STATUS(hasten_recorder_open(path, 1, NULL, &recorder, &error), HASTEN_NOT_FOUND);
    CHECK_HAS_STR(error.message, "there is no such folder");
    fixture_path(path, sizeof path);
    snprintf(new_path, sizeof new_path, "%s-new", path);
}

static void put_file(const void *data, size_t size) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ_INT(write(descriptor, data, size), (long)size);
    close(descriptor);
}

static void test_not_recordings(void) {
    struct hasten_error error;
    struct hasten_recorder *recorder = NULL;
    put_file("", 0);
    CHECK_STATUS(load(NULL, &error), HASTEN_NOT_RECORDING);
    CHECK_HAS_STR(error.message, "is not a recording: it is empty");
    CHECK_EQ_INT(error.position, 0);
    put_file("#!/bin/sh\necho\n", 15);
    CHECK_STATUS(load(NULL, &error), HASTEN_NOT_RECORDING);
    CHECK_HAS_STR(error.message, "is not a recording: it does not begin like one");
    CHECK_STATUS(finalize(NULL, &error), HASTEN_NOT_RECORDING);
    CHECK_STATUS(hasten_recording_load("/", NULL, &(struct hasten_profile *){NULL}, &error),
                 HASTEN_IO);
    CHECK_EQ_STR(error.message, "cannot read \"/\": Is a directory");
    CHECK_STATUS(hasten_recording_load("/dev/null", NULL, &(struct hasten_profile *){NULL}, &error),
                 HASTEN_NOT_RECORDING);
    CHECK_EQ_STR(error.message, "\"/dev/null\" is not a recording: it is not a regular file");
    CHECK_STATUS(hasten_recorder_open("/", 1, NULL, &recorder, &error), HASTEN_IO);
    CHECK_EQ_STR(error.message, "cannot create \"/\": Is a directory");
    CHECK_STATUS(hasten_recorder_open(path, 0, NULL, &recorder, &error), HASTEN_INVALID);
    CHECK(recorder == NULL);
}

/* As a user who may not read the file. Root may read all: a child gives that up. */
static void test_unreadable(void) {
    CHECK_STATUS(record(NULL, NULL), HASTEN_OK);
    chmod(path, 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct hasten_error error = {0};
        struct hasten_profile *profile = NULL;
        if (geteuid() == 0 && seteuid(65534) != 0) {
            _exit(2);
        }
        hasten_status status = hasten_recording_load(path, NULL, &profile, &error);
        _exit(status == HASTEN_IO && strstr(error.message, "Permission denied") != NULL ? 0 : 1);
    }
    int status = 0;
    CHECK_EQ_INT(waitpid(child, &status, 0), child);
    CHECK_EQ_INT(status, 0);
    chmod(path, 0600);
}

static void record_forever(void) {
    struct hasten_recorder *recorder = NULL;
    struct fixture fixture;
    if (hasten_recorder_open(path, 1, NULL, &recorder, NULL) != HASTEN_OK ||
        fixture_record(recorder, 1, &fixture) != HASTEN_OK) {
        _exit(1);
    }
    for (;;) {
        if (fixture_round(recorder, &fixture) != HASTEN_OK ||
            hasten_recorder_flush(recorder) != HASTEN_OK) {
            _exit(1);
        }
    }
}

static void finalize_and_exit(void) {
    _exit(hasten_recording_finalize(path, NULL, NULL) == HASTEN_OK ? 0 : 1);
}

static void kill_while(void (*work)(void), useconds_t delay_us) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        work();
    }
    usleep(delay_us);
    kill(child, SIGKILL);
    CHECK_EQ_INT(waitpid(child, NULL, 0), child);
}

/* Killed at any moment: what there is can be read, and finished. */
static void test_killed(void) {
    struct hasten_error error;
    for (useconds_t i = 0; i < 12; i++) {
        unlink(path);
        kill_while(record_forever, 20000 + 1733 * i);
        hasten_status status = load(NULL, &error);
        if (status == HASTEN_NOT_FOUND || status == HASTEN_NOT_RECORDING) {
            continue; /* killed before it began */
        }
        CHECK_STATUS(status, HASTEN_OK);
        kill_while(finalize_and_exit, 300 * i);
        CHECK_STATUS(load(NULL, &error), HASTEN_OK);
        CHECK_STATUS(finalize(NULL, &error), HASTEN_OK);
        CHECK(access(new_path, F_OK) != 0);
        CHECK_STATUS(load(NULL, &error), HASTEN_OK);
    }
}

int main(void) {
    signal(SIGXFSZ, SIG_IGN); /* the limit then answers as a full disk does */
    fixture_path(path, sizeof path);
    snprintf(new_path, sizeof new_path, "%s-new", path);
    chmod(path, 0755);
    test_out_of_memory();
    test_full_while_recording();
    test_failure_stays();
    test_full_while_finishing();
    test_deleted();
    test_not_recordings();
    test_unreadable();
    test_killed();
    fixture_remove(path);
    return check_done();
}
