/* SPDX-License-Identifier: MIT
 *
 * Where the time goes: by function, by line, and what is waited for. */
#include "core/report/sections.h"

#include <string.h>

#include "core/report/cells.h"
#include "core/report/numbers.h"
#include "core/report/text.h"
#include "core/report/verdict.h"

/* Shares from which a row stands out. */
#define LARGE_SHARE 0.10
#define SMALL_SHARE 0.01
/* Shown however small they are. */
#define LEAST_ROWS 5
/* From here on there is room for bars beside long texts. */
#define WIDE_COLUMNS 100

static enum hasten_style share_style(double share) {
    return share >= LARGE_SHARE   ? HASTEN_STYLE_STRONG
           : share >= SMALL_SHARE ? HASTEN_STYLE_PLAIN
                                  : HASTEN_STYLE_FAINT;
}

static void add_duration(struct hasten_table *table, enum hasten_style style, int64_t duration_ns) {
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    hasten_number_duration(text, duration_ns);
    hasten_table_text(table, style, hasten_buffer_cstring(text));
}

static void add_name(struct hasten_table *table, enum hasten_style style,
                     const struct hasten_row *row) {
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    hasten_page_name(table->page, text, row);
    hasten_table_text(table, style, hasten_buffer_cstring(text));
}

/* How many rows of an order are shown: those that count, up to the limit. Where
 * the largest come first, small ones are left out, but some are always shown. */
static size_t shown_rows(const struct hasten_page *page, const struct hasten_row *rows,
                         const uint32_t *order, size_t count, size_t *ret_with_time) {
    const struct hasten_report_options *options = page->options;
    int64_t whole = hasten_time_counted(&page->aggregate->sum);
    size_t with_time = 0;
    size_t large = 0;
    for (size_t i = 0; i < count; i++) {
        const struct hasten_row *row = &rows[order[i]];
        const struct hasten_time *time =
            options->sort == HASTEN_SORT_TOTAL ? &row->total : &row->self;
        with_time += hasten_time_counted(&row->total) > 0;
        large += hasten_time_counted(&row->total) > 0 &&
                 hasten_share(hasten_time_counted(time), whole) >= options->least_share;
    }
    *ret_with_time = with_time;
    size_t shown = with_time;
    if (options->sort != HASTEN_SORT_NAME && options->sort != HASTEN_SORT_FILE) {
        shown = large > LEAST_ROWS ? large : with_time < LEAST_ROWS ? with_time : LEAST_ROWS;
    }
    return options->limit > 0 && options->limit < shown ? options->limit : shown;
}

static int64_t largest_self(const struct hasten_row *rows, const uint32_t *order, size_t count) {
    int64_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t self = hasten_time_counted(&rows[order[i]].self);
        largest = self > largest ? self : largest;
    }
    return largest;
}

