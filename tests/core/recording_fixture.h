/* SPDX-License-Identifier: MIT
 *
 * A small program's recording, for the tests of recordings: two processes, three
 * threads, recursion, every kind of definition, samples, values and points. */
#ifndef HASTEN_TESTS_RECORDING_FIXTURE_H
#define HASTEN_TESTS_RECORDING_FIXTURE_H

#include <stdlib.h>
#include <unistd.h>

#include "hasten/recorder.h"
#include "hasten/recording.h"

#define FIXTURE_INTERVAL_NS 1000000u
#define FIXTURE_NODES 6
#define FIXTURE_SAMPLES_PER_ROUND 4
#define FIXTURE_POINTS_PER_ROUND 3

/* One line of 4 code units, then one two lines below of 4: kind 13. */
static const uint8_t fixture_linetable[] = {0xeb, 0x00, 0xeb, 0x04};

struct fixture {
    uint32_t processes[2];
    uint32_t threads[3];
    uint32_t codes[3];
    uint32_t nodes[FIXTURE_NODES];
    uint32_t metric;
    uint32_t series[2];
    uint64_t slot;
};

/* A path in a new folder of its own; release with fixture_remove. */
__attribute__((unused)) static void fixture_path(char *ret_path, size_t size) {
    const char *base = getenv("TMPDIR");
    snprintf(ret_path, size, "%s/hasten-test-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(ret_path) == NULL) {
        perror(ret_path);
        abort();
    }
    strncat(ret_path, "/a.hasten", size - strlen(ret_path) - 1);
}

