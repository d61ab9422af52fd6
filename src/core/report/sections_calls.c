/* SPDX-License-Identifier: MIT
 *
 * What a traced program called. */
#include "core/report/cells.h"
#include "core/report/numbers.h"
#include "core/report/sections.h"
#include "core/report/thread_order.h"

/* Below this width five columns of numbers leave no room for a long bar. */
#define NARROW_COLUMNS 110
#define NARROW_BAR 5
#define LEAST_ROWS 5

static const char *title_of(enum hasten_report_sort sort) {
    switch (sort) {
    case HASTEN_SORT_SELF:
        break;
    case HASTEN_SORT_TOTAL:
        return "Functions, by total";
    case HASTEN_SORT_CALLS:
        return "Functions, by calls";
    case HASTEN_SORT_NAME:
        return "Functions, by name";
    case HASTEN_SORT_FILE:
        return "Functions, by file";
    }
    return "Functions";
}

/* Where the largest come first, small ones are left out, but some are shown. */
static size_t shown_functions(const struct hasten_page *page) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    const struct hasten_report_options *options = page->options;
    size_t count = aggregate->function_order_count;
    size_t shown = count;
    if (options->sort == HASTEN_SORT_SELF || options->sort == HASTEN_SORT_TOTAL) {
        shown = 0;
        while (shown < count) {
            const struct hasten_row *row = &aggregate->functions[aggregate->function_order[shown]];
            const struct hasten_time *time =
                options->sort == HASTEN_SORT_TOTAL ? &row->total : &row->self;
            if (shown >= LEAST_ROWS &&
                hasten_share(time->traced_ns, aggregate->sum.traced_ns) < options->least_share) {
                break;
            }
            shown++;
        }
    }
    return options->limit > 0 && options->limit < shown ? options->limit : shown;
}

