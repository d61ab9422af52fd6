/* SPDX-License-Identifier: MIT
 *
 * The profile: a tree of stacks with metrics on its nodes. Every producer
 * fills it (through a recording), every consumer reads it.
 *
 * A profile owns everything it points to; the arrays are read-only to callers
 * and live until hasten_profile_free. Identifiers are indexes into the arrays.
 * Entry 0 of `strings` is "", entry 0 of `nodes` is the root (no code, its own
 * parent). A parent's index is always smaller than its children's. */
#ifndef HASTEN_PROFILE_H
#define HASTEN_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

struct hasten_allocator;

#define HASTEN_NONE UINT32_MAX

/* What a thread was doing when it was looked at. X(name, metric, sentence).
 * The order is part of the recording's format: add at the end only. */
#define HASTEN_STATE_MAP(X)                                           \
    X(RUNNING_GIL, "time.running_gil", "running and holding the GIL") \
    X(RUNNING, "time.running", "running without the GIL")             \
    X(WAIT_GIL, "time.wait_gil", "waiting for the GIL")               \
    X(WAIT_FILE, "time.wait_file", "waiting for a file")              \
    X(WAIT_NETWORK, "time.wait_network", "waiting for a socket")      \
    X(WAIT_LOCK, "time.wait_lock", "waiting for a lock")              \
    X(WAIT_SLEEP, "time.wait_sleep", "sleeping")                      \
    X(WAIT_OTHER, "time.wait_other", "waiting for something else")    \
    X(UNKNOWN, "time.unknown", "the kernel did not say")

enum hasten_state {
#define HASTEN_STATE_ENUM(name, metric, sentence) HASTEN_STATE_##name,
    HASTEN_STATE_MAP(HASTEN_STATE_ENUM)
#undef HASTEN_STATE_ENUM
        HASTEN_STATE_COUNT
};

/* Bits beside the state. */
#define HASTEN_FLAG_GC 0x10     /* the collector was running */
#define HASTEN_FLAG_NATIVE 0x20 /* the leaf was inside a C function */
#define HASTEN_STATE_MASK 0x0f

/* One code object as it was when first seen. Strings index `strings`. */
struct hasten_code {
    uint32_t process;        /* the process it was first seen in */
    uint32_t file;           /* co_filename */
    uint32_t name;           /* co_name */
    uint32_t qualname;       /* co_qualname */
    uint32_t function;       /* index into `functions`, made when loading */
    int32_t first_line;      /* co_firstlineno */
    uint32_t linetable_size; /* bytes of co_linetable (3.11+ location table) */
    const uint8_t *linetable;
};

/* Code objects with the same file, qualified name and first line. */
struct hasten_function {
    uint32_t file;
    uint32_t qualname;
    int32_t first_line;
};

struct hasten_node {
    uint32_t parent;
    uint32_t code;        /* HASTEN_NONE at the root */
    uint32_t instruction; /* offset in code units (2 bytes) from the code's start */
};

struct hasten_location { /* lines and columns count from 1; 0 is unknown */
    int32_t line;
    int32_t end_line;
    int32_t column;
    int32_t end_column;
};

struct hasten_process {
    uint32_t pid;
    uint32_t parent_pid;
    uint32_t python_version; /* PY_VERSION_HEX */
    uint32_t command;        /* string: the command line, shell-quoted */
    uint32_t executable;     /* string */
    uint32_t label;          /* string: "main", "fork", "spawn", "exec: ..." */
    uint64_t start_ns;       /* since the recording's start */
    uint64_t end_ns;
};

struct hasten_thread {
    uint32_t process;
    uint32_t tid;  /* the kernel's */
    uint32_t name; /* string */
    uint32_t is_main;
    uint64_t start_ns; /* first and last time it was seen */
    uint64_t end_ns;
    uint64_t samples;
};

/* A metric is a name, a unit ("ns", "1", "bytes") and a sentence. Producers
 * add metrics by name; consumers ignore those they do not know. */
struct hasten_metric {
    uint32_t name;
    uint32_t unit;
    uint32_t description;
};

/* One number on one node: the node's own ("self") amount. */
struct hasten_value {
    uint32_t node;
    uint32_t thread;
    uint32_t metric;
    uint32_t reserved;
    int64_t amount;
};

/* An amount at a moment. */
struct hasten_point {
    uint64_t time_ns; /* since the recording's start */
    int64_t value;
};

/* An amount of a process over time ("rss.bytes"). Points are in order of time, no
 * two of them at the same time. */
struct hasten_series {
    uint32_t process;
    uint32_t name;
    uint32_t unit;
    uint32_t description;
    struct hasten_point *points;
    size_t point_count;
    size_t point_capacity; /* private */
};

/* A named fact about the run, as text ("samples.failed" = "3"). */
struct hasten_fact {
    uint32_t name;
    uint32_t value;
};

struct hasten_profile {
    const struct hasten_allocator *allocator;
    const char **strings;
    size_t string_count;
    struct hasten_fact *facts;
    size_t fact_count;
    struct hasten_process *processes;
    size_t process_count;
    struct hasten_thread *threads;
    size_t thread_count;
    struct hasten_code *codes;
    size_t code_count;
    struct hasten_function *functions;
    size_t function_count;
    struct hasten_node *nodes;
    size_t node_count;
    struct hasten_metric *metrics;
    size_t metric_count;
    struct hasten_value *values;
    size_t value_count;
    struct hasten_series *series;
    size_t series_count;
    void *storage; /* private */
};

void hasten_profile_free(struct hasten_profile *profile);

/* The index of a metric by name, HASTEN_NONE where the profile has none. */
uint32_t hasten_profile_metric(const struct hasten_profile *profile, const char *name);
/* A fact's text, or NULL. */
const char *hasten_profile_fact(const struct hasten_profile *profile, const char *name);
/* Decodes the code's location table at `instruction`. Damaged or absent tables
 * give the code's first line and unknown columns; never fails. */
struct hasten_location hasten_code_location(const struct hasten_code *code, uint32_t instruction);

#endif
