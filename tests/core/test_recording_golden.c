/* SPDX-License-Identifier: MIT
 *
 * The recordings of tests/golden/recordings: good ones, of every version that
 * there was, say what they said; bad ones are refused with exactly the status,
 * position and message of expected.txt. */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "recording_dump.h"
#include "recording_fixture.h"

#define FOLDER "tests/golden/recordings/"

static char *read_text(const char *path) {
    static char text[1 << 20];
    FILE *file = fopen(path, "rb");
    if (!CHECK(file != NULL)) {
        return text;
    }
    size_t size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

/* A killed log misses nothing here but its end. */
static void check_good(const char *path, unsigned version) {
    struct hasten_error error;
    struct hasten_buffer text;
    char expected_path[128];
    snprintf(expected_path, sizeof expected_path, FOLDER "good-v%u.txt", version);
    char *expected = strdup(read_text(expected_path));
    hasten_buffer_init(&text, NULL);
    if (!CHECK_STATUS(dump_recording(&text, path, &error), HASTEN_OK)) {
        fprintf(stderr, "    %s: %s\n", path, error.message);
    }
    if (strstr(path, "killed") != NULL) {
        char *at = strstr(text.data, "fact recording.incomplete [1]");
        if (CHECK(at != NULL)) {
            at += strlen("fact recording.incomplete [");
            memmove(at, at + 1, strlen(at));
        }
        CHECK_EQ_STR(text.data, expected);
    } else {
        CHECK_EQ_STR(hasten_buffer_cstring(&text), expected);
    }
    hasten_buffer_done(&text);
    free(expected);
}

/* "@" stands for the path in quotes. */
static void expand(char *ret_message, size_t size, const char *pattern, const char *path) {
    if (pattern[0] == '@') {
        snprintf(ret_message, size, "\"%s\"%s", path, pattern + 1);
    } else {
        snprintf(ret_message, size, "%s", pattern);
    }
}

/* Loading or, where only the time series is bad, reading that fails as told. */
static void check_bad(const char *path, const char *status, int position, const char *pattern) {
    struct hasten_error error = {.position = -2};
    struct hasten_buffer text;
    char expected[512];
    hasten_buffer_init(&text, NULL);
    expand(expected, sizeof expected, pattern, path);
    bool same = CHECK_EQ_STR(hasten_status_name(dump_recording(&text, path, &error)), status);
    same = CHECK_EQ_STR(error.message, expected) && same;
    same = CHECK_EQ_INT(error.position, position) && same;
    if (!same) {
        fprintf(stderr, "    %s\n", path);
    }
    hasten_buffer_done(&text);
}

static void test_expected(void) {
    char line[600];
    unsigned lines = 0;
    FILE *file = fopen(FOLDER "expected.txt", "r");
    if (!CHECK(file != NULL)) {
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        char name[64];
        char status[32];
        char path[128];
        int position = 0;
        int message_at = 0;
        line[strcspn(line, "\n")] = '\0';
        if (!CHECK(sscanf(line, "%63s %31s %d %n", name, status, &position, &message_at) == 3)) {
            continue;
        }
        snprintf(path, sizeof path, FOLDER "%s", name);
        if (strcmp(status, "OK") == 0) {
            check_good(path, strstr(name, "-v1.") != NULL ? 1 : 2);
        } else {
            check_bad(path, status, position, line + message_at);
        }
        lines++;
    }
    fclose(file);
    CHECK(lines > 95);
}

/* Finishing a log, also an old one, gives what the log says. */
static void test_finish(unsigned version) {
    char path[256];
    char command[600];
    struct hasten_error error;
    fixture_path(path, sizeof path);
    snprintf(command, sizeof command, "cp " FOLDER "good-v%u.log '%s'", version, path);
    CHECK_EQ_INT(system(command), 0);
    CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_OK);
    check_good(path, version);
    fixture_remove(path);
}

int main(void) {
    test_expected();
    test_finish(1);
    test_finish(2);
    return check_done();
}
