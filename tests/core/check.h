/* SPDX-License-Identifier: MIT
 *
 * The unit tests' whole framework. A test is a program: checks say where they
 * fail and go on, `return check_done();` ends main. */
#ifndef HASTEN_TESTS_CHECK_H
#define HASTEN_TESTS_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "hasten/status.h"

static unsigned long check_passed, check_failed;

/* All checks answer whether they held, so that a test can stop early. */
#define CHECK(condition) check_that((condition) ? true : false, #condition, __FILE__, __LINE__)
#define CHECK_EQ_INT(actual, expected) \
    check_equal_int((long long)(actual), (long long)(expected), #actual, __FILE__, __LINE__)
#define CHECK_EQ_STR(actual, expected) \
    check_equal_text((actual), (expected), #actual, __FILE__, __LINE__)
/* The text contains the part. */
#define CHECK_HAS_STR(text, part) check_has_text((text), (part), #text, __FILE__, __LINE__)
#define CHECK_STATUS(actual, expected)                                                            \
    check_equal_text(hasten_status_name(actual), hasten_status_name(expected), #actual, __FILE__, \
                     __LINE__)

__attribute__((unused)) static bool check_that(bool held, const char *what, const char *file,
                                               int line) {
    if (held) {
        check_passed++;
    } else {
        check_failed++;
        fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    }
    return held;
}

__attribute__((unused)) static bool check_equal_int(long long actual, long long expected,
                                                    const char *what, const char *file, int line) {
    bool held = check_that(actual == expected, what, file, line);
    if (!held) {
        fprintf(stderr, "    is %lld, should be %lld\n", actual, expected);
    }
    return held;
}

__attribute__((unused)) static bool check_equal_text(const char *actual, const char *expected,
                                                     const char *what, const char *file, int line) {
    bool both = actual != NULL && expected != NULL;
    bool held =
        check_that(both ? strcmp(actual, expected) == 0 : actual == expected, what, file, line);
    if (!held) {
        fprintf(stderr, "    is \"%s\", should be \"%s\"\n", actual == NULL ? "(null)" : actual,
                expected == NULL ? "(null)" : expected);
    }
    return held;
}

__attribute__((unused)) static bool check_has_text(const char *text, const char *part,
                                                   const char *what, const char *file, int line) {
    bool held = check_that(text != NULL && strstr(text, part) != NULL, what, file, line);
    if (!held) {
        fprintf(stderr, "    is \"%s\", should contain \"%s\"\n", text == NULL ? "(null)" : text,
                part);
    }
    return held;
}

__attribute__((unused)) static int check_done(void) {
    printf("%lu passed, %lu failed\n", check_passed, check_failed);
    return check_failed == 0 && check_passed > 0 ? 0 : 1;
}

#endif
