/* SPDX-License-Identifier: MIT
 *
 * Sums the tree by function and by edge in one walk. */
#include "core/report/callgraph.h"

#include "core/base/allocator.h"
#include "core/report/metric_role.h"

struct node_sums {
    int64_t calls;
    int64_t self_ns;
    int64_t total_ns;
    uint32_t first_child, next_sibling;
    uint32_t edge; /* HASTEN_NONE: nobody called it */
};

/* What is needed only while summing. */
struct work {
    struct hasten_callgraph *graph;
    const struct hasten_profile *profile;
    struct node_sums *nodes;
    struct hasten_map edge_of;  /* (caller, callee) -> edge */
    uint32_t *active_functions; /* times on the current stack */
    uint32_t *active_edges;
};

static bool counts(const struct work *work, const struct hasten_metric_role *role,
                   uint32_t thread) {
    return role->role == HASTEN_ROLE_TRACED ||
           (role->role == HASTEN_ROLE_STATE && (hasten_state_is_running(role->state) ||
                                                work->graph->aggregate->threads[thread].is_main));
}

static hasten_status sum_values(struct work *work) {
    const struct hasten_profile *profile = work->profile;
    const struct hasten_allocator *allocator = work->graph->aggregate->allocator;
    size_t bytes = (profile->metric_count + 1) * sizeof(struct hasten_metric_role);
    struct hasten_metric_role *roles = hasten_allocate(allocator, bytes);
    if (roles == NULL) {
        return HASTEN_NO_MEMORY;
    }
    for (size_t i = 0; i < profile->metric_count; i++) {
        roles[i] = hasten_metric_role_of(profile, i);
    }
    for (size_t i = 0; i < profile->value_count; i++) {
        const struct hasten_value *value = &profile->values[i];
        const struct hasten_metric_role *role = &roles[value->metric];
        struct node_sums *node = &work->nodes[value->node];
        if (value->amount <= 0) {
            continue;
        }
        if (role->role == HASTEN_ROLE_CALLS) {
            hasten_time_add(&node->calls, value->amount);
        } else if (counts(work, role, value->thread)) {
            hasten_time_add(&node->self_ns, value->amount);
        }
    }
    hasten_release(allocator, roles, bytes);
    return HASTEN_OK;
}

/* A parent's index is smaller than its children's. */
static void link_nodes(struct work *work) {
    for (size_t i = 0; i < work->profile->node_count; i++) {
        work->nodes[i].first_child = HASTEN_NONE;
        work->nodes[i].next_sibling = HASTEN_NONE;
        work->nodes[i].edge = HASTEN_NONE;
        work->nodes[i].total_ns = work->nodes[i].self_ns;
    }
    for (size_t i = work->profile->node_count; i-- > 1;) {
        struct node_sums *parent = &work->nodes[work->profile->nodes[i].parent];
        work->nodes[i].next_sibling = parent->first_child;
        parent->first_child = (uint32_t)i;
        hasten_time_add(&parent->total_ns, work->nodes[i].total_ns);
    }
}

static uint32_t function_at(const struct work *work, uint32_t node) {
    return work->graph->function_of[work->profile->nodes[node].code];
}

static hasten_status find_edge(struct work *work, uint32_t node) {
    struct hasten_callgraph *graph = work->graph;
    uint32_t parent = work->profile->nodes[node].parent;
    if (parent == 0) {
        return HASTEN_OK;
    }
    struct hasten_call_edge edge = {function_at(work, parent), function_at(work, node), {0}};
    struct hasten_map_key key = {(uint64_t)edge.caller << 32 | edge.callee, 0};
    bool inserted = false;
    const uint32_t *place =
        hasten_map_insert(&work->edge_of, key, (uint32_t)graph->edge_count, &inserted);
    if (place == NULL) {
        return HASTEN_NO_MEMORY;
    }
    work->nodes[node].edge = *place;
    if (!inserted) {
        return HASTEN_OK;
    }
    void *edges = graph->edges;
    if (hasten_grow(graph->aggregate->allocator, &edges, &graph->edge_capacity,
                    graph->edge_count + 1, sizeof *graph->edges) < 0) {
        return HASTEN_NO_MEMORY;
    }
    graph->edges = edges;
    graph->edges[graph->edge_count++] = edge;
    return HASTEN_OK;
}

static void add_node(struct hasten_call_sums *sums, const struct node_sums *node,
                     uint32_t *active) {
    hasten_time_add(&sums->calls, node->calls);
    hasten_time_add(&sums->self_ns, node->self_ns);
    if ((*active)++ == 0) {
        hasten_time_add(&sums->primitive_calls, node->calls);
        hasten_time_add(&sums->total_ns, node->total_ns);
    }
}

static void enter(struct work *work, uint32_t index) {
    const struct node_sums *node = &work->nodes[index];
    struct hasten_callgraph *graph = work->graph;
    if (index == 0) {
        return;
    }
    uint32_t function = function_at(work, index);
    add_node(&graph->functions[function], node, &work->active_functions[function]);
    if (node->edge != HASTEN_NONE) {
        add_node(&graph->edges[node->edge].sums, node, &work->active_edges[node->edge]);
    }
}