static void write_rest(struct hasten_page *page, size_t shown) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    int64_t rest_ns = 0;
    if (shown == aggregate->function_order_count) {
        return;
    }
    for (size_t i = shown; i < aggregate->function_order_count; i++) {
        hasten_time_add(&rest_ns,
                        aggregate->functions[aggregate->function_order[i]].self.traced_ns);
    }
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    hasten_buffer_format(text, "and %zu more, with ", aggregate->function_order_count - shown);
    hasten_number_share(text, hasten_share(rest_ns, aggregate->sum.traced_ns));
    hasten_buffer_text(text, " of the time together");
    hasten_page_paragraph(page, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

static int64_t longest_self(const struct hasten_aggregate *aggregate, size_t shown) {
    int64_t longest_ns = 0;
    for (size_t i = 0; i < shown; i++) {
        int64_t self_ns = aggregate->functions[aggregate->function_order[i]].self.traced_ns;
        longest_ns = self_ns > longest_ns ? self_ns : longest_ns;
    }
    return longest_ns;
}

static void add_row(struct hasten_table *table, const struct hasten_row *row) {
    int64_t whole_ns = table->page->aggregate->sum.traced_ns;
    enum hasten_style style = hasten_cell_style(row->self.traced_ns, whole_ns);
    hasten_table_bar(table, hasten_cell_bar(table->page, row->function, row->self.traced_ns));
    hasten_cell_calls(table, style, row->calls, row->primitive_calls);
    hasten_cell_time(table, style, row->self.traced_ns);
    hasten_cell_mean(table, row->self.traced_ns, row->calls);
    hasten_cell_time(table, hasten_cell_style(row->total.traced_ns, whole_ns),
                     row->total.traced_ns);
    hasten_cell_mean(table, row->total.traced_ns, row->primitive_calls);
    hasten_cell_function(table, style, row->function);
}

void hasten_section_calls(struct hasten_page *page) {
    static const struct hasten_table_column columns[] = {
        {"", false, HASTEN_CUT_NEVER, 0},        {"ncalls", true, HASTEN_CUT_NEVER, 0},
        {"tottime", true, HASTEN_CUT_NEVER, 0},  {"percall", true, HASTEN_CUT_NEVER, 0},
        {"cumtime", true, HASTEN_CUT_NEVER, 0},  {"percall", true, HASTEN_CUT_NEVER, 0},
        {"function", false, HASTEN_CUT_END, 10}, {"where", false, HASTEN_CUT_START, 10},
    };
    const struct hasten_aggregate *aggregate = page->aggregate;
    size_t shown = shown_functions(page);
    hasten_page_heading(page, title_of(page->options->sort),
                        "tottime: in itself; cumtime: with what it calls");
    if (shown == 0) {
        hasten_page_paragraph(page, HASTEN_STYLE_PLAIN, "none passes the filter");
        return;
    }
    size_t bar_columns = page->bar_columns;
    page->bar_columns = page->columns < NARROW_COLUMNS ? NARROW_BAR : bar_columns;
    struct hasten_table table;
    hasten_table_init(&table, page, columns,
                      hasten_cell_columns(page, sizeof columns / sizeof *columns),
                      longest_self(aggregate, shown));
    for (size_t i = 0; i < shown; i++) {
        add_row(&table, &aggregate->functions[aggregate->function_order[i]]);
    }
    hasten_table_finish(&table);
    page->bar_columns = bar_columns;
    write_rest(page, shown);
}

static int compare_threads(const void *left_index, const void *right_index, void *context) {
    const struct hasten_aggregate *aggregate = context;
    uint32_t left = *(const uint32_t *)left_index;
    uint32_t right = *(const uint32_t *)right_index;
    int64_t left_ns = aggregate->threads[left].traced_ns;
    int64_t right_ns = aggregate->threads[right].traced_ns;
    return left_ns > right_ns ? -1 : left_ns < right_ns ? 1 : (left > right) - (left < right);
}

static void add_thread(struct hasten_table *table, uint32_t index) {
    const struct hasten_aggregate *aggregate = table->page->aggregate;
    const struct hasten_profile *profile = aggregate->profile;
    const struct hasten_thread *thread = &profile->threads[index];
    const struct hasten_process *process = &profile->processes[thread->process];
    struct hasten_buffer *text = &table->page->scratch;
    int64_t time_ns = aggregate->threads[index].traced_ns;
    hasten_table_bar(table, (struct hasten_bar){.python_ns = time_ns});
    hasten_cell_time(table, HASTEN_STYLE_PLAIN, time_ns);
    hasten_cell_calls(table, HASTEN_STYLE_PLAIN, aggregate->threads[index].calls,
                      aggregate->threads[index].calls);
    hasten_buffer_clear(text);
    hasten_buffer_format(text, "%u ", process->pid);
    hasten_page_safe(table->page, text, profile->strings[process->label]);
    hasten_table_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
    hasten_buffer_clear(text);
    hasten_cell_append_thread(table->page, text, thread);
    hasten_table_text(table, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(text));
}

void hasten_section_traced_threads(struct hasten_page *page) {
    static const struct hasten_table_column columns[] = {
        {"", false, HASTEN_CUT_NEVER, 0},      {"time", true, HASTEN_CUT_NEVER, 0},
        {"calls", true, HASTEN_CUT_NEVER, 0},  {"process", false, HASTEN_CUT_NEVER, 0},
        {"thread", false, HASTEN_CUT_END, 10},
    };
    const struct hasten_aggregate *aggregate = page->aggregate;
    size_t count = aggregate->profile->thread_count;
    if (count < 2) {
        return;
    }
    uint32_t *order = hasten_thread_order_new(page, compare_threads);
    if (order == NULL) {
        return;
    }
    size_t limit = page->options->limit;
    size_t shown = limit > 0 && limit < count ? limit : count;
    hasten_page_heading(page, "Threads", "time: of their calls, running or waiting");
    struct hasten_table table;
    hasten_table_init(&table, page, columns, sizeof columns / sizeof *columns,
                      aggregate->threads[order[0]].traced_ns);
    for (size_t i = 0; i < shown; i++) {
        add_thread(&table, order[i]);
    }
    hasten_table_finish(&table);
    if (shown < count) {
        hasten_page_more(page, count - shown);
    }
    hasten_thread_order_free(page, order);
}
