/* SPDX-License-Identifier: MIT
 *
 * Summing samples by node, thread and state, and turning the sums into values
 * of metrics. */
#include "core/profile/tally.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/allocator.h"

static const char *const state_metrics[HASTEN_STATE_COUNT] = {
#define STATE_METRIC(name, metric, sentence) metric,
    HASTEN_STATE_MAP(STATE_METRIC)
#undef STATE_METRIC
};

static const char *const state_sentences[HASTEN_STATE_COUNT] = {
#define STATE_SENTENCE(name, metric, sentence) sentence,
    HASTEN_STATE_MAP(STATE_SENTENCE)
#undef STATE_SENTENCE
};

void hasten_tally_init(struct hasten_tally *tally, const struct hasten_allocator *allocator) {
    *tally = (struct hasten_tally){.allocator = allocator};
    hasten_map_init(&tally->cell_of, allocator);
    hasten_map_init(&tally->amount_of, allocator);
}

void hasten_tally_done(struct hasten_tally *tally) {
    hasten_map_done(&tally->cell_of);
    hasten_map_done(&tally->amount_of);
    hasten_release(tally->allocator, tally->cells, tally->cell_capacity * sizeof *tally->cells);
    hasten_release(tally->allocator, tally->amounts,
                   tally->amount_capacity * sizeof *tally->amounts);
    hasten_release(tally->allocator, tally->threads,
                   tally->thread_capacity * sizeof *tally->threads);
    hasten_tally_init(tally, tally->allocator);
}

/* Makes the thread's entry, and those of threads before it. */
static hasten_status reach_thread(struct hasten_tally *tally, uint32_t thread) {
    void *threads = tally->threads;
    if (hasten_grow(tally->allocator, &threads, &tally->thread_capacity, (size_t)thread + 1,
                    sizeof *tally->threads) != 0) {
        return HASTEN_NO_MEMORY;
    }
    tally->threads = threads;
    while (tally->thread_count <= thread) {
        tally->threads[tally->thread_count++] = (struct hasten_tally_thread){.cell = HASTEN_NONE};
    }
    return HASTEN_OK;
}

static hasten_status find_cell(struct hasten_tally *tally, uint32_t thread, uint32_t node,
                               uint32_t state, uint32_t *ret_cell) {
    void *cells = tally->cells;
    if (tally->cell_count >= HASTEN_LIMIT_VALUES) {
        return HASTEN_LIMIT;
    }
    if (hasten_grow(tally->allocator, &cells, &tally->cell_capacity, tally->cell_count + 1,
                    sizeof *tally->cells) != 0) {
        return HASTEN_NO_MEMORY;
    }
    tally->cells = cells;
    struct hasten_map_key key = {.low = (uint64_t)node << 32 | thread, .high = state};
    bool inserted = false;
    const uint32_t *cell =
        hasten_map_insert(&tally->cell_of, key, (uint32_t)tally->cell_count, &inserted);
    if (cell == NULL) {
        return HASTEN_NO_MEMORY;
    }
    if (inserted) {
        tally->cells[tally->cell_count++] =
            (struct hasten_tally_cell){.node = node, .thread = thread, .state = state};
    }
    *ret_cell = *cell;
    return HASTEN_OK;
}

hasten_status hasten_tally_sample(struct hasten_tally *tally, uint64_t slot, uint32_t thread,
                                  uint32_t node, uint32_t state, uint32_t weight) {
    if (thread >= tally->thread_count && reach_thread(tally, thread) != HASTEN_OK) {
        return HASTEN_NO_MEMORY;
    }
    struct hasten_tally_thread *last = &tally->threads[thread];
    if (last->node != node || last->state != state || last->cell == HASTEN_NONE) {
        hasten_status status = find_cell(tally, thread, node, state, &last->cell);
        if (status != HASTEN_OK) {
            last->cell = HASTEN_NONE;
            return status;
        }
        last->node = node;
        last->state = state;
    }
    if (last->samples++ == 0) {
        last->first_slot = slot;
    }
    last->end_slot = slot + 1;
    tally->samples++;
    struct hasten_tally_cell *cell = &tally->cells[last->cell];
    cell->samples++;
    cell->weight += weight; /* 2^32 samples of 2^32 still fit */
    return HASTEN_OK;
}

