/* SPDX-License-Identifier: MIT
 *
 * Threads and children as /proc has them, and the affinity of processes. */
#include "cli/bench/pin.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>

bool bench_is_single(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    size_t entries = 0;
    while (tasks != NULL && readdir(tasks) != NULL) {
        entries++; /* "." and ".." too */
    }
    if (tasks != NULL) {
        closedir(tasks);
    }
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *children = fopen(path, "re");
    if (children == NULL) {
        return false; /* gone, or the kernel does not say */
    }
    bool has_child = fgetc(children) != EOF;
    fclose(children);
    return entries == 3 && !has_child;
}

double bench_waited_ns(pid_t pid) {
    char path[64];
    unsigned long long ran_ns = 0, waited_ns = 0;
    if (pid <= 0) {
        return 0; /* a command, which runs in another one each time */
    }
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    bool is_known = file != NULL && fscanf(file, "%llu %llu", &ran_ns, &waited_ns) == 2;
    if (file != NULL) {
        fclose(file);
    }
    return is_known ? (double)waited_ns : 0;
}

/* Where it fails the process is gone, which is found out when it is asked. */
static void move(const pid_t *pids, size_t count, const cpu_set_t *processors) {
    for (size_t i = 0; i < count; i++) {
        (void)sched_setaffinity(pids[i], sizeof *processors, processors);
    }
}

int bench_pin(const pid_t *pids, size_t count, struct hasten_random *random) {
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return -1; /* more processors than the set can hold: nothing is pinned */
    }
    uint32_t chosen = hasten_random_below(random, (uint32_t)CPU_COUNT(&allowed));
    for (int processor = 0; processor < CPU_SETSIZE; processor++) {
        if (CPU_ISSET(processor, &allowed) && chosen-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(processor, &one);
            move(pids, count, &one);
            return processor;
        }
    }
    return -1;
}

void bench_pin_elsewhere(const pid_t *pids, size_t count, int processor) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return;
    }
    if (processor >= 0 && CPU_COUNT(&allowed) > 1) {
        CPU_CLR(processor, &allowed);
    }
    move(pids, count, &allowed);
}
