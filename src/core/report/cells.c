/* SPDX-License-Identifier: MIT
 *
 * Cells that tables share. */
#include "core/report/cells.h"

#include <inttypes.h>
#include <string.h>

#include "core/report/numbers.h"
#include "core/report/text.h"

#define LARGE_SHARE 0.10
#define SMALL_SHARE 0.01
#define NS_PER_US 1000

enum hasten_style hasten_cell_style(int64_t part, int64_t whole) {
    double share = hasten_share(part, whole);
    return share >= LARGE_SHARE   ? HASTEN_STYLE_STRONG
           : share >= SMALL_SHARE ? HASTEN_STYLE_PLAIN
                                  : HASTEN_STYLE_FAINT;
}

/* The file that functions of C are in. */
static bool hasten_cell_is_native(const struct hasten_page *page, uint32_t function) {
    const struct hasten_profile *profile = page->aggregate->profile;
    return strcmp(profile->strings[profile->functions[function].file], "~") == 0;
}

/* Calls are short: "87 ns", "1.23 us". */
static void format_time(struct hasten_buffer *out, int64_t time_ns) {
    if (time_ns > 0 && time_ns < NS_PER_US) {
        hasten_buffer_format(out, "%" PRId64 " ns", time_ns);
    } else if (time_ns >= NS_PER_US && time_ns < 100 * NS_PER_US) {
        double us = (double)time_ns / NS_PER_US;
        hasten_buffer_format(out, us < 9.995 ? "%.2f us" : "%.1f us", us);
    } else {
        hasten_number_duration(out, time_ns);
    }
}

void hasten_cell_time(struct hasten_table *table, enum hasten_style style, int64_t time_ns) {
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    format_time(text, time_ns);
    hasten_table_text(table, style, hasten_buffer_cstring(text));
}

void hasten_cell_mean(struct hasten_table *table, int64_t time_ns, int64_t calls) {
    if (calls > 0) {
        hasten_cell_time(table, HASTEN_STYLE_FAINT, (time_ns + calls / 2) / calls);
    } else {
        hasten_table_text(table, HASTEN_STYLE_FAINT, "");
    }
}

/* "120", "832040/1": all, and those that are not recursive. */
void hasten_cell_calls(struct hasten_table *table, enum hasten_style style, int64_t calls,
                       int64_t primitive) {
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    hasten_buffer_format(text, "%" PRId64, calls);
    if (primitive != calls) {
        hasten_buffer_format(text, "/%" PRId64, primitive);
    }
    hasten_table_text(table, style, hasten_buffer_cstring(text));
}

/* "<built-in method time.sleep>" -> "time.sleep"; "<method 'append' of 'list'
 * objects>" -> "list.append". Other names stay. */
static void append_native_name(const struct hasten_page *page, struct hasten_buffer *out,
                               const char *name) {
    static const char module_start[] = "<built-in method ";
    static const char type_start[] = "<method '";
    static const char middle[] = "' of '";
    size_t size = strlen(name);
    const char *of = strstr(name, middle);
    if (size > sizeof module_start && memcmp(name, module_start, sizeof module_start - 1) == 0 &&
        name[size - 1] == '>') {
        name += sizeof module_start - 1;
        size -= sizeof module_start;
        if (size > 9 && memcmp(name, "builtins.", 9) == 0) {
            name += 9;
            size -= 9;
        }
        hasten_text_safe(out, name, size, page->options->unicode);
    } else if (of != NULL && memcmp(name, type_start, sizeof type_start - 1) == 0) {
        const char *method = name + sizeof type_start - 1;
        const char *type = of + sizeof middle - 1;
        hasten_text_safe(out, type, strcspn(type, "'"), page->options->unicode);
        hasten_buffer_byte(out, '.');
        hasten_text_safe(out, method, (size_t)(of - method), page->options->unicode);
    } else {
        hasten_page_safe(page, out, name);
    }
}

void hasten_cell_append_name(struct hasten_page *page, struct hasten_buffer *out,
                             uint32_t function) {
    const struct hasten_profile *profile = page->aggregate->profile;
    if (hasten_cell_is_native(page, function)) {
        append_native_name(page, out, profile->strings[profile->functions[function].qualname]);
    } else {
        hasten_page_name(page, out, &page->aggregate->functions[function]);
    }
}

