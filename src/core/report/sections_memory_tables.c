/* SPDX-License-Identifier: MIT
 *
 * Who has the memory: lines, native code, threads and processes. */
#include <stdlib.h>
#include <string.h>

#include "core/base/allocator.h"
#include "core/report/cells.h"
#include "core/report/numbers.h"
#include "core/report/paths.h"
#include "core/report/sections_memory.h"
#include "core/report/text.h"

/* Where memory is one chapter of several: rows a table, and less memory than this gets
 * no tables. */
#define BRIEF_ROWS 5
#define LEAST_PEAK ((int64_t)16 << 20)
#define LEAST_ALLOCATED ((int64_t)256 << 20)
/* From here on there is room to say through what a line allocated. */
#define WIDE_COLUMNS 110
/* Shares of the peak: with less live at the end there is nothing to say of it, with more
 * it is what the table of the peak says. */
#define LEAST_LIVE 0.02
#define MOST_LIVE 0.75

/* How many rows of an order are shown: those that count, up to the limit. */
static size_t shown_rows(const struct hasten_page *page, const struct hasten_memory *memory,
                         const struct hasten_memory_groups *groups, const uint32_t *order,
                         size_t count, enum hasten_memory_kind kind) {
    const struct hasten_report_options *options = page->options;
    int64_t whole = memory->sum.all[kind].bytes;
    size_t limit = options->limit == 0 ? count : options->limit;
    limit = !options->memory && limit > BRIEF_ROWS ? BRIEF_ROWS : limit;
    size_t shown = 0;
    while (shown < count && shown < limit) {
        int64_t bytes = groups->items[order[shown]].row.all[kind].bytes;
        if (hasten_share(bytes, whole) < options->least_share ||
            hasten_memory_is_noise(memory, bytes)) {
            break;
        }
        shown++;
    }
    return shown;
}

