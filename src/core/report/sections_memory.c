/* SPDX-License-Identifier: MIT
 *
 * Sums of memory and how they went over time. */
#include "core/report/sections_memory.h"

#include <string.h>

#include "core/base/allocator.h"
#include "core/report/cells.h"
#include "core/report/numbers.h"
#include "core/report/timeline.h"

/* Rows of characters for each series of the picture. */
#define PICTURE_HEIGHT 2
/* Columns before the picture: its label and largest value. */
#define LABEL_COLUMNS 10

static const char *plus_minus(const struct hasten_page *page) {
    return page->options->unicode ? "±" : "+-";
}

static void add_text(struct hasten_table *table, enum hasten_style style, const char *text) {
    hasten_table_text(table, style, text);
}

/* "after 3.42 s". */
static void say_when(struct hasten_buffer *text, uint64_t time_ns) {
    hasten_buffer_text(text, "after ");
    hasten_number_duration(text, time_ns < INT64_MAX ? (int64_t)time_ns : INT64_MAX);
}

/* What else there is to say of a kind of amount. */
static void add_note(struct hasten_table *table, const struct hasten_memory *memory,
                     enum hasten_memory_kind kind) {
    struct hasten_page *page = table->page;
    struct hasten_buffer *text = &page->scratch;
    const struct hasten_memory_row *sum = &memory->sum;
    hasten_buffer_clear(text);
    if (kind == HASTEN_MEMORY_PEAK && memory->largest_process != HASTEN_NONE) {
        const struct hasten_memory_process *process = &memory->processes[memory->largest_process];
        int64_t bytes = process->row.all[kind].bytes;
        if (bytes < sum->all[kind].bytes) { /* several had some, each at its own time */
            hasten_number_bytes(text, bytes);
            hasten_buffer_format(
                text, " in process %u",
                memory->aggregate->profile->processes[memory->largest_process].pid);
        } else if (process->heap.is_known) {
            say_when(text, process->heap.time_ns);
        }
    } else if (kind == HASTEN_MEMORY_ALLOCATED && sum->all[HASTEN_MEMORY_TEMPORARY].bytes > 0) {
        hasten_number_share(
            text, hasten_share(sum->all[HASTEN_MEMORY_TEMPORARY].bytes, sum->all[kind].bytes));
        hasten_buffer_text(text, " of it freed soon after");
    }
    add_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

void hasten_memory_cell_error(struct hasten_table *table, const struct hasten_memory *memory,
                              int64_t bytes) {
    double percent = hasten_memory_error(memory, bytes) * 100;
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    if (percent > 0) {
        hasten_buffer_format(text, "%s%.0f %%", percent < 1 ? "<" : "", percent < 1 ? 1 : percent);
    }
    hasten_table_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

static void add_sum(struct hasten_table *table, const struct hasten_memory *memory,
                    const char *label, enum hasten_memory_kind kind) {
    const struct hasten_memory_amount *all = &memory->sum.all[kind];
    struct hasten_buffer *text = &table->page->scratch;
    enum hasten_style style = kind == HASTEN_MEMORY_PEAK ? HASTEN_STYLE_STRONG : HASTEN_STYLE_PLAIN;
    add_text(table, HASTEN_STYLE_PLAIN, label);
    hasten_cell_bytes(table, style, all->bytes);
    if (memory->is_sampled) {
        hasten_memory_cell_error(table, memory, all->bytes);
    }
    hasten_buffer_clear(text);
    hasten_number_count(text, (uint64_t)all->blocks);
    add_text(table, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(text));
    hasten_cell_percent(table, HASTEN_STYLE_PLAIN,
                        hasten_share(memory->sum.native[kind].bytes, all->bytes));
    add_note(table, memory, kind);
}

/* What the kernel says a process has in memory, of the one that had most. */
static void add_resident(struct hasten_table *table, const struct hasten_memory *memory) {
    const struct hasten_profile *profile = memory->aggregate->profile;
    uint32_t most = HASTEN_NONE;
    for (uint32_t i = 0; i < profile->process_count; i++) {
        const struct hasten_memory_moment *rss = &memory->processes[i].rss;
        if (rss->is_known &&
            (most == HASTEN_NONE || rss->bytes > memory->processes[most].rss.bytes)) {
            most = i;
        }
    }
    if (most == HASTEN_NONE) {
        return;
    }
    struct hasten_buffer *text = &table->page->scratch;
    add_text(table, HASTEN_STYLE_PLAIN, "resident");
    hasten_cell_bytes(table, HASTEN_STYLE_PLAIN, memory->processes[most].rss.bytes);
    if (memory->has_heap) {
        for (int empty = memory->is_sampled ? 0 : 1; empty < 3; empty++) {
            add_text(table, HASTEN_STYLE_PLAIN, "");
        }
    }
    hasten_buffer_clear(text);
    if (profile->process_count > 1) {
        hasten_buffer_format(text, "at most, process %u", profile->processes[most].pid);
    } else {
        hasten_buffer_text(text, "at most, ");
        say_when(text, memory->processes[most].rss.time_ns);
    }
    add_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

static void write_sums(struct hasten_page *page, const struct hasten_memory *memory) {
    struct hasten_table_column columns[HASTEN_TABLE_COLUMNS];
    size_t count = 0;
    columns[count++] = (struct hasten_table_column){"", false, HASTEN_CUT_NEVER, 0};
    columns[count++] = (struct hasten_table_column){"bytes", true, HASTEN_CUT_NEVER, 0};
    if (memory->has_heap && memory->is_sampled) {
        columns[count++] =
            (struct hasten_table_column){plus_minus(page), true, HASTEN_CUT_NEVER, 0};
    }
    if (memory->has_heap) {
        columns[count++] = (struct hasten_table_column){"blocks", true, HASTEN_CUT_NEVER, 0};
        columns[count++] = (struct hasten_table_column){"in C%", true, HASTEN_CUT_NEVER, 0};
    }
    columns[count++] = (struct hasten_table_column){"", false, HASTEN_CUT_END, 10};
    struct hasten_table table;
    hasten_table_init(&table, page, columns, count, 0);
    if (memory->has_heap) {
        add_sum(&table, memory, "at the peak", HASTEN_MEMORY_PEAK);
        add_sum(&table, memory, "allocated", HASTEN_MEMORY_ALLOCATED);
        add_sum(&table, memory, "at the end", HASTEN_MEMORY_LIVE);
    }
    add_resident(&table, memory);
    hasten_table_finish(&table);
}

static int64_t largest(const int64_t *amounts, size_t count) {
    int64_t most = 0;
    for (size_t i = 0; i < count; i++) {
        most = amounts[i] > most ? amounts[i] : most;
    }
    return most;
}

/* One series of the picture, its label and its largest value at the left. */
static void draw_series(struct hasten_page *page, const char *label, enum hasten_style style,
                        const int64_t *amounts, size_t count, int64_t full) {
    struct hasten_buffer *text = &page->scratch;
    for (size_t row = 0; row < PICTURE_HEIGHT; row++) {
        hasten_buffer_clear(text);
        if (row == 0) {
            hasten_buffer_text(text, label);
        } else if (row + 1 == PICTURE_HEIGHT) {
            hasten_number_bytes(text, largest(amounts, count));
        }
        hasten_buffer_format(&page->out, "  %-*s", LABEL_COLUMNS, hasten_buffer_cstring(text));
        hasten_timeline_draw(page, style, amounts, count, full, row, PICTURE_HEIGHT);
        hasten_buffer_byte(&page->out, '\n');
    }
}

/* The column of the largest amount. */
static size_t largest_column(const int64_t *amounts, size_t count) {
    size_t column = 0;
    for (size_t i = 1; i < count; i++) {
        column = amounts[i] > amounts[column] ? i : column;
    }
    return column;
}

/* "0" under the first column, "^" under the peak, the end under the last. */
static void draw_axis(struct hasten_page *page, size_t count, size_t peak, uint64_t end_ns) {
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    hasten_number_duration(text, end_ns < INT64_MAX ? (int64_t)end_ns : INT64_MAX);
    size_t end = count > text->size + 1 ? count - text->size : 1; /* where its text begins */
    hasten_page_style(page, HASTEN_STYLE_FAINT);
    hasten_buffer_format(&page->out, "  %-*s0", LABEL_COLUMNS, "");
    for (size_t column = 1; column < end; column++) {
        bool is_peak = column == peak && column > 1 && column + 2 < end;
        hasten_buffer_byte(&page->out, is_peak ? '^' : ' ');
    }
    hasten_buffer_text(&page->out, hasten_buffer_cstring(text));
    hasten_page_style(page, HASTEN_STYLE_PLAIN);
    hasten_buffer_byte(&page->out, '\n');
}

/* Both series on the same scale, all processes together. */
static void write_picture(struct hasten_page *page, const struct hasten_memory *memory) {
    const struct hasten_profile *profile = memory->aggregate->profile;
    const struct hasten_allocator *allocator = memory->aggregate->allocator;
    uint64_t end_ns = hasten_timeline_end(profile);
    size_t count = page->columns - 2 - LABEL_COLUMNS;
    if (!memory->has_series || end_ns == 0) {
        return;
    }
    size_t size = count * sizeof(int64_t);
    int64_t *rss = hasten_allocate_zeroed(allocator, size);
    int64_t *heap = hasten_allocate_zeroed(allocator, size);
    if (rss == NULL || heap == NULL) {
        page->out.failed = true;
    } else {
        hasten_timeline_add(profile, HASTEN_SERIES_RSS, end_ns, rss, count);
        hasten_timeline_add(profile, HASTEN_SERIES_HEAP, end_ns, heap, count);
        int64_t full = largest(rss, count);
        full = largest(heap, count) > full ? largest(heap, count) : full;
        hasten_buffer_byte(&page->out, '\n');
        if (largest(rss, count) > 0) {
            draw_series(page, "resident", HASTEN_STYLE_FAINT, rss, count, full);
        }
        if (largest(heap, count) > 0) {
            draw_series(page, "heap", HASTEN_STYLE_PYTHON, heap, count, full);
        }
        const int64_t *most = largest(heap, count) > 0 ? heap : rss;
        draw_axis(page, count, largest_column(most, count), end_ns);
    }
    hasten_release(allocator, rss, size);
    hasten_release(allocator, heap, size);
}

static void write_heading(struct hasten_page *page, const struct hasten_memory *memory) {
    struct hasten_buffer text;
    hasten_buffer_init(&text, page->aggregate->allocator);
    if (memory->has_heap && memory->is_sampled) {
        hasten_buffer_text(&text, "estimates");
        if (memory->interval_bytes > 0) {
            hasten_buffer_text(&text, ", from a sample every ");
            hasten_number_bytes(&text, memory->interval_bytes);
            hasten_buffer_format(&text, " on average; %s: standard error", plus_minus(page));
        }
    } else if (memory->has_heap && memory->mode != NULL && strcmp(memory->mode, "exact") == 0) {
        hasten_buffer_text(&text, "every allocation was counted");
    }
    const char *remark = hasten_buffer_cstring(&text);
    hasten_page_heading(page, "Memory", remark[0] == '\0' ? NULL : remark);
    page->out.failed = page->out.failed || text.failed;
    hasten_buffer_done(&text);
}

void hasten_section_memory(struct hasten_page *page, const struct hasten_memory *memory) {
    if (!memory->has_heap && !memory->has_series) {
        if (page->options->memory) {
            hasten_buffer_byte(&page->out, '\n');
            hasten_page_paragraph(page, HASTEN_STYLE_STRONG,
                                  "This recording says nothing of memory: it was not measured.");
        }
        return;
    }
    write_heading(page, memory);
    write_sums(page, memory);
    write_picture(page, memory);
    if (memory->has_heap) {
        hasten_section_memory_tables(page, memory);
    }
    if (memory->has_heap && !page->options->memory) {
        hasten_buffer_byte(&page->out, '\n');
        hasten_page_paragraph(page, HASTEN_STYLE_FAINT,
                              "`hasten report --memory` shows all of it.");
    }
}
