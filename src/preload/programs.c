/* SPDX-License-Identifier: MIT
 *
 * Programs that begin: they get the environment that the command gave this one, and
 * where this process becomes the other program, its part is written before. The C library
 * starts shells by itself (system, popen), with the environment that the program sees: their
 * command says first what they are to export. */
#include <alloca.h>
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/heap.h"
#include "preload/real.h"
#include "preload/settings.h"

/* On the caller's stack: after vfork nothing else may be touched. */
#define ROOM_FOR(environment) alloca(hasten_settings_room(environment) * sizeof(char *))

HASTEN_EXPORT int system(const char *command) {
    hasten_real_find();
    char *longer = command == NULL ? NULL : hasten_settings_command(command);
    const int answer = hasten_real.system(longer == NULL ? command : longer);
    const int error_number = errno;
    hasten_real.free(longer);
    errno = error_number;
    return answer;
}

HASTEN_EXPORT FILE *popen(const char *command, const char *type) {
    hasten_real_find();
    char *longer = command == NULL ? NULL : hasten_settings_command(command);
    FILE *answer = hasten_real.popen(longer == NULL ? command : longer, type);
    const int error_number = errno;
    hasten_real.free(longer);
    errno = error_number;
    return answer;
}

static const char *path_of(const char *file) {
    return strchr(file, '/') == NULL ? NULL : file;
}

static int execute(const char *path, char *const arguments[], char *const environment[]) {
    struct hasten_settings_list list;
    char **room = ROOM_FOR(environment);
    hasten_real_find();
    hasten_heap_finish(HASTEN_HEAP_MAY_END);
    return hasten_real.execve(path, arguments, hasten_settings_for(path, environment, room, &list));
}

static int execute_found(const char *file, char *const arguments[], char *const environment[]) {
    struct hasten_settings_list list;
    char **room = ROOM_FOR(environment);
    hasten_real_find();
    hasten_heap_finish(HASTEN_HEAP_MAY_END);
    return hasten_real.execvpe(file, arguments,
                               hasten_settings_for(path_of(file), environment, room, &list));
}

HASTEN_EXPORT int execve(const char *path, char *const arguments[], char *const environment[]) {
    return execute(path, arguments, environment);
}

HASTEN_EXPORT int execv(const char *path, char *const arguments[]) {
    return execute(path, arguments, environ);
}

HASTEN_EXPORT int execvp(const char *file, char *const arguments[]) {
    return execute_found(file, arguments, environ);
}

HASTEN_EXPORT int execvpe(const char *file, char *const arguments[], char *const environment[]) {
    return execute_found(file, arguments, environment);
}

HASTEN_EXPORT int fexecve(int file, char *const arguments[], char *const environment[]) {
    struct hasten_settings_list list;
    char **room = ROOM_FOR(environment);
    hasten_real_find();
    hasten_heap_finish(HASTEN_HEAP_MAY_END);
    return hasten_real.fexecve(file, arguments,
                               hasten_settings_for(NULL, environment, room, &list));
}

/* Arguments of execl and its kin, up to the NULL. */
static size_t count_arguments(va_list more) {
    size_t count = 1;
    while (va_arg(more, const char *) != NULL) {
        count++;
    }
    return count;
}

static void copy_arguments(char **into, const char *first, size_t count, va_list more) {
    into[0] = (char *)first;
    for (size_t i = 1; i <= count; i++) {
        into[i] = va_arg(more, char *); /* the last one is the NULL */
    }
}

/* `arguments` and `more`, behind them. */
#define GATHER(first)                                                 \
    va_list more;                                                     \
    va_start(more, first);                                            \
    size_t argument_count = count_arguments(more);                    \
    va_end(more);                                                     \
    char **arguments = alloca((argument_count + 1) * sizeof(char *)); \
    va_start(more, first);                                            \
    copy_arguments(arguments, first, argument_count, more)

HASTEN_EXPORT int execl(const char *path, const char *first, ...) {
    GATHER(first);
    va_end(more);
    return execute(path, arguments, environ);
}

HASTEN_EXPORT int execlp(const char *file, const char *first, ...) {
    GATHER(first);
    va_end(more);
    return execute_found(file, arguments, environ);
}

HASTEN_EXPORT int execle(const char *path, const char *first, ...) {
    GATHER(first);
    char *const *environment = va_arg(more, char *const *);
    va_end(more);
    return execute(path, arguments, environment);
}

HASTEN_EXPORT int posix_spawn(pid_t *pid, const char *path,
                              const posix_spawn_file_actions_t *actions,
                              const posix_spawnattr_t *attributes, char *const arguments[],
                              char *const environment[]) {
    struct hasten_settings_list list;
    char **room = ROOM_FOR(environment);
    hasten_real_find();
    return hasten_real.posix_spawn(pid, path, actions, attributes, arguments,
                                   hasten_settings_for(path, environment, room, &list));
}

HASTEN_EXPORT int posix_spawnp(pid_t *pid, const char *file,
                               const posix_spawn_file_actions_t *actions,
                               const posix_spawnattr_t *attributes, char *const arguments[],
                               char *const environment[]) {
    struct hasten_settings_list list;
    char **room = ROOM_FOR(environment);
    hasten_real_find();
    return hasten_real.posix_spawnp(pid, file, actions, attributes, arguments,
                                    hasten_settings_for(path_of(file), environment, room, &list));
}
