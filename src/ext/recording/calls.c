/* SPDX-License-Identifier: MIT
 *
 * The table of Recording.calls(): who called whom. Adding up is the core's business
 * (core/report/callgraph.h). */
#include "ext/recording/module.h"

#include <stdlib.h>

#include "core/base/allocator.h"
#include "core/report/callgraph.h"
#include "ext/common/errors.h"
#include "ext/common/row.h"

#define NS_PER_S 1e9

/* A profile's edges, those with a number, in the order of the table. */
struct edges {
    struct hasten_aggregate *aggregate;
    struct hasten_callgraph graph;
    uint32_t *order;
    size_t count;
    uint32_t *places; /* of the profile's functions in Recording.functions, HASTEN_NONE: none */
};

static void edges_done(struct edges *edges) {
    free(edges->order);
    free(edges->places);
    hasten_callgraph_done(&edges->graph);
    hasten_aggregate_free(edges->aggregate);
}

static bool is_shown(const struct edges *edges, const struct hasten_call_edge *edge) {
    return !hasten_call_sums_are_empty(&edge->sums) && edges->places[edge->caller] != HASTEN_NONE &&
           edges->places[edge->callee] != HASTEN_NONE;
}

static hasten_status edges_init(struct edges *edges, const struct hasten_profile *profile,
                                struct hasten_error *error) {
    hasten_status status = hasten_aggregate_new(profile, NULL, NULL, &edges->aggregate, error);
    if (status == HASTEN_OK) {
        status = hasten_callgraph_init(&edges->graph, edges->aggregate, NULL, 0);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    const struct hasten_aggregate *aggregate = edges->aggregate;
    edges->order = calloc(edges->graph.edge_count + 1, sizeof *edges->order);
    edges->places = calloc(aggregate->function_count + 1, sizeof *edges->places);
    if (edges->order == NULL || edges->places == NULL) {
        return HASTEN_NO_MEMORY;
    }
    for (size_t i = 0; i < aggregate->function_count; i++) {
        edges->places[i] = HASTEN_NONE;
    }
    for (size_t i = 0; i < aggregate->function_order_count; i++) {
        edges->places[aggregate->function_order[i]] = (uint32_t)i;
    }
    for (size_t i = 0; i < edges->graph.edge_count; i++) {
        if (is_shown(edges, &edges->graph.edges[i])) {
            edges->order[edges->count++] = (uint32_t)i;
        }
    }
    qsort_r(edges->order, edges->count, sizeof *edges->order, hasten_callgraph_compare_edges,
            &edges->graph);
    return HASTEN_OK;
}

static PyObject *call_row(const struct hasten_py_state *state, const struct edges *edges,
                          const struct hasten_call_edge *edge, PyObject *functions) {
    PyObject *values[] = {
        Py_NewRef(PyTuple_GET_ITEM(functions, edges->places[edge->caller])),
        Py_NewRef(PyTuple_GET_ITEM(functions, edges->places[edge->callee])),
        PyLong_FromLongLong(edge->sums.calls),
        PyLong_FromLongLong(edge->sums.primitive_calls),
        PyFloat_FromDouble((double)edge->sums.self_ns / NS_PER_S),
        PyFloat_FromDouble((double)edge->sums.total_ns / NS_PER_S),
    };
    return hasten_py_row(state->call_row, values, Py_ARRAY_LENGTH(values));
}

static PyObject *table_of(const struct hasten_py_state *state, const struct edges *edges,
                          PyObject *functions) {
    PyObject *table = PyTuple_New((Py_ssize_t)edges->count);
    for (size_t i = 0; table != NULL && i < edges->count; i++) {
        PyObject *row = call_row(state, edges, &edges->graph.edges[edges->order[i]], functions);
        if (row == NULL || PyTuple_SetItem(table, (Py_ssize_t)i, row) < 0) {
            Py_CLEAR(table);
        }
    }
    return table;
}

PyObject *hasten_py_calls(const struct hasten_py_state *state, const struct hasten_profile *profile,
                          PyObject *functions) {
    struct edges edges = {0};
    struct hasten_error error = {HASTEN_OK, -1, ""};
    PyObject *table = NULL;
    hasten_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = edges_init(&edges, profile, &error);
    Py_END_ALLOW_THREADS;
    if (status != HASTEN_OK) {
        hasten_py_raise(state->recording_error, status, &error, NULL);
    } else {
        table = table_of(state, &edges, functions);
    }
    edges_done(&edges);
    return table;
}