static int64_t add_amounts(int64_t left, int64_t right) {
    int64_t sum = 0;
    if (__builtin_add_overflow(left, right, &sum)) {
        return right < 0 ? INT64_MIN : INT64_MAX;
    }
    return sum;
}

static int64_t times(uint64_t count, uint64_t each) {
    uint64_t product = 0;
    if (__builtin_mul_overflow(count, each, &product) || product > INT64_MAX) {
        return INT64_MAX;
    }
    return (int64_t)product;
}

hasten_status hasten_tally_amount(struct hasten_tally *tally, uint32_t node, uint32_t thread,
                                  uint32_t metric, int64_t amount) {
    void *amounts = tally->amounts;
    if (tally->amount_count >= HASTEN_LIMIT_VALUES) {
        return HASTEN_LIMIT;
    }
    if (hasten_grow(tally->allocator, &amounts, &tally->amount_capacity, tally->amount_count + 1,
                    sizeof *tally->amounts) != 0) {
        return HASTEN_NO_MEMORY;
    }
    tally->amounts = amounts;
    struct hasten_map_key key = {.low = (uint64_t)node << 32 | thread, .high = metric};
    bool inserted = false;
    const uint32_t *index =
        hasten_map_insert(&tally->amount_of, key, (uint32_t)tally->amount_count, &inserted);
    if (index == NULL) {
        return HASTEN_NO_MEMORY;
    }
    if (inserted) {
        tally->amounts[tally->amount_count++] =
            (struct hasten_value){.node = node, .thread = thread, .metric = metric};
    }
    tally->amounts[*index].amount = add_amounts(tally->amounts[*index].amount, amount);
    return HASTEN_OK;
}

/* Indexes of the metrics that samples give. */
struct sample_metrics {
    uint32_t state[HASTEN_STATE_COUNT];
    uint32_t gc;
    uint32_t native;
    uint32_t samples;
};

static hasten_status define_metrics(struct hasten_builder *builder,
                                    struct sample_metrics *ret_metrics) {
    struct sample_metrics metrics = {0};
    hasten_status status = hasten_builder_metric_named(
        builder, "samples", "1", "samples taken, not weighted", &metrics.samples);
    for (unsigned state = 0; state < HASTEN_STATE_COUNT && status == HASTEN_OK; state++) {
        status = hasten_builder_metric_named(builder, state_metrics[state], "ns",
                                             state_sentences[state], &metrics.state[state]);
    }
    if (status == HASTEN_OK) {
        status = hasten_builder_metric_named(builder, "time.gc", "ns",
                                             "while the garbage collector ran", &metrics.gc);
    }
    if (status == HASTEN_OK) {
        status = hasten_builder_metric_named(builder, "time.native", "ns", "inside a C function",
                                             &metrics.native);
    }
    if (status == HASTEN_OK) {
        *ret_metrics = metrics;
    }
    return status;
}

static hasten_status add_cell(struct hasten_builder *builder, const struct hasten_tally_cell *cell,
                              const struct sample_metrics *metrics, uint64_t interval_ns) {
    struct hasten_value value = {.node = cell->node, .thread = cell->thread};
    value.metric = metrics->samples;
    value.amount = times(cell->samples, 1);
    hasten_status status = hasten_builder_value(builder, &value);
    value.metric = metrics->state[cell->state & HASTEN_STATE_MASK];
    value.amount = times(cell->weight, interval_ns);
    if (status == HASTEN_OK) {
        status = hasten_builder_value(builder, &value);
    }
    if (status == HASTEN_OK && (cell->state & HASTEN_FLAG_GC) != 0) {
        value.metric = metrics->gc;
        status = hasten_builder_value(builder, &value);
    }
    if (status == HASTEN_OK && (cell->state & HASTEN_FLAG_NATIVE) != 0) {
        value.metric = metrics->native;
        status = hasten_builder_value(builder, &value);
    }
    return status;
}

