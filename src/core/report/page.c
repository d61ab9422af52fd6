/* SPDX-License-Identifier: MIT
 *
 * Styles, headings, bars and names of the terminal report. */
#include "core/report/page.h"

#include <string.h>

#include "core/report/paths.h"
#include "core/report/text.h"

#define INDENT "  "
/* Narrower, a legend has no room for its sentence. */
#define LEGEND_COLUMNS 76

struct bar_glyphs {
    const char *python, *native, *waiting;
};

static struct bar_glyphs glyphs(const struct hasten_page *page) {
    return page->options->unicode ? (struct bar_glyphs){"█", "▓", "░"}
                                  : (struct bar_glyphs){"#", "=", "."};
}

void hasten_page_style(struct hasten_page *page, enum hasten_style style) {
    static const char *const parameters[] = {
#define STYLE_PARAMETERS(name, text) text,
        HASTEN_STYLE_MAP(STYLE_PARAMETERS)
#undef STYLE_PARAMETERS
    };
    if (!page->options->colour) {
        return;
    }
    hasten_buffer_text(&page->out, "\x1b[0");
    if (style != HASTEN_STYLE_PLAIN) {
        hasten_buffer_byte(&page->out, ';');
        hasten_buffer_text(&page->out, parameters[style]);
    }
    hasten_buffer_byte(&page->out, 'm');
}

void hasten_page_heading(struct hasten_page *page, const char *title, const char *remark) {
    hasten_buffer_byte(&page->out, '\n');
    hasten_page_style(page, HASTEN_STYLE_HEADING);
    hasten_buffer_text(&page->out, title);
    hasten_page_style(page, HASTEN_STYLE_PLAIN);
    if (remark == NULL) {
        hasten_buffer_byte(&page->out, '\n');
    } else if (strlen(title) + 2 + strlen(remark) <= page->columns) {
        hasten_buffer_text(&page->out, "  ");
        hasten_page_style(page, HASTEN_STYLE_FAINT);
        hasten_buffer_text(&page->out, remark);
        hasten_page_style(page, HASTEN_STYLE_PLAIN);
        hasten_buffer_byte(&page->out, '\n');
    } else {
        hasten_buffer_byte(&page->out, '\n');
        hasten_page_paragraph(page, HASTEN_STYLE_FAINT, remark);
    }
}

void hasten_page_paragraph(struct hasten_page *page, enum hasten_style style, const char *text) {
    if (text[0] == '\0') {
        return;
    }
    hasten_page_style(page, style);
    hasten_text_wrap(&page->out, text, INDENT, page->columns);
    hasten_page_style(page, HASTEN_STYLE_PLAIN);
}

