/* SPDX-License-Identifier: MIT
 *
 * Memory of a program that is run: the library that is loaded into it, the parts that its
 * processes write, and how much of them is resident. Whatever of this fails, the program
 * runs and is sampled all the same. */
#ifndef HASTEN_CLI_RECORD_MEMORY_H
#define HASTEN_CLI_RECORD_MEMORY_H

#include <limits.h>
#include <stdint.h>

#include "cli/options.h"
#include "cli/record/parts.h"

/* Processes whose resident memory is followed at a time. */
#define CLI_MEMORY_PROCESSES_MAX 64

struct cli_memory {
    const struct cli_options *options;
    struct cli_parts parts;
    char library[PATH_MAX];
    char note[256];    /* why memory is not recorded, "" where it is */
    bool is_loaded;    /* the library is, and `parts` has a folder */
    uint64_t start_ns; /* of the recording, on the monotonic clock */
    uint64_t look_ns;  /* when the processes are looked at next */
    uint32_t first;    /* process that may still run */
    uint32_t series[CLI_MEMORY_PROCESSES_MAX];
    bool has_series[CLI_MEMORY_PROCESSES_MAX], has_ended[CLI_MEMORY_PROCESSES_MAX];
};

/* Makes ready what is asked for, for a recording at `path`, which begins now. */
void cli_memory_begin(struct cli_memory *memory, const struct cli_options *options,
                      const char *path);
/* Around the start of the program: what it is to find in its environment. */
void cli_memory_enter(struct cli_memory *memory);
void cli_memory_leave(struct cli_memory *memory);
/* Records how much memory of the recorder's processes is resident, ten times a second at
 * most. */
void cli_memory_look(struct cli_memory *memory, struct hasten_recorder *recorder);
/* Puts what the processes have written into the recorder. */
HASTEN_CHECKED hasten_status cli_memory_gather(struct cli_memory *memory,
                                               struct hasten_recorder *recorder);
/* Removes the parts. */
void cli_memory_end(struct cli_memory *memory);

#endif
