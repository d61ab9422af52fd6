/* SPDX-License-Identifier: MIT
 *
 * Starting the processes that are measured, and what the kernel says of them. */
#ifndef HASTEN_CLI_BENCH_SPAWN_H
#define HASTEN_CLI_BENCH_SPAWN_H

#include <sys/resource.h>
#include <sys/types.h>

#include "cli/bench/side.h"

/* Runs `arguments` for the side in a process group of its own, without input, its
 * standard output thrown away, its standard error going to `errors` (-1: nowhere).
 * `keep` are descriptors it inherits (-1: none).
 * Ends when hasten ends. False after saying why it does not start. */
bool bench_spawn(const struct bench_side *side, const struct bench_chance *chance,
                 char *const *arguments, const int keep[2], int errors, pid_t *ret_pid);
/* How long to wait at most before looking whether a stop was asked for: a signal that came
 * just before the waiting does not end it. */
#define BENCH_LOOK_MS 200
/* Waits up to `patience_s` for its end. False: it goes on, or a stop was asked for. */
bool bench_wait(pid_t pid, double patience_s, int *ret_status, struct rusage *ret_usage);
/* Ends it and what it has started, and collects it. */
void bench_kill(pid_t pid);

/* Ticks that the host of a virtual machine took so far; 0 where it does not say. */
uint64_t bench_stolen_ticks(void);

/* What this processor runs at now; 0 where the kernel does not say. */
uint32_t bench_frequency_khz(int processor);

#endif
