/* SPDX-License-Identifier: MIT
 *
 * Lines as the standard module prints them, to the letter. Numbers are written by
 * Python's own function: the C library's would follow the program's locale. */
#include "ext/pstats/module.h"

#include <inttypes.h>
#include <string.h>

/* Columns: "%8.3f", right-aligned calls, calls of a caller. */
#define TIME_WIDTH 8
#define TIME_DECIMALS 3
#define CALLS_WIDTH 9
#define FIRST_CALLS_WIDTH 7
#define CALLS_SIZE 48

static void spaces(struct hasten_buffer *buffer, size_t count) {
    static const char blank[] = "                                ";
    for (; count >= sizeof blank - 1; count -= sizeof blank - 1) {
        hasten_buffer_append(buffer, blank, sizeof blank - 1);
    }
    hasten_buffer_append(buffer, blank, count);
}

static void right_aligned(struct hasten_buffer *buffer, const char *text, size_t width) {
    const size_t size = strlen(text);
    spaces(buffer, size < width ? width - size : 0);
    hasten_buffer_append(buffer, text, size);
}

static void seconds(struct hasten_buffer *buffer, double value) {
    char *text = PyOS_double_to_string(value, 'f', TIME_DECIMALS, 0, NULL);
    if (text == NULL) {
        buffer->failed = true;
        return;
    }
    right_aligned(buffer, text, TIME_WIDTH);
    PyMem_Free(text);
}

static void seconds_per(struct hasten_buffer *buffer, double value, int64_t calls) {
    if (calls == 0) {
        spaces(buffer, TIME_WIDTH);
    } else {
        seconds(buffer, value / (double)calls);
    }
}

static void calls_text(const struct hasten_pstats_cost *cost, char *text) {
    if (cost->calls == cost->primitive_calls) {
        (void)snprintf(text, CALLS_SIZE, "%" PRId64, cost->calls);
    } else {
        (void)snprintf(text, CALLS_SIZE, "%" PRId64 "/%" PRId64, cost->calls,
                       cost->primitive_calls);
    }
}

static PyObject *text_of(const struct hasten_buffer *buffer) {
    if (buffer->failed) {
        return PyErr_NoMemory();
    }
    return PyUnicode_DecodeUTF8(buffer->data == NULL ? "" : buffer->data, (Py_ssize_t)buffer->size,
                                "surrogatepass");
}

/* Writes what belongs to a row; false where the standard module would fail. */
typedef bool (*row_writer)(struct hasten_buffer *buffer, const struct hasten_pstats *table,
                           uint32_t row, void *context);

static PyObject *list_of_texts(const struct hasten_pstats *table,
                               const struct hasten_py_order *order, row_writer write,
                               void *context) {
    struct hasten_buffer buffer;
    hasten_buffer_init(&buffer, NULL);
    PyObject *list = PyList_New((Py_ssize_t)order->count);
    for (size_t i = 0; list != NULL && i < order->count; i++) {
        hasten_buffer_clear(&buffer);
        if (!write(&buffer, table, order->rows[i], context)) {
            Py_SETREF(list, Py_NewRef(Py_None));
            break;
        }
        PyObject *text = text_of(&buffer);
        if (text == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, text);
        }
    }
    hasten_buffer_done(&buffer);
    return list;
}

static bool write_name(struct hasten_buffer *buffer, const struct hasten_pstats *table,
                       uint32_t row, void *Py_UNUSED(context)) {
    hasten_pstats_names_append(&table->names, table->rows.rows[row].function, buffer);
    return true;
}

PyObject *hasten_py_name_list(const struct hasten_pstats *table,
                              const struct hasten_py_order *order) {
    return list_of_texts(table, order, write_name, NULL);
}

static bool write_row(struct hasten_buffer *buffer, const struct hasten_pstats *table,
                      uint32_t number, void *Py_UNUSED(context)) {
    const struct hasten_pstats_row *row = &table->rows.rows[number];
    char calls[CALLS_SIZE];
    calls_text(&row->cost, calls);
    right_aligned(buffer, calls, CALLS_WIDTH);
    hasten_buffer_byte(buffer, ' ');
    seconds(buffer, row->cost.own_s);
    hasten_buffer_byte(buffer, ' ');
    seconds_per(buffer, row->cost.own_s, row->cost.calls);
    hasten_buffer_byte(buffer, ' ');
    seconds(buffer, row->cost.total_s);
    hasten_buffer_byte(buffer, ' ');
    seconds_per(buffer, row->cost.total_s, row->cost.primitive_calls);
    hasten_buffer_byte(buffer, ' ');
    hasten_pstats_names_append(&table->names, row->function, buffer);
    return true;
}

