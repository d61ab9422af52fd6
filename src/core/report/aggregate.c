/* SPDX-License-Identifier: MIT
 *
 * Sums a profile's values by function, line, thread and state. */
#include "core/report/aggregate.h"

#include <string.h>

#include "core/base/allocator.h"
#include "core/base/map.h"
#include "core/report/metric_role.h"
#include "core/report/order.h"
#include "core/report/who.h"

/* What is needed only while summing. */
struct work {
    struct hasten_aggregate *aggregate;
    struct hasten_metric_role *roles; /* by metric */
    struct hasten_time *nodes;        /* by node: first its own, later with its children's */
    int64_t *blocked;                 /* by node: waiting, but not for the GIL */
    int64_t *calls;                   /* by node */
    uint32_t *first_child;
    uint32_t *next_sibling;
    size_t active_count;
    uint32_t *active; /* by function, then by line: times on the current stack */
    /* By line and state: waiting with that line at the leaf. */
    int64_t *line_waiting; /* of the main thread */
    int64_t *line_idle;    /* of the others */
};

bool hasten_state_is_running(enum hasten_state state) {
    return state == HASTEN_STATE_RUNNING_GIL || state == HASTEN_STATE_RUNNING ||
           state == HASTEN_STATE_UNKNOWN;
}

static void add_time(struct hasten_time *sum, const struct hasten_time *part) {
    hasten_time_add(&sum->running_ns, part->running_ns);
    hasten_time_add(&sum->waiting_ns, part->waiting_ns);
    hasten_time_add(&sum->idle_ns, part->idle_ns);
    hasten_time_add(&sum->native_ns, part->native_ns);
    hasten_time_add(&sum->gc_ns, part->gc_ns);
    hasten_time_add(&sum->traced_ns, part->traced_ns);
}

/* The loader checks what it reads; profiles come from elsewhere too. */
static bool indexes_fit(const struct hasten_profile *profile) {
    if (profile->node_count == 0 || profile->string_count == 0) {
        return profile->value_count == 0;
    }
    for (size_t i = 1; i < profile->node_count; i++) {
        const struct hasten_node *node = &profile->nodes[i];
        if (node->parent >= i || node->code >= profile->code_count) {
            return false;
        }
    }
    for (size_t i = 0; i < profile->code_count; i++) {
        if (profile->codes[i].function >= profile->function_count) {
            return false;
        }
    }
    for (size_t i = 0; i < profile->function_count; i++) {
        const struct hasten_function *function = &profile->functions[i];
        if (function->file >= profile->string_count ||
            function->qualname >= profile->string_count) {
            return false;
        }
    }
    for (size_t i = 0; i < profile->thread_count; i++) {
        if (profile->threads[i].process >= profile->process_count ||
            profile->threads[i].name >= profile->string_count) {
            return false;
        }
    }
    for (size_t i = 0; i < profile->value_count; i++) {
        const struct hasten_value *value = &profile->values[i];
        if (value->node >= profile->node_count || value->thread >= profile->thread_count ||
            value->metric >= profile->metric_count) {
            return false;
        }
    }
    return true;
}

static void find_roles(struct work *work) {
    const struct hasten_profile *profile = work->aggregate->profile;
    for (size_t i = 0; i < profile->metric_count; i++) {
        work->roles[i] = hasten_metric_role_of(profile, i);
        work->aggregate->is_traced |= work->roles[i].role == HASTEN_ROLE_CALLS;
    }
}

