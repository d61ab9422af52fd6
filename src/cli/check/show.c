/* SPDX-License-Identifier: MIT
 *
 * The table in the terminal, and the sentence below it. */
#include "cli/check/show.h"

#include <string.h>

#include "cli/check/text.h"
#include "core/report/table.h"
#include "core/report/text.h"

static const struct hasten_table_column compared[] = {
    {"benchmark", false, HASTEN_CUT_START, 16}, {"was", true, HASTEN_CUT_NEVER, 0},
    {"is", true, HASTEN_CUT_NEVER, 0},          {"change", true, HASTEN_CUT_NEVER, 0},
    {"95 %", false, HASTEN_CUT_NEVER, 0},       {"memory", true, HASTEN_CUT_NEVER, 0},
    {"verdict", false, HASTEN_CUT_NEVER, 0},
};
static const struct hasten_table_column alone[] = {
    {"benchmark", false, HASTEN_CUT_START, 16},
    {"time", true, HASTEN_CUT_NEVER, 0},
    {"95 %", false, HASTEN_CUT_NEVER, 0},
    {"verdict", false, HASTEN_CUT_NEVER, 0},
};

static enum hasten_style style_of(const struct check_entry *entry) {
    return entry->verdict >= CHECK_SLOWER   ? HASTEN_STYLE_WARNING
           : entry->verdict == CHECK_FASTER ? HASTEN_STYLE_STRONG
                                            : HASTEN_STYLE_PLAIN;
}

static void put_time(struct hasten_table *table, const struct bench_series *series) {
    struct check_text text = {0};
    if (series != NULL) {
        check_time(&text, series->summary.median);
    }
    hasten_table_text(table, HASTEN_STYLE_PLAIN, text.data);
}

static void put_ratio(struct hasten_table *table, const struct check_entry *entry) {
    struct check_text change = {0}, interval = {0};
    if (entry->is_measured && entry->result.side_count == 2) {
        const struct hasten_ratio *ratio = &entry->result.ratio;
        check_change(&change, ratio->ratio);
        check_interval(&interval, ratio);
    }
    hasten_table_text(table, HASTEN_STYLE_PLAIN, change.data);
    hasten_table_text(table, HASTEN_STYLE_FAINT, interval.data);
}

/* How much more or less at the peak. */
static void put_memory(struct hasten_table *table, const struct check_entry *entry) {
    const struct bench_amount *was = check_peak(entry, CHECK_REFERENCE);
    const struct bench_amount *is = check_peak(entry, CHECK_NOW);
    struct check_text text = {0};
    if (was != NULL && is != NULL && was->value == is->value) {
        check_format(&text, "same");
    } else if (was != NULL && is != NULL && was->value > 0) {
        check_change(&text, is->value / was->value);
    }
    hasten_table_text(table, HASTEN_STYLE_PLAIN, text.data);
}

static void put_interval(struct hasten_table *table, const struct bench_series *series) {
    struct check_text text = {0};
    if (series != NULL) {
        check_time(&text, series->interval.low);
        check_format(&text, " to ");
        check_time(&text, series->interval.high);
    }
    hasten_table_text(table, HASTEN_STYLE_FAINT, text.data);
}

/* The verdict, or why there is none. */
static const char *word_of(const struct check_list *list, const struct check_entry *entry) {
    if (entry->verdict != CHECK_FINE || list->revisions != NULL) {
        return check_verdict_name(entry->verdict);
    }
    return !entry->is_measured ? "not judged" : check_has_budget(entry) ? "fine" : "measured";
}

static void put_row(struct hasten_table *table, const struct check_list *list,
                    const struct check_entry *entry, bool unicode) {
    struct hasten_buffer *scratch = &table->page->scratch;
    hasten_buffer_clear(scratch);
    hasten_text_safe(scratch, entry->name, strlen(entry->name), unicode);
    hasten_table_text(table, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(scratch));
    if (list->revisions != NULL) {
        put_time(table, check_series(entry, CHECK_REFERENCE));
        put_time(table, check_series(entry, CHECK_NOW));
        put_ratio(table, entry);
        put_memory(table, entry);
    } else {
        put_time(table, check_series(entry, CHECK_NOW));
        put_interval(table, check_series(entry, CHECK_NOW));
    }
    hasten_table_text(table, style_of(entry), word_of(list, entry));
}

