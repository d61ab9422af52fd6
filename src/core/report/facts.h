/* SPDX-License-Identifier: MIT
 *
 * What a recording says about its own run, with the types it has. */
#ifndef HASTEN_REPORT_FACTS_H
#define HASTEN_REPORT_FACTS_H

#include <stdbool.h>

#include "core/base/buffer.h"
#include "hasten/profile.h"

/* Zero or NULL where the recording does not say. */
struct hasten_facts {
    const char *command;
    const char *mode;        /* "wall", "cpu" or "gil" */
    const char *directory;   /* where the program ran */
    const char *exit_status; /* "0", "3", "signal 9" */
    const char *tool_version;
    uint32_t python_version; /* PY_VERSION_HEX */
    uint64_t interval_ns;
    uint64_t duration_ns;
    uint64_t start_time_ns; /* since the epoch */
    uint64_t samples;
    uint64_t failed;
    uint64_t retried;
    uint64_t slots;
    uint64_t missed_slots;
    uint64_t sampler_cpu_ns;
    uint64_t target_cpu_ns;
    uint64_t cut_processes;    /* traced, ended before they wrote all */
    uint64_t full_processes;   /* traced, found no space to write all */
    uint64_t failed_processes; /* traced, could not write all for another reason */
    uint64_t displaced;        /* traced, in which another profiler took over */
    uint64_t subinterpreters;  /* of traced processes, themselves not traced */
    bool folded;               /* traced, too many paths to tell apart */
    bool incomplete;
    bool has_sampler_cpu;
    bool has_target_cpu;
};

struct hasten_facts hasten_facts_of(const struct hasten_profile *profile);

/* "3.13.0", "3.15.0a2"; "unknown" for 0. */
void hasten_python_version_text(struct hasten_buffer *out, uint32_t version_hex);

#endif