static void leave(struct work *work, uint32_t index) {
    if (index == 0) {
        return;
    }
    work->active_functions[function_at(work, index)]--;
    if (work->nodes[index].edge != HASTEN_NONE) {
        work->active_edges[work->nodes[index].edge]--;
    }
}

/* Depth first without recursion: stacks may be very deep. */
static void walk(struct work *work) {
    uint32_t node = 0;
    for (;;) {
        enter(work, node);
        if (work->nodes[node].first_child != HASTEN_NONE) {
            node = work->nodes[node].first_child;
            continue;
        }
        leave(work, node);
        while (node != 0 && work->nodes[node].next_sibling == HASTEN_NONE) {
            node = work->profile->nodes[node].parent;
            leave(work, node);
        }
        if (node == 0) {
            return;
        }
        node = work->nodes[node].next_sibling;
    }
}

static hasten_status sum(struct work *work) {
    const struct hasten_allocator *allocator = work->graph->aggregate->allocator;
    hasten_status status = sum_values(work);
    link_nodes(work);
    for (size_t i = 1; i < work->profile->node_count && status == HASTEN_OK; i++) {
        status = find_edge(work, (uint32_t)i);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    size_t bytes = (work->graph->edge_count + 1) * sizeof *work->active_edges;
    work->active_edges = hasten_allocate_zeroed(allocator, bytes);
    if (work->active_edges == NULL) {
        return HASTEN_NO_MEMORY;
    }
    walk(work);
    hasten_release(allocator, work->active_edges, bytes);
    return HASTEN_OK;
}

static hasten_status sum_profile(struct hasten_callgraph *graph) {
    const struct hasten_allocator *allocator = graph->aggregate->allocator;
    struct work work = {.graph = graph, .profile = graph->aggregate->profile};
    size_t nodes = work.profile->node_count;
    hasten_status status = HASTEN_NO_MEMORY;
    if (nodes == 0) {
        return HASTEN_OK;
    }
    hasten_map_init(&work.edge_of, allocator);
    work.nodes = hasten_allocate_zeroed(allocator, nodes * sizeof *work.nodes);
    work.active_functions =
        hasten_allocate_zeroed(allocator, (graph->function_count + 1) * sizeof(uint32_t));
    if (work.nodes != NULL && work.active_functions != NULL) {
        status = sum(&work);
    }
    hasten_map_done(&work.edge_of);
    hasten_release(allocator, work.nodes, nodes * sizeof *work.nodes);
    hasten_release(allocator, work.active_functions,
                   (graph->function_count + 1) * sizeof(uint32_t));
    return status;
}

hasten_status hasten_callgraph_init(struct hasten_callgraph *graph,
                                    const struct hasten_aggregate *aggregate,
                                    const uint32_t *function_of, size_t function_count) {
    const struct hasten_profile *profile = aggregate->profile;
    const struct hasten_allocator *allocator = aggregate->allocator;
    *graph = (struct hasten_callgraph){
        .aggregate = aggregate,
        .function_count = function_of == NULL ? profile->function_count : function_count,
    };
    graph->function_of =
        hasten_allocate(allocator, (profile->code_count + 1) * sizeof *graph->function_of);
    graph->functions =
        hasten_allocate_zeroed(allocator, (graph->function_count + 1) * sizeof *graph->functions);
    hasten_status status = HASTEN_NO_MEMORY;
    if (graph->function_of != NULL && graph->functions != NULL) {
        for (size_t i = 0; i < profile->code_count; i++) {
            graph->function_of[i] =
                function_of == NULL ? profile->codes[i].function : function_of[i];
        }
        status = sum_profile(graph);
    }
    if (status != HASTEN_OK) {
        hasten_callgraph_done(graph);
    }
    return status;
}

void hasten_callgraph_done(struct hasten_callgraph *graph) {
    if (graph->aggregate == NULL) {
        return;
    }
    const struct hasten_allocator *allocator = graph->aggregate->allocator;
    hasten_release(allocator, graph->function_of,
                   (graph->aggregate->profile->code_count + 1) * sizeof *graph->function_of);
    hasten_release(allocator, graph->functions,
                   (graph->function_count + 1) * sizeof *graph->functions);
    hasten_release(allocator, graph->edges, graph->edge_capacity * sizeof *graph->edges);
    *graph = (struct hasten_callgraph){0};
}

int hasten_callgraph_compare_edges(const void *left_index, const void *right_index, void *graph) {
    const struct hasten_call_edge *edges = ((const struct hasten_callgraph *)graph)->edges;
    uint32_t left = *(const uint32_t *)left_index;
    uint32_t right = *(const uint32_t *)right_index;
    const struct hasten_call_sums *one = &edges[left].sums;
    const struct hasten_call_sums *other = &edges[right].sums;
    if (one->total_ns != other->total_ns) {
        return one->total_ns > other->total_ns ? -1 : 1;
    }
    if (one->calls != other->calls) {
        return one->calls > other->calls ? -1 : 1;
    }
    return (left > right) - (left < right);
}
