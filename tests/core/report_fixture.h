/* SPDX-License-Identifier: MIT
 *
 * Profiles with known truth for the tests of the reports. A function's
 * instruction n is on its first line + n. */
#ifndef HASTEN_TESTS_REPORT_FIXTURE_H
#define HASTEN_TESTS_REPORT_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "core/profile/builder.h"

#define FIXTURE_LINES 40
#define MS ((int64_t)1000000)

struct fixture {
    struct hasten_builder builder;
};

/* A fixture that cannot be made is a fault of the test. */
__attribute__((unused)) static void must(hasten_status status) {
    if (status != HASTEN_OK) {
        abort();
    }
}

__attribute__((unused)) static void fixture_init(struct fixture *fixture) {
    struct hasten_node root = {0, HASTEN_NONE, 0};
    must(hasten_builder_init(&fixture->builder, NULL));
    if (fixture->builder.profile->node_count == 0) {
        must(hasten_builder_node(&fixture->builder, &root));
    }
}

__attribute__((unused)) static uint32_t fixture_text(struct fixture *fixture, const char *text) {
    uint32_t string = 0;
    must(hasten_builder_intern(&fixture->builder, text, strlen(text), &string));
    return string;
}

__attribute__((unused)) static void fixture_fact(struct fixture *fixture, const char *name,
                                                 const char *value) {
    must(hasten_builder_fact_text(&fixture->builder, name, strlen(name), value, strlen(value)));
}

__attribute__((unused)) static uint32_t fixture_process(struct fixture *fixture, uint32_t pid,
                                                        uint32_t parent_pid, const char *label) {
    struct hasten_process process = {.pid = pid,
                                     .parent_pid = parent_pid,
                                     .python_version = 0x030d00f0,
                                     .command = fixture_text(fixture, "python app.py"),
                                     .executable = fixture_text(fixture, "/usr/bin/python3"),
                                     .label = fixture_text(fixture, label),
                                     .start_ns = 0,
                                     .end_ns = 1000 * MS};
    must(hasten_builder_process(&fixture->builder, &process));
    return (uint32_t)fixture->builder.profile->process_count - 1;
}

__attribute__((unused)) static uint32_t fixture_thread(struct fixture *fixture, uint32_t process,
                                                       const char *name, bool is_main,
                                                       uint64_t samples) {
    struct hasten_thread thread = {.process = process,
                                   .tid = 100 + (uint32_t)fixture->builder.profile->thread_count,
                                   .name = fixture_text(fixture, name),
                                   .is_main = is_main,
                                   .end_ns = 1000 * MS,
                                   .samples = samples};
    must(hasten_builder_thread(&fixture->builder, &thread));
    return (uint32_t)fixture->builder.profile->thread_count - 1;
}

__attribute__((unused)) static uint32_t fixture_code(struct fixture *fixture, const char *file,
                                                     const char *qualname, int32_t first_line) {
    uint8_t table[2 * FIXTURE_LINES];
    for (size_t i = 0; i < FIXTURE_LINES; i++) {
        table[2 * i] = 0x80 | 13 << 3;     /* one code unit, a line without columns */
        table[2 * i + 1] = i == 0 ? 0 : 2; /* one line further */
    }
    struct hasten_code code = {.file = fixture_text(fixture, file),
                               .name = fixture_text(fixture, qualname),
                               .qualname = fixture_text(fixture, qualname),
                               .first_line = first_line,
                               .linetable = table,
                               .linetable_size = sizeof table};
    must(hasten_builder_code(&fixture->builder, &code));
    return (uint32_t)fixture->builder.profile->code_count - 1;
}

__attribute__((unused)) static uint32_t fixture_node(struct fixture *fixture, uint32_t parent,
                                                     uint32_t code, uint32_t instruction) {
    struct hasten_node node = {parent, code, instruction};
    must(hasten_builder_node(&fixture->builder, &node));
    return (uint32_t)fixture->builder.profile->node_count - 1;
}

__attribute__((unused)) static void fixture_value(struct fixture *fixture, uint32_t node,
                                                  uint32_t thread, const char *metric,
                                                  int64_t amount) {
    struct hasten_value value = {.node = node, .thread = thread, .amount = amount};
    must(hasten_builder_metric_named(&fixture->builder, metric, "ns", "", &value.metric));
    must(hasten_builder_value(&fixture->builder, &value));
}

/* The fixture is done after this. */
__attribute__((unused)) static struct hasten_profile *fixture_take(struct fixture *fixture) {
    struct hasten_profile *profile = hasten_builder_take(&fixture->builder);
    hasten_builder_done(&fixture->builder);
    return profile;
}

#endif
