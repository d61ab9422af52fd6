/* SPDX-License-Identifier: MIT
 *
 * What `hasten doctor` finds out. Only looks; prints nothing. */
#ifndef HASTEN_CLI_DOCTOR_CHECKS_H
#define HASTEN_CLI_DOCTOR_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

enum check_verdict {
    CHECK_GOOD,
    CHECK_NOTE, /* works, with a limit worth knowing */
    CHECK_BAD,  /* something does not work */
};

struct check {
    char name[32];
    enum check_verdict verdict;
    char found[256];
    char advice[384]; /* "" where nothing is to be done */
};

#define CHECKS_MOST 64

struct checks {
    struct check rows[CHECKS_MOST];
    size_t count;
};

/* Adds a row and returns it with `found` formatted; the last row again when full. */
struct check *checks_add(struct checks *checks, const char *name, enum check_verdict verdict,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The kernel: version, ptrace scope, capabilities, seccomp, namespaces, container,
 * children of processes, reading a child's memory. */
void checks_kernel(struct checks *checks);
/* The interpreters of this machine and whether sampling each works. Answers how
 * many do. */
size_t checks_interpreters(struct checks *checks);

#endif
