/* SPDX-License-Identifier: MIT
 *
 * Whole reports of profiles with known truth against golden files. Set
 * HASTEN_UPDATE_GOLDEN=1 to write them anew, then read what changed. */
#include "hasten/report.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "golden_report.h"
#include "report_fixture.h"
#include "traced_fixture.h"

static void add_facts(struct fixture *fixture) {
    fixture_fact(fixture, "command", "python -m shop --days 30 'access log.txt'");
    fixture_fact(fixture, "mode", "wall");
    fixture_fact(fixture, "interval_ns", "1000000");
    fixture_fact(fixture, "duration_ns", "12412000000");
    fixture_fact(fixture, "samples", "12401");
    fixture_fact(fixture, "samples.failed", "3");
    fixture_fact(fixture, "samples.retried", "17");
    fixture_fact(fixture, "slots", "12404");
    fixture_fact(fixture, "slots.missed", "8");
    fixture_fact(fixture, "sampler.cpu_ns", "212000000");
    fixture_fact(fixture, "target.cpu_ns", "11873000000");
    fixture_fact(fixture, "exit.status", "0");
    fixture_fact(fixture, "hasten.version", "0.1.0");
    fixture_fact(fixture, "directory", "/home/me/shop");
}

/* One thread that parses, reads files and sleeps a little. */
static struct hasten_profile *plain_profile(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    add_facts(&fixture);
    uint32_t thread = fixture_thread(&fixture, fixture_process(&fixture, 4242, 1, "main"),
                                     "MainThread", true, 12401);
    uint32_t main_code = fixture_code(&fixture, "/home/me/shop/app.py", "main", 12);
    uint32_t parse = fixture_code(&fixture, "/home/me/shop/parse.py", "parse_line", 20);
    uint32_t decode = fixture_code(&fixture, "/usr/lib/python3.13/json/decoder.py",
                                   "JSONDecoder.raw_decode", 345);
    uint32_t key =
        fixture_code(&fixture, "/home/me/shop/sessions.py", "Table.group.<locals>.<lambda>", 9);
    uint32_t load = fixture_code(&fixture, "<frozen importlib._bootstrap>", "_find_and_load", 1170);
    uint32_t in_main = fixture_node(&fixture, 0, main_code, 10);
    uint32_t split = fixture_node(&fixture, in_main, parse, 3);
    uint32_t match = fixture_node(&fixture, in_main, parse, 5);
    uint32_t decoding = fixture_node(&fixture, split, decode, 7);
    uint32_t grouping = fixture_node(&fixture, in_main, key, 0);
    uint32_t loading = fixture_node(&fixture, 0, load, 3);
    fixture_value(&fixture, split, thread, "time.running_gil", 5100 * MS);
    fixture_value(&fixture, split, thread, "time.native", 900 * MS);
    fixture_value(&fixture, split, thread, "time.gc", 480 * MS);
    fixture_value(&fixture, match, thread, "time.running_gil", 1100 * MS);
    fixture_value(&fixture, decoding, thread, "time.running_gil", 1900 * MS);
    fixture_value(&fixture, decoding, thread, "time.native", 5500 * MS);
    fixture_value(&fixture, decoding, thread, "time.wait_file", 3700 * MS);
    fixture_value(&fixture, grouping, thread, "time.running", 340 * MS);
    fixture_value(&fixture, loading, thread, "time.running_gil", 42 * MS);
    fixture_value(&fixture, in_main, thread, "time.wait_sleep", 219 * MS);
    return fixture_take(&fixture);
}