/* "and 143 more, with 3.2 % together; 0.8 % outside Python functions". */
static void write_rest(struct hasten_page *page, const struct hasten_row *rows,
                       const uint32_t *order, size_t shown, size_t with_time, size_t count) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    int64_t whole = hasten_time_counted(&aggregate->sum);
    double outside = hasten_share(hasten_time_counted(&aggregate->outside), whole);
    int64_t rest_ns = 0;
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    for (size_t i = shown; i < count; i++) {
        hasten_time_add(&rest_ns, hasten_time_counted(&rows[order[i]].self));
    }
    if (shown < with_time) {
        hasten_buffer_format(text, "and %zu more, with ", with_time - shown);
        hasten_number_share(text, hasten_share(rest_ns, whole));
        hasten_buffer_text(text, " together");
    }
    if (outside >= SMALL_SHARE / 10 && rows == aggregate->functions) {
        hasten_buffer_text(text, shown < with_time ? "; " : "and ");
        hasten_number_share(text, outside);
        hasten_buffer_text(text, " outside Python functions");
    }
    hasten_page_paragraph(page, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

/* Says in the heading what the percentages are of. */
static const char *what_counts(const struct hasten_page *page, const struct hasten_facts *facts) {
    bool threads = page->aggregate->profile->thread_count > 1;
    if (facts->mode != NULL && strcmp(facts->mode, "cpu") == 0) {
        return threads ? "running time of all threads" : "running time";
    }
    if (facts->mode != NULL && strcmp(facts->mode, "gil") == 0) {
        return threads ? "time holding the GIL, all threads" : "time holding the GIL";
    }
    return threads ? "running: all threads; waiting: the main thread" : "running and waiting";
}

static const char *functions_title(enum hasten_report_sort sort) {
    switch (sort) {
    case HASTEN_SORT_SELF:
    case HASTEN_SORT_CALLS:
        break;
    case HASTEN_SORT_TOTAL:
        return "Functions, by total";
    case HASTEN_SORT_NAME:
        return "Functions, by name";
    case HASTEN_SORT_FILE:
        return "Functions, by file";
    }
    return "Functions";
}

void hasten_section_functions(struct hasten_page *page, const struct hasten_facts *facts) {
    static const struct hasten_table_column columns[] = {
        {"", false, HASTEN_CUT_NEVER, 0},        {"self%", true, HASTEN_CUT_NEVER, 0},
        {"self", true, HASTEN_CUT_NEVER, 0},     {"total%", true, HASTEN_CUT_NEVER, 0},
        {"function", false, HASTEN_CUT_END, 10}, {"where", false, HASTEN_CUT_START, 10},
    };
    const struct hasten_aggregate *aggregate = page->aggregate;
    const uint32_t *order = aggregate->function_order;
    size_t with_time = 0;
    size_t shown =
        shown_rows(page, aggregate->functions, order, aggregate->function_order_count, &with_time);
    int64_t whole = hasten_time_counted(&aggregate->sum);
    hasten_page_heading(page, functions_title(page->options->sort), what_counts(page, facts));
    if (shown == 0) {
        hasten_page_paragraph(page, HASTEN_STYLE_PLAIN, "none passes the filter");
        return;
    }
    struct hasten_bar parts = hasten_bar_of(&aggregate->sum);
    hasten_page_legend(page, "self: in itself; total: with what it calls", &parts);
    struct hasten_table table;
    hasten_table_init(&table, page, columns, sizeof columns / sizeof *columns,
                      largest_self(aggregate->functions, order, shown));
    for (size_t i = 0; i < shown; i++) {
        const struct hasten_row *row = &aggregate->functions[order[i]];
        double self = hasten_share(hasten_time_counted(&row->self), whole);
        enum hasten_style style = share_style(self);
        hasten_table_bar(&table, hasten_bar_of(&row->self));
        hasten_cell_percent(&table, style, self);
        add_duration(&table, style, hasten_time_counted(&row->self));
        double total = hasten_share(hasten_time_counted(&row->total), whole);
        hasten_cell_percent(&table, share_style(total), total);
        add_name(&table, style, row);
        hasten_cell_place(&table, row);
    }
    hasten_table_finish(&table);
    write_rest(page, aggregate->functions, order, shown, with_time,
               aggregate->function_order_count);
}

void hasten_section_lines(struct hasten_page *page) {
    static const struct hasten_table_column columns[] = {
        {"", false, HASTEN_CUT_NEVER, 0},
        {"self%", true, HASTEN_CUT_NEVER, 0},
        {"line", false, HASTEN_CUT_START, 14},
        {"source", false, HASTEN_CUT_END, 14},
    };
    const struct hasten_aggregate *aggregate = page->aggregate;
    const uint32_t *order = aggregate->line_order;
    size_t with_time = 0;
    size_t shown =
        shown_rows(page, aggregate->lines, order, aggregate->line_order_count, &with_time);
    int64_t whole = hasten_time_counted(&aggregate->sum);
    if (shown == 0) {
        return;
    }
    hasten_page_heading(page, "Lines", NULL);
    struct hasten_table table;
    hasten_table_init(&table, page, columns, sizeof columns / sizeof *columns,
                      largest_self(aggregate->lines, order, shown));
    for (size_t i = 0; i < shown; i++) {
        const struct hasten_row *row = &aggregate->lines[order[i]];
        double self = hasten_share(hasten_time_counted(&row->self), whole);
        hasten_table_bar(&table, hasten_bar_of(&row->self));
        hasten_cell_percent(&table, share_style(self), self);
        hasten_cell_place(&table, row);
        hasten_cell_source(&table, row);
    }
    hasten_table_finish(&table);
    write_rest(page, aggregate->lines, order, shown, with_time, aggregate->line_order_count);
    if (page->sources.any_changed) {
        hasten_page_paragraph(page, HASTEN_STYLE_FAINT,
                              "Source files that changed since the recording are not shown.");
    }
}

/* "fetch app.py:33 → SocketIO.readinto": own code has the place, since it is
 * what can be changed. */
static void add_waiting_place(struct hasten_table *table, enum hasten_state state) {
    struct hasten_page *page = table->page;
    const struct hasten_aggregate *aggregate = page->aggregate;
    const struct hasten_waiting_row *row = &aggregate->waiting[state];
    int64_t whole = hasten_time_counted(&aggregate->sum);
    bool is_main = row->other_ns == 0 || hasten_share(row->main_ns, whole) >= SMALL_SHARE;
    uint32_t line = is_main ? row->main_line : row->other_line;
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    if (line != HASTEN_NONE) {
        uint32_t caller = hasten_aggregate_caller(aggregate, line, 1u << state,
                                                  is_main ? HASTEN_WHO_MAIN : HASTEN_WHO_OTHERS);
        uint32_t placed = caller != HASTEN_NONE ? caller : line;
        hasten_page_name(page, text, &aggregate->lines[placed]);
        hasten_buffer_byte(text, ' ');
        hasten_page_place(page, text, &aggregate->lines[placed]);
        if (placed != line) {
            hasten_buffer_text(text, page->options->unicode ? " → " : " -> ");
            hasten_page_name(page, text, &aggregate->lines[line]);
        }
    }
    hasten_table_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

/* The kinds worth a row, most first. */
static size_t sort_waiting(const struct hasten_page *page, enum hasten_state *states) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    int64_t whole = hasten_time_counted(&aggregate->sum);
    double least = page->options->least_share;
    size_t count = 0;
    for (uint32_t state = 0; state < HASTEN_STATE_COUNT; state++) {
        const struct hasten_waiting_row *row = &aggregate->waiting[state];
        if (row->main_ns + row->other_ns == 0 || (hasten_share(row->main_ns, whole) < least &&
                                                  hasten_share(row->other_ns, whole) < least)) {
            continue;
        }
        size_t place = count++;
        for (; place > 0; place--) {
            const struct hasten_waiting_row *before = &aggregate->waiting[states[place - 1]];
            if (before->main_ns > row->main_ns ||
                (before->main_ns == row->main_ns && before->other_ns >= row->other_ns)) {
                break;
            }
            states[place] = states[place - 1];
        }
        states[place] = (enum hasten_state)state;
    }
    return count;
}

/* The bar is first and left out on narrow pages, "others" where there are none. */
static size_t waiting_columns(bool bars, bool others, struct hasten_table_column *columns) {
    size_t count = 0;
    if (bars) {
        columns[count++] = (struct hasten_table_column){"", false, HASTEN_CUT_NEVER, 0};
    }
    columns[count++] = (struct hasten_table_column){"%", true, HASTEN_CUT_NEVER, 0};
    columns[count++] =
        (struct hasten_table_column){others ? "main" : "time", true, HASTEN_CUT_NEVER, 0};
    if (others) {
        columns[count++] = (struct hasten_table_column){"others", true, HASTEN_CUT_NEVER, 0};
    }
    columns[count++] = (struct hasten_table_column){"for", false, HASTEN_CUT_NEVER, 0};
    columns[count++] = (struct hasten_table_column){"mostly in", false, HASTEN_CUT_END, 12};
    return count;
}

void hasten_section_waiting(struct hasten_page *page) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    struct hasten_table_column columns[HASTEN_TABLE_COLUMNS];
    enum hasten_state states[HASTEN_STATE_COUNT];
    size_t count = sort_waiting(page, states);
    if (count == 0) {
        return;
    }
    bool others = aggregate->profile->thread_count > 1;
    bool bars = page->columns >= WIDE_COLUMNS;
    int64_t whole = hasten_time_counted(&aggregate->sum);
    hasten_page_heading(page, "Waiting",
                        others ? "main: the main thread, % as above; others: all other threads, "
                                 "in no percentage"
                               : NULL);
    struct hasten_table table;
    hasten_table_init(&table, page, columns, waiting_columns(bars, others, columns),
                      aggregate->waiting[states[0]].main_ns);
    for (size_t i = 0; i < count; i++) {
        const struct hasten_waiting_row *row = &aggregate->waiting[states[i]];
        double share = hasten_share(row->main_ns, whole);
        enum hasten_style style = share_style(share);
        if (bars) {
            hasten_table_bar(&table, (struct hasten_bar){.waiting_ns = row->main_ns});
        }
        hasten_cell_percent(&table, style, share);
        add_duration(&table, style, row->main_ns);
        if (others) {
            add_duration(&table, HASTEN_STYLE_PLAIN, row->other_ns);
        }
        hasten_table_text(&table, HASTEN_STYLE_PLAIN, hasten_waiting_name(states[i]));
        add_waiting_place(&table, states[i]);
    }
    hasten_table_finish(&table);
}