void hasten_page_more(struct hasten_page *page, size_t count) {
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    hasten_buffer_format(text, "and %zu more", count);
    hasten_page_paragraph(page, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

void hasten_page_cut(struct hasten_page *page, const char *text, size_t columns) {
    hasten_text_cut_end(&page->out, text, columns, page->options->unicode);
}

static void repeat(struct hasten_page *page, enum hasten_style style, const char *glyph,
                   size_t count) {
    if (count == 0) {
        return;
    }
    hasten_page_style(page, style);
    for (size_t i = 0; i < count; i++) {
        hasten_buffer_text(&page->out, glyph);
    }
}

/* The column at which `amount` of `full` ends, to the nearest; `least` where it would end before
 * what is left of it: amounts of a damaged recording may be negative. */
static size_t end_column(int64_t amount, int64_t full, size_t columns, size_t least) {
    double share = full > 0 && amount > 0 ? (double)amount / (double)full : 0;
    share = share > 1 ? 1 : share;
    const size_t end = (size_t)(share * (double)columns + 0.5);
    return end < least ? least : end;
}

size_t hasten_page_bar(struct hasten_page *page, const struct hasten_bar *bar, int64_t full_ns,
                       size_t columns) {
    /* Ends are rounded, not lengths: the whole bar is as long as its sum says. */
    size_t python = end_column(bar->python_ns, full_ns, columns, 0);
    size_t native = end_column(bar->python_ns + bar->native_ns, full_ns, columns, python);
    size_t waiting =
        end_column(bar->python_ns + bar->native_ns + bar->waiting_ns, full_ns, columns, native);
    struct bar_glyphs glyph = glyphs(page);
    repeat(page, HASTEN_STYLE_PYTHON, glyph.python, python);
    repeat(page, HASTEN_STYLE_NATIVE, glyph.native, native - python);
    repeat(page, HASTEN_STYLE_WAITING, glyph.waiting, waiting - native);
    if (waiting > 0) {
        hasten_page_style(page, HASTEN_STYLE_PLAIN);
    }
    return waiting;
}

void hasten_page_legend(struct hasten_page *page, const char *text,
                        const struct hasten_bar *parts) {
    struct bar_glyphs glyph = glyphs(page);
    struct {
        int64_t amount;
        enum hasten_style style;
        const char *glyph, *label;
    } entries[] = {
        {parts->python_ns, HASTEN_STYLE_PYTHON, glyph.python, "Python"},
        {parts->native_ns, HASTEN_STYLE_NATIVE, glyph.native, "in C"},
        {parts->waiting_ns, HASTEN_STYLE_WAITING, glyph.waiting, "waiting"},
    };
    if (page->columns < LEGEND_COLUMNS) {
        text = "";
    }
    hasten_buffer_text(&page->out, INDENT);
    hasten_page_style(page, HASTEN_STYLE_FAINT);
    hasten_buffer_text(&page->out, text);
    hasten_page_style(page, HASTEN_STYLE_PLAIN);
    bool first = text[0] == '\0';
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (entries[i].amount > 0) {
            hasten_buffer_text(&page->out, first ? "" : "  ");
            first = false;
            repeat(page, entries[i].style, entries[i].glyph, 1);
            hasten_page_style(page, HASTEN_STYLE_FAINT);
            hasten_buffer_format(&page->out, " %s", entries[i].label);
            hasten_page_style(page, HASTEN_STYLE_PLAIN);
        }
    }
    hasten_buffer_byte(&page->out, '\n');
}

struct hasten_bar hasten_bar_of(const struct hasten_time *time) {
    return (struct hasten_bar){.python_ns = time->running_ns - time->native_ns,
                               .native_ns = time->native_ns,
                               .waiting_ns = time->waiting_ns};
}

void hasten_page_safe(const struct hasten_page *page, struct hasten_buffer *out, const char *text) {
    hasten_text_safe(out, text, strlen(text), page->options->unicode);
}

/* "outer.<locals>.inner" without the word that says nothing: room is scarce. */
void hasten_page_name(const struct hasten_page *page, struct hasten_buffer *out,
                      const struct hasten_row *row) {
    static const char locals[] = "<locals>.";
    const struct hasten_profile *profile = page->aggregate->profile;
    const char *name = profile->strings[profile->functions[row->function].qualname];
    for (const char *next = strstr(name, locals); next != NULL; next = strstr(name, locals)) {
        hasten_text_safe(out, name, (size_t)(next - name), page->options->unicode);
        name = next + sizeof locals - 1;
    }
    hasten_page_safe(page, out, name);
}

void hasten_page_place(const struct hasten_page *page, struct hasten_buffer *out,
                       const struct hasten_row *row) {
    const struct hasten_profile *profile = page->aggregate->profile;
    struct hasten_buffer path;
    hasten_buffer_init(&path, page->aggregate->allocator);
    hasten_path_shorten(&path, profile->strings[profile->functions[row->function].file],
                        page->directory);
    hasten_text_safe(out, path.data, path.size, page->options->unicode);
    out->failed = out->failed || path.failed;
    hasten_buffer_done(&path);
    if (row->line > 0) {
        hasten_buffer_format(out, ":%d", row->line);
    }
}
