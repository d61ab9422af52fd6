/* SPDX-License-Identifier: MIT
 *
 * The profile of a traced program, with recursion through two functions, functions
 * of C, and two threads. */
#ifndef HASTEN_TESTS_TRACED_FIXTURE_H
#define HASTEN_TESTS_TRACED_FIXTURE_H

#include "report_fixture.h"

/* A node with its calls and its own time. */
__attribute__((unused)) static uint32_t fixture_calls(struct fixture *fixture, uint32_t parent,
                                                      uint32_t code, uint32_t thread, int64_t calls,
                                                      int64_t self_ns) {
    uint32_t node = fixture_node(fixture, parent, code, 0);
    fixture_value(fixture, node, thread, "trace.calls", calls);
    fixture_value(fixture, node, thread, "trace.self", self_ns);
    return node;
}

/* main -> even -> odd -> even -> odd; main -> len, time.sleep; a thread: work -> even.
 * even: 5 calls, 3 of them primitive. */
__attribute__((unused)) static struct hasten_profile *traced_profile(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_fact(&fixture, "command", "python app.py");
    fixture_fact(&fixture, "mode", "trace");
    fixture_fact(&fixture, "duration_ns", "2000000000");
    fixture_fact(&fixture, "target.cpu_ns", "900000000");
    fixture_fact(&fixture, "directory", "/srv/app");
    fixture_fact(&fixture, "exit.status", "0");
    uint32_t process = fixture_process(&fixture, 10, 1, "main");
    uint32_t main_thread = fixture_thread(&fixture, process, "MainThread", true, 0);
    uint32_t worker = fixture_thread(&fixture, process, "worker", false, 0);
    uint32_t main_code = fixture_code(&fixture, "/srv/app/app.py", "main", 20);
    uint32_t even = fixture_code(&fixture, "/srv/app/parity.py", "Number.even", 3);
    uint32_t odd = fixture_code(&fixture, "/srv/app/parity.py", "Number.odd", 9);
    uint32_t length = fixture_code(&fixture, "~", "<built-in method builtins.len>", 0);
    uint32_t sleep = fixture_code(&fixture, "~", "<built-in method time.sleep>", 0);
    uint32_t append = fixture_code(&fixture, "~", "<method 'append' of 'list' objects>", 0);
    uint32_t work = fixture_code(&fixture, "/srv/app/app.py", "main.<locals>.work", 40);

    uint32_t top = fixture_calls(&fixture, 0, main_code, main_thread, 1, 200 * MS);
    uint32_t node = fixture_calls(&fixture, top, even, main_thread, 2, 300 * MS);
    node = fixture_calls(&fixture, node, odd, main_thread, 2, 50 * MS);
    node = fixture_calls(&fixture, node, even, main_thread, 2, 40 * MS);
    node = fixture_calls(&fixture, node, odd, main_thread, 2, 10 * MS);
    fixture_calls(&fixture, node, length, main_thread, 1000000, 90 * MS);
    fixture_calls(&fixture, top, sleep, main_thread, 1, 1000 * MS);
    fixture_calls(&fixture, top, append, main_thread, 3, 1234);
    node = fixture_calls(&fixture, 0, work, worker, 1, 7 * MS);
    fixture_calls(&fixture, node, even, worker, 1, 3 * MS);
    return fixture_take(&fixture);
}

#endif