static void append_place(struct hasten_page *page, struct hasten_buffer *out, uint32_t function) {
    if (hasten_cell_is_native(page, function)) {
        hasten_buffer_text(out, "in C");
    } else {
        hasten_page_place(page, out, &page->aggregate->functions[function]);
    }
}

/* One column or two; see HASTEN_CELL_WIDE_COLUMNS. */
void hasten_cell_function(struct hasten_table *table, enum hasten_style style, uint32_t function) {
    struct hasten_page *page = table->page;
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    hasten_cell_append_name(page, text, function);
    if (page->columns >= HASTEN_CELL_WIDE_COLUMNS) {
        hasten_table_text(table, style, hasten_buffer_cstring(text));
        hasten_buffer_clear(text);
        append_place(page, text, function);
        hasten_table_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
        return;
    }
    if (!hasten_cell_is_native(page, function)) {
        hasten_buffer_text(text, " ");
        append_place(page, text, function);
    }
    hasten_table_text(table, style, hasten_buffer_cstring(text));
}

struct hasten_bar hasten_cell_bar(const struct hasten_page *page, uint32_t function,
                                  int64_t time_ns) {
    return hasten_cell_is_native(page, function) ? (struct hasten_bar){.native_ns = time_ns}
                                                 : (struct hasten_bar){.python_ns = time_ns};
}

size_t hasten_cell_columns(const struct hasten_page *page, size_t all) {
    return page->columns >= HASTEN_CELL_WIDE_COLUMNS ? all : all - 1;
}

void hasten_cell_place(struct hasten_table *table, const struct hasten_row *row) {
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    hasten_page_place(table->page, text, row);
    hasten_table_text(table, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

void hasten_cell_source(struct hasten_table *table, const struct hasten_row *row) {
    struct hasten_page *page = table->page;
    const struct hasten_profile *profile = page->aggregate->profile;
    struct hasten_buffer *text = &page->scratch;
    size_t size = 0;
    const char *source = hasten_sources_line(
        &page->sources, profile->strings[profile->functions[row->function].file], row->line, &size);
    hasten_buffer_clear(text);
    while (source != NULL && size > 0) { /* tabs inside a line become one space */
        const char *tab = memchr(source, '\t', size);
        size_t piece = tab == NULL ? size : (size_t)(tab - source);
        hasten_text_safe(text, source, piece, page->options->unicode);
        source += piece;
        size -= piece;
        if (size > 0) {
            hasten_buffer_byte(text, ' ');
            source++;
            size--;
        }
    }
    if (source == NULL) {
        hasten_buffer_text(text, "in ");
        hasten_page_name(page, text, row);
    }
    hasten_table_text(table, source == NULL ? HASTEN_STYLE_FAINT : HASTEN_STYLE_PLAIN,
                      hasten_buffer_cstring(text));
}

void hasten_cell_append_thread(struct hasten_page *page, struct hasten_buffer *out,
                               const struct hasten_thread *thread) {
    const char *name = page->aggregate->profile->strings[thread->name];
    if (thread->is_main != 0) {
        hasten_buffer_text(out, "main thread");
    } else if (name[0] == '\0') {
        hasten_buffer_format(out, "thread %u", thread->tid);
    } else {
        hasten_page_safe(page, out, name);
    }
}

void hasten_cell_thread(struct hasten_table *table, uint32_t index) {
    const struct hasten_aggregate *aggregate = table->page->aggregate;
    const struct hasten_thread *thread = &aggregate->profile->threads[index];
    const char *name = aggregate->profile->strings[thread->name];
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    hasten_cell_append_thread(table->page, text, thread);
    if (thread->is_main == 0 && name[0] != '\0' && aggregate->threads[index].shares_name) {
        hasten_buffer_format(text, ", %u", thread->tid);
    }
    hasten_table_text(table,
                      aggregate->threads[index].is_main ? HASTEN_STYLE_STRONG : HASTEN_STYLE_PLAIN,
                      hasten_buffer_cstring(text));
}

void hasten_cell_percent(struct hasten_table *table, enum hasten_style style, double share) {
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    hasten_number_percent(text, share);
    hasten_table_text(table, style, hasten_buffer_cstring(text));
}

void hasten_cell_bytes(struct hasten_table *table, enum hasten_style style, int64_t bytes) {
    struct hasten_buffer *text = &table->page->scratch;
    hasten_buffer_clear(text);
    hasten_number_bytes(text, bytes);
    hasten_table_text(table, style, hasten_buffer_cstring(text));
}
