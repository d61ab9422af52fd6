/* SPDX-License-Identifier: MIT
 *
 * Adding to a profile, validated. */
#include "core/profile/builder.h"

#include <string.h>

#include "core/base/allocator.h"
#include "core/base/hash.h"
#include "core/profile/storage.h"

/* Makes room for one more item in an array of the profile; 0, or -1. */
#define GROW(builder, array, count, capacity)                                                   \
    grow_array((builder)->allocator, &(builder)->profile->array, &(builder)->storage->capacity, \
               (builder)->profile->count, sizeof *(builder)->profile->array)

/* `array` is the address of a pointer of any type, hence the copies. */
static int grow_array(const struct hasten_allocator *allocator, void *array, size_t *capacity,
                      size_t count, size_t item_size) {
    void *items = NULL;
    memcpy(&items, array, sizeof items);
    int result = hasten_grow(allocator, &items, capacity, count + 1, item_size);
    memcpy(array, &items, sizeof items);
    return result;
}

static hasten_status invalid(struct hasten_builder *builder, const char *complaint) {
    builder->complaint = complaint;
    return HASTEN_INVALID;
}

static hasten_status limit(struct hasten_builder *builder, const char *complaint) {
    builder->complaint = complaint;
    return HASTEN_LIMIT;
}

static bool is_string(const struct hasten_builder *builder, uint32_t string) {
    return string < builder->profile->string_count;
}

hasten_status hasten_builder_init(struct hasten_builder *builder,
                                  const struct hasten_allocator *allocator) {
    *builder = (struct hasten_builder){.allocator = allocator, .complaint = ""};
    hasten_map_init(&builder->strings, allocator);
    hasten_map_init(&builder->functions, allocator);
    hasten_map_init(&builder->series, allocator);
    builder->storage = hasten_allocate_zeroed(allocator, sizeof *builder->storage);
    builder->profile = hasten_allocate_zeroed(allocator, sizeof *builder->profile);
    if (builder->storage == NULL || builder->profile == NULL) {
        hasten_release(allocator, builder->storage, sizeof *builder->storage);
        hasten_release(allocator, builder->profile, sizeof *builder->profile);
        builder->profile = NULL;
        return HASTEN_NO_MEMORY;
    }
    builder->profile->allocator = allocator;
    builder->profile->storage = builder->storage;
    hasten_status status = hasten_builder_string(builder, "", 0);
    if (status == HASTEN_OK && GROW(builder, nodes, node_count, node_capacity) != 0) {
        status = HASTEN_NO_MEMORY;
    }
    if (status != HASTEN_OK) {
        hasten_builder_done(builder);
        return status;
    }
    builder->profile->nodes[0] = (struct hasten_node){.parent = 0, .code = HASTEN_NONE};
    builder->profile->node_count = 1;
    return HASTEN_OK;
}

void hasten_builder_done(struct hasten_builder *builder) {
    hasten_map_done(&builder->strings);
    hasten_map_done(&builder->functions);
    hasten_map_done(&builder->series);
    hasten_profile_free(builder->profile);
    builder->profile = NULL;
}

struct hasten_profile *hasten_builder_take(struct hasten_builder *builder) {
    struct hasten_profile *profile = builder->profile;
    builder->profile = NULL;
    return profile;
}

/* Copies bytes into the profile, under the limit on all of them. */
static hasten_status copy_bytes(struct hasten_builder *builder, const void *data, size_t size,
                                const uint8_t **ret_copy) {
    if (builder->total_bytes + size > HASTEN_LIMIT_TOTAL_BYTES) {
        return limit(builder, "there is too much text");
    }
    const uint8_t *copy = hasten_storage_copy(builder->allocator, builder->storage, data, size);
    if (copy == NULL) {
        return HASTEN_NO_MEMORY;
    }
    builder->total_bytes += size;
    *ret_copy = copy;
    return HASTEN_OK;
}

