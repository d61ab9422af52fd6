/* SPDX-License-Identifier: MIT
 *
 * Lists of imports as they are read: sums, order, damage, memory that runs out. */
#include "check.h"
#include "core/imports/loads.h"
#include "failing_allocator.h"

#define HEAD "hasten imports 1\nprocess\t1000\t1\t3.11.7\n"

/* b and c are loaded by a, d by c; c and d are not needed; e stands alone and failed. */
static const char good[] = HEAD "load\t-1\t10\t500\t4096\t1\ta\t__main__\n"
                                "load\t0\t20\t100\t0\t1\tb\ta\n"
                                "load\t0\t130\t300\t8192\t0\tc\ta\n"
                                "load\t2\t140\t250\t-4096\t0\tc.d\tc\n"
                                "load\t-1\t600\t50\t0\t3\te\t\n"
                                "end\n";

static hasten_status parse(const char *text, struct hasten_loads **loads,
                           struct hasten_error *error) {
    return hasten_loads_parse(text, strlen(text), NULL, loads, error);
}

static void test_sums(void) {
    struct hasten_loads *loads = NULL;
    if (!CHECK_STATUS(parse(good, &loads, NULL), HASTEN_OK)) {
        return;
    }
    const struct hasten_load *a = &loads->loads[0];
    const struct hasten_load *c = &loads->loads[2];
    CHECK_EQ_INT(loads->count, 5);
    CHECK_EQ_INT(loads->duration_ns, 1000);
    CHECK(loads->knows_use);
    CHECK_EQ_STR(hasten_loads_text(loads, loads->version), "3.11.7");
    CHECK_EQ_STR(hasten_loads_text(loads, loads->loads[3].name), "c.d");
    CHECK_EQ_STR(hasten_loads_text(loads, loads->loads[3].importer), "c");
    CHECK_EQ_STR(hasten_loads_text(loads, loads->loads[4].importer), "");
    CHECK_EQ_INT(a->self_ns, 100);
    CHECK_EQ_INT(a->self_bytes, -4096);
    CHECK_EQ_INT(a->below, 3);
    CHECK_EQ_INT(a->unneeded_below, 2);
    CHECK_EQ_INT(a->unneeded_ns, 300);
    CHECK_EQ_INT(a->saved_ns, 0);
    CHECK_EQ_INT(c->self_ns, 50);
    CHECK_EQ_INT(c->saved_ns, 300);
    CHECK_EQ_INT(c->parent, 0);
    CHECK(loads->loads[4].has_failed && loads->loads[4].is_needed);
    CHECK_EQ_INT(loads->total_ns, 550);
    CHECK_EQ_INT(loads->unneeded_ns, 300);
    CHECK_EQ_INT(loads->unneeded_bytes, 8192);
    CHECK_EQ_INT(loads->unneeded_count, 2);
    hasten_loads_free(loads);
    hasten_loads_free(NULL);
}

static void test_order(void) {
    struct hasten_loads *loads = NULL;
    size_t numbers[5];
    if (!CHECK_STATUS(parse(good, &loads, NULL), HASTEN_OK)) {
        return;
    }
    CHECK_EQ_INT(hasten_loads_below(loads, HASTEN_LOADS_NONE, numbers), 2);
    CHECK_EQ_INT(numbers[0], 0);
    CHECK_EQ_INT(numbers[1], 4);
    CHECK_EQ_INT(hasten_loads_below(loads, 0, numbers), 2);
    CHECK_EQ_INT(numbers[0], 2);
    CHECK_EQ_INT(numbers[1], 1);
    CHECK_EQ_INT(hasten_loads_below(loads, 4, numbers), 0);
    hasten_loads_free(loads);
}

static void test_damage(void) {
    static const struct {
        const char *text;
        hasten_status status;
        int64_t position;
        const char *message;
    } cases[] = {
        {"", HASTEN_CORRUPT, 0,
         "the line at byte 0 is not of a list of imports: the first line is another"},
        {"hasten imports x\n", HASTEN_CORRUPT, 0,
         "the line at byte 0 is not of a list of imports: the version is no number"},
        {"hasten imports  \n", HASTEN_CORRUPT, 0,
         "the line at byte 0 is not of a list of imports: the version is no number"},
        {"hasten imports 1\t1\n", HASTEN_CORRUPT, 0,
         "the line at byte 0 is not of a list of imports: the version is no number"},
        {"hasten imports 2\n", HASTEN_NEWER, 0,
         "the list of imports was written by a newer hasten"},
        {"hasten imports 1\nprocess\t1\n", HASTEN_CORRUPT, 17,
         "the line at byte 17 is not of a list of imports: it should say how long the process "
         "ran"},
        {HEAD "load\t0\t1\t1\t1\t1\ta\tb\nend\n", HASTEN_CORRUPT, 39,
         "the line at byte 39 is not of a list of imports: it is part of a load that did not "
         "begin before it"},
        {HEAD "load\t-1\t1\t-1\t1\t1\ta\tb\nend\n", HASTEN_CORRUPT, 39,
         "the line at byte 39 is not of a list of imports: a time is negative"},
        {HEAD "load\t-1\t1\t900000000000000000\t1\t1\ta\tb\n"
              "load\t-1\t1\t900000000000000000\t1\t1\ta\tb\nend\n",
         HASTEN_CORRUPT, 76,
         "the line at byte 76 is not of a list of imports: what it adds up to is more than there "
         "is"},
        {HEAD "load\t-1\t1\t1\t-900000000000000000\t1\ta\tb\n"
              "load\t-1\t1\t1\t900000000000000000\t1\ta\tb\nend\n",
         HASTEN_CORRUPT, 77,
         "the line at byte 77 is not of a list of imports: what it adds up to is more than there "
         "is"},
        {HEAD "load\t-1\t1\t1e5\t1\t1\ta\tb\nend\n", HASTEN_CORRUPT, 39,
         "the line at byte 39 is not of a list of imports: a load has eight fields"},
        {HEAD "load\t-1\t1\t1\t1\t1\ta\n", HASTEN_CORRUPT, 39,
         "the line at byte 39 is not of a list of imports: a load has eight fields"},
        {HEAD "load\t-1\t1\t1\t1\t1\ta\tb\nend", HASTEN_TRUNCATED, 62,
         "the list of imports was not written to its end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hasten_loads *loads = NULL;
        struct hasten_error error = {.status = HASTEN_OK};
        CHECK_STATUS(parse(cases[i].text, &loads, &error), cases[i].status);
        CHECK_EQ_INT(error.position, cases[i].position);
        CHECK_EQ_STR(error.message, cases[i].message);
        CHECK(loads == NULL);
    }
}

static void test_no_memory(void) {
    struct failing_allocator failing;
    hasten_status status = HASTEN_NO_MEMORY;
    for (unsigned call = 1; call < 100 && status == HASTEN_NO_MEMORY; call++) {
        struct hasten_loads *loads = NULL;
        failing_allocator_init(&failing, call, true);
        status = hasten_loads_parse(good, sizeof good - 1, &failing.allocator, &loads, NULL);
        hasten_loads_free(loads);
        CHECK_EQ_INT(failing.live_blocks, 0);
        CHECK(!failing.wrong_size);
        CHECK(call > 1 || status == HASTEN_NO_MEMORY);
    }
    CHECK_STATUS(status, HASTEN_OK);
}

int main(void) {
    test_sums();
    test_order();
    test_damage();
    test_no_memory();
    return check_done();
}
