/* SPDX-License-Identifier: MIT
 *
 * Series cut into intervals: what is held, what ends, what is added up. */
#include "core/report/timeline.h"

#include "check.h"
#include "memory_fixture.h"

#define COUNT 10

static void check_amounts(const struct hasten_profile *profile, uint64_t end_ns,
                          const char *expected) {
    int64_t amounts[COUNT] = {0};
    struct hasten_buffer text;
    hasten_buffer_init(&text, NULL);
    hasten_timeline_add(profile, "rss.bytes", end_ns, amounts, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        hasten_buffer_format(&text, "%s%lld", i == 0 ? "" : " ", (long long)amounts[i]);
    }
    CHECK_EQ_STR(hasten_buffer_cstring(&text), expected);
    hasten_buffer_done(&text);
}

/* A process that lasts 1000 ms. */
static struct hasten_profile *profile_of(const int64_t (*points)[2], size_t count) {
    struct fixture fixture;
    fixture_init(&fixture);
    uint32_t series =
        fixture_series(&fixture, fixture_process(&fixture, 1, 1, "main"), "rss.bytes");
    for (size_t i = 0; i < count; i++) {
        fixture_point(&fixture, series, points[i][0] * MS, points[i][1]);
    }
    return fixture_take(&fixture);
}

static void test_one_process(void) {
    static const int64_t none[1][2];
    static const int64_t one[][2] = {{350, 7}};
    static const int64_t several[][2] = {{100, 5}, {120, 9}, {130, 4},
                                         {600, 8}, {620, 0}, {990, 3}};
    static const int64_t hostile[][2] = {{0, INT64_MIN}, {500, INT64_MAX}, {501, -3}};
    struct hasten_profile *profile = profile_of(none, 0);
    check_amounts(profile, 1000 * (uint64_t)MS, "0 0 0 0 0 0 0 0 0 0");
    hasten_profile_free(profile);
    profile = profile_of(one, 1); /* held until the process ends */
    check_amounts(profile, 1000 * (uint64_t)MS, "0 0 0 7 7 7 7 7 7 7");
    check_amounts(profile, 2000 * (uint64_t)MS, "0 7 7 7 7 7 0 0 0 0");
    check_amounts(profile, 100 * (uint64_t)MS, "0 0 0 0 0 0 0 0 0 7");
    CHECK_EQ_INT(hasten_timeline_end(profile), 1000 * MS);
    hasten_profile_free(profile);
    profile = profile_of(several, 6);
    check_amounts(profile, 1000 * (uint64_t)MS, "0 9 4 4 4 4 8 0 0 3");
    hasten_profile_free(profile);
    profile = profile_of(hostile, 3);
    check_amounts(profile, 1000 * (uint64_t)MS, "0 0 0 0 0 9223372036854775807 0 0 0 0");
    hasten_profile_free(profile);
}

static void test_several_processes(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t process = fixture_process(&fixture, i, 1, "main");
        uint32_t series = fixture_series(&fixture, process, "rss.bytes");
        fixture_series(&fixture, process, "heap.live.bytes");
        fixture_point(&fixture, series, 200 * (int64_t)i * MS, i == 2 ? INT64_MAX : 10);
        fixture.builder.profile->processes[process].end_ns = (uint64_t)(650 * MS);
    }
    struct hasten_profile *profile = fixture_take(&fixture);
    check_amounts(profile, 1000 * (uint64_t)MS,
                  "10 10 20 20 9223372036854775807 9223372036854775807 9223372036854775807 0 0 0");
    hasten_profile_free(profile);
}

static void check_drawn(bool unicode, size_t row, const char *expected) {
    static const int64_t amounts[] = {0, 1, 25, 50, 75, 100, 200, -5};
    const struct hasten_report_options options = {.unicode = unicode};
    struct hasten_page page = {.options = &options};
    hasten_buffer_init(&page.out, NULL);
    hasten_timeline_draw(&page, HASTEN_STYLE_PLAIN, amounts, 8, 100, row, 2);
    CHECK_EQ_STR(hasten_buffer_cstring(&page.out), expected);
    hasten_buffer_done(&page.out);
}

static void test_drawing(void) {
    check_drawn(true, 0, "    ▄██ ");
    check_drawn(true, 1, " ▁▄████ ");
    check_drawn(false, 0, "    :## ");
    check_drawn(false, 1, " .:#### ");
}

int main(void) {
    test_one_process();
    test_several_processes();
    test_drawing();
    return check_done();
}
