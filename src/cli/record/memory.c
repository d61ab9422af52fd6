/* SPDX-License-Identifier: MIT
 *
 * Starts the recording of memory, and brings it in. */
#include "cli/record/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/preload.h"
#include "cli/record/natives.h"
#include "core/base/clock.h"
#include "core/heap/poisson.h"
#include "core/os/procfs.h"

#define VARIABLE "HASTEN_MEMORY"
/* Makes the draws of the samples the same each time, for tests. */
#define SEED_VARIABLE "HASTEN_MEMORY_SEED"
#define LOOK_INTERVAL_NS 100000000u

static uint64_t interval_of(const struct cli_options *options) {
    if (options->memory == CLI_MEMORY_EXACT) {
        return 1;
    }
    return options->memory_interval_bytes != 0 ? options->memory_interval_bytes
                                               : HASTEN_HEAP_INTERVAL_BYTES;
}

/* Why it cannot be; said only to who asked for it. */
static void refuse(struct cli_memory *memory, const char *why, const char *detail) {
    snprintf(memory->note, sizeof memory->note, "%s%.150s", why, detail);
    if (memory->options->memory_option != NULL) {
        cli_say("memory is not recorded: %s", memory->note);
    }
}

void cli_memory_begin(struct cli_memory *memory, const struct cli_options *options,
                      const char *path) {
    *memory = (struct cli_memory){.options = options, .start_ns = hasten_clock_monotonic_ns()};
    if (options->memory == CLI_MEMORY_OFF) {
        return;
    }
    if (!cli_preload_find(CLI_PRELOAD_HEAP, memory->library, sizeof memory->library)) {
        refuse(memory, "the library for that is not installed beside the command", "");
        return;
    }
    if (strpbrk(memory->library, ": ") != NULL) {
        refuse(memory, "a library cannot be loaded first from a path with a space or colon: ",
               memory->library);
        return;
    }
    int reason = cli_parts_make(&memory->parts, path);
    if (reason != 0) {
        refuse(memory, "a folder beside the recording cannot be made: ", strerror(reason));
        return;
    }
    memory->is_loaded = true;
}

void cli_memory_enter(struct cli_memory *memory) {
    char value[PATH_MAX + 128];
    const char *seed_text = getenv(SEED_VARIABLE);
    uint64_t seed = seed_text == NULL ? 0 : strtoull(seed_text, NULL, 10);
    if (!memory->is_loaded) {
        return;
    }
    snprintf(value, sizeof value, "1:%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%s",
             interval_of(memory->options), memory->start_ns, seed, memory->parts.folder);
    if (setenv(VARIABLE, value, 1) != 0 || !cli_preload_set(memory->library)) {
        refuse(memory, "there is no room in the environment", "");
        unsetenv(VARIABLE);
        cli_memory_end(memory);
    }
}

void cli_memory_leave(struct cli_memory *memory) {
    if (memory->is_loaded) {
        unsetenv(VARIABLE);
        cli_preload_unset();
    }
}