hasten_status hasten_builder_string(struct hasten_builder *builder, const char *text, size_t size) {
    struct hasten_profile *profile = builder->profile;
    if (size > HASTEN_LIMIT_STRING_BYTES) {
        return limit(builder, "a string is too long");
    }
    if (profile->string_count >= HASTEN_LIMIT_STRINGS) {
        return limit(builder, "there are too many strings");
    }
    if (size > 0 && memchr(text, '\0', size) != NULL) {
        return invalid(builder, "a string contains a zero byte");
    }
    if (GROW(builder, strings, string_count, string_capacity) != 0) {
        return HASTEN_NO_MEMORY;
    }
    const uint8_t *copy = NULL;
    hasten_status status = copy_bytes(builder, text, size, &copy);
    if (status != HASTEN_OK) {
        return status;
    }
    struct hasten_map_key key = hasten_hash((struct hasten_map_key){0}, copy, size);
    uint32_t index = (uint32_t)profile->string_count;
    if (hasten_map_insert(&builder->strings, key, index, NULL) == NULL) {
        return HASTEN_NO_MEMORY;
    }
    profile->strings[index] = (const char *)copy;
    profile->string_count++;
    return HASTEN_OK;
}

hasten_status hasten_builder_intern(struct hasten_builder *builder, const char *text, size_t size,
                                    uint32_t *ret_string) {
    struct hasten_map_key key = hasten_hash((struct hasten_map_key){0}, text, size);
    const uint32_t *found = hasten_map_find(&builder->strings, key);
    if (found != NULL) {
        *ret_string = *found;
        return HASTEN_OK;
    }
    hasten_status status = hasten_builder_string(builder, text, size);
    if (status == HASTEN_OK) {
        *ret_string = (uint32_t)builder->profile->string_count - 1;
    }
    return status;
}

hasten_status hasten_builder_fact(struct hasten_builder *builder, uint32_t name, uint32_t value) {
    struct hasten_profile *profile = builder->profile;
    if (!is_string(builder, name) || !is_string(builder, value)) {
        return invalid(builder, "a fact refers to a string that is not there");
    }
    for (size_t i = 0; i < profile->fact_count; i++) {
        if (profile->facts[i].name == name) {
            profile->facts[i].value = value;
            return HASTEN_OK;
        }
    }
    if (profile->fact_count >= HASTEN_LIMIT_FACTS) {
        return limit(builder, "there are too many facts");
    }
    if (GROW(builder, facts, fact_count, fact_capacity) != 0) {
        return HASTEN_NO_MEMORY;
    }
    profile->facts[profile->fact_count++] = (struct hasten_fact){.name = name, .value = value};
    return HASTEN_OK;
}

hasten_status hasten_builder_fact_text(struct hasten_builder *builder, const char *name,
                                       size_t name_size, const char *value, size_t value_size) {
    uint32_t name_string = 0;
    uint32_t value_string = 0;
    hasten_status status = hasten_builder_intern(builder, name, name_size, &name_string);
    if (status == HASTEN_OK) {
        status = hasten_builder_intern(builder, value, value_size, &value_string);
    }
    return status == HASTEN_OK ? hasten_builder_fact(builder, name_string, value_string) : status;
}

hasten_status hasten_builder_process(struct hasten_builder *builder,
                                     const struct hasten_process *process) {
    struct hasten_profile *profile = builder->profile;
    if (!is_string(builder, process->command) || !is_string(builder, process->executable) ||
        !is_string(builder, process->label)) {
        return invalid(builder, "a process refers to a string that is not there");
    }
    if (profile->process_count >= HASTEN_LIMIT_PROCESSES) {
        return limit(builder, "there are too many processes");
    }
    if (GROW(builder, processes, process_count, process_capacity) != 0) {
        return HASTEN_NO_MEMORY;
    }
    profile->processes[profile->process_count++] = *process;
    return HASTEN_OK;
}

hasten_status hasten_builder_process_end(struct hasten_builder *builder, uint32_t process,
                                         uint64_t end_ns) {
    if (process >= builder->profile->process_count) {
        return invalid(builder, "a process that is not there ends");
    }
    builder->profile->processes[process].end_ns = end_ns;
    return HASTEN_OK;
}

hasten_status hasten_builder_thread(struct hasten_builder *builder,
                                    const struct hasten_thread *thread) {
    struct hasten_profile *profile = builder->profile;
    if (!is_string(builder, thread->name)) {
        return invalid(builder, "a thread refers to a string that is not there");
    }
    if (thread->process >= profile->process_count) {
        return invalid(builder, "a thread refers to a process that is not there");
    }
    if (profile->thread_count >= HASTEN_LIMIT_THREADS) {
        return limit(builder, "there are too many threads");
    }
    if (GROW(builder, threads, thread_count, thread_capacity) != 0) {
        return HASTEN_NO_MEMORY;
    }
    profile->threads[profile->thread_count++] = *thread;
    return HASTEN_OK;
}

