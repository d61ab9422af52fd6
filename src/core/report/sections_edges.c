/* SPDX-License-Identifier: MIT
 *
 * Who called a function and whom it called: of traced and of sampled profiles. */
#include <stdlib.h>
#include <string.h>

#include "core/report/callgraph.h"
#include "core/report/cells.h"
#include "core/report/sections.h"

/* Tables where none were asked for by number. */
#define MOST_TABLES 10

struct asked {
    struct hasten_page *page;
    const struct hasten_callgraph *graph;
    bool callers; /* or callees */
};

static uint32_t near_end(const struct asked *asked, uint32_t edge) {
    const struct hasten_call_edge *found = &asked->graph->edges[edge];
    return asked->callers ? found->callee : found->caller;
}

static uint32_t far_end(const struct asked *asked, uint32_t edge) {
    const struct hasten_call_edge *found = &asked->graph->edges[edge];
    return asked->callers ? found->caller : found->callee;
}

static void write_rows(const struct asked *asked, const uint32_t *order, size_t count) {
    static const struct hasten_table_column columns[] = {
        {"", false, HASTEN_CUT_NEVER, 0},        {"ncalls", true, HASTEN_CUT_NEVER, 0},
        {"tottime", true, HASTEN_CUT_NEVER, 0},  {"cumtime", true, HASTEN_CUT_NEVER, 0},
        {"function", false, HASTEN_CUT_END, 10}, {"where", false, HASTEN_CUT_START, 10},
    };
    static const struct hasten_table_column sampled[] = {
        {"", false, HASTEN_CUT_NEVER, 0},       {"self", true, HASTEN_CUT_NEVER, 0},
        {"total", true, HASTEN_CUT_NEVER, 0},   {"function", false, HASTEN_CUT_END, 10},
        {"where", false, HASTEN_CUT_START, 10},
    };
    struct hasten_page *page = asked->page;
    bool traced = page->aggregate->is_traced;
    size_t limit = page->options->limit;
    struct hasten_table table;
    hasten_table_init(&table, page, traced ? columns : sampled,
                      hasten_cell_columns(page, traced ? 6 : 5),
                      asked->graph->edges[order[0]].sums.total_ns);
    for (size_t i = 0; i < count && (limit == 0 || i < limit); i++) {
        const struct hasten_call_sums *sums = &asked->graph->edges[order[i]].sums;
        uint32_t function = far_end(asked, order[i]);
        hasten_table_bar(&table, hasten_cell_bar(page, function, sums->total_ns));
        if (traced) {
            hasten_cell_calls(&table, HASTEN_STYLE_PLAIN, sums->calls, sums->primitive_calls);
        }
        hasten_cell_time(&table, HASTEN_STYLE_PLAIN, sums->self_ns);
        hasten_cell_time(&table, HASTEN_STYLE_PLAIN, sums->total_ns);
        hasten_cell_function(&table, HASTEN_STYLE_PLAIN, function);
    }
    hasten_table_finish(&table);
}

static void write_function(const struct asked *asked, uint32_t function, uint32_t *order) {
    struct hasten_page *page = asked->page;
    struct hasten_buffer title;
    size_t count = 0;
    for (size_t i = 0; i < asked->graph->edge_count; i++) {
        if (near_end(asked, (uint32_t)i) == function) {
            order[count++] = (uint32_t)i;
        }
    }
    qsort_r(order, count, sizeof *order, hasten_callgraph_compare_edges, (void *)asked->graph);
    hasten_buffer_init(&title, page->aggregate->allocator);
    hasten_buffer_text(&title, asked->callers ? "Callers of " : "Called by ");
    hasten_cell_append_name(page, &title, function);
    hasten_page_heading(page, hasten_buffer_cstring(&title), NULL);
    page->out.failed = page->out.failed || title.failed;
    hasten_buffer_done(&title);
    if (count == 0) {
        hasten_page_paragraph(page, HASTEN_STYLE_PLAIN, asked->callers ? "nobody" : "nothing");
        return;
    }
    write_rows(asked, order, count);
}

static bool is_asked_for(const struct hasten_aggregate *aggregate, uint32_t function,
                         const char *name) {
    const struct hasten_profile *profile = aggregate->profile;
    return strstr(profile->strings[profile->functions[function].qualname], name) != NULL;
}

static void write_all(const struct asked *asked, const char *name) {
    struct hasten_page *page = asked->page;
    const struct hasten_aggregate *aggregate = page->aggregate;
    size_t bytes = (asked->graph->edge_count + 1) * sizeof(uint32_t);
    uint32_t *order = hasten_allocate(aggregate->allocator, bytes);
    size_t found = 0;
    if (order == NULL) {
        page->out.failed = true;
        return;
    }
    for (size_t i = 0; i < aggregate->function_order_count; i++) {
        uint32_t function = aggregate->function_order[i];
        if (is_asked_for(aggregate, function, name) && found++ < MOST_TABLES) {
            write_function(asked, function, order);
        }
    }
    if (found == 0) {
        hasten_buffer_byte(&page->out, '\n');
        hasten_page_paragraph(page, HASTEN_STYLE_PLAIN, "No function has that in its name.");
    } else if (found > MOST_TABLES) {
        hasten_buffer_clear(&page->scratch);
        hasten_buffer_format(&page->scratch, "and %zu more functions with that in their name",
                             found - MOST_TABLES);
        hasten_page_paragraph(page, HASTEN_STYLE_FAINT, hasten_buffer_cstring(&page->scratch));
    }
    hasten_release(aggregate->allocator, order, bytes);
}

void hasten_section_edges(struct hasten_page *page) {
    const struct hasten_report_options *options = page->options;
    struct hasten_callgraph graph;
    if (hasten_callgraph_init(&graph, page->aggregate, NULL, 0) != HASTEN_OK) {
        page->out.failed = true;
        return;
    }
    if (options->callers != NULL) {
        write_all(&(struct asked){page, &graph, true}, options->callers);
    }
    if (options->callees != NULL) {
        write_all(&(struct asked){page, &graph, false}, options->callees);
    }
    hasten_callgraph_done(&graph);
}