/* Finds or makes the line row of every node. */
static hasten_status find_lines(struct work *work) {
    struct hasten_aggregate *aggregate = work->aggregate;
    const struct hasten_profile *profile = aggregate->profile;
    hasten_status status = HASTEN_NO_MEMORY;
    struct hasten_map by_place; /* code and instruction: decoding a location is slow */
    struct hasten_map by_line;  /* function and line */
    hasten_map_init(&by_place, aggregate->allocator);
    hasten_map_init(&by_line, aggregate->allocator);
    aggregate->node_line[0] = HASTEN_NONE;
    for (size_t i = 1; i < profile->node_count; i++) {
        const struct hasten_node *node = &profile->nodes[i];
        bool inserted = false;
        struct hasten_map_key place = {(uint64_t)node->code << 32 | node->instruction, 0};
        uint32_t *row = hasten_map_insert(&by_place, place, HASTEN_NONE, &inserted);
        if (row == NULL) {
            goto done;
        }
        if (inserted) {
            const struct hasten_code *code = &profile->codes[node->code];
            int32_t line = hasten_code_location(code, node->instruction).line;
            struct hasten_map_key key = {(uint64_t)code->function << 32 | (uint32_t)line, 0};
            uint32_t *line_row =
                hasten_map_insert(&by_line, key, (uint32_t)aggregate->line_count, &inserted);
            void *lines = aggregate->lines;
            if (line_row == NULL ||
                (inserted &&
                 hasten_grow(aggregate->allocator, &lines, &aggregate->line_capacity,
                             aggregate->line_count + 1, sizeof *aggregate->lines) != 0)) {
                goto done;
            }
            aggregate->lines = lines;
            if (inserted) {
                aggregate->lines[aggregate->line_count++] =
                    (struct hasten_row){.function = code->function, .line = line};
            }
            *row = *line_row;
        }
        aggregate->node_line[i] = *row;
    }
    status = HASTEN_OK;
done:
    hasten_map_done(&by_place);
    hasten_map_done(&by_line);
    return status;
}

static void add_state(struct work *work, const struct hasten_value *value,
                      enum hasten_state state) {
    int64_t amount_ns = value->amount;
    struct hasten_aggregate *aggregate = work->aggregate;
    struct hasten_thread_row *thread = &aggregate->threads[value->thread];
    struct hasten_time *node = &work->nodes[value->node];
    struct hasten_process_row *process =
        &aggregate->processes[aggregate->profile->threads[value->thread].process];
    hasten_time_add(&thread->state_ns[state], amount_ns);
    if (hasten_state_is_running(state)) {
        hasten_time_add(&thread->running_ns, amount_ns);
        hasten_time_add(&process->running_ns, amount_ns);
        hasten_time_add(&node->running_ns, amount_ns);
        return;
    }
    hasten_time_add(&thread->waiting_ns, amount_ns);
    hasten_time_add(&process->waiting_ns, amount_ns);
    hasten_time_add(&work->blocked[value->node], state == HASTEN_STATE_WAIT_GIL ? 0 : amount_ns);
    struct hasten_waiting_row *waiting = &aggregate->waiting[state];
    if (thread->is_main) {
        hasten_time_add(&node->waiting_ns, amount_ns);
        hasten_time_add(&waiting->main_ns, amount_ns);
    } else {
        hasten_time_add(&node->idle_ns, amount_ns);
        hasten_time_add(&waiting->other_ns, amount_ns);
    }
    uint32_t line = aggregate->node_line[value->node];
    if (line != HASTEN_NONE) {
        int64_t *amounts = thread->is_main ? work->line_waiting : work->line_idle;
        hasten_time_add(&amounts[(size_t)line * HASTEN_STATE_COUNT + state], amount_ns);
    }
}

static void add_traced(struct work *work, const struct hasten_value *value) {
    struct hasten_aggregate *aggregate = work->aggregate;
    struct hasten_thread_row *thread = &aggregate->threads[value->thread];
    uint32_t process = aggregate->profile->threads[value->thread].process;
    hasten_time_add(&thread->traced_ns, value->amount);
    hasten_time_add(&aggregate->processes[process].traced_ns, value->amount);
    hasten_time_add(&work->nodes[value->node].traced_ns, value->amount);
}

static void add_calls(struct work *work, const struct hasten_value *value) {
    hasten_time_add(&work->calls[value->node], value->amount);
    hasten_time_add(&work->aggregate->threads[value->thread].calls, value->amount);
    hasten_time_add(&work->aggregate->calls, value->amount);
}

/* Both marks are also on samples of waiting threads, and a thread that waits
 * (not for the GIL) does so inside a C function. */
static void keep_running(struct hasten_time *node, int64_t blocked_ns) {
    int64_t native_ns = node->native_ns > blocked_ns ? node->native_ns - blocked_ns : 0;
    node->native_ns = native_ns < node->running_ns ? native_ns : node->running_ns;
    node->gc_ns = node->gc_ns < node->running_ns ? node->gc_ns : node->running_ns;
}