static int compare_values(const void *left_item, const void *right_item) {
    const struct hasten_value *left = left_item;
    const struct hasten_value *right = right_item;
    if (left->node != right->node) {
        return left->node < right->node ? -1 : 1;
    }
    if (left->thread != right->thread) {
        return left->thread < right->thread ? -1 : 1;
    }
    return (left->metric > right->metric) - (left->metric < right->metric);
}

/* Sorts the values and adds up those of the same node, thread and metric. */
static void merge_values(struct hasten_profile *profile) {
    struct hasten_value *values = profile->values;
    if (profile->value_count == 0) {
        return;
    }
    qsort(values, profile->value_count, sizeof *values, compare_values);
    size_t last = 0;
    for (size_t i = 1; i < profile->value_count; i++) {
        if (compare_values(&values[last], &values[i]) == 0) {
            values[last].amount = add_amounts(values[last].amount, values[i].amount);
        } else {
            values[++last] = values[i];
        }
    }
    profile->value_count = last + 1;
}

static void finish_threads(const struct hasten_tally *tally, struct hasten_profile *profile,
                           uint64_t interval_ns) {
    for (size_t i = 0; i < profile->thread_count; i++) {
        struct hasten_thread *thread = &profile->threads[i];
        struct hasten_process *process = &profile->processes[thread->process];
        thread->start_ns = process->start_ns;
        thread->end_ns = process->start_ns;
        if (i < tally->thread_count && tally->threads[i].samples > 0) {
            const struct hasten_tally_thread *seen = &tally->threads[i];
            thread->samples = seen->samples;
            thread->start_ns = (uint64_t)times(seen->first_slot, interval_ns);
            thread->end_ns = (uint64_t)times(seen->end_slot, interval_ns);
        }
    }
}

/* A process that nobody saw end lasts as long as its threads and its memory were
 * seen. */
static void finish_processes(struct hasten_profile *profile) {
    for (size_t i = 0; i < profile->thread_count; i++) {
        const struct hasten_thread *thread = &profile->threads[i];
        struct hasten_process *process = &profile->processes[thread->process];
        if (process->end_ns < thread->end_ns) {
            process->end_ns = thread->end_ns;
        }
    }
    for (size_t i = 0; i < profile->series_count; i++) {
        const struct hasten_series *series = &profile->series[i];
        struct hasten_process *process = &profile->processes[series->process];
        if (series->point_count > 0 &&
            process->end_ns < series->points[series->point_count - 1].time_ns) {
            process->end_ns = series->points[series->point_count - 1].time_ns;
        }
    }
    for (size_t i = 0; i < profile->process_count; i++) {
        struct hasten_process *process = &profile->processes[i];
        if (process->end_ns < process->start_ns) {
            process->end_ns = process->start_ns;
        }
    }
}

hasten_status hasten_tally_finish(struct hasten_tally *tally, struct hasten_builder *builder,
                                  uint64_t interval_ns) {
    struct sample_metrics metrics;
    hasten_status status = define_metrics(builder, &metrics);
    for (size_t i = 0; i < tally->cell_count && status == HASTEN_OK; i++) {
        status = add_cell(builder, &tally->cells[i], &metrics, interval_ns);
    }
    for (size_t i = 0; i < tally->amount_count && status == HASTEN_OK; i++) {
        status = hasten_builder_value(builder, &tally->amounts[i]);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    merge_values(builder->profile);
    finish_threads(tally, builder->profile, interval_ns);
    finish_processes(builder->profile);
    return HASTEN_OK;
}
