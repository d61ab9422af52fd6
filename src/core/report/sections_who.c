/* SPDX-License-Identifier: MIT
 *
 * Who took the time: threads, processes, the garbage collector. */
#include "core/report/cells.h"
#include "core/report/numbers.h"
#include "core/report/sections.h"
#include "core/report/thread_order.h"

/* A thread that was there for this part of the longest one's time is shown
 * although it only waited. */
#define LONG_THREAD 0.05
/* Shown however little they did. */
#define LEAST_ROWS 5

static void add_duration(struct hasten_table *table, int64_t duration_ns) {
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    hasten_number_duration(text, duration_ns);
    hasten_table_text(table, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(text));
}

static void add_count(struct hasten_table *table, uint64_t count) {
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    hasten_number_count(text, count);
    hasten_table_text(table, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(text));
}

static void add_safe(struct hasten_table *table, enum hasten_style style, uint32_t string) {
    const struct hasten_profile *profile = table->page->aggregate->profile;
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    hasten_page_safe(table->page, text,
                     string < profile->string_count ? profile->strings[string] : "");
    hasten_table_text(table, style, hasten_buffer_cstring(text));
}

/* Main thread first, then those that ran most, then those that were there longest. */
static int compare_threads(const void *left_index, const void *right_index, void *context) {
    const struct hasten_aggregate *aggregate = context;
    uint32_t left = *(const uint32_t *)left_index;
    uint32_t right = *(const uint32_t *)right_index;
    const struct hasten_thread_row *a = &aggregate->threads[left];
    const struct hasten_thread_row *b = &aggregate->threads[right];
    if (a->is_main != b->is_main) {
        return a->is_main ? -1 : 1;
    }
    if (a->running_ns != b->running_ns) {
        return a->running_ns > b->running_ns ? -1 : 1;
    }
    if (a->waiting_ns != b->waiting_ns) {
        return a->waiting_ns > b->waiting_ns ? -1 : 1;
    }
    return left < right ? -1 : left > right;
}

static void write_thread_rest(struct hasten_page *page, const uint32_t *order, size_t shown,
                              size_t count) {
    int64_t running_ns = 0;
    if (shown == count) {
        return;
    }
    for (size_t i = shown; i < count; i++) {
        hasten_time_add(&running_ns, page->aggregate->threads[order[i]].running_ns);
    }
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    hasten_buffer_format(text, "and %zu more, which ran ", count - shown);
    hasten_number_duration(text, running_ns);
    hasten_buffer_text(text, " together");
    hasten_page_paragraph(page, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

static void add_thread(struct hasten_table *table, uint32_t index, bool processes) {
    const struct hasten_aggregate *aggregate = table->page->aggregate;
    const struct hasten_thread *thread = &aggregate->profile->threads[index];
    const struct hasten_thread_row *row = &aggregate->threads[index];
    int64_t gil_ns = row->state_ns[HASTEN_STATE_WAIT_GIL];
    hasten_table_bar(
        table, (struct hasten_bar){.python_ns = row->running_ns, .waiting_ns = row->waiting_ns});
    add_duration(table, row->running_ns);
    add_duration(table, gil_ns);
    add_duration(table, row->waiting_ns - gil_ns);
    add_count(table, thread->samples);
    if (processes) {
        struct hasten_buffer *text = &table->page->scratch;
        hasten_buffer_clear(text);
        hasten_buffer_format(text, "%u", aggregate->profile->processes[thread->process].pid);
        hasten_table_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
    }
    hasten_cell_thread(table, index);
}

static const struct hasten_table_column thread_columns[] = {
    {"", false, HASTEN_CUT_NEVER, 0},       {"running", true, HASTEN_CUT_NEVER, 0},
    {"for GIL", true, HASTEN_CUT_NEVER, 0}, {"waiting", true, HASTEN_CUT_NEVER, 0},
    {"samples", true, HASTEN_CUT_NEVER, 0}, {"thread", false, HASTEN_CUT_END, 10},
};
static const struct hasten_table_column thread_columns_processes[] = {
    {"", false, HASTEN_CUT_NEVER, 0},       {"running", true, HASTEN_CUT_NEVER, 0},
    {"for GIL", true, HASTEN_CUT_NEVER, 0}, {"waiting", true, HASTEN_CUT_NEVER, 0},
    {"samples", true, HASTEN_CUT_NEVER, 0}, {"process", true, HASTEN_CUT_NEVER, 0},
    {"thread", false, HASTEN_CUT_END, 10},
};

static int64_t longest_thread(const struct hasten_aggregate *aggregate, size_t count) {
    int64_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t time = aggregate->threads[i].running_ns + aggregate->threads[i].waiting_ns;
        longest = time > longest ? time : longest;
    }
    return longest;
}

/* Threads that ran or lasted; hundreds that lived for a moment are summed up. */
static size_t shown_threads(const struct hasten_page *page, const uint32_t *order, size_t count) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    double least = page->options->least_share;
    int64_t longest_ns = longest_thread(aggregate, count);
    size_t limit = page->options->limit;
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        const struct hasten_thread_row *row = &aggregate->threads[order[i]];
        if (hasten_share(row->running_ns, aggregate->sum.running_ns) >= least ||
            hasten_share(row->waiting_ns, longest_ns) >= LONG_THREAD) {
            shown = i + 1;
        }
    }
    shown = shown > LEAST_ROWS ? shown : count < LEAST_ROWS ? count : LEAST_ROWS;
    return limit > 0 && limit < shown ? limit : shown;
}

