/* SPDX-License-Identifier: MIT
 *
 * Puts what another recording holds into one that is being written: processes that
 * wrote a file each become one recording. */
#include "core/base/allocator.h"
#include "core/recording/recorder_state.h"

/* Their identifiers here, by their index there. */
struct mapping {
    uint32_t *processes, *threads, *codes, *nodes, *metrics;
};

/* All of it HASTEN_NONE: not yet known. */
static uint32_t *new_map(const struct hasten_recorder *recorder, size_t count) {
    uint32_t *map = hasten_allocate(recorder->allocator, (count + 1) * sizeof(uint32_t));
    for (size_t i = 0; map != NULL && i <= count; i++) {
        map[i] = HASTEN_NONE;
    }
    return map;
}

static void free_map(const struct hasten_recorder *recorder, uint32_t *map, size_t count) {
    hasten_release(recorder->allocator, map, (count + 1) * sizeof *map);
}

/* The recorder's process with the pid of `process` that began nearest to it;
 * HASTEN_NONE where there is none. */
static uint32_t find_process(const struct hasten_recorder *recorder,
                             const struct hasten_process *process) {
    uint32_t found = HASTEN_NONE;
    uint64_t found_distance_ns = 0;
    for (uint32_t i = 0; i < recorder->process_count; i++) {
        const struct hasten_recorded_process *known = &recorder->processes[i];
        uint64_t distance_ns = known->start_ns > process->start_ns
                                   ? known->start_ns - process->start_ns
                                   : process->start_ns - known->start_ns;
        if (known->pid == process->pid &&
            (found == HASTEN_NONE || distance_ns < found_distance_ns)) {
            found = i;
            found_distance_ns = distance_ns;
        }
    }
    return found;
}

/* Finds those that the recorder has. The others stay HASTEN_NONE. */
static void join_processes(const struct hasten_recorder *recorder,
                           const struct hasten_profile *profile, uint32_t *ret_processes) {
    for (size_t i = 0; i < profile->process_count; i++) {
        ret_processes[i] = find_process(recorder, &profile->processes[i]);
    }
}

static void join_threads(const struct hasten_recorder *recorder,
                         const struct hasten_profile *profile, const uint32_t *processes,
                         uint32_t *ret_threads) {
    for (size_t i = 0; i < profile->thread_count; i++) {
        const struct hasten_thread *thread = &profile->threads[i];
        for (uint32_t k = recorder->thread_count; k-- > 0;) {
            if (recorder->threads[k].tid == thread->tid &&
                recorder->threads[k].process == processes[thread->process]) {
                ret_threads[i] = k;
                break;
            }
        }
    }
}

static hasten_status absorb_processes(struct hasten_recorder *recorder,
                                      const struct hasten_profile *profile, const char *label,
                                      uint32_t *ret_processes) {
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < profile->process_count && status == HASTEN_OK; i++) {
        const struct hasten_process *process = &profile->processes[i];
        if (ret_processes[i] != HASTEN_NONE) {
            continue;
        }
        struct hasten_process_info info = {
            .pid = process->pid,
            .parent_pid = process->parent_pid,
            .python_version = process->python_version,
            .command = profile->strings[process->command],
            .executable = profile->strings[process->executable],
            .label = label != NULL && i == 0 ? label : profile->strings[process->label],
            .start_ns = process->start_ns,
        };
        status = hasten_recorder_process(recorder, &info, &ret_processes[i]);
        if (status == HASTEN_OK && process->end_ns > process->start_ns) {
            status = hasten_recorder_process_end(recorder, ret_processes[i], process->end_ns);
        }
    }
    return status;
}

static hasten_status absorb_threads(struct hasten_recorder *recorder,
                                    const struct hasten_profile *profile, const uint32_t *processes,
                                    uint32_t *ret_threads) {
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < profile->thread_count && status == HASTEN_OK; i++) {
        const struct hasten_thread *thread = &profile->threads[i];
        if (ret_threads[i] != HASTEN_NONE) {
            continue;
        }
        status = hasten_recorder_thread(recorder, processes[thread->process], thread->tid,
                                        profile->strings[thread->name], thread->is_main != 0,
                                        &ret_threads[i]);
    }
    return status;
}

static hasten_status absorb_codes(struct hasten_recorder *recorder,
                                  const struct hasten_profile *profile, const uint32_t *processes,
                                  uint32_t *ret_codes) {
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < profile->code_count && status == HASTEN_OK; i++) {
        const struct hasten_code *code = &profile->codes[i];
        struct hasten_code_info info = {
            .process = processes[code->process],
            .file = profile->strings[code->file],
            .name = profile->strings[code->name],
            .qualname = profile->strings[code->qualname],
            .first_line = code->first_line,
            .linetable = code->linetable,
            .linetable_size = code->linetable_size,
        };
        status = hasten_recorder_code(recorder, &info, &ret_codes[i]);
    }
    return status;
}

