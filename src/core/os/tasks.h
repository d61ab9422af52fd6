/* SPDX-License-Identifier: MIT
 *
 * Threads and children of a process, by number and name. */
#ifndef HASTEN_OS_TASKS_H
#define HASTEN_OS_TASKS_H

#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

/* Calls `visit` with each thread's identifier (ours, not the process's own pid
 * namespace's) until it answers nonzero. */
HASTEN_CHECKED hasten_status hasten_tasks_visit(uint32_t pid,
                                                int (*visit)(void *context, uint32_t tid),
                                                void *context);
/* Calls `visit` with the pid of each live child of any of the process's threads.
 * NOT_FOUND where the kernel does not tell (no CONFIG_PROC_CHILDREN). */
HASTEN_CHECKED hasten_status hasten_tasks_children(uint32_t pid,
                                                   int (*visit)(void *context, uint32_t child),
                                                   void *context);
/* The thread's name as the kernel has it; "" where it has ended. */
void hasten_tasks_name(uint32_t pid, uint32_t tid, char *ret_name, size_t size);
/* Our number for the thread that calls itself `inner_tid` in the process's pid
 * namespace; the same number where there is only one namespace. 0: no such thread. */
uint32_t hasten_tasks_outer(uint32_t pid, uint32_t inner_tid);
/* A number that changes when any process or thread is started on the machine, so
 * that children are only looked for when there may be new ones. `descriptor` is
 * one of hasten_tasks_births_open; 0 where the kernel does not tell. */
int hasten_tasks_births_open(void);
uint32_t hasten_tasks_births(int descriptor);

#endif