void hasten_section_threads(struct hasten_page *page) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    const struct hasten_profile *profile = aggregate->profile;
    size_t count = profile->thread_count;
    if (count < 2) {
        return;
    }
    uint32_t *order = hasten_thread_order_new(page, compare_threads);
    if (order == NULL) {
        return;
    }
    size_t shown = shown_threads(page, order, count);
    bool processes = profile->process_count > 1;
    hasten_page_heading(page, "Threads", NULL);
    struct hasten_table table;
    hasten_table_init(&table, page, processes ? thread_columns_processes : thread_columns,
                      processes ? sizeof thread_columns_processes / sizeof *thread_columns_processes
                                : sizeof thread_columns / sizeof *thread_columns,
                      longest_thread(aggregate, count));
    for (size_t i = 0; i < shown; i++) {
        add_thread(&table, order[i], processes);
    }
    hasten_table_finish(&table);
    write_thread_rest(page, order, shown, count);
    hasten_thread_order_free(page, order);
}

static struct hasten_bar process_bar(const struct hasten_aggregate *aggregate, size_t process) {
    return (struct hasten_bar){.python_ns = aggregate->processes[process].running_ns,
                               .waiting_ns = aggregate->processes[process].waiting_ns};
}

static void add_process(struct hasten_table *table, size_t index) {
    const struct hasten_aggregate *aggregate = table->page->aggregate;
    const struct hasten_process *process = &aggregate->profile->processes[index];
    struct hasten_bar bar = process_bar(aggregate, index);
    struct hasten_buffer *text = &table->page->scratch;
    hasten_table_bar(table, bar);
    add_duration(table, bar.python_ns);
    add_duration(table, process->end_ns > process->start_ns
                            ? (int64_t)((process->end_ns - process->start_ns) & INT64_MAX)
                            : 0);
    hasten_buffer_clear(text);
    hasten_buffer_format(text, "%u", process->pid);
    hasten_table_text(table, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(text));
    add_safe(table, HASTEN_STYLE_PLAIN, process->label);
    hasten_buffer_clear(text);
    hasten_python_version_text(text, process->python_version);
    hasten_table_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
    add_safe(table, HASTEN_STYLE_FAINT, process->command);
}

void hasten_section_processes(struct hasten_page *page) {
    static const struct hasten_table_column columns[] = {
        {"", false, HASTEN_CUT_NEVER, 0},         {"running", true, HASTEN_CUT_NEVER, 0},
        {"alive", true, HASTEN_CUT_NEVER, 0},     {"process", true, HASTEN_CUT_NEVER, 0},
        {"started by", false, HASTEN_CUT_END, 6}, {"Python", false, HASTEN_CUT_NEVER, 0},
        {"command", false, HASTEN_CUT_END, 10},
    };
    const struct hasten_aggregate *aggregate = page->aggregate;
    size_t count = aggregate->profile->process_count;
    if (count < 2) {
        return;
    }
    int64_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t time = aggregate->processes[i].running_ns;
        longest = time > longest ? time : longest;
    }
    size_t limit = page->options->limit;
    size_t shown = limit > 0 && limit < count ? limit : count;
    hasten_page_heading(page, "Processes", NULL);
    struct hasten_table table;
    hasten_table_init(&table, page, columns, sizeof columns / sizeof *columns, longest);
    for (size_t i = 0; i < shown; i++) {
        add_process(&table, i);
    }
    hasten_table_finish(&table);
    if (shown < count) {
        hasten_page_more(page, count - shown);
    }
}

void hasten_section_collector(struct hasten_page *page) {
    const struct hasten_time *sum = &page->aggregate->sum;
    if (sum->gc_ns <= 0) {
        return;
    }
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    hasten_buffer_text(text, "Garbage collection: ");
    hasten_number_duration(text, sum->gc_ns);
    hasten_buffer_text(text, ", ");
    double share = hasten_share(sum->gc_ns, sum->running_ns);
    hasten_number_share(text, share > 1 ? 1 : share);
    hasten_buffer_text(text, " of the running time");
    hasten_buffer_byte(&page->out, '\n');
    hasten_page_paragraph(page, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(text));
}