/* A pool whose main thread waits, and a child process. */
static struct hasten_profile *pool_profile(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    add_facts(&fixture);
    uint32_t process = fixture_process(&fixture, 4242, 1, "main");
    uint32_t child = fixture_process(&fixture, 4250, 4242, "fork");
    uint32_t waiter = fixture_thread(&fixture, process, "python3", true, 1000);
    uint32_t threads[20];
    for (size_t i = 0; i < 20; i++) {
        threads[i] = fixture_thread(&fixture, process, i < 2 ? "python3" : "pool", false, 1000);
    }
    uint32_t forked = fixture_thread(&fixture, child, "python3", true, 1000);
    uint32_t join =
        fixture_code(&fixture, "/usr/lib/python3.13/threading.py", "Condition.wait", 327);
    uint32_t main_code = fixture_code(&fixture, "/home/me/shop/app.py", "main", 12);
    uint32_t work = fixture_code(&fixture, "/home/me/shop/jobs.py", "resize", 40);
    uint32_t in_main = fixture_node(&fixture, 0, main_code, 4);
    uint32_t joining = fixture_node(&fixture, in_main, join, 32);
    uint32_t idle = fixture_node(&fixture, 0, join, 32);
    uint32_t working = fixture_node(&fixture, 0, work, 6);
    fixture_value(&fixture, joining, waiter, "time.wait_lock", 980 * MS);
    fixture_value(&fixture, in_main, waiter, "time.running_gil", 20 * MS);
    for (uint32_t i = 0; i < 20; i++) {
        fixture_value(&fixture, working, threads[i], "time.running_gil", (40 - i) * MS);
        fixture_value(&fixture, working, threads[i], "time.wait_gil", 300 * MS);
        fixture_value(&fixture, idle, threads[i], "time.wait_lock", 600 * MS);
    }
    fixture_value(&fixture, working, forked, "time.running", 900 * MS);
    fixture_value(&fixture, working, forked, "time.native", 850 * MS);
    return fixture_take(&fixture);
}

/* What a hostile recording may hold. */
static struct hasten_profile *hostile_profile(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_fact(&fixture, "command", "\x1b]0;owned\x07 python \xff\xfe");
    fixture_fact(&fixture, "mode", "\x1b[2J");
    fixture_fact(&fixture, "exit.status", "signal \x1b[31m");
    fixture_fact(&fixture, "interval_ns", "99999999999999999999999");
    fixture_fact(&fixture, "duration_ns", "-5");
    fixture_fact(&fixture, "recording.incomplete", "1");
    uint32_t thread = fixture_thread(&fixture, fixture_process(&fixture, 1, 1, "\x1b[5m"),
                                     "\x1b[5mblink", true, 9);
    uint32_t other = fixture_thread(&fixture, 0,
                                    "\xe2\x80\xae"
                                    "evil",
                                    false, 9);
    uint32_t code = fixture_code(&fixture, "/tmp/\x1b[2J\n.py", "f\x1b[31m\"\\\xff", -5);
    uint32_t empty = fixture_code(&fixture, "", "", 0);
    uint32_t node = fixture_node(&fixture, 0, code, 1);
    uint32_t deeper = fixture_node(&fixture, node, empty, UINT32_MAX);
    fixture_value(&fixture, node, thread, "time.running_gil", INT64_MAX);
    fixture_value(&fixture, node, thread, "time.wait_file", INT64_MAX);
    fixture_value(&fixture, deeper, other, "time.running", INT64_MIN);
    fixture_value(&fixture, deeper, other, "time.wait_lock", 5);
    return fixture_take(&fixture);
}

static void test_terminal(void) {
    struct hasten_report_options options = {.columns = 80, .unicode = true, .limit = 15};
    check_terminal("plain-80.txt", plain_profile(), &options);
    check_terminal("pool-80.txt", pool_profile(), &options);
    options.columns = 120;
    check_terminal("pool-120.txt", pool_profile(), &options);
    options.colour = true;
    check_terminal("plain-colour-120.txt", plain_profile(), &options);
    options = (struct hasten_report_options){.columns = 40};
    check_terminal("plain-ascii-40.txt", plain_profile(), &options);
    options = (struct hasten_report_options){
        .columns = 80, .sort = HASTEN_SORT_TOTAL, .limit = 2, .filter = "shop"};
    check_terminal("plain-filtered.txt", plain_profile(), &options);
    options = (struct hasten_report_options){.columns = 80, .filter = "nowhere"};
    check_terminal("plain-filtered-out.txt", plain_profile(), &options);
    options = (struct hasten_report_options){.columns = 80, .unicode = true, .limit = 15};
    check_terminal("hostile.txt", hostile_profile(), &options);
}

static void test_json(void) {
    check_json("plain.json", plain_profile());
    check_json("pool.json", pool_profile());
    check_json("hostile.json", hostile_profile());
    check_json("traced.json", traced_profile());
}

static void test_traced(void) {
    struct hasten_report_options options = {.columns = 80, .unicode = true, .limit = 15};
    check_terminal("traced-80.txt", traced_profile(), &options);
    options.sort = HASTEN_SORT_CALLS;
    options.columns = 120;
    check_terminal("traced-calls-120.txt", traced_profile(), &options);
    options = (struct hasten_report_options){
        .columns = 80, .unicode = true, .callers = "even", .callees = "main"};
    check_terminal("traced-edges-80.txt", traced_profile(), &options);
    options.callees = "nothing like it";
    options.callers = "raw_decode";
    check_terminal("plain-edges-80.txt", plain_profile(), &options);
    options = (struct hasten_report_options){.columns = 80, .filter = "nowhere"};
    check_terminal("traced-filtered-out.txt", traced_profile(), &options);
}