/* -1: the process has ended, or may not be looked at. */
static int64_t resident_bytes(uint32_t pid) {
    char text[128];
    unsigned long long pages;
    if (hasten_procfs_read(pid, "statm", text, sizeof text, NULL) != HASTEN_OK ||
        sscanf(text, "%*u %llu", &pages) != 1 || pages == 0) {
        return -1;
    }
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

/* Of one process. A failure of the recorder shows at the next sample. */
static void look_at(struct cli_memory *memory, struct hasten_recorder *recorder, uint32_t process,
                    uint32_t pid, uint64_t now_ns) {
    size_t slot = process % CLI_MEMORY_PROCESSES_MAX;
    int64_t bytes = resident_bytes(pid);
    if (bytes < 0) {
        memory->has_ended[slot] = true;
        return;
    }
    hasten_status status = HASTEN_OK;
    if (!memory->has_series[slot]) {
        status = hasten_recorder_series(recorder, process, "rss.bytes", "bytes",
                                        "memory that is resident", &memory->series[slot]);
        memory->has_series[slot] = status == HASTEN_OK;
    }
    if (status == HASTEN_OK) {
        status =
            hasten_recorder_point(recorder, memory->series[slot], now_ns - memory->start_ns, bytes);
    }
    if (status != HASTEN_OK) {
        memory->has_ended[slot] = true;
    }
}

void cli_memory_look(struct cli_memory *memory, struct hasten_recorder *recorder) {
    uint64_t now_ns = hasten_clock_monotonic_ns();
    uint32_t pid = 0;
    if (memory->options->memory == CLI_MEMORY_OFF || now_ns < memory->look_ns ||
        !hasten_recorder_knows(recorder, 0, &pid)) {
        return;
    }
    memory->look_ns = now_ns + LOOK_INTERVAL_NS;
    for (uint32_t i = memory->first;
         i < memory->first + CLI_MEMORY_PROCESSES_MAX && hasten_recorder_knows(recorder, i, &pid);
         i++) {
        size_t slot = i % CLI_MEMORY_PROCESSES_MAX;
        if (!memory->has_ended[slot]) {
            look_at(memory, recorder, i, pid, now_ns);
        }
        if (i == memory->first && memory->has_ended[slot]) {
            memory->has_ended[slot] = memory->has_series[slot] = false;
            memory->first++;
        }
    }
}

static hasten_status join(void *context, const struct hasten_profile *profile) {
    struct hasten_recorder *recorder = context;
    struct hasten_profile named;
    hasten_status status = cli_natives_name(profile, &named);
    if (status == HASTEN_OK) {
        status = hasten_recorder_join(recorder, &named);
        cli_natives_done(&named);
    }
    return status;
}

static hasten_status write_facts(const struct cli_memory *memory,
                                 struct hasten_recorder *recorder) {
    static const char *const modes[] = {
        [CLI_MEMORY_SAMPLED] = "sampled",
        [CLI_MEMORY_EXACT] = "exact",
        [CLI_MEMORY_OFF] = "off",
    };
    char text[32];
    bool is_on = memory->is_loaded && memory->note[0] == '\0';
    hasten_status status = hasten_recorder_fact(
        recorder, "memory.mode", modes[is_on ? memory->options->memory : CLI_MEMORY_OFF]);
    if (status == HASTEN_OK && is_on) {
        snprintf(text, sizeof text, "%" PRIu64, interval_of(memory->options));
        status = hasten_recorder_fact(recorder, "memory.interval_bytes", text);
    }
    if (status == HASTEN_OK && memory->note[0] != '\0') {
        status = hasten_recorder_fact(recorder, "memory.note", memory->note);
    }
    return status;
}

/* What the report must say of the numbers. */
static void take_note(struct cli_memory *memory, const struct cli_parts_found *found) {
    if (found->processes == 0 && found->full + found->failed + found->damaged > 0) {
        refuse(memory,
               "no process of the program could write what it recorded: it may have no "
               "room, or no permission",
               "");
    } else if (found->processes == 0) {
        refuse(memory,
               "no Python process of the program could be looked into: it is linked "
               "statically, of another architecture, forbids LD_PRELOAD, or ended at once",
               "");
    }
}

static hasten_status fact_number(struct hasten_recorder *recorder, const char *name, size_t value) {
    char text[32];
    snprintf(text, sizeof text, "%zu", value);
    return value == 0 ? HASTEN_OK : hasten_recorder_fact(recorder, name, text);
}

hasten_status cli_memory_gather(struct cli_memory *memory, struct hasten_recorder *recorder) {
    struct cli_parts_found found = {0};
    hasten_status status = HASTEN_OK;
    if (memory->is_loaded) {
        status = cli_parts_visit(&memory->parts, join, recorder, &found);
        take_note(memory, &found);
    }
    if (status == HASTEN_OK) {
        status = write_facts(memory, recorder);
    }
    if (status == HASTEN_OK) {
        status = fact_number(recorder, "memory.cut",
                             found.cut + found.full + found.failed + found.damaged);
    }
    if (status == HASTEN_OK) {
        status = fact_number(recorder, "memory.folded", found.folded);
    }
    return status == HASTEN_OK ? fact_number(recorder, "memory.refused", found.refused) : status;
}

void cli_memory_end(struct cli_memory *memory) {
    if (memory->is_loaded) {
        cli_parts_remove(&memory->parts);
    }
    memory->is_loaded = false;
}
