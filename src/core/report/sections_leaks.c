/* SPDX-License-Identifier: MIT
 *
 * What the program's processes said of their own leaks: text of theirs, a line a
 * sentence, shown as it is. */
#include <string.h>

#include "core/report/sections.h"
#include "core/report/text.h"

#define PREFIX "leaks."
#define INDENT 2u

/* "leaks.4242", not "leaks.4242.json". NULL: another fact. */
static const char *process_of(const char *name) {
    size_t size = strlen(PREFIX);
    return strncmp(name, PREFIX, size) == 0 && strchr(name + size, '.') == NULL ? name + size
                                                                                : NULL;
}

static size_t count_processes(const struct hasten_profile *profile) {
    size_t count = 0;
    for (size_t i = 0; i < profile->fact_count; i++) {
        count += process_of(profile->strings[profile->facts[i].name]) != NULL;
    }
    return count;
}

/* What a row of a table says of its last column, a place or a type; NULL: no row. Columns
 * have more than a space between them. */
static const char *last_column(const char *text) {
    const char *found = NULL;
    for (const char *at = strstr(text, "  "); at != NULL; at = strstr(at + 2, "  ")) {
        found = at + 2;
    }
    return found;
}

static void write_row(struct hasten_page *page, const char *text, const char *last,
                      const char *indent) {
    const size_t used = strlen(indent) + hasten_text_width(text, (size_t)(last - text));
    hasten_buffer_text(&page->out, indent);
    hasten_buffer_append(&page->out, text, (size_t)(last - text));
    hasten_text_cut_start(&page->out, last, page->columns > used ? page->columns - used : 1,
                          page->options->unicode);
    hasten_buffer_byte(&page->out, '\n');
}

/* A leak's first line begins with its number; what is below it begins further to the right,
 * and so does all of a sentence that takes more than a line. */
static void write_line(struct hasten_page *page, const char *line, size_t size) {
    static const char indents[] = "        ";
    struct hasten_buffer part;
    hasten_buffer_init(&part, page->scratch.allocator);
    hasten_buffer_append(&part, line, size);
    bool is_first = size > 0 && line[0] >= '0' && line[0] <= '9';
    hasten_buffer_clear(&page->scratch);
    hasten_page_safe(page, &page->scratch, hasten_buffer_cstring(&part));
    page->scratch.failed = page->scratch.failed || part.failed;
    const char *text = hasten_buffer_cstring(&page->scratch);
    const size_t inset = strspn(text, " ");
    const size_t indent = INDENT + inset < sizeof indents ? INDENT + inset : sizeof indents - 1;
    const char *last = last_column(text + inset);
    hasten_page_style(page, is_first ? HASTEN_STYLE_STRONG : HASTEN_STYLE_PLAIN);
    if (last != NULL) {
        /* Numbers that are shorter than others have spaces before them. */
        write_row(page, text + (inset < 3 ? inset : 3), last, "     ");
    } else {
        hasten_text_wrap(&page->out, text + inset, indents + sizeof indents - 1 - indent,
                         page->columns);
    }
    hasten_page_style(page, HASTEN_STYLE_PLAIN);
    hasten_buffer_done(&part);
}

static void write_text(struct hasten_page *page, const char *text) {
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        if (size > 0) {
            write_line(page, text, size);
        } else {
            hasten_buffer_byte(&page->out, '\n');
        }
        text += size + (text[size] == '\n');
    }
}

void hasten_section_leaks(struct hasten_page *page) {
    const struct hasten_profile *profile = page->aggregate->profile;
    size_t processes = count_processes(profile);
    for (size_t i = 0; i < profile->fact_count; i++) {
        const struct hasten_fact *fact = &profile->facts[i];
        const char *process = process_of(profile->strings[fact->name]);
        if (process == NULL) {
            continue;
        }
        char remark[64] = "";
        if (processes > 1) {
            size_t size = strnlen(process, 20);
            memcpy(remark, "process ", 8);
            memcpy(remark + 8, process, size);
            remark[8 + size] = '\0';
        }
        hasten_page_heading(page, "Leaks", processes > 1 ? remark : NULL);
        write_text(page, profile->strings[fact->value]);
    }
}
