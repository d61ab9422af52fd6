/* SPDX-License-Identifier: MIT
 *
 * Both sides of a round on one processor. They run in turns, so that neither takes
 * it from the other, and what else that processor or its hyper-thread does meets
 * both. On a machine with five busy processes a processor, rounds of equal sides
 * differed by 3.3 % so and by 13 % without. What runs several threads or processes
 * is left alone: there it would change what is measured. */
#ifndef HASTEN_CLI_BENCH_PIN_H
#define HASTEN_CLI_BENCH_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/stats/random.h"

/* Whether the process has one thread and no children. */
bool bench_is_single(pid_t pid);
/* Nanoseconds that its main thread has waited for a processor so far; 0 where the kernel does
 * not say, and of no process. */
double bench_waited_ns(pid_t pid);
/* Puts these processes on one processor of those that hasten may use, and answers
 * which; -1 where none could be chosen. */
int bench_pin(const pid_t *pids, size_t count, struct hasten_random *random);
/* Puts them on all the others, where there are any: they get ready meanwhile. With
 * -1 on all that hasten may use. */
void bench_pin_elsewhere(const pid_t *pids, size_t count, int processor);

#endif
