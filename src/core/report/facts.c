/* SPDX-License-Identifier: MIT
 *
 * Reads the facts of a profile. */
#include "core/report/facts.h"

#include "core/report/numbers.h"

static bool number(const struct hasten_profile *profile, const char *name, uint64_t *ret_value) {
    uint64_t value = 0;
    if (!hasten_number_parse(hasten_profile_fact(profile, name), &value)) {
        return false;
    }
    *ret_value = value < INT64_MAX ? value : INT64_MAX; /* used as signed times too */
    return true;
}

/* Without the sampler's own count (it was killed), what the threads say. */
static uint64_t count_samples(const struct hasten_profile *profile) {
    uint64_t samples = 0;
    for (size_t i = 0; i < profile->thread_count; i++) {
        samples += profile->threads[i].samples;
    }
    return samples;
}

/* When the recording was cut short: the last time anything was seen. */
static uint64_t last_seen(const struct hasten_profile *profile) {
    uint64_t last_ns = 0;
    for (size_t i = 0; i < profile->thread_count; i++) {
        last_ns = profile->threads[i].end_ns > last_ns ? profile->threads[i].end_ns : last_ns;
    }
    return last_ns;
}

struct hasten_facts hasten_facts_of(const struct hasten_profile *profile) {
    struct hasten_facts facts = {
        .command = hasten_profile_fact(profile, "command"),
        .mode = hasten_profile_fact(profile, "mode"),
        .directory = hasten_profile_fact(profile, "directory"),
        .exit_status = hasten_profile_fact(profile, "exit.status"),
        .tool_version = hasten_profile_fact(profile, "hasten.version"),
    };
    number(profile, "interval_ns", &facts.interval_ns);
    number(profile, "start.time_ns", &facts.start_time_ns);
    number(profile, "samples.failed", &facts.failed);
    number(profile, "samples.retried", &facts.retried);
    number(profile, "slots", &facts.slots);
    number(profile, "slots.missed", &facts.missed_slots);
    facts.has_sampler_cpu = number(profile, "sampler.cpu_ns", &facts.sampler_cpu_ns);
    facts.has_target_cpu = number(profile, "target.cpu_ns", &facts.target_cpu_ns);
    if (!number(profile, "samples", &facts.samples)) {
        facts.samples = count_samples(profile);
    }
    if (!number(profile, "duration_ns", &facts.duration_ns)) {
        facts.duration_ns = last_seen(profile);
    }
    number(profile, "trace.cut", &facts.cut_processes);
    number(profile, "trace.full", &facts.full_processes);
    number(profile, "trace.failed", &facts.failed_processes);
    number(profile, "trace.displaced", &facts.displaced);
    number(profile, "trace.subinterpreters", &facts.subinterpreters);
    facts.folded = hasten_profile_fact(profile, "trace.folded") != NULL;
    facts.incomplete = hasten_profile_fact(profile, "recording.incomplete") != NULL;
    if (facts.command == NULL && profile->process_count > 0 &&
        profile->processes[0].command < profile->string_count) {
        facts.command = profile->strings[profile->processes[0].command];
    }
    for (size_t i = 0; i < profile->process_count && facts.python_version == 0; i++) {
        facts.python_version = profile->processes[i].python_version;
    }
    return facts;
}

void hasten_python_version_text(struct hasten_buffer *out, uint32_t version_hex) {
    if (version_hex == 0) {
        hasten_buffer_text(out, "unknown");
        return;
    }
    hasten_buffer_format(out, "%u.%u.%u", version_hex >> 24, version_hex >> 16 & 0xff,
                         version_hex >> 8 & 0xff);
    /* Release level: 0xA alpha, 0xB beta, 0xC candidate, 0xF final. */
    const char *level = "";
    switch (version_hex >> 4 & 0xf) {
    case 0xa:
        level = "a";
        break;
    case 0xb:
        level = "b";
        break;
    case 0xc:
        level = "rc";
        break;
    default:
        return;
    }
    hasten_buffer_format(out, "%s%u", level, version_hex & 0xf);
}
