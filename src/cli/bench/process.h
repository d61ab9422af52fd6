/* SPDX-License-Identifier: MIT
 *
 * A process of a side: started, told to run blocks, ended. Of a command each block
 * is a process of its own, and starting does nothing. */
#ifndef HASTEN_CLI_BENCH_PROCESS_H
#define HASTEN_CLI_BENCH_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#include "cli/bench/side.h"

struct bench_process {
    const struct bench_side *side;
    struct bench_chance chance;
    double patience_s; /* a block that takes longer hangs */
    pid_t pid;         /* 0: none */
    int to, from;
    int errors;       /* a file in memory with its standard error; -1: none */
    char digest[16];  /* of what it returned; "-": cannot be told */
    bool prints;      /* when it was executed first */
    char changed[64]; /* a name whose value it changed; "-": none */
    char pending[512];
    size_t pending_size;
    bool is_late; /* it was ended because it took longer than there is patience for */
};

/* All answer false after saying what is wrong; the process is ended then. Starting
 * does not wait: two sides get ready at the same time, on two processors. */
bool bench_process_start(struct bench_process *process, const struct bench_side *side,
                         const struct bench_chance *chance, double patience_s);
bool bench_process_ready(struct bench_process *process);
/* Whether bench_process_ready would not have to wait. */
bool bench_process_answers(const struct bench_process *process);
bool bench_process_block(struct bench_process *process, uint64_t loops,
                         struct bench_block *ret_block);
/* The loop that a block is, without what it executes. */
bool bench_process_empty(struct bench_process *process, uint64_t loops);
/* One execution in which something is counted: "memory", "bytecodes". -1: it cannot be. */
bool bench_process_count(struct bench_process *process, const char *what, int64_t *ret_number);
/* Lets it come to its own end: what counts in it writes then. */
bool bench_process_finish(struct bench_process *process);
/* Of GROWING: sends a line and waits for the answer's. */
bool bench_process_ask(struct bench_process *process, const char *question, char *ret_answer,
                       size_t size);
void bench_process_end(struct bench_process *process);

/* "bench", or which command it is that speaks of the side. */
const char *bench_verb(const struct bench_side *side);

/* Calls `found` for every function of a file of benchmarks. The label is how it is called
 * ("list"), or its budget ("budgets": bytes, nanoseconds, a class, each "-" where there is
 * none). */
typedef bool bench_found(void *context, const char *function, uint32_t parameter,
                         const char *label);
bool bench_process_list(const struct bench_side *side, const char *what, double patience_s,
                        bench_found *found, void *context);

#endif
