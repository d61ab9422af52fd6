/* SPDX-License-Identifier: MIT
 *
 * Threads and children from Linux's procfs. */
#include "core/os/tasks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/os/procfs.h"

hasten_status hasten_tasks_visit(uint32_t pid, int (*visit)(void *context, uint32_t tid),
                                 void *context) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/task", pid);
    DIR *folder = opendir(path);
    if (!folder)
        return errno == ENOENT ? HASTEN_NO_PROCESS : HASTEN_IO;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        if (tid != 0 && visit(context, tid) != 0)
            break;
    }
    closedir(folder);
    return HASTEN_OK;
}

/* Reads /proc/PID/task/TID/NAME as text; false where it cannot. */
static bool read_task_file(uint32_t pid, uint32_t tid, const char *name, char *ret_text,
                           size_t size) {
    char path[40];
    snprintf(path, sizeof path, "task/%u/%s", tid, name);
    return hasten_procfs_read(pid, path, ret_text, size, NULL) == HASTEN_OK;
}

/* Whether this kernel lists children at all: it would list our own. */
static bool lists_children(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%u/children", (unsigned)getpid());
    return access("/proc/self/task", F_OK) != 0 || access(path, F_OK) == 0;
}

struct children_search {
    uint32_t pid;
    int (*visit)(void *context, uint32_t child);
    void *context;
    hasten_status status;
};

static int visit_children_of_task(void *context, uint32_t tid) {
    struct children_search *search = context;
    char text[16384];
    if (!read_task_file(search->pid, tid, "children", text, sizeof text)) {
        if (tid == search->pid && !lists_children())
            search->status = HASTEN_NOT_FOUND;
        return search->status != HASTEN_OK;
    }
    for (char *at = text; *at;) {
        char *end;
        unsigned long child = strtoul(at, &end, 10);
        if (end == at)
            break;
        if (search->visit(search->context, (uint32_t)child) != 0)
            return 1;
        at = end;
    }
    return 0;
}

hasten_status hasten_tasks_children(uint32_t pid, int (*visit)(void *context, uint32_t child),
                                    void *context) {
    struct children_search search = {pid, visit, context, HASTEN_OK};
    hasten_status status = hasten_tasks_visit(pid, visit_children_of_task, &search);
    return status != HASTEN_OK ? status : search.status;
}

void hasten_tasks_name(uint32_t pid, uint32_t tid, char *ret_name, size_t size) {
    char text[64];
    if (!read_task_file(pid, tid, "comm", text, sizeof text))
        text[0] = 0;
    text[strcspn(text, "\n")] = 0;
    snprintf(ret_name, size, "%s", text);
}

/* The last number of the "NSpid:" line: the identifier in the innermost
 * namespace. 0 where the thread has ended. */
static uint32_t inner_number(uint32_t pid, uint32_t tid) {
    char text[4096];
    if (!read_task_file(pid, tid, "status", text, sizeof text))
        return 0;
    const char *line = strstr(text, "\nNSpid:");
    if (!line)
        return tid;
    uint32_t last = 0;
    for (const char *at = line + strlen("\nNSpid:");;) {
        char *end;
        unsigned long number = strtoul(at, &end, 10);
        if (end == at || *at == '\n')
            break;
        last = (uint32_t)number;
        at = end;
        if (*at == '\n')
            break;
    }
    return last;
}

struct outer_search {
    uint32_t pid, inner, found;
};

static int match_inner(void *context, uint32_t tid) {
    struct outer_search *search = context;
    if (inner_number(search->pid, tid) != search->inner)
        return 0;
    search->found = tid;
    return 1;
}

uint32_t hasten_tasks_outer(uint32_t pid, uint32_t inner_tid) {
    struct outer_search search = {pid, inner_tid, 0};
    if (inner_number(pid, inner_tid) == inner_tid)
        return inner_tid;
    if (hasten_tasks_visit(pid, match_inner, &search) != HASTEN_OK)
        return 0;
    return search.found;
}

int hasten_tasks_births_open(void) {
    return open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
}

uint32_t hasten_tasks_births(int descriptor) {
    char text[96];
    ssize_t size = descriptor < 0 ? -1 : pread(descriptor, text, sizeof text - 1, 0);
    if (size <= 0)
        return 0;
    text[size] = 0;
    const char *last = strrchr(text, ' '); /* "... runnable/all last-pid\n" */
    return last ? (uint32_t)strtoul(last + 1, NULL, 10) : 0;
}