hasten_status hasten_builder_thread_name(struct hasten_builder *builder, uint32_t thread,
                                         uint32_t name) {
    if (thread >= builder->profile->thread_count || !is_string(builder, name)) {
        return invalid(builder, "a thread's name refers to what is not there");
    }
    builder->profile->threads[thread].name = name;
    return HASTEN_OK;
}

/* The function of a code object: the first with its file, name and line. */
static hasten_status find_function(struct hasten_builder *builder, const struct hasten_code *code,
                                   uint32_t *ret_function) {
    struct hasten_profile *profile = builder->profile;
    struct hasten_map_key key = {
        .low = (uint64_t)code->file << 32 | code->qualname,
        .high = (uint32_t)code->first_line,
    };
    if (GROW(builder, functions, function_count, function_capacity) != 0) {
        return HASTEN_NO_MEMORY;
    }
    bool inserted = false;
    const uint32_t *function =
        hasten_map_insert(&builder->functions, key, (uint32_t)profile->function_count, &inserted);
    if (function == NULL) {
        return HASTEN_NO_MEMORY;
    }
    if (inserted) {
        profile->functions[profile->function_count++] = (struct hasten_function){
            .file = code->file, .qualname = code->qualname, .first_line = code->first_line};
    }
    *ret_function = *function;
    return HASTEN_OK;
}

hasten_status hasten_builder_code(struct hasten_builder *builder, const struct hasten_code *code) {
    struct hasten_profile *profile = builder->profile;
    if (!is_string(builder, code->file) || !is_string(builder, code->name) ||
        !is_string(builder, code->qualname)) {
        return invalid(builder, "a code object refers to a string that is not there");
    }
    if (code->process >= profile->process_count) {
        return invalid(builder, "a code object refers to a process that is not there");
    }
    if (code->linetable_size > HASTEN_LIMIT_LINETABLE_BYTES) {
        return limit(builder, "a location table is too long");
    }
    if (profile->code_count >= HASTEN_LIMIT_CODES) {
        return limit(builder, "there are too many code objects");
    }
    struct hasten_code added = *code;
    if (GROW(builder, codes, code_count, code_capacity) != 0) {
        return HASTEN_NO_MEMORY;
    }
    hasten_status status =
        copy_bytes(builder, code->linetable, code->linetable_size, &added.linetable);
    if (status == HASTEN_OK) {
        status = find_function(builder, code, &added.function);
    }
    if (status == HASTEN_OK) {
        profile->codes[profile->code_count++] = added;
    }
    return status;
}

hasten_status hasten_builder_node(struct hasten_builder *builder, const struct hasten_node *node) {
    struct hasten_profile *profile = builder->profile;
    if (node->parent >= profile->node_count) {
        return invalid(builder, "a stack node refers to a parent that is not before it");
    }
    if (node->code >= profile->code_count) {
        return invalid(builder, "a stack node refers to a code object that is not there");
    }
    if (profile->node_count >= HASTEN_LIMIT_NODES) {
        return limit(builder, "there are too many stack nodes");
    }
    if (GROW(builder, nodes, node_count, node_capacity) != 0) {
        return HASTEN_NO_MEMORY;
    }
    profile->nodes[profile->node_count++] = *node;
    return HASTEN_OK;
}

hasten_status hasten_builder_metric(struct hasten_builder *builder,
                                    const struct hasten_metric *metric) {
    struct hasten_profile *profile = builder->profile;
    if (!is_string(builder, metric->name) || !is_string(builder, metric->unit) ||
        !is_string(builder, metric->description)) {
        return invalid(builder, "a metric refers to a string that is not there");
    }
    if (hasten_profile_metric(profile, profile->strings[metric->name]) != HASTEN_NONE) {
        return invalid(builder, "a metric is defined twice");
    }
    if (profile->metric_count >= HASTEN_LIMIT_METRICS) {
        return limit(builder, "there are too many metrics");
    }
    if (GROW(builder, metrics, metric_count, metric_capacity) != 0) {
        return HASTEN_NO_MEMORY;
    }
    profile->metrics[profile->metric_count++] = *metric;
    return HASTEN_OK;
}

