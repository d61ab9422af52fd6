/* SPDX-License-Identifier: MIT
 *
 * The chapter on memory against golden files, as text and as JSON. Set
 * HASTEN_UPDATE_GOLDEN=1 to write them anew, then read what changed. */
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "failing_allocator.h"
#include "golden_report.h"
#include "hasten/report.h"
#include "memory_fixture.h"

static void test_terminal(void) {
    struct hasten_report_options options = {
        .columns = 80, .unicode = true, .limit = 15, .least_share = 0.005};
    check_terminal("memory-80.txt", memory_profile("sampled", true), &options);
    options.columns = 120;
    check_terminal("memory-120.txt", memory_profile("sampled", true), &options);
    options.colour = true;
    options.memory = true;
    check_terminal("memory-only-colour-120.txt", memory_profile("sampled", true), &options);
    options = (struct hasten_report_options){.columns = 80, .unicode = true, .memory = true};
    check_terminal("memory-exact-80.txt", memory_profile("exact", false), &options);
    check_terminal("memory-pool-80.txt", pool_memory_profile(), &options);
    options = (struct hasten_report_options){.columns = 40, .limit = 15, .memory = true};
    check_terminal("memory-ascii-40.txt", memory_profile(NULL, true), &options);
    options = (struct hasten_report_options){
        .columns = 80, .limit = 1, .filter = "cache", .memory = true};
    check_terminal("memory-filtered.txt", memory_profile("sampled", true), &options);
    options = (struct hasten_report_options){.columns = 80, .unicode = true, .memory = true};
    check_terminal("memory-hostile.txt", hostile_memory_profile(), &options);
}

static void test_json(void) {
    check_json("memory.json", memory_profile("sampled", false));
    check_json("memory-pool.json", pool_memory_profile());
    check_json("memory-hostile.json", hostile_memory_profile());
}

static void check_says(struct hasten_profile *profile, const char *expected) {
    struct hasten_report_options options = {.columns = 200, .memory = true};
    char *text = render(profile, &options);
    CHECK_HAS_STR(text, expected);
    hasten_report_free_text(profile, text);
    hasten_profile_free(profile);
}

/* One line with these amounts, in a program of nothing else. */
static struct hasten_profile *small_profile(const char *mode,
                                            const struct memory_amounts *amounts) {
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_fact(&fixture, "memory.mode", mode);
    fixture_fact(&fixture, "memory.interval_bytes", "524288");
    uint32_t process = fixture_process(&fixture, 1, 1, "main");
    uint32_t thread = fixture_thread(&fixture, process, "t", true, 0);
    uint32_t code = fixture_code(&fixture, "/a.py", "f", 1);
    fixture_memory(&fixture, fixture_node(&fixture, 0, code, 1), thread, amounts);
    return fixture_take(&fixture);
}

static void test_words(void) {
    const struct memory_amounts little = {MIB, 9, MIB, 9, 0, 0, 0, 0};
    const struct memory_amounts large = {120 * MIB, 9, 120 * MIB, 9, 0, 0, 0, 0};
    const struct memory_amounts churn = {9000 * MIB, 9, 90 * MIB, 9, 0, 0, 8192 * MIB, 9};
    struct fixture fixture;
    fixture_init(&fixture);
    check_says(fixture_take(&fixture), "This recording says nothing of memory");
    check_says(small_profile("sampled", &little), "1, each with too little to tell");
    check_says(small_profile("sampled", &little), "estimates, from a sample every 512 KiB");
    check_says(small_profile("exact", &little), "100.0  1.00 MiB  /a.py:2");
    check_says(small_profile("exact", &little), "every allocation was counted");
    check_says(small_profile("sampled", &large),
               "100 % of the memory at its peak (120 MiB) was allocated in f (/a.py:2).");
    check_says(small_profile("sampled", &churn),
               "8.00 GiB were allocated and freed soon after, 100 % of it in f (/a.py:2).");
    check_says(memory_profile("sampled", true), "by native code (PyDataMem_UserNEW)");
}

static void test_lines_fit(void) {
    check_lines_fit(memory_profile("sampled", true),
                    (struct hasten_report_options){.columns = 72, .memory = true});
}

static void test_hostile_text_is_tame(void) {
    struct hasten_profile *profile = hostile_memory_profile();
    for (uint32_t columns = 40; columns < 200; columns += 7) {
        struct hasten_report_options options = {
            .columns = columns, .unicode = columns % 2 == 0, .memory = columns % 3 == 0};
        char *text = render(profile, &options);
        for (const char *next = text; *next != '\0'; next++) {
            if ((unsigned char)*next < 0x20 && *next != '\n') {
                CHECK(false);
            }
        }
        hasten_report_free_text(profile, text);
    }
    hasten_profile_free(profile);
}

int main(void) {
    test_terminal();
    test_json();
    test_words();
    test_lines_fit();
    test_hostile_text_is_tame();
    check_out_of_memory(memory_profile("sampled", true),
                        &(struct hasten_report_options){.columns = 120, .limit = 5, .filter = "e"});
    check_out_of_memory(pool_memory_profile(),
                        &(struct hasten_report_options){.columns = 80, .memory = true});
    return check_done();
}
