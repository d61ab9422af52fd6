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
    /* Of another revision (cli/revision/revision.h), before `variable`; NULL: none. */
    const char *const *settings;
    bool leaves_gc_on;
    const char *verb;  /* the command that speaks of it; NULL: bench, or complexity of GROWING */
    bool unrolls;      /* statements: differences of loops of k and 2k copies */
    const char *setup; /* statements */
    const char *statement;
    const char *file;     /* functions; of GROWING "module:function" */
    const char *generate; /* of GROWING: what makes its inputs, "" where nothing does */
    char function[200];
    uint32_t parameter;
    char **command; /* ends with NULL */
};

/* How a process is started that is not timed, but counted in. */
struct bench_instrument {
    const char *library;  /* loaded first; NULL: none */
    const char *counters; /* what it is told, in the environment */
    char *const *prefix;  /* words before the interpreter's or command's; NULL: none */
    bool is_fixed;        /* it lies at the same addresses each time */
    bool is_quiet;        /* what goes wrong is not said, nor what it says */
};

/* What one process of a side has at random: both sides of a pair have the same. */
struct bench_chance {
    uint32_t hash_seed;
    uint32_t padding;                          /* bytes that the environment is longer */
    const struct bench_instrument *instrument; /* NULL: it is timed */
};

/* What else an execution takes, counted apart from its time. */
enum bench_amount_id {
    BENCH_PEAK_BYTES,      /* most alive at once, above what was alive before */
    BENCH_ALLOCATED_BYTES, /* in all, whether it was freed or not */
    BENCH_INSTRUCTIONS,    /* of the processor */
    BENCH_BYTECODES,
    BENCH_AMOUNTS
};

struct bench_amount {
    bool is_known;
    double value;
};

/* One block: so many executions in a row, timed together. */
struct bench_block {
    double each_ns;    /* time of one execution */
    uint32_t switches; /* that the kernel made of its own accord */
    uint32_t collections;
    uint32_t frequency_khz; /* of the processor; 0: unknown */
    uint32_t stolen_ticks;  /* that the machine's host took, all processors */
    uint64_t peak_kb;       /* of a command */
};

#endif
