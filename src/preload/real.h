/* SPDX-License-Identifier: MIT
 *
 * The functions that ours stand in front of: the next ones of their names, which need
 * not be the C library's. */
#ifndef HASTEN_PRELOAD_REAL_H
#define HASTEN_PRELOAD_REAL_H

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define HASTEN_EXPORT __attribute__((visibility("default")))

/* X(answer, name, parameters). */
#define HASTEN_REAL_MAP(X)                                                                   \
    X(void *, malloc, (size_t))                                                              \
    X(void, free, (void *))                                                                  \
    X(void *, calloc, (size_t, size_t))                                                      \
    X(void *, realloc, (void *, size_t))                                                     \
    X(void *, memalign, (size_t, size_t))                                                    \
    X(void *, aligned_alloc, (size_t, size_t))                                               \
    X(int, posix_memalign, (void **, size_t, size_t))                                        \
    X(void *, valloc, (size_t))                                                              \
    X(void *, pvalloc, (size_t))                                                             \
    X(void *, mmap, (void *, size_t, int, int, int, off_t))                                  \
    X(int, munmap, (void *, size_t))                                                         \
    X(void *, mremap, (void *, size_t, size_t, int, ...))                                    \
    X(void, _exit, (int))                                                                    \
    X(int, execve, (const char *, char *const[], char *const[]))                             \
    X(int, execvpe, (const char *, char *const[], char *const[]))                            \
    X(int, fexecve, (int, char *const[], char *const[]))                                     \
    X(int, posix_spawn,                                                                      \
      (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, \
       char *const[], char *const[]))                                                        \
    X(int, system, (const char *))                                                           \
    X(FILE *, popen, (const char *, const char *))                                           \
    X(int, posix_spawnp,                                                                     \
      (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, \
       char *const[], char *const[]))

struct hasten_real {
/* A declaration: its parts cannot stand in parentheses. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define HASTEN_REAL_FIELD(answer, name, parameters) answer(*name) parameters;
    HASTEN_REAL_MAP(HASTEN_REAL_FIELD)
#undef HASTEN_REAL_FIELD
};

/* malloc, free, calloc and realloc can be called from the beginning; the first call finds
 * them all. The others: after hasten_real_find. */
extern struct hasten_real hasten_real;
void hasten_real_find(void);
/* A block that was given out while they were looked for: not to be freed. */
bool hasten_real_is_early(const void *block);
/* Copies such a block, or its first `size` bytes. */
void hasten_real_copy_early(void *into, const void *block, size_t size);

#endif
