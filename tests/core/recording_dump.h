/* SPDX-License-Identifier: MIT
 *
 * All that a recording says, as text: to compare forms, versions and readers. */
#ifndef HASTEN_TESTS_RECORDING_DUMP_H
#define HASTEN_TESTS_RECORDING_DUMP_H

#include <inttypes.h>

#include "core/base/buffer.h"
#include "hasten/recording.h"

__attribute__((unused)) static void dump_definitions(struct hasten_buffer *out,
                                                     const struct hasten_profile *profile) {
    const char **strings = profile->strings;
    for (size_t i = 0; i < profile->process_count; i++) {
        const struct hasten_process *process = &profile->processes[i];
        hasten_buffer_format(
            out, "process %u of %u, python %08x, [%s] [%s] [%s], %" PRIu64 " to %" PRIu64 "\n",
            process->pid, process->parent_pid, process->python_version, strings[process->command],
            strings[process->executable], strings[process->label], process->start_ns,
            process->end_ns);
    }
    for (size_t i = 0; i < profile->thread_count; i++) {
        const struct hasten_thread *thread = &profile->threads[i];
        hasten_buffer_format(out,
                             "thread %u in process %u [%s], main %u, %" PRIu64 " to %" PRIu64
                             ", %" PRIu64 " samples\n",
                             thread->tid, thread->process, strings[thread->name], thread->is_main,
                             thread->start_ns, thread->end_ns, thread->samples);
    }
    for (size_t i = 0; i < profile->code_count; i++) {
        const struct hasten_code *code = &profile->codes[i];
        hasten_buffer_format(out, "code [%s] [%s] [%s] line %d, table", strings[code->file],
                             strings[code->name], strings[code->qualname], code->first_line);
        for (uint32_t k = 0; k < code->linetable_size; k++) {
            hasten_buffer_format(out, " %02x", code->linetable[k]);
        }
        hasten_buffer_text(out, "\n");
    }
    for (size_t i = 1; i < profile->node_count; i++) {
        const struct hasten_node *node = &profile->nodes[i];
        hasten_buffer_format(out, "node %zu under %u: code %u at %u\n", i, node->parent, node->code,
                             node->instruction);
    }
}

__attribute__((unused)) static void dump_profile(struct hasten_buffer *out,
                                                 const struct hasten_profile *profile) {
    static const char *const facts[] = {"interval_ns", "start.time_ns", "mode",
                                        "recording.incomplete"};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const char *value = hasten_profile_fact(profile, facts[i]);
        hasten_buffer_format(out, "fact %s [%s]\n", facts[i], value == NULL ? "" : value);
    }
    dump_definitions(out, profile);
    for (size_t i = 0; i < profile->value_count; i++) {
        const struct hasten_value *value = &profile->values[i];
        const struct hasten_metric *metric = &profile->metrics[value->metric];
        hasten_buffer_format(out, "value node %u thread %u %s %" PRId64 " %s\n", value->node,
                             value->thread, profile->strings[metric->name], value->amount,
                             profile->strings[metric->unit]);
    }
}

__attribute__((unused)) static void dump_series(struct hasten_buffer *out,
                                                const struct hasten_profile *profile) {
    const char **strings = profile->strings;
    for (size_t i = 0; i < profile->series_count; i++) {
        const struct hasten_series *series = &profile->series[i];
        hasten_buffer_format(out, "series %zu of process %u [%s] [%s] [%s]\n", i, series->process,
                             strings[series->name], strings[series->unit],
                             strings[series->description]);
        for (size_t k = 0; k < series->point_count; k++) {
            hasten_buffer_format(out, "point of series %zu at %" PRIu64 ": %" PRId64 "\n", i,
                                 series->points[k].time_ns, series->points[k].value);
        }
    }
}

__attribute__((unused)) static int dump_sample(void *context, const struct hasten_sample *sample) {
    hasten_buffer_format(context, "sample %" PRIu64 " thread %u node %u state %02x weight %u\n",
                         sample->slot, sample->thread, sample->node, sample->state, sample->weight);
    return 0;
}

__attribute__((unused)) static hasten_status
dump_recording(struct hasten_buffer *out, const char *path, struct hasten_error *error) {
    struct hasten_profile *profile = NULL;
    hasten_status status = hasten_recording_load(path, NULL, &profile, error);
    if (status != HASTEN_OK) {
        return status;
    }
    dump_profile(out, profile);
    dump_series(out, profile);
    hasten_profile_free(profile);
    return hasten_recording_samples(path, NULL, dump_sample, out, error);
}

#endif