/* "and 12 more, with 3.2 % together". */
static void write_rest(struct hasten_page *page, const struct hasten_memory *memory,
                       const struct hasten_memory_groups *groups, const uint32_t *order,
                       size_t shown, size_t count, enum hasten_memory_kind kind) {
    double rest = 0;
    for (size_t i = shown; i < count; i++) {
        rest +=
            hasten_share(groups->items[order[i]].row.all[kind].bytes, memory->sum.all[kind].bytes);
    }
    if (shown == count) {
        return;
    }
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    if (shown == 0) {
        hasten_buffer_format(text, "%zu, each with too little to tell", count);
    } else {
        hasten_buffer_format(text, "and %zu more, with ", count - shown);
        hasten_number_share(text, rest < 1 ? rest : 1);
        hasten_buffer_text(text, " together");
    }
    hasten_page_paragraph(page, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

const char *hasten_memory_native_name(const struct hasten_profile *profile, uint32_t function) {
    const char *name = profile->strings[profile->functions[function].qualname];
    for (size_t i = 0; i < profile->code_count && name[0] == '\0'; i++) {
        if (profile->codes[i].function == function &&
            profile->codes[i].name < profile->string_count) {
            name = profile->strings[profile->codes[i].name];
        }
    }
    return name[0] == '\0' ? "?" : name;
}

/* The native function, else the one of Python, through which a line allocated. */
static void add_through(struct hasten_table *table, const struct hasten_memory *memory,
                        const struct hasten_memory_group *group, enum hasten_memory_kind kind) {
    struct hasten_page *page = table->page;
    const struct hasten_profile *profile = page->aggregate->profile;
    struct hasten_buffer *text = &page->scratch;
    bool native = group->row.native[kind].bytes > group->row.all[kind].bytes / 2;
    uint32_t function = hasten_memory_through(memory, group->key, kind, native);
    hasten_buffer_clear(text);
    if (function != HASTEN_NONE && native) {
        hasten_page_safe(page, text, hasten_memory_native_name(profile, function));
    } else if (function != HASTEN_NONE) {
        const struct hasten_row row = {.function = function};
        hasten_page_name(page, text, &row);
    }
    hasten_table_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

/* Whether a table says which part of what a line allocated was temporary. */
static bool has_temporary_part(enum hasten_memory_kind kind) {
    return kind == HASTEN_MEMORY_ALLOCATED || kind == HASTEN_MEMORY_TEMPORARY;
}

static void add_line(struct hasten_table *table, const struct hasten_memory *memory,
                     const struct hasten_memory_group *group, enum hasten_memory_kind kind) {
    const struct hasten_aggregate *aggregate = memory->aggregate;
    int64_t bytes = group->row.all[kind].bytes;
    int64_t native = group->row.native[kind].bytes;
    enum hasten_style style = hasten_cell_style(bytes, memory->sum.all[kind].bytes);
    hasten_table_bar(table, (struct hasten_bar){.python_ns = bytes - native, .native_ns = native});
    hasten_cell_percent(table, style, hasten_share(bytes, memory->sum.all[kind].bytes));
    hasten_cell_bytes(table, style, bytes);
    if (memory->is_sampled) {
        hasten_memory_cell_error(table, memory, bytes);
    }
    if (has_temporary_part(kind)) {
        double part = hasten_share(group->row.all[HASTEN_MEMORY_TEMPORARY].bytes,
                                   group->row.all[HASTEN_MEMORY_ALLOCATED].bytes);
        hasten_cell_percent(table, HASTEN_STYLE_PLAIN, part < 1 ? part : 1);
    }
    if (group->key == HASTEN_NONE) {
        hasten_table_text(table, HASTEN_STYLE_FAINT, "outside Python");
        hasten_table_text(table, HASTEN_STYLE_FAINT, "");
    } else {
        hasten_cell_place(table, &aggregate->lines[group->key]);
        hasten_cell_source(table, &aggregate->lines[group->key]);
    }
    if (table->page->columns >= WIDE_COLUMNS) {
        add_through(table, memory, group, kind);
    }
}

static size_t line_columns(const struct hasten_page *page, const struct hasten_memory *memory,
                           enum hasten_memory_kind kind, struct hasten_table_column *columns) {
    size_t count = 0;
    columns[count++] = (struct hasten_table_column){"", false, HASTEN_CUT_NEVER, 0};
    columns[count++] = (struct hasten_table_column){"%", true, HASTEN_CUT_NEVER, 0};
    columns[count++] = (struct hasten_table_column){"bytes", true, HASTEN_CUT_NEVER, 0};
    if (memory->is_sampled) {
        columns[count++] = (struct hasten_table_column){page->options->unicode ? "±" : "+-", true,
                                                        HASTEN_CUT_NEVER, 0};
    }
    if (has_temporary_part(kind)) {
        columns[count++] = (struct hasten_table_column){"temp%", true, HASTEN_CUT_NEVER, 0};
    }
    columns[count++] = (struct hasten_table_column){"line", false, HASTEN_CUT_START, 14};
    columns[count++] = (struct hasten_table_column){"source", false, HASTEN_CUT_END, 14};
    if (page->columns >= WIDE_COLUMNS) {
        columns[count++] = (struct hasten_table_column){"through", false, HASTEN_CUT_END, 10};
    }
    return count;
}

static void write_legend(struct hasten_page *page, const struct hasten_memory *memory) {
    int64_t native = memory->sum.native[HASTEN_MEMORY_PEAK].bytes;
    const struct hasten_bar parts = {
        .python_ns = memory->sum.all[HASTEN_MEMORY_PEAK].bytes - native, .native_ns = native};
    hasten_page_legend(page, "the nearest line of own code; allocated by", &parts);
}

/* Lines of the program's own code by what was allocated in them and below. */
static void write_lines(struct hasten_page *page, const struct hasten_memory *memory,
                        enum hasten_memory_kind kind, const char *title, const char *remark) {
    const struct hasten_memory_groups *groups = &memory->own_lines;
    struct hasten_table_column columns[HASTEN_TABLE_COLUMNS];
    uint32_t *order = NULL;
    size_t count = 0;
    if (hasten_memory_order(memory, groups, false, kind, page->options->filter, &order, &count) !=
        HASTEN_OK) {
        page->out.failed = true;
        return;
    }
    size_t shown = shown_rows(page, memory, groups, order, count, kind);
    if (shown > 0 || (count > 0 && page->options->memory)) {
        hasten_page_heading(page, title, remark);
        if (shown > 0) {
            struct hasten_table table;
            if (kind == HASTEN_MEMORY_PEAK) {
                write_legend(page, memory);
            }
            hasten_table_init(&table, page, columns, line_columns(page, memory, kind, columns),
                              groups->items[order[0]].row.all[kind].bytes);
            for (size_t i = 0; i < shown; i++) {
                add_line(&table, memory, &groups->items[order[i]], kind);
            }
            hasten_table_finish(&table);
        }
        write_rest(page, memory, groups, order, shown, count, kind);
    }
    hasten_release(page->aggregate->allocator, order, groups->count * sizeof *order);
}

static void add_native(struct hasten_table *table, const struct hasten_memory *memory,
                       const struct hasten_memory_group *group, enum hasten_memory_kind kind) {
    struct hasten_page *page = table->page;
    const struct hasten_profile *profile = page->aggregate->profile;
    struct hasten_buffer *text = &page->scratch;
    int64_t bytes = group->row.all[kind].bytes;
    enum hasten_style style = hasten_cell_style(bytes, memory->sum.all[kind].bytes);
    hasten_cell_percent(table, style, hasten_share(bytes, memory->sum.all[kind].bytes));
    hasten_cell_bytes(table, style, bytes);
    if (memory->is_sampled) {
        hasten_memory_cell_error(table, memory, bytes);
    }
    hasten_cell_bytes(table, HASTEN_STYLE_PLAIN, group->row.all[HASTEN_MEMORY_ALLOCATED].bytes);
    hasten_buffer_clear(text);
    hasten_page_safe(page, text, hasten_memory_native_name(profile, group->key));
    hasten_table_text(table, style, hasten_buffer_cstring(text));
    const char *file = profile->strings[profile->functions[group->key].file];
    const char *slash = strrchr(file, '/');
    hasten_buffer_clear(text);
    hasten_page_safe(page, text, slash == NULL ? file : slash + 1);
    hasten_table_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
    uint32_t line = hasten_memory_native_line(memory, group->key, kind);
    hasten_buffer_clear(text);
    if (line != HASTEN_NONE) {
        hasten_page_place(page, text, &page->aggregate->lines[line]);
    }
    hasten_table_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

/* Native code by its share of the peak; of what was allocated where it has none. */
static void write_natives(struct hasten_page *page, const struct hasten_memory *memory) {
    const struct hasten_memory_groups *groups = &memory->natives;
    enum hasten_memory_kind kind = memory->sum.native[HASTEN_MEMORY_PEAK].bytes > 0
                                       ? HASTEN_MEMORY_PEAK
                                       : HASTEN_MEMORY_ALLOCATED;
    const struct hasten_table_column columns[] = {
        {"%", true, HASTEN_CUT_NEVER, 0},
        {kind == HASTEN_MEMORY_PEAK ? "at peak" : "bytes", true, HASTEN_CUT_NEVER, 0},
        {page->options->unicode ? "±" : "+-", true, HASTEN_CUT_NEVER, 0},
        {"allocated", true, HASTEN_CUT_NEVER, 0},
        {"function", false, HASTEN_CUT_END, 10},
        {"library", false, HASTEN_CUT_END, 8},
        {"mostly from", false, HASTEN_CUT_START, 11},
    };
    struct hasten_table_column exact[sizeof columns / sizeof *columns];
    size_t column_count = 0;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        if (i != 2 || memory->is_sampled) {
            exact[column_count++] = columns[i];
        }
    }
    uint32_t *order = NULL;
    size_t count = 0;
    if (hasten_memory_order(memory, groups, true, kind, NULL, &order, &count) != HASTEN_OK) {
        page->out.failed = true;
        return;
    }
    size_t shown = shown_rows(page, memory, groups, order, count, kind);
    if (shown > 0) {
        hasten_page_heading(page, "Memory of native code", "by the function that asked for it");
        struct hasten_table table;
        hasten_table_init(&table, page, exact, column_count, 0);
        for (size_t i = 0; i < shown; i++) {
            add_native(&table, memory, &groups->items[order[i]], kind);
        }
        hasten_table_finish(&table);
        write_rest(page, memory, groups, order, shown, count, kind);
    }
    hasten_release(page->aggregate->allocator, order, groups->count * sizeof *order);
}

/* Threads or processes, by what they allocated. */
struct owners {
    const struct hasten_memory *memory;
    bool are_threads;
};

static const struct hasten_memory_row *owner_row(const struct owners *owners, uint32_t index) {
    return owners->are_threads ? &owners->memory->threads[index]
                               : &owners->memory->processes[index].row;
}

/* Whether it allocated enough for a row. */
static bool is_telling(const struct hasten_memory *memory, const struct hasten_memory_row *row) {
    int64_t bytes = row->all[HASTEN_MEMORY_ALLOCATED].bytes;
    return bytes > 0 && !hasten_memory_is_noise(memory, bytes);
}

static int compare_owners(const void *left_index, const void *right_index, void *context) {
    uint32_t left = *(const uint32_t *)left_index;
    uint32_t right = *(const uint32_t *)right_index;
    int64_t left_bytes = owner_row(context, left)->all[HASTEN_MEMORY_ALLOCATED].bytes;
    int64_t right_bytes = owner_row(context, right)->all[HASTEN_MEMORY_ALLOCATED].bytes;
    return left_bytes != right_bytes ? (left_bytes > right_bytes ? -1 : 1)
                                     : (left > right) - (left < right);
}

static void add_owner(struct hasten_table *table, const struct owners *owners, uint32_t index) {
    const struct hasten_memory *memory = owners->memory;
    const struct hasten_profile *profile = memory->aggregate->profile;
    const struct hasten_memory_row *row = owner_row(owners, index);
    struct hasten_buffer *text = &table->page->scratch;
    int64_t bytes = row->all[HASTEN_MEMORY_ALLOCATED].bytes;
    int64_t native = row->native[HASTEN_MEMORY_ALLOCATED].bytes;
    hasten_table_bar(table, (struct hasten_bar){.python_ns = bytes - native, .native_ns = native});
    hasten_cell_bytes(table, HASTEN_STYLE_PLAIN, bytes);
    if (memory->is_sampled) {
        hasten_memory_cell_error(table, memory, bytes);
    }
    hasten_cell_bytes(table, HASTEN_STYLE_PLAIN, row->all[HASTEN_MEMORY_PEAK].bytes);
    if (!owners->are_threads) { /* when it was at its peak */
        hasten_buffer_clear(text);
        if (memory->processes[index].heap.is_known) {
            uint64_t time_ns = memory->processes[index].heap.time_ns;
            hasten_number_duration(text, time_ns < INT64_MAX ? (int64_t)time_ns : INT64_MAX);
        }
        hasten_table_text(table, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(text));
    }
    hasten_cell_bytes(table, HASTEN_STYLE_PLAIN, row->all[HASTEN_MEMORY_LIVE].bytes);
    hasten_buffer_clear(text);
    if (!owners->are_threads) {
        if (memory->processes[index].rss.is_known) {
            hasten_number_bytes(text, memory->processes[index].rss.bytes);
        }
        hasten_table_text(table, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(text));
        hasten_buffer_clear(text);
        hasten_buffer_format(text, "%u ", profile->processes[index].pid);
        hasten_page_safe(table->page, text, profile->strings[profile->processes[index].label]);
        hasten_table_text(table, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(text));
        return;
    }
    if (profile->process_count > 1) {
        hasten_buffer_format(text, "%u", profile->processes[profile->threads[index].process].pid);
        hasten_table_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
    }
    hasten_cell_thread(table, index);
}

static size_t owner_columns(const struct hasten_page *page, const struct owners *owners,
                            struct hasten_table_column *columns) {
    size_t count = 0;
    columns[count++] = (struct hasten_table_column){"", false, HASTEN_CUT_NEVER, 0};
    columns[count++] = (struct hasten_table_column){"allocated", true, HASTEN_CUT_NEVER, 0};
    if (owners->memory->is_sampled) {
        columns[count++] = (struct hasten_table_column){page->options->unicode ? "±" : "+-", true,
                                                        HASTEN_CUT_NEVER, 0};
    }
    columns[count++] = (struct hasten_table_column){"at peak", true, HASTEN_CUT_NEVER, 0};
    if (!owners->are_threads) {
        columns[count++] = (struct hasten_table_column){"after", true, HASTEN_CUT_NEVER, 0};
    }
    columns[count++] = (struct hasten_table_column){"at end", true, HASTEN_CUT_NEVER, 0};
    if (!owners->are_threads || page->aggregate->profile->process_count > 1) {
        columns[count++] = (struct hasten_table_column){
            owners->are_threads ? "process" : "resident", true, HASTEN_CUT_NEVER, 0};
    }
    columns[count++] = (struct hasten_table_column){owners->are_threads ? "thread" : "process",
                                                    false, HASTEN_CUT_END, 10};
    return count;
}

static void write_owners(struct hasten_page *page, const struct owners *owners, size_t all,
                         const char *title) {
    const struct hasten_allocator *allocator = page->aggregate->allocator;
    struct hasten_table_column columns[HASTEN_TABLE_COLUMNS];
    uint32_t *order = hasten_allocate(allocator, all * sizeof *order);
    size_t count = 0;
    if (order == NULL) {
        page->out.failed = true;
        return;
    }
    for (size_t i = 0; i < all; i++) {
        if (is_telling(owners->memory, owner_row(owners, (uint32_t)i))) {
            order[count++] = (uint32_t)i;
        }
    }
    if (count > 1) {
        qsort_r(order, count, sizeof *order, compare_owners, (void *)owners);
        size_t limit = page->options->limit == 0 ? count : page->options->limit;
        limit = !page->options->memory && limit > BRIEF_ROWS ? BRIEF_ROWS : limit;
        size_t shown = count < limit ? count : limit;
        hasten_page_heading(page, title, NULL);
        struct hasten_table table;
        hasten_table_init(&table, page, columns, owner_columns(page, owners, columns),
                          owner_row(owners, order[0])->all[HASTEN_MEMORY_ALLOCATED].bytes);
        for (size_t i = 0; i < shown; i++) {
            add_owner(&table, owners, order[i]);
        }
        hasten_table_finish(&table);
        if (shown < count) {
            hasten_page_more(page, count - shown);
        }
    }
    hasten_release(allocator, order, all * sizeof *order);
}

/* Whether a process has several threads that allocated: where each has one the table of
 * processes says it all. */
static bool has_threads(const struct hasten_memory *memory) {
    const struct hasten_profile *profile = memory->aggregate->profile;
    size_t threads = 0;
    size_t processes = 0;
    for (size_t i = 0; i < profile->thread_count; i++) {
        threads += is_telling(memory, &memory->threads[i]);
    }
    for (size_t i = 0; i < profile->process_count; i++) {
        processes += is_telling(memory, &memory->processes[i].row);
    }
    return threads > processes;
}

void hasten_section_memory_tables(struct hasten_page *page, const struct hasten_memory *memory) {
    const struct hasten_profile *profile = memory->aggregate->profile;
    const struct hasten_memory_amount *sum = memory->sum.all;
    bool all = page->options->memory;
    if (!all && sum[HASTEN_MEMORY_PEAK].bytes < LEAST_PEAK &&
        sum[HASTEN_MEMORY_ALLOCATED].bytes < LEAST_ALLOCATED) {
        return;
    }
    write_lines(page, memory, HASTEN_MEMORY_PEAK, "Memory at the peak", NULL);
    write_lines(page, memory, HASTEN_MEMORY_ALLOCATED, "Memory allocated",
                "freed or not; temp%: freed soon after");
    if (all) { /* in short, the column above says it */
        write_lines(page, memory, HASTEN_MEMORY_TEMPORARY, "Temporary memory",
                    "freed soon after; temp%: of what the line allocated");
    }
    double left = hasten_share(sum[HASTEN_MEMORY_LIVE].bytes, sum[HASTEN_MEMORY_PEAK].bytes);
    if (all || (left >= LEAST_LIVE && left < MOST_LIVE)) {
        write_lines(page, memory, HASTEN_MEMORY_LIVE, "Memory live at the end",
                    "allocated and never freed");
    }
    write_natives(page, memory);
    if (has_threads(memory)) {
        write_owners(page, &(struct owners){memory, true}, profile->thread_count,
                     "Memory by thread");
    }
    write_owners(page, &(struct owners){memory, false}, profile->process_count,
                 "Memory by process");
}