/* What is not fine, in words. */
static void write_reasons(struct hasten_page *page, const struct check_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        const struct check_entry *entry = list->entries[i];
        if (entry->verdict == CHECK_FINE || entry->verdict == CHECK_FASTER) {
            continue;
        }
        hasten_buffer_clear(&page->scratch);
        hasten_buffer_format(&page->scratch, "%s: %s", entry->name, entry->reason);
        struct hasten_buffer safe;
        hasten_buffer_init(&safe, NULL);
        hasten_text_safe(&safe, page->scratch.data, page->scratch.size, page->options->unicode);
        hasten_page_paragraph(page, style_of(entry), hasten_buffer_cstring(&safe));
        hasten_buffer_done(&safe);
    }
}

static void count(struct hasten_buffer *out, size_t number, const char *what, bool *is_first) {
    if (number > 0) {
        hasten_buffer_format(out, "%s%zu %s", *is_first ? "" : ", ", number, what);
        *is_first = false;
    }
}

void check_conclusion(struct hasten_buffer *out, const struct check_list *list) {
    size_t counts[CHECK_FAILED + 1] = {0}, measured = 0;
    bool is_first = true;
    for (size_t i = 0; i < list->count; i++) {
        const struct check_entry *entry = list->entries[i];
        measured += entry->is_measured || entry->verdict >= CHECK_DIFFERENT;
        counts[entry->verdict] += entry->is_measured || entry->verdict >= CHECK_DIFFERENT;
    }
    if (measured == 0) {
        hasten_buffer_text(out, "nothing was measured: no benchmark has a budget, and --against "
                                "names no revision");
        return;
    }
    hasten_buffer_format(out, "%zu benchmark%s: ", measured, measured == 1 ? "" : "s");
    count(out, counts[CHECK_SLOWER], "slower", &is_first);
    count(out, counts[CHECK_MEMORY], "with more memory", &is_first);
    count(out, counts[CHECK_OVER_BUDGET], "over budget", &is_first);
    count(out, counts[CHECK_DIFFERENT], "with other results", &is_first);
    count(out, counts[CHECK_FAILED], "failed", &is_first);
    count(out, counts[CHECK_UNCLEAR], "unclear", &is_first);
    count(out, counts[CHECK_NEW], "new", &is_first);
    count(out, counts[CHECK_FASTER], "faster", &is_first);
    count(out, counts[CHECK_FINE], "fine", &is_first);
}

/* "the working tree (changed) against HEAD~1 (1a2b3c4d5e)" */
static void write_sides(struct hasten_buffer *out, const struct check_list *list, bool unicode) {
    if (list->revisions == NULL) {
        return;
    }
    const char *reference = list->revisions[CHECK_REFERENCE].label;
    hasten_buffer_format(out, "the working tree%s against ",
                         revision_is_dirty(&list->project) ? ", with changes not committed," : "");
    hasten_text_safe(out, reference, strlen(reference), unicode);
    hasten_buffer_text(out, "\n");
}

void check_show(struct hasten_buffer *out, const struct check_list *list,
                const struct hasten_report_options *screen) {
    bool compares = list->revisions != NULL;
    const struct hasten_aggregate nothing = {.allocator = NULL}; /* a page is of one as a rule */
    struct hasten_page page = {.options = screen, .aggregate = &nothing};
    struct hasten_table table;
    page.columns = screen->columns == 0 ? 80 : screen->columns;
    hasten_buffer_init(&page.out, NULL);
    hasten_buffer_init(&page.scratch, NULL);
    write_sides(&page.out, list, screen->unicode);
    hasten_table_init(&table, &page, compares ? compared : alone,
                      compares ? sizeof compared / sizeof *compared : sizeof alone / sizeof *alone,
                      0);
    for (size_t i = 0; i < list->count; i++) {
        put_row(&table, list, list->entries[i], screen->unicode);
    }
    hasten_table_finish(&table);
    write_reasons(&page, list);
    check_conclusion(&page.out, list);
    hasten_buffer_text(&page.out, "\n");
    hasten_buffer_append(out, page.out.data, page.out.size);
    out->failed = out->failed || page.out.failed || page.scratch.failed;
    hasten_buffer_done(&page.out);
    hasten_buffer_done(&page.scratch);
}