/* Gives each node, line and function row its own amounts. */
static void sum_values(struct work *work) {
    struct hasten_aggregate *aggregate = work->aggregate;
    const struct hasten_profile *profile = aggregate->profile;
    for (size_t i = 0; i < profile->value_count; i++) {
        const struct hasten_value *value = &profile->values[i];
        const struct hasten_metric_role *role = &work->roles[value->metric];
        if (value->amount <= 0) {
            continue;
        }
        if (role->role == HASTEN_ROLE_STATE) {
            add_state(work, value, role->state);
        } else if (role->role == HASTEN_ROLE_NATIVE) {
            hasten_time_add(&work->nodes[value->node].native_ns, value->amount);
        } else if (role->role == HASTEN_ROLE_GC) {
            hasten_time_add(&work->nodes[value->node].gc_ns, value->amount);
        } else if (role->role == HASTEN_ROLE_TRACED) {
            add_traced(work, value);
        } else if (role->role == HASTEN_ROLE_CALLS) {
            add_calls(work, value);
        }
    }
    for (size_t i = 0; i < profile->node_count; i++) {
        keep_running(&work->nodes[i], work->blocked[i]);
        add_time(&aggregate->sum, &work->nodes[i]);
        uint32_t line = aggregate->node_line[i];
        if (line == HASTEN_NONE) {
            add_time(&aggregate->outside, &work->nodes[i]);
        } else {
            struct hasten_row *row = &aggregate->lines[line];
            add_time(&row->self, &work->nodes[i]);
            add_time(&aggregate->functions[row->function].self, &work->nodes[i]);
        }
    }
}

static uint32_t largest_line(const struct hasten_aggregate *aggregate, const int64_t *amounts,
                             uint32_t state) {
    uint32_t largest = HASTEN_NONE;
    int64_t largest_ns = 0;
    for (size_t line = 0; line < aggregate->line_count; line++) {
        int64_t amount_ns = amounts[line * HASTEN_STATE_COUNT + state];
        if (amount_ns > largest_ns) {
            largest_ns = amount_ns;
            largest = (uint32_t)line;
        }
    }
    return largest;
}

static void find_waiting_lines(struct work *work) {
    struct hasten_aggregate *aggregate = work->aggregate;
    for (uint32_t state = 0; state < HASTEN_STATE_COUNT; state++) {
        struct hasten_waiting_row *waiting = &aggregate->waiting[state];
        waiting->main_line = largest_line(aggregate, work->line_waiting, state);
        waiting->other_line = largest_line(aggregate, work->line_idle, state);
    }
}

/* Adds every node's children to it: a parent's index is smaller than theirs. */
static void sum_subtrees(struct work *work) {
    const struct hasten_profile *profile = work->aggregate->profile;
    for (size_t i = 0; i < profile->node_count; i++) {
        work->first_child[i] = HASTEN_NONE;
        work->next_sibling[i] = HASTEN_NONE;
    }
    for (size_t i = profile->node_count; i-- > 1;) {
        uint32_t parent = profile->nodes[i].parent;
        work->next_sibling[i] = work->first_child[parent];
        work->first_child[parent] = (uint32_t)i;
        add_time(&work->nodes[parent], &work->nodes[i]);
    }
}

static void enter_node(struct work *work, uint32_t node) {
    struct hasten_aggregate *aggregate = work->aggregate;
    uint32_t line = aggregate->node_line[node];
    if (line == HASTEN_NONE) {
        return;
    }
    struct hasten_row *row = &aggregate->lines[line];
    struct hasten_row *function = &aggregate->functions[row->function];
    hasten_time_add(&function->calls, work->calls[node]);
    if (work->active[row->function]++ == 0) {
        add_time(&function->total, &work->nodes[node]);
        hasten_time_add(&function->primitive_calls, work->calls[node]);
        hasten_time_add(&aggregate->primitive_calls, work->calls[node]);
    }
    if (work->active[aggregate->function_count + line]++ == 0) {
        add_time(&row->total, &work->nodes[node]);
    }
}