static hasten_status absorb_nodes(struct hasten_recorder *recorder,
                                  const struct hasten_profile *profile, const uint32_t *codes,
                                  uint32_t *ret_nodes) {
    hasten_status status = HASTEN_OK;
    ret_nodes[0] = 0;
    for (size_t i = 1; i < profile->node_count && status == HASTEN_OK; i++) {
        const struct hasten_node *node = &profile->nodes[i];
        status = hasten_recorder_node(recorder, ret_nodes[node->parent], codes[node->code],
                                      node->instruction, &ret_nodes[i]);
    }
    return status;
}

static hasten_status absorb_metrics(struct hasten_recorder *recorder,
                                    const struct hasten_profile *profile, uint32_t *ret_metrics) {
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < profile->metric_count && status == HASTEN_OK; i++) {
        const struct hasten_metric *metric = &profile->metrics[i];
        status = hasten_recorder_metric(recorder, profile->strings[metric->name],
                                        profile->strings[metric->unit],
                                        profile->strings[metric->description], &ret_metrics[i]);
    }
    return status;
}

static hasten_status absorb_values(struct hasten_recorder *recorder,
                                   const struct hasten_profile *profile,
                                   const struct mapping *map) {
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < profile->value_count && status == HASTEN_OK; i++) {
        const struct hasten_value *value = &profile->values[i];
        status =
            hasten_recorder_value(recorder, map->nodes[value->node], map->threads[value->thread],
                                  map->metrics[value->metric], value->amount);
    }
    return status;
}

static hasten_status absorb_series(struct hasten_recorder *recorder,
                                   const struct hasten_profile *profile,
                                   const uint32_t *processes) {
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < profile->series_count && status == HASTEN_OK; i++) {
        const struct hasten_series *series = &profile->series[i];
        uint32_t index = 0;
        status = hasten_recorder_series(
            recorder, processes[series->process], profile->strings[series->name],
            profile->strings[series->unit], profile->strings[series->description], &index);
        for (size_t k = 0; k < series->point_count && status == HASTEN_OK; k++) {
            status = hasten_recorder_point(recorder, index, series->points[k].time_ns,
                                           series->points[k].value);
            /* Two that turn out to be one process may overlap: the first is kept. */
            status = status == HASTEN_INVALID ? HASTEN_OK : status;
        }
    }
    return status;
}

static hasten_status absorb(struct hasten_recorder *recorder, const struct hasten_profile *profile,
                            const char *label, bool joining, const struct mapping *map) {
    if (joining) {
        join_processes(recorder, profile, map->processes);
        join_threads(recorder, profile, map->processes, map->threads);
    }
    hasten_status status = absorb_processes(recorder, profile, label, map->processes);
    if (status == HASTEN_OK) {
        status = absorb_threads(recorder, profile, map->processes, map->threads);
    }
    if (status == HASTEN_OK) {
        status = absorb_codes(recorder, profile, map->processes, map->codes);
    }
    if (status == HASTEN_OK) {
        status = absorb_nodes(recorder, profile, map->codes, map->nodes);
    }
    if (status == HASTEN_OK) {
        status = absorb_metrics(recorder, profile, map->metrics);
    }
    if (status == HASTEN_OK) {
        status = absorb_values(recorder, profile, map);
    }
    return status == HASTEN_OK ? absorb_series(recorder, profile, map->processes) : status;
}

static hasten_status absorb_mapped(struct hasten_recorder *recorder,
                                   const struct hasten_profile *profile, const char *label,
                                   bool joining) {
    struct mapping map = {
        .processes = new_map(recorder, profile->process_count),
        .threads = new_map(recorder, profile->thread_count),
        .codes = new_map(recorder, profile->code_count),
        .nodes = new_map(recorder, profile->node_count),
        .metrics = new_map(recorder, profile->metric_count),
    };
    hasten_status status = HASTEN_NO_MEMORY;
    if (map.processes != NULL && map.threads != NULL && map.codes != NULL && map.nodes != NULL &&
        map.metrics != NULL) {
        status = absorb(recorder, profile, label, joining, &map);
    }
    free_map(recorder, map.processes, profile->process_count);
    free_map(recorder, map.threads, profile->thread_count);
    free_map(recorder, map.codes, profile->code_count);
    free_map(recorder, map.nodes, profile->node_count);
    free_map(recorder, map.metrics, profile->metric_count);
    return status;
}

hasten_status hasten_recorder_absorb(struct hasten_recorder *recorder,
                                     const struct hasten_profile *profile, const char *label) {
    return absorb_mapped(recorder, profile, label, false);
}

hasten_status hasten_recorder_join(struct hasten_recorder *recorder,
                                   const struct hasten_profile *profile) {
    return absorb_mapped(recorder, profile, NULL, true);
}
