/* SPDX-License-Identifier: MIT
 *
 * A profile as a batch of a table of statistics (include/hasten/pstats.h): what a
 * recording is as a file of `pstats`. Functions are told apart as pstats does it, by
 * file, first line and name.
 *
 * Of a sampled profile the times are those of the report, and all numbers of calls
 * are 0: a sampler does not see calls. */
#include "hasten/pstats.h"

#include <string.h>

#include "core/base/allocator.h"
#include "core/base/hash.h"
#include "core/report/callgraph.h"
#include "hasten/report.h"

/* Functions by label; `representative` is a code of each. */
struct labels {
    uint32_t *function_of;
    uint32_t *representative;
    uint32_t count;
};

/* Strings of a profile may be there twice: texts are compared, by their first index. */
static hasten_status intern_strings(const struct hasten_profile *profile,
                                    const struct hasten_allocator *allocator, uint32_t *ret_first) {
    struct hasten_map known;
    hasten_status status = HASTEN_OK;
    hasten_map_init(&known, allocator);
    for (size_t i = 0; i < profile->string_count; i++) {
        const char *text = profile->strings[i];
        struct hasten_map_key key = hasten_hash((struct hasten_map_key){0}, text, strlen(text));
        const uint32_t *place = hasten_map_insert(&known, key, (uint32_t)i, NULL);
        if (place == NULL) {
            status = HASTEN_NO_MEMORY;
            break;
        }
        ret_first[i] = *place;
    }
    hasten_map_done(&known);
    return status;
}

static hasten_status make_labels(const struct hasten_profile *profile,
                                 const struct hasten_allocator *allocator, const uint32_t *first,
                                 struct labels *ret_labels) {
    struct hasten_map known;
    hasten_status status = HASTEN_OK;
    hasten_map_init(&known, allocator);
    for (size_t i = 0; i < profile->code_count; i++) {
        const struct hasten_code *code = &profile->codes[i];
        struct hasten_map_key key = {(uint64_t)first[code->file] << 32 | first[code->name],
                                     (uint32_t)code->first_line};
        bool inserted = false;
        const uint32_t *place = hasten_map_insert(&known, key, ret_labels->count, &inserted);
        if (place == NULL) {
            status = HASTEN_NO_MEMORY;
            break;
        }
        ret_labels->function_of[i] = *place;
        if (inserted) {
            ret_labels->representative[ret_labels->count++] = (uint32_t)i;
        }
    }
    hasten_map_done(&known);
    return status;
}

static struct hasten_pstats_cost cost_of(const struct hasten_call_sums *sums) {
    return (struct hasten_pstats_cost){
        .primitive_calls = sums->primitive_calls,
        .calls = sums->calls,
        .own_s = (double)sums->self_ns * 1e-9,
        .total_s = (double)sums->total_ns * 1e-9,
    };
}

static hasten_status stage_function(struct hasten_pstats *table,
                                    const struct hasten_profile *profile, uint32_t code_index,
                                    uint32_t *ret_function) {
    const struct hasten_code *code = &profile->codes[code_index];
    const char *file = profile->strings[code->file];
    const char *name = profile->strings[code->name];
    return hasten_pstats_function(table, file, strlen(file), code->first_line, name, strlen(name),
                                  ret_function);
}

/* Edges by their callee: the first of each, and the next of the same. */
static void chain_edges(const struct hasten_callgraph *graph, uint32_t *ret_first,
                        uint32_t *ret_next) {
    for (size_t i = 0; i < graph->function_count; i++) {
        ret_first[i] = HASTEN_NONE;
    }
    for (size_t i = graph->edge_count; i-- > 0;) {
        uint32_t callee = graph->edges[i].callee;
        ret_next[i] = ret_first[callee];
        ret_first[callee] = (uint32_t)i;
    }
}