__attribute__((unused)) static void fixture_remove(const char *path) {
    char folder[512];
    unlink(path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    rmdir(folder);
}

__attribute__((unused)) static hasten_status fixture_processes(struct hasten_recorder *recorder,
                                                               struct fixture *fixture) {
    const struct hasten_process_info parent = {
        .pid = 100,
        .parent_pid = 1,
        .python_version = 0x030c01f0,
        .command = "python app.py 'a b'",
        .executable = "/usr/bin/python3.12",
        .label = "main",
    };
    struct hasten_process_info child = parent;
    child.pid = 101;
    child.parent_pid = 100;
    child.label = "fork";
    child.start_ns = 5 * FIXTURE_INTERVAL_NS;
    hasten_status status = hasten_recorder_process(recorder, &parent, &fixture->processes[0]);
    if (status == HASTEN_OK) {
        status = hasten_recorder_process(recorder, &child, &fixture->processes[1]);
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_thread(recorder, fixture->processes[0], 100, "MainThread", 1,
                                        &fixture->threads[0]);
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_thread(recorder, fixture->processes[0], 105, NULL, 0,
                                        &fixture->threads[1]);
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_thread(recorder, fixture->processes[1], 101, "MainThread", 1,
                                        &fixture->threads[2]);
    }
    return status;
}

__attribute__((unused)) static hasten_status fixture_codes(struct hasten_recorder *recorder,
                                                           struct fixture *fixture) {
    static const char *const names[3] = {"<module>", "Tree.walk", "h\xc3\xa9lper"};
    hasten_status status = HASTEN_OK;
    for (uint32_t i = 0; i < 3 && status == HASTEN_OK; i++) {
        const struct hasten_code_info info = {
            .process = fixture->processes[0],
            .file = i == 2 ? "/app/lib.py" : "/app/app.py",
            .name = names[i],
            .qualname = names[i],
            .first_line = (int32_t)(10 * i + 1),
            .linetable = fixture_linetable,
            .linetable_size = sizeof fixture_linetable,
        };
        status = hasten_recorder_code(recorder, &info, &fixture->codes[i]);
    }
    return status;
}

/* <module> -> walk -> walk -> helper, <module> -> helper at two places. */
__attribute__((unused)) static hasten_status fixture_nodes(struct hasten_recorder *recorder,
                                                           struct fixture *fixture) {
    static const struct {
        int parent, code;
        uint32_t instruction;
    } nodes[FIXTURE_NODES] = {{-1, 0, 2}, {0, 1, 1}, {1, 1, 5}, {2, 2, 0}, {0, 2, 0}, {0, 2, 6}};
    hasten_status status = HASTEN_OK;
    for (int i = 0; i < FIXTURE_NODES && status == HASTEN_OK; i++) {
        uint32_t parent = nodes[i].parent < 0 ? 0 : fixture->nodes[nodes[i].parent];
        status = hasten_recorder_node(recorder, parent, fixture->codes[nodes[i].code],
                                      nodes[i].instruction, &fixture->nodes[i]);
    }
    return status;
}

/* One of each process. */
__attribute__((unused)) static hasten_status fixture_series(struct hasten_recorder *recorder,
                                                            struct fixture *fixture) {
    static const char *const names[2] = {"rss.bytes", "heap.live.bytes"};
    hasten_status status = HASTEN_OK;
    for (int i = 0; i < 2 && status == HASTEN_OK; i++) {
        status = hasten_recorder_series(recorder, fixture->processes[i], names[i], "bytes",
                                        "memory over time", &fixture->series[i]);
    }
    return status;
}

/* Two points of one series and one of the other, times going to and fro. */
__attribute__((unused)) static hasten_status fixture_points(struct hasten_recorder *recorder,
                                                            const struct fixture *fixture) {
    const uint64_t now_ns = fixture->slot * FIXTURE_INTERVAL_NS;
    const int64_t value = (int64_t)fixture->slot * 1000;
    hasten_status status = hasten_recorder_point(recorder, fixture->series[0], now_ns, value);
    if (status == HASTEN_OK) {
        status =
            hasten_recorder_point(recorder, fixture->series[0], now_ns + 900, INT64_MAX - value);
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_point(recorder, fixture->series[1], now_ns + 5, -value);
    }
    return status;
}

/* One round: 4 samples in 2 slots, one value, three points. */
__attribute__((unused)) static hasten_status fixture_round(struct hasten_recorder *recorder,
                                                           struct fixture *fixture) {
    const uint32_t *nodes = fixture->nodes;
    const uint32_t *threads = fixture->threads;
    hasten_status status = hasten_recorder_sample(recorder, fixture->slot, threads[0], nodes[3],
                                                  HASTEN_STATE_RUNNING_GIL | HASTEN_FLAG_NATIVE, 1);
    if (status == HASTEN_OK) {
        status = hasten_recorder_sample(recorder, fixture->slot, threads[1], nodes[1],
                                        HASTEN_STATE_WAIT_LOCK, 2);
    }
    fixture->slot += 2;
    if (status == HASTEN_OK) {
        status = hasten_recorder_sample(recorder, fixture->slot, threads[0], nodes[5],
                                        HASTEN_STATE_RUNNING_GIL | HASTEN_FLAG_GC, 3);
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_sample(recorder, fixture->slot, threads[2], nodes[4],
                                        HASTEN_STATE_WAIT_NETWORK, 1);
    }
    fixture->slot += 1;
    if (status == HASTEN_OK) {
        status = hasten_recorder_value(recorder, nodes[2], threads[0], fixture->metric, -7);
    }
    return status == HASTEN_OK ? fixture_points(recorder, fixture) : status;
}

/* Everything above, `rounds` rounds with a flush after each; the caller closes. */
__attribute__((unused)) static hasten_status fixture_record(struct hasten_recorder *recorder,
                                                            int rounds, struct fixture *fixture) {
    *fixture = (struct fixture){0};
    hasten_status status = hasten_recorder_fact(recorder, "mode", "wall");
    if (status == HASTEN_OK) {
        status = fixture_processes(recorder, fixture);
    }
    if (status == HASTEN_OK) {
        status = fixture_codes(recorder, fixture);
    }
    if (status == HASTEN_OK) {
        status = fixture_nodes(recorder, fixture);
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_metric(recorder, "calls", "1", "calls made", &fixture->metric);
    }
    if (status == HASTEN_OK) {
        status = fixture_series(recorder, fixture);
    }
    for (int round = 0; round < rounds && status == HASTEN_OK; round++) {
        status = fixture_round(recorder, fixture);
        if (status == HASTEN_OK) {
            status = hasten_recorder_flush(recorder);
        }
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_thread_name(recorder, fixture->threads[1], "worker");
    }
    if (status == HASTEN_OK) {
        status = hasten_recorder_process_end(recorder, fixture->processes[1],
                                             50 * (uint64_t)FIXTURE_INTERVAL_NS);
    }
    return status;
}

#endif