static void leave_node(struct work *work, uint32_t node) {
    uint32_t line = work->aggregate->node_line[node];
    if (line != HASTEN_NONE) {
        work->active[work->aggregate->lines[line].function]--;
        work->active[work->aggregate->function_count + line]--;
    }
}

/* Walks the tree depth first without recursion (stacks may be very deep). Only
 * the outermost frame of a function or line on a stack adds to its total. */
static void sum_totals(struct work *work) {
    const struct hasten_profile *profile = work->aggregate->profile;
    if (profile->node_count == 0) {
        return;
    }
    uint32_t node = 0;
    for (;;) {
        enter_node(work, node);
        if (work->first_child[node] != HASTEN_NONE) {
            node = work->first_child[node];
            continue;
        }
        leave_node(work, node);
        while (node != 0 && work->next_sibling[node] == HASTEN_NONE) {
            node = profile->nodes[node].parent;
            leave_node(work, node);
        }
        if (node == 0) {
            return;
        }
        node = work->next_sibling[node];
    }
}

/* What summing needs for every node. */
static hasten_status work_init_nodes(struct work *work) {
    const struct hasten_profile *profile = work->aggregate->profile;
    const struct hasten_allocator *allocator = work->aggregate->allocator;
    size_t nodes = profile->node_count;
    work->roles = hasten_allocate_zeroed(allocator, profile->metric_count * sizeof *work->roles);
    work->nodes = hasten_allocate_zeroed(allocator, nodes * sizeof *work->nodes);
    work->blocked = hasten_allocate_zeroed(allocator, nodes * sizeof *work->blocked);
    work->calls = hasten_allocate_zeroed(allocator, nodes * sizeof *work->calls);
    work->first_child = hasten_allocate(allocator, nodes * sizeof *work->first_child);
    work->next_sibling = hasten_allocate(allocator, nodes * sizeof *work->next_sibling);
    bool complete = work->roles != NULL && work->nodes != NULL && work->blocked != NULL &&
                    work->calls != NULL && work->first_child != NULL && work->next_sibling != NULL;
    return complete ? HASTEN_OK : HASTEN_NO_MEMORY;
}

/* What it needs for every line, once the lines are known. */
static hasten_status work_init_lines(struct work *work) {
    const struct hasten_aggregate *aggregate = work->aggregate;
    const struct hasten_allocator *allocator = aggregate->allocator;
    size_t cells = aggregate->line_count * HASTEN_STATE_COUNT;
    work->active_count = aggregate->function_count + aggregate->line_count;
    work->active = hasten_allocate_zeroed(allocator, work->active_count * sizeof *work->active);
    work->line_waiting = hasten_allocate_zeroed(allocator, cells * sizeof *work->line_waiting);
    work->line_idle = hasten_allocate_zeroed(allocator, cells * sizeof *work->line_idle);
    bool complete = work->active != NULL && work->line_waiting != NULL && work->line_idle != NULL;
    return complete ? HASTEN_OK : HASTEN_NO_MEMORY;
}

static void work_done(struct work *work) {
    const struct hasten_aggregate *aggregate = work->aggregate;
    const struct hasten_allocator *allocator = aggregate->allocator;
    size_t nodes = aggregate->profile->node_count;
    size_t cells = aggregate->line_count * HASTEN_STATE_COUNT;
    hasten_release(allocator, work->roles, aggregate->profile->metric_count * sizeof *work->roles);
    hasten_release(allocator, work->nodes, nodes * sizeof *work->nodes);
    hasten_release(allocator, work->blocked, nodes * sizeof *work->blocked);
    hasten_release(allocator, work->calls, nodes * sizeof *work->calls);
    hasten_release(allocator, work->first_child, nodes * sizeof *work->first_child);
    hasten_release(allocator, work->next_sibling, nodes * sizeof *work->next_sibling);
    hasten_release(allocator, work->active, work->active_count * sizeof *work->active);
    hasten_release(allocator, work->line_waiting, cells * sizeof *work->line_waiting);
    hasten_release(allocator, work->line_idle, cells * sizeof *work->line_idle);
}