static hasten_status stage_rows(struct hasten_pstats *table, const struct hasten_profile *profile,
                                const struct labels *labels, const struct hasten_callgraph *graph,
                                const uint32_t *first, const uint32_t *next) {
    hasten_status status = HASTEN_OK;
    for (uint32_t i = 0; i < labels->count && status == HASTEN_OK; i++) {
        uint32_t function = 0;
        struct hasten_pstats_cost cost = cost_of(&graph->functions[i]);
        if (hasten_call_sums_are_empty(&graph->functions[i])) {
            continue;
        }
        status = stage_function(table, profile, labels->representative[i], &function);
        if (status == HASTEN_OK) {
            status = hasten_pstats_row(table, function, &cost);
        }
        for (uint32_t e = first[i]; e != HASTEN_NONE && status == HASTEN_OK; e = next[e]) {
            const struct hasten_call_edge *edge = &graph->edges[e];
            cost = cost_of(&edge->sums);
            if (hasten_call_sums_are_empty(&edge->sums)) {
                continue;
            }
            status =
                stage_function(table, profile, labels->representative[edge->caller], &function);
            if (status == HASTEN_OK) {
                status = hasten_pstats_caller(table, function, &cost);
            }
        }
    }
    return status;
}

static hasten_status stage_graph(struct hasten_pstats *table, const struct labels *labels,
                                 const struct hasten_callgraph *graph) {
    const struct hasten_allocator *allocator = graph->aggregate->allocator;
    size_t first_bytes = (graph->function_count + 1) * sizeof(uint32_t);
    size_t next_bytes = (graph->edge_count + 1) * sizeof(uint32_t);
    uint32_t *first = hasten_allocate(allocator, first_bytes);
    uint32_t *next = hasten_allocate(allocator, next_bytes);
    hasten_status status = HASTEN_NO_MEMORY;
    if (first != NULL && next != NULL) {
        chain_edges(graph, first, next);
        status = stage_rows(table, graph->aggregate->profile, labels, graph, first, next);
    }
    hasten_release(allocator, first, first_bytes);
    hasten_release(allocator, next, next_bytes);
    return status;
}

static hasten_status stage_labelled(struct hasten_pstats *table,
                                    const struct hasten_aggregate *aggregate, struct labels *labels,
                                    uint32_t *first_strings) {
    const struct hasten_profile *profile = aggregate->profile;
    struct hasten_callgraph graph;
    hasten_status status = intern_strings(profile, aggregate->allocator, first_strings);
    if (status == HASTEN_OK) {
        status = make_labels(profile, aggregate->allocator, first_strings, labels);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    status = hasten_callgraph_init(&graph, aggregate, labels->function_of, labels->count);
    if (status != HASTEN_OK) {
        return status;
    }
    status = stage_graph(table, labels, &graph);
    hasten_callgraph_done(&graph);
    return status;
}

hasten_status hasten_pstats_stage_profile(struct hasten_pstats *table,
                                          const struct hasten_profile *profile,
                                          struct hasten_error *error) {
    const struct hasten_allocator *allocator = profile->allocator;
    struct hasten_aggregate *aggregate = NULL;
    hasten_status status = hasten_aggregate_new(profile, NULL, allocator, &aggregate, error);
    if (status != HASTEN_OK) {
        return status;
    }
    size_t code_bytes = (profile->code_count + 1) * sizeof(uint32_t);
    size_t string_bytes = (profile->string_count + 1) * sizeof(uint32_t);
    struct labels labels = {.function_of = hasten_allocate(allocator, code_bytes),
                            .representative = hasten_allocate(allocator, code_bytes)};
    uint32_t *first_strings = hasten_allocate(allocator, string_bytes);
    status = HASTEN_NO_MEMORY;
    if (labels.function_of != NULL && labels.representative != NULL && first_strings != NULL) {
        status = stage_labelled(table, aggregate, &labels, first_strings);
    }
    hasten_release(allocator, labels.function_of, code_bytes);
    hasten_release(allocator, labels.representative, code_bytes);
    hasten_release(allocator, first_strings, string_bytes);
    hasten_aggregate_free(aggregate);
    if (status != HASTEN_OK) {
        return hasten_error_set(error, status, -1, "%s", hasten_status_sentence(status));
    }
    return HASTEN_OK;
}