/* Nothing a terminal obeys comes through, whatever the options. */
static void test_hostile_text_is_tame(void) {
    struct hasten_profile *profile = hostile_profile();
    for (uint32_t columns = 40; columns < 200; columns += 7) {
        struct hasten_report_options options = {.columns = columns, .unicode = columns % 2 == 0};
        char *text = render(profile, &options);
        for (const char *next = text; *next != '\0'; next++) {
            if ((unsigned char)*next < 0x20 && *next != '\n') {
                CHECK(false);
            }
        }
        CHECK(strstr(text, "\xe2\x80\xae") == NULL);
        hasten_report_free_text(profile, text);
    }
    hasten_profile_free(profile);
}

static void test_lines_fit(void) {
    check_lines_fit(pool_profile(), (struct hasten_report_options){.columns = 66});
    check_lines_fit(traced_profile(), (struct hasten_report_options){.columns = 66});
    check_lines_fit(traced_profile(),
                    (struct hasten_report_options){.columns = 66, .callers = "e"});
}

static void check_says(const char *const *facts, const char *expected) {
    struct fixture fixture;
    struct hasten_report_options options = {.columns = 80};
    fixture_init(&fixture);
    for (size_t i = 0; facts[i] != NULL; i += 2) {
        fixture_fact(&fixture, facts[i], facts[i + 1]);
    }
    struct hasten_profile *profile = fixture_take(&fixture);
    char *text = render(profile, &options);
    CHECK_HAS_STR(text, expected);
    hasten_report_free_text(profile, text);
    hasten_profile_free(profile);
}

/* On one line: the text is. */
static void check_traced_says(const char *fact, const char *expected) {
    struct fixture fixture;
    struct hasten_report_options options = {.columns = 200};
    fixture_init(&fixture);
    fixture_fact(&fixture, fact, "1");
    uint32_t thread =
        fixture_thread(&fixture, fixture_process(&fixture, 10, 1, "main"), "", true, 0);
    fixture_calls(&fixture, 0, fixture_code(&fixture, "a.py", "main", 1), thread, 1, MS);
    struct hasten_profile *profile = fixture_take(&fixture);
    char *text = render(profile, &options);
    for (char *end = strchr(text, '\n'); end != NULL; end = strchr(end, '\n')) {
        *end = ' ';
    }
    CHECK_HAS_STR(text, expected);
    hasten_report_free_text(profile, text);
    hasten_profile_free(profile);
}

static void test_warnings(void) {
    check_says((const char *const[]){"duration_ns", "20000000", NULL},
               "The program ended before a sample could be taken");
    check_says((const char *const[]){"duration_ns", "9000000000", NULL}, "hasten doctor");
    check_says((const char *const[]){"mode", "cpu", NULL}, "No thread was seen running");
    check_says((const char *const[]){NULL}, "(command not known)");
    check_says((const char *const[]){"recording.incomplete", "1", NULL}, "was not finished");
    check_says((const char *const[]){"samples", "100", "samples.failed", "5", NULL},
               "4.8 % of the samples failed");
    check_says((const char *const[]){"slots", "80", "slots.missed", "20", NULL},
               "fell behind in 20 %");
    check_says((const char *const[]){"samples", "100", NULL}, "about 10 points either way");
    check_says((const char *const[]){"exit.status", "signal 9", NULL}, "ended by signal 9");
    check_traced_says("trace.cut", "1 of 1 processes were ended from outside");
    check_traced_says("trace.full", "Free some space, raise the limit");
    check_traced_says("trace.failed", "Of what 1 of the processes called, the end is missing");
    check_traced_says("trace.subinterpreters", "calls of 1 subinterpreters are not counted");
    check_traced_says("trace.displaced", "set a profile function of its own");
    check_traced_says("trace.folded", "too many different orders");
}

int main(void) {
    test_terminal();
    test_json();
    test_traced();
    test_hostile_text_is_tame();
    test_lines_fit();
    test_warnings();
    const struct hasten_report_options options = {.columns = 80, .limit = 5};
    check_out_of_memory(pool_profile(), &options);
    check_out_of_memory(traced_profile(), &options);
    return check_done();
}