static hasten_status sum_profile(struct hasten_aggregate *aggregate) {
    struct work work = {.aggregate = aggregate};
    hasten_status status = work_init_nodes(&work);
    if (status == HASTEN_OK && aggregate->profile->node_count > 0) {
        find_roles(&work);
        status = find_lines(&work);
    }
    if (status == HASTEN_OK) {
        status = hasten_aggregate_find_who(aggregate);
    }
    if (status == HASTEN_OK) {
        status = work_init_lines(&work);
    }
    if (status == HASTEN_OK) {
        sum_values(&work);
        find_waiting_lines(&work);
        sum_subtrees(&work);
        sum_totals(&work);
    }
    work_done(&work);
    return status;
}

static hasten_status make_arrays(struct hasten_aggregate *aggregate) {
    const struct hasten_profile *profile = aggregate->profile;
    const struct hasten_allocator *allocator = aggregate->allocator;
    aggregate->function_count = profile->function_count;
    aggregate->functions =
        hasten_allocate_zeroed(allocator, profile->function_count * sizeof *aggregate->functions);
    aggregate->threads =
        hasten_allocate_zeroed(allocator, profile->thread_count * sizeof *aggregate->threads);
    aggregate->node_line =
        hasten_allocate(allocator, profile->node_count * sizeof *aggregate->node_line);
    aggregate->processes =
        hasten_allocate_zeroed(allocator, profile->process_count * sizeof *aggregate->processes);
    if (aggregate->functions == NULL || aggregate->threads == NULL ||
        aggregate->processes == NULL || aggregate->node_line == NULL) {
        return HASTEN_NO_MEMORY;
    }
    for (size_t i = 0; i < profile->function_count; i++) {
        aggregate->functions[i].function = (uint32_t)i;
        aggregate->functions[i].line = profile->functions[i].first_line;
    }
    return HASTEN_OK;
}

hasten_status hasten_aggregate_new(const struct hasten_profile *profile,
                                   const struct hasten_report_options *options,
                                   const struct hasten_allocator *allocator,
                                   struct hasten_aggregate **ret_aggregate,
                                   struct hasten_error *error) {
    if (!indexes_fit(profile)) {
        return hasten_error_set(error, HASTEN_CORRUPT, -1,
                                "the profile's parts do not fit together");
    }
    hasten_status status = HASTEN_NO_MEMORY;
    struct hasten_aggregate *aggregate = hasten_allocate_zeroed(allocator, sizeof *aggregate);
    if (aggregate == NULL) {
        goto failed;
    }
    aggregate->allocator = allocator;
    aggregate->profile = profile;
    status = make_arrays(aggregate);
    if (status != HASTEN_OK) {
        goto failed;
    }
    status = sum_profile(aggregate);
    if (status != HASTEN_OK) {
        goto failed;
    }
    static const struct hasten_report_options plain = {.sort = HASTEN_SORT_SELF};
    status = hasten_aggregate_order(aggregate, options == NULL ? &plain : options);
    if (status != HASTEN_OK) {
        goto failed;
    }
    *ret_aggregate = aggregate;
    return HASTEN_OK;
failed:
    hasten_aggregate_free(aggregate);
    return hasten_error_set(error, status, -1, "%s", hasten_status_sentence(status));
}

void hasten_aggregate_free(struct hasten_aggregate *aggregate) {
    if (aggregate == NULL) {
        return;
    }
    const struct hasten_allocator *allocator = aggregate->allocator;
    hasten_release(allocator, aggregate->functions,
                   aggregate->function_count * sizeof *aggregate->functions);
    hasten_release(allocator, aggregate->lines,
                   aggregate->line_capacity * sizeof *aggregate->lines);
    hasten_release(allocator, aggregate->node_line,
                   aggregate->profile->node_count * sizeof *aggregate->node_line);
    hasten_release(allocator, aggregate->threads,
                   aggregate->profile->thread_count * sizeof *aggregate->threads);
    hasten_release(allocator, aggregate->processes,
                   aggregate->profile->process_count * sizeof *aggregate->processes);
    hasten_release(allocator, aggregate->function_order,
                   aggregate->function_count * sizeof *aggregate->function_order);
    hasten_release(allocator, aggregate->line_order,
                   aggregate->line_count * sizeof *aggregate->line_order);
    hasten_release(allocator, aggregate, sizeof *aggregate);
}
