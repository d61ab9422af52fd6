/* SPDX-License-Identifier: MIT
 *
 * What GitHub Actions reads: commands on standard output, and Markdown. */
#include <string.h>

#include "cli/check/show.h"
#include "cli/check/text.h"
#include "core/report/text.h"

/* `extra`: characters that end a property, to be escaped there and not in messages. */
static void write_escaped(struct hasten_buffer *out, const char *text, const char *extra) {
    for (; *text != '\0'; text++) {
        bool is_special =
            *text == '%' || *text == '\r' || *text == '\n' || strchr(extra, *text) != NULL;
        if (is_special) {
            hasten_buffer_format(out, "%%%02X", (unsigned char)*text);
        } else {
            hasten_buffer_byte(out, (uint8_t)*text);
        }
    }
}

void check_annotations(struct hasten_buffer *out, const struct check_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        const struct check_entry *entry = list->entries[i];
        struct check_text change = {0};
        const char *kind = entry->verdict >= CHECK_SLOWER    ? "error"
                           : entry->verdict == CHECK_UNCLEAR ? "warning"
                           : entry->verdict == CHECK_NEW     ? "notice"
                                                             : NULL;
        if (kind == NULL) {
            continue;
        }
        hasten_buffer_format(out, "::%s file=", kind);
        write_escaped(out, entry->file->name, ":,");
        hasten_buffer_text(out, ",title=");
        write_escaped(out, entry->name, ":,");
        hasten_buffer_text(out, "::");
        write_escaped(out, entry->reason, "");
        if (entry->is_measured && entry->result.side_count == 2) {
            check_format(&change, ": ");
            check_change(&change, entry->result.ratio.ratio);
            check_format(&change, " (95 %%: ");
            check_interval(&change, &entry->result.ratio);
            check_format(&change, ")");
            write_escaped(out, change.data, "");
        }
        hasten_buffer_text(out, "\n");
    }
}

/* A cell: nothing in it may end the cell or be taken for markup. */
static void write_cell(struct hasten_buffer *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (strchr("|\\`*_<>[]&", *text) != NULL) {
            hasten_buffer_byte(out, '\\');
        }
        hasten_buffer_byte(out, (uint8_t)(*text == '\n' || *text == '\r' ? ' ' : *text));
    }
    hasten_buffer_text(out, " | ");
}

static void write_time(struct hasten_buffer *out, const struct bench_series *series) {
    struct check_text text = {0};
    if (series != NULL) {
        check_time(&text, series->summary.median);
    }
    write_cell(out, text.data);
}

void check_markdown(struct hasten_buffer *out, const struct check_list *list) {
    bool compares = list->revisions != NULL;
    hasten_buffer_text(out, "### hasten check\n\n");
    check_conclusion(out, list);
    hasten_buffer_text(out, compares ? "\n\n| benchmark | was | is | change | 95 % | verdict |\n"
                                       "|---|--:|--:|--:|---|---|\n"
                                     : "\n\n| benchmark | time | verdict |\n|---|--:|---|\n");
    for (size_t i = 0; i < list->count; i++) {
        const struct check_entry *entry = list->entries[i];
        struct check_text change = {0}, interval = {0};
        hasten_buffer_text(out, "| ");
        write_cell(out, entry->name);
        if (compares) {
            write_time(out, check_series(entry, CHECK_REFERENCE));
        }
        write_time(out, check_series(entry, CHECK_NOW));
        if (compares && entry->is_measured && entry->result.side_count == 2) {
            check_change(&change, entry->result.ratio.ratio);
            check_interval(&interval, &entry->result.ratio);
        }
        if (compares) {
            write_cell(out, change.data);
            write_cell(out, interval.data);
        }
        write_cell(out, entry->reason);
        hasten_buffer_text(out, "\n");
    }
    hasten_buffer_text(out, "\n");
}
