/* SPDX-License-Identifier: MIT
 *
 * Whole reports against golden files, and with every allocation failing. */
#ifndef HASTEN_TESTS_GOLDEN_REPORT_H
#define HASTEN_TESTS_GOLDEN_REPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "failing_allocator.h"
#include "hasten/report.h"

#define GOLDEN "tests/golden/report/"

__attribute__((unused)) static char *read_whole(const char *path) {
    FILE *stream = fopen(path, "r");
    if (stream == NULL) {
        return NULL;
    }
    char *text = calloc(1, 1 << 18);
    size_t size = fread(text, 1, (1 << 18) - 1, stream);
    text[size] = '\0';
    fclose(stream);
    return text;
}

__attribute__((unused)) static void check_golden(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, GOLDEN "%s", name);
    const char *update = getenv("HASTEN_UPDATE_GOLDEN");
    if (update != NULL && update[0] == '1') {
        FILE *stream = fopen(path, "w");
        if (CHECK(stream != NULL)) {
            fputs(text, stream);
            fclose(stream);
        }
        return;
    }
    char *expected = read_whole(path);
    if (expected == NULL || strcmp(expected, text) != 0) {
        fprintf(stderr, "%s differs; it should be what follows\n%s", path, text);
        CHECK(false);
    } else {
        CHECK(true);
    }
    free(expected);
}

__attribute__((unused)) static char *render(const struct hasten_profile *profile,
                                            const struct hasten_report_options *options) {
    char *text = NULL;
    struct hasten_error error;
    CHECK_STATUS(hasten_report_terminal(profile, options, &text, &error), HASTEN_OK);
    return text;
}

/* No line is longer than the page, from the width that the numbers alone need, which the
 * options give. Frees the profile. */
__attribute__((unused)) static void check_lines_fit(struct hasten_profile *profile,
                                                    struct hasten_report_options options) {
    for (; options.columns <= 140; options.columns++) {
        char *text = render(profile, &options);
        for (const char *line = text; *line != '\0';) {
            size_t size = strcspn(line, "\n");
            if (size > options.columns) {
                fprintf(stderr, "%u columns: %.*s\n", options.columns, (int)size, line);
                CHECK(false);
            }
            line += size + (line[size] == '\n');
        }
        CHECK(true);
        hasten_report_free_text(profile, text);
    }
    hasten_profile_free(profile);
}

/* The terminal report of a profile, which is freed, as a golden file. */
__attribute__((unused)) static void check_terminal(const char *name, struct hasten_profile *profile,
                                                   const struct hasten_report_options *options) {
    char *text = render(profile, options);
    check_golden(name, text);
    hasten_report_free_text(profile, text);
    hasten_profile_free(profile);
}

__attribute__((unused)) static void check_json(const char *name, struct hasten_profile *profile) {
    char *text = NULL;
    struct hasten_error error;
    struct hasten_report_options options = {.columns = 80};
    CHECK_STATUS(hasten_report_json(profile, &options, &text, &error), HASTEN_OK);
    check_golden(name, text);
    hasten_report_free_text(profile, text);
    hasten_profile_free(profile);
}

/* Reports a profile, which is freed, both ways with the N-th allocation failing. */
__attribute__((unused)) static void check_out_of_memory(struct hasten_profile *profile,
                                                        const struct hasten_report_options *asked) {
    const struct hasten_allocator *before = profile->allocator;
    for (int json = 0; json < 2; json++) {
        bool succeeded = false;
        for (size_t fail_at = 1; !succeeded && fail_at < 5000; fail_at++) {
            struct failing_allocator memory;
            struct hasten_report_options options = *asked;
            options.callers = json ? "e" : NULL;
            struct hasten_error error;
            char *text = NULL;
            failing_allocator_init(&memory, fail_at, true);
            profile->allocator = &memory.allocator;
            hasten_status status = json ? hasten_report_json(profile, &options, &text, &error)
                                        : hasten_report_terminal(profile, &options, &text, &error);
            succeeded = status == HASTEN_OK;
            if (!succeeded) {
                CHECK_STATUS(status, HASTEN_NO_MEMORY);
                CHECK(text == NULL);
            }
            hasten_report_free_text(profile, text);
            CHECK_EQ_INT(memory.live_blocks, 0);
            CHECK(!memory.wrong_size);
        }
        CHECK(succeeded);
    }
    profile->allocator = before;
    hasten_profile_free(profile);
}

#endif