PyObject *hasten_py_row_lines(const struct hasten_pstats *table,
                              const struct hasten_py_order *order) {
    return list_of_texts(table, order, write_row, NULL);
}

struct call_listing {
    size_t width; /* of the column of names */
    const char *arrow;
    const struct hasten_pstats_callees *callees; /* NULL: callers are listed */
    uint32_t *edges;                             /* room for all edges of a function */
};

/* One caller or callee; `is_first` stands on the line of the function itself. */
static bool write_edge(struct hasten_buffer *buffer, const struct hasten_pstats *table,
                       const struct call_listing *listing, uint32_t number, bool is_first) {
    const struct hasten_pstats_edge *edge = &table->rows.edges[number];
    const uint32_t other =
        listing->callees != NULL ? table->rows.rows[edge->row].function : edge->caller;
    const bool calls_only = (edge->cost.kinds & HASTEN_PSTATS_CALLS_ONLY) != 0;
    if (!is_first) {
        spaces(buffer, listing->width + (calls_only ? 3 : 1));
    }
    if (calls_only) {
        const uint32_t row = hasten_pstats_rows_find(&table->rows, other);
        if (row == HASTEN_PSTATS_NONE) {
            return false;
        }
        hasten_pstats_names_append(&table->names, other, buffer);
        hasten_buffer_format(buffer, "(%" PRId64 ") ", edge->cost.calls);
        seconds(buffer, table->rows.rows[row].cost.total_s);
        return true;
    }
    char calls[CALLS_SIZE];
    calls_text(&edge->cost, calls);
    right_aligned(buffer, calls, is_first ? FIRST_CALLS_WIDTH : FIRST_CALLS_WIDTH + 2);
    hasten_buffer_byte(buffer, ' ');
    seconds(buffer, edge->cost.own_s);
    hasten_buffer_byte(buffer, ' ');
    seconds(buffer, edge->cost.total_s);
    hasten_buffer_text(buffer, "  ");
    hasten_pstats_names_append(&table->names, other, buffer);
    return true;
}

/* The edges to list, sorted by name; returns how many. */
static size_t edges_of(const struct hasten_pstats *table, const struct call_listing *listing,
                       uint32_t row) {
    const struct hasten_pstats_callees *callees = listing->callees;
    size_t count = 0;
    if (callees != NULL) {
        const uint32_t function = table->rows.rows[row].function;
        const uint32_t start = callees->starts[function];
        count = callees->starts[function + 1] - start;
        memcpy(listing->edges, callees->edges + start, count * sizeof *listing->edges);
    } else {
        uint32_t edge = table->rows.rows[row].first_edge;
        for (; edge != HASTEN_PSTATS_NONE; edge = table->rows.edges[edge].next) {
            listing->edges[count++] = edge;
        }
    }
    hasten_pstats_sort_edges(table, listing->edges, count, callees != NULL);
    return count;
}

static bool write_calls(struct hasten_buffer *buffer, const struct hasten_pstats *table,
                        uint32_t row, void *context) {
    const struct call_listing *listing = context;
    const uint32_t function = table->rows.rows[row].function;
    const size_t width = table->names.functions[function].width;
    hasten_pstats_names_append(&table->names, function, buffer);
    spaces(buffer, width < listing->width ? listing->width - width : 0);
    hasten_buffer_text(buffer, listing->arrow);
    hasten_buffer_byte(buffer, ' ');
    const size_t count = edges_of(table, listing, row);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            hasten_buffer_byte(buffer, '\n');
        }
        if (!write_edge(buffer, table, listing, listing->edges[i], i == 0)) {
            return false;
        }
    }
    return true;
}

static PyObject *call_lines(const struct hasten_pstats *table, const struct hasten_py_order *order,
                            struct call_listing *listing) {
    listing->edges = PyMem_New(uint32_t, table->rows.edge_count + 1);
    if (listing->edges == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *list = list_of_texts(table, order, write_calls, listing);
    PyMem_Free(listing->edges);
    return list;
}

PyObject *hasten_py_caller_lines(const struct hasten_pstats *table,
                                 const struct hasten_py_order *order, size_t width) {
    struct call_listing listing = {.width = width, .arrow = "<-"};
    return call_lines(table, order, &listing);
}

PyObject *hasten_py_callee_lines(const struct hasten_pstats *table,
                                 const struct hasten_py_order *order, size_t width) {
    struct hasten_pstats_callees callees;
    if (hasten_pstats_callees_init(&callees, table) != HASTEN_OK) {
        return PyErr_NoMemory();
    }
    struct call_listing listing = {.width = width, .arrow = "->", .callees = &callees};
    PyObject *list = call_lines(table, order, &listing);
    hasten_pstats_callees_done(&callees);
    return list;
}
