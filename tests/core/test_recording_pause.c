/* SPDX-License-Identifier: MIT
 *
 * A recorder whose file is closed between writes: what comes of it is the same, and a
 * file that is another one by then is left alone. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "hasten/recorder.h"
#include "hasten/recording.h"

static char path[] = "/tmp/hasten-pause-XXXXXX";

static struct hasten_recorder *begin(uint32_t *ret_thread, uint32_t *ret_metric) {
    struct hasten_recorder *recorder = NULL;
    struct hasten_process_info process = {
        .pid = 7, .command = "x", .executable = "x", .label = "main"};
    uint32_t id = 0;
    bool made = hasten_recorder_open(path, 1000, NULL, &recorder, NULL) == HASTEN_OK &&
                hasten_recorder_process(recorder, &process, &id) == HASTEN_OK &&
                hasten_recorder_thread(recorder, id, 7, "", 1, ret_thread) == HASTEN_OK &&
                hasten_recorder_metric(recorder, "m", "1", "", ret_metric) == HASTEN_OK;
    return CHECK(made) ? recorder : NULL;
}

static size_t open_descriptors(void) {
    size_t count = 0;
    for (int descriptor = 0; descriptor < 256; descriptor++) {
        count += fcntl(descriptor, F_GETFD) != -1;
    }
    return count;
}

static void test_pauses(void) {
    uint32_t thread = 0, metric = 0, pid = 0;
    size_t before = open_descriptors();
    struct hasten_recorder *recorder = begin(&thread, &metric);
    struct hasten_profile *profile = NULL;
    if (recorder == NULL) {
        return;
    }
    CHECK(hasten_recorder_knows(recorder, 0, &pid) && pid == 7);
    CHECK(!hasten_recorder_knows(recorder, 1, &pid));
    for (int i = 0; i < 5; i++) {
        CHECK_STATUS(hasten_recorder_value(recorder, 0, thread, metric, 10), HASTEN_OK);
        CHECK_STATUS(hasten_recorder_pause(recorder), HASTEN_OK);
        CHECK_EQ_INT(open_descriptors(), before);
        CHECK_STATUS(hasten_recorder_resume(recorder), HASTEN_OK);
        CHECK_EQ_INT(open_descriptors(), before + 1);
    }
    CHECK_STATUS(hasten_recorder_close(recorder, NULL), HASTEN_OK);
    if (CHECK(hasten_recording_load(path, NULL, &profile, NULL) == HASTEN_OK)) {
        CHECK_EQ_INT(profile->value_count, 1);
        CHECK_EQ_INT(profile->values[0].amount, 50);
        hasten_profile_free(profile);
    }
}

/* The program did something to the file, or has no right to it any more. */
static void test_another_file(void (*change)(void)) {
    uint32_t thread = 0, metric = 0;
    struct hasten_recorder *recorder = begin(&thread, &metric);
    struct stat before, after;
    if (recorder == NULL || !CHECK(hasten_recorder_pause(recorder) == HASTEN_OK)) {
        hasten_recorder_free(recorder);
        return;
    }
    change();
    bool is_there = stat(path, &before) == 0;
    CHECK_STATUS(hasten_recorder_resume(recorder), HASTEN_IO);
    CHECK_STATUS(hasten_recorder_value(recorder, 0, thread, metric, 1), HASTEN_IO);
    CHECK_STATUS(hasten_recorder_pause(recorder), HASTEN_IO);
    CHECK_STATUS(hasten_recorder_resume(recorder), HASTEN_IO);
    CHECK_STATUS(hasten_recorder_close(recorder, NULL), HASTEN_IO);
    CHECK(!is_there || (stat(path, &after) == 0 && after.st_size == before.st_size));
    unlink(path);
}

static void cut(void) {
    CHECK(truncate(path, 10) == 0);
}

static void grow(void) {
    int descriptor = open(path, O_WRONLY | O_APPEND);
    CHECK(descriptor >= 0 && write(descriptor, "more", 4) == 4);
    close(descriptor);
}

static void delete (void) {
    CHECK(unlink(path) == 0);
}

static void make_link(void) {
    CHECK(unlink(path) == 0 && symlink("/tmp", path) == 0);
}

int main(void) {
    int descriptor = mkstemp(path);
    CHECK(descriptor >= 0);
    close(descriptor);
    test_pauses();
    test_another_file(cut);
    test_another_file(grow);
    test_another_file(delete);
    test_another_file(make_link);
    unlink(path);
    return check_done();
}
