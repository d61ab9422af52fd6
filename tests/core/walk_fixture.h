/* SPDX-License-Identifier: MIT
 *
 * Looks at a fake interpreter's thread as the sampler does, with a recorder that
 * writes a file. */
#ifndef HASTEN_TESTS_WALK_FIXTURE_H
#define HASTEN_TESTS_WALK_FIXTURE_H

#include "core/sampling/thread.h"
#include "fake_python.h"

struct walk_fixture {
    struct fake_python *python;
    struct hasten_recorder *recorder;
    struct hasten_codes codes;
    struct hasten_edges edges;
    struct hasten_walk walk;
    struct hasten_interp interp;
    struct hasten_thread_watch *thread;
    struct hasten_thread_context context;
    uint64_t retried;
    bool native;
};

/* The recorder stays the caller's. */
__attribute__((unused)) static hasten_status
walk_fixture_init(struct walk_fixture *fixture, struct fake_python *python,
                  struct hasten_recorder *recorder, const struct hasten_allocator *allocator) {
    const struct hasten_interpreter *interpreter = &python->interpreter;
    struct hasten_process_info info = {.pid = interpreter->pid,
                                       .python_version = interpreter->version_hex,
                                       .command = "fake",
                                       .executable = "fake",
                                       .label = "main"};
    *fixture = (struct walk_fixture){.python = python, .recorder = recorder};
    hasten_walk_init(&fixture->walk, allocator);
    hasten_edges_init(&fixture->edges, allocator);
    hasten_codes_init(&fixture->codes, recorder, allocator);
    hasten_codes_reset(&fixture->codes, interpreter);
    fixture->context = (struct hasten_thread_context){
        .interpreter = interpreter,
        .codes = &fixture->codes,
        .edges = &fixture->edges,
        .recorder = recorder,
        .walk = &fixture->walk,
        .retried = &fixture->retried,
    };
    hasten_status status = hasten_interp_init(&fixture->interp, interpreter, python->interp);
    if (status == HASTEN_OK)
        status = hasten_thread_new(interpreter, &fixture->interp, python->thread, allocator,
                                   &fixture->thread);
    if (status == HASTEN_OK)
        status = hasten_recorder_process(recorder, &info, &fixture->context.process);
    return status;
}

__attribute__((unused)) static void walk_fixture_done(struct walk_fixture *fixture) {
    hasten_thread_free(fixture->thread);
    hasten_codes_done(&fixture->codes);
    hasten_edges_done(&fixture->edges);
    hasten_walk_done(&fixture->walk);
}

__attribute__((unused)) static hasten_status walk_fixture_look(struct walk_fixture *fixture) {
    struct hasten_pulse pulse;
    /* No read is long for the sampler: what it does of long ones depends on the machine's load. */
    for (int i = 0; i < 2; i++)
        fixture->thread->snapshot.usual[i].mean_ns = INT64_C(3600000000000);
    fixture->retried = 0;
    return hasten_thread_look(fixture->thread, &fixture->context, &fixture->native, &pulse);
}

#endif
