/* SPDX-License-Identifier: MIT
 *
 * One side of a benchmark: what is run, by which interpreter, in which
 * environment. A side is only read while it is measured. */
#ifndef HASTEN_CLI_BENCH_SIDE_H
#define HASTEN_CLI_BENCH_SIDE_H

#include <stdbool.h>
#include <stdint.h>

/* GROWING is of `hasten complexity`: a function that is asked size by size. */
enum bench_kind { BENCH_STATEMENT, BENCH_FUNCTION, BENCH_COMMAND, BENCH_GROWING };

struct bench_side {
    enum bench_kind kind;
    char label[256];       /* how the user calls it */
    const char *python;    /* the interpreter; not for commands */
    const char *directory; /* where it runs; NULL: here */
    const char *variable;  /* "NAME=VALUE" on top of the environment; NULL: none */
    bool leaves_gc_on;
    const char *setup; /* statements */
    const char *statement;
    const char *file;     /* functions; of GROWING "module:function" */
    const char *generate; /* of GROWING: what makes its inputs, "" where nothing does */
    char function[200];
    uint32_t parameter;
    char **command; /* ends with NULL */
};

/* What one process of a side has at random: both sides of a pair have the same. */
struct bench_chance {
    uint32_t hash_seed;
    uint32_t padding; /* bytes that the environment is longer */
};

/* One block: so many executions in a row, timed together. */
struct bench_block {
    double each_ns;    /* time of one execution */
    uint32_t switches; /* that the kernel made of its own accord */
    uint32_t collections;
    uint32_t stolen_ticks; /* that the machine's host took, all processors */
    uint64_t peak_kb;      /* of a command */
};

#endif
