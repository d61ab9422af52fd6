/* SPDX-License-Identifier: MIT
 *
 * For developers and tests: prints what hasten finds in a process, as lines of
 * "name value", or its refusal as "status NAME" and "message TEXT". With
 * --watch, looks again and again until the process is gone, and prints a status
 * and message whenever the status changes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pyabi/interpreter.h"

static void print_layout(const struct hasten_layout *layout) {
#define PRINT(structure, field)                       \
    if (layout->structure##_##field != HASTEN_ABSENT) \
        printf("layout.%s.%s %" PRIu32 "\n", #structure, #field, layout->structure##_##field);
    HASTEN_LAYOUT_MAP(PRINT)
#undef PRINT
}

/* Looks at most so often; at some microseconds a look, much longer than any
 * process that is watched lives. */
#define LOOKS_MAX 20000000

static int watch(uint32_t pid) {
    static struct hasten_interpreter found;
    struct hasten_error error;
    int before = -1;

    for (int i = 0; i < LOOKS_MAX; i++) {
        error = (struct hasten_error){0};
        hasten_status status = hasten_interpreter_find(pid, &found, &error);
        if ((int)status != before)
            printf("status %s\nmessage %s\n", hasten_status_name(status), error.message);
        before = (int)status;
        if (status == HASTEN_NO_PROCESS)
            return 0;
    }
    return 1;
}

int main(int count, char **arguments) {
    static struct hasten_interpreter found;
    struct hasten_error error = {0};

    if (count < 2 || count > 3) {
        (void)fprintf(stderr, "usage: probe PID [--layout | --watch]\n");
        return 2;
    }
    uint32_t pid = (uint32_t)strtoul(arguments[1], NULL, 10);
    if (count == 3 && strcmp(arguments[2], "--watch") == 0)
        return watch(pid);
    hasten_status status = hasten_interpreter_find(pid, &found, &error);
    printf("status %s\n", hasten_status_name(status));
    if (status != HASTEN_OK) {
        printf("message %s\n", error.message);
        return 1;
    }
    printf("version 0x%08" PRIx32 "\n", found.version_hex);
    printf("runtime 0x%" PRIx64 "\n", found.runtime.value);
    printf("found_by %s\n", found.found_by);
    printf("binary %s\n", found.binary);
    printf("is_shared %d\n", found.is_shared);
    if (count == 3 && strcmp(arguments[2], "--layout") == 0)
        print_layout(&found.layout);
    return 0;
}
