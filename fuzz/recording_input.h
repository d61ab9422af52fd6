/* SPDX-License-Identifier: MIT
 *
 * For the targets that read recordings: the input as a file, and what must hold
 * of a profile whatever it was read from. */
#ifndef HASTEN_FUZZ_RECORDING_INPUT_H
#define HASTEN_FUZZ_RECORDING_INPUT_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/profile/totals.h"
#include "hasten/recording.h"

static char input_path[64];

static void remove_input(void) {
    unlink(input_path);
}

/* Writes the input to the process's own file and answers its path. */
static const char *input_file(const uint8_t *data, size_t size) {
    static int descriptor = -1;
    char *path = input_path;
    if (descriptor < 0) {
        snprintf(path, sizeof input_path, "%s/hasten-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        descriptor = mkstemp(path);
        atexit(remove_input);
    }
    if (descriptor < 0 || ftruncate(descriptor, 0) != 0 ||
        pwrite(descriptor, data, size, 0) != (ssize_t)size) {
        perror(path);
        _exit(1);
    }
    return path;
}

static void require(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static void require_strings(const struct hasten_profile *profile) {
    size_t count = profile->string_count;
    for (size_t i = 0; i < count; i++) {
        require(profile->strings[i] != NULL, "a string is there");
    }
    for (size_t i = 0; i < profile->fact_count; i++) {
        require(profile->facts[i].name < count && profile->facts[i].value < count, "fact");
    }
    for (size_t i = 0; i < profile->process_count; i++) {
        const struct hasten_process *process = &profile->processes[i];
        require(process->command < count && process->executable < count && process->label < count,
                "process");
    }
    for (size_t i = 0; i < profile->thread_count; i++) {
        const struct hasten_thread *thread = &profile->threads[i];
        require(thread->name < count && thread->process < profile->process_count, "thread");
    }
    for (size_t i = 0; i < profile->metric_count; i++) {
        const struct hasten_metric *metric = &profile->metrics[i];
        require(metric->name < count && metric->unit < count && metric->description < count,
                "metric");
    }
    for (size_t i = 0; i < profile->code_count; i++) {
        const struct hasten_code *code = &profile->codes[i];
        require(code->file < count && code->name < count && code->qualname < count &&
                    code->process < profile->process_count &&
                    code->function < profile->function_count,
                "code object");
    }
}

static void require_profile(const struct hasten_profile *profile) {
    require(profile->string_count > 0 && profile->strings[0][0] == '\0', "string 0 is empty");
    require(profile->node_count > 0 && profile->nodes[0].code == HASTEN_NONE, "node 0 is the root");
    require_strings(profile);
    for (size_t i = 1; i < profile->node_count; i++) {
        const struct hasten_node *node = &profile->nodes[i];
        require(node->parent < i && node->code < profile->code_count, "node");
        (void)hasten_code_location(&profile->codes[node->code], node->instruction);
    }
    for (size_t i = 0; i < profile->value_count; i++) {
        const struct hasten_value *value = &profile->values[i];
        require(value->node < profile->node_count && value->thread < profile->thread_count &&
                    value->metric < profile->metric_count,
                "value");
    }
    for (size_t i = 0; i < profile->series_count; i++) {
        const struct hasten_series *series = &profile->series[i];
        require(series->process < profile->process_count && series->name < profile->string_count &&
                    series->unit < profile->string_count &&
                    series->description < profile->string_count,
                "series");
        for (size_t k = 1; k < series->point_count; k++) {
            require(series->points[k - 1].time_ns < series->points[k].time_ns, "points in order");
        }
    }
    struct hasten_totals totals;
    if (hasten_totals_init(&totals, profile, NULL) == HASTEN_OK) {
        for (uint32_t metric = 0; metric < profile->metric_count && metric < 16; metric++) {
            hasten_totals_metric(&totals, metric);
        }
        hasten_totals_done(&totals);
    }
}

struct seen {
    uint64_t last_slot;
    uint64_t count;
};

static int visit_sample(void *context, const struct hasten_sample *sample) {
    struct seen *seen = context;
    require(sample->slot >= seen->last_slot, "samples are in order");
    require(sample->weight > 0, "a sample has a weight");
    require((sample->state & HASTEN_STATE_MASK) < HASTEN_STATE_COUNT, "a state is known");
    seen->last_slot = sample->slot;
    seen->count++;
    return 0;
}

static void require_error(hasten_status status, const struct hasten_error *error) {
    if (status != HASTEN_OK) {
        require(error->status == status && error->message[0] != '\0', "an error is explained");
        require(status == HASTEN_CORRUPT || status == HASTEN_TRUNCATED || status == HASTEN_NEWER ||
                    status == HASTEN_NOT_RECORDING || status == HASTEN_NO_MEMORY ||
                    status == HASTEN_LIMIT,
                "a bad file is the file's fault");
    }
}

/* Reads profile and time series, and checks both. */
static void read_recording(const char *path) {
    struct hasten_error error = {0};
    struct hasten_profile *profile = NULL;
    hasten_status status = hasten_recording_load(path, NULL, &profile, &error);
    require((status == HASTEN_OK) == (profile != NULL), "a profile or an error");
    require_error(status, &error);
    if (profile != NULL) {
        require_profile(profile);
    }
    hasten_profile_free(profile);
    struct seen seen = {0};
    error = (struct hasten_error){0};
    status = hasten_recording_samples(path, NULL, visit_sample, &seen, &error);
    require_error(status, &error);
}

#endif