hasten_status hasten_builder_metric_named(struct hasten_builder *builder, const char *name,
                                          const char *unit, const char *description,
                                          uint32_t *ret_metric) {
    uint32_t index = hasten_profile_metric(builder->profile, name);
    if (index != HASTEN_NONE) {
        *ret_metric = index;
        return HASTEN_OK;
    }
    struct hasten_metric metric = {0};
    hasten_status status = hasten_builder_intern(builder, name, strlen(name), &metric.name);
    if (status == HASTEN_OK) {
        status = hasten_builder_intern(builder, unit, strlen(unit), &metric.unit);
    }
    if (status == HASTEN_OK) {
        status =
            hasten_builder_intern(builder, description, strlen(description), &metric.description);
    }
    if (status == HASTEN_OK) {
        status = hasten_builder_metric(builder, &metric);
    }
    if (status == HASTEN_OK) {
        *ret_metric = (uint32_t)builder->profile->metric_count - 1;
    }
    return status;
}

hasten_status hasten_builder_value(struct hasten_builder *builder,
                                   const struct hasten_value *value) {
    struct hasten_profile *profile = builder->profile;
    if (!hasten_builder_has(builder, value->node, value->thread) ||
        value->metric >= profile->metric_count) {
        return invalid(builder, "a value refers to a node, thread or metric that is not there");
    }
    if (profile->value_count >= HASTEN_LIMIT_VALUES) {
        return limit(builder, "there are too many values");
    }
    if (GROW(builder, values, value_count, value_capacity) != 0) {
        return HASTEN_NO_MEMORY;
    }
    profile->values[profile->value_count++] = *value;
    return HASTEN_OK;
}

hasten_status hasten_builder_series(struct hasten_builder *builder,
                                    const struct hasten_series *series) {
    struct hasten_profile *profile = builder->profile;
    if (!is_string(builder, series->name) || !is_string(builder, series->unit) ||
        !is_string(builder, series->description)) {
        return invalid(builder, "a series refers to a string that is not there");
    }
    if (series->process >= profile->process_count) {
        return invalid(builder, "a series refers to a process that is not there");
    }
    if (profile->series_count >= HASTEN_LIMIT_SERIES) {
        return limit(builder, "there are too many series");
    }
    const char *name = profile->strings[series->name];
    struct hasten_map_key key =
        hasten_hash((struct hasten_map_key){.low = series->process}, name, strlen(name));
    bool inserted = false;
    if (GROW(builder, series, series_count, series_capacity) != 0 ||
        hasten_map_insert(&builder->series, key, 0, &inserted) == NULL) {
        return HASTEN_NO_MEMORY;
    }
    if (!inserted) {
        return invalid(builder, "a series is defined twice");
    }
    profile->series[profile->series_count++] = (struct hasten_series){
        .process = series->process,
        .name = series->name,
        .unit = series->unit,
        .description = series->description,
    };
    return HASTEN_OK;
}

hasten_status hasten_builder_point(struct hasten_builder *builder, uint32_t series,
                                   uint64_t time_ns, int64_t value) {
    if (series >= builder->profile->series_count) {
        return invalid(builder, "a point refers to a series that is not there");
    }
    struct hasten_series *owner = &builder->profile->series[series];
    struct hasten_point *last =
        owner->point_count == 0 ? NULL : &owner->points[owner->point_count - 1];
    if (last != NULL && time_ns < last->time_ns) {
        return invalid(builder, "points of a series go back in time");
    }
    if (last != NULL && time_ns == last->time_ns) {
        last->value = value;
        return HASTEN_OK;
    }
    if (builder->point_count >= HASTEN_LIMIT_POINTS) {
        return limit(builder, "there are too many points");
    }
    if (grow_array(builder->allocator, &owner->points, &owner->point_capacity, owner->point_count,
                   sizeof *owner->points) != 0) {
        return HASTEN_NO_MEMORY;
    }
    owner->points[owner->point_count++] = (struct hasten_point){time_ns, value};
    builder->point_count++;
    return HASTEN_OK;
}

bool hasten_builder_has(const struct hasten_builder *builder, uint32_t node, uint32_t thread) {
    return node < builder->profile->node_count && thread < builder->profile->thread_count;
}
