/* SPDX-License-Identifier: MIT
 *
 * The page a terminal report is written on: its text so far, its width, and
 * whether it may use colour and Unicode. */
#ifndef HASTEN_REPORT_PAGE_H
#define HASTEN_REPORT_PAGE_H

#include "core/base/buffer.h"
#include "core/report/aggregate.h"
#include "core/report/source.h"

/* X(name, SGR parameters). The sixteen colours only: they follow the theme. */
#define HASTEN_STYLE_MAP(X) \
    X(PLAIN, "")            \
    X(HEADING, "1")         \
    X(STRONG, "1")          \
    X(FAINT, "2")           \
    X(PYTHON, "36")         \
    X(NATIVE, "35")         \
    X(WAITING, "33")        \
    X(WARNING, "1;33")

enum hasten_style {
#define HASTEN_STYLE_ENUM(name, parameters) HASTEN_STYLE_##name,
    HASTEN_STYLE_MAP(HASTEN_STYLE_ENUM)
#undef HASTEN_STYLE_ENUM
};

/* The parts of a bar, in the order in which they are drawn. */
struct hasten_bar {
    int64_t python_ns;
    int64_t native_ns;
    int64_t waiting_ns;
};

struct hasten_page {
    struct hasten_buffer out;
    struct hasten_buffer scratch; /* for whoever writes the current cell */
    const struct hasten_aggregate *aggregate;
    const struct hasten_report_options *options;
    struct hasten_sources sources;
    const char *directory; /* where the program ran; NULL where not known */
    size_t columns;
    size_t bar_columns;
};

/* Everything from here to the next call is in this style. */
void hasten_page_style(struct hasten_page *page, enum hasten_style style);
/* A blank line, the title, and beside or below it a remark. */
void hasten_page_heading(struct hasten_page *page, const char *title, const char *remark);
/* An indented, wrapped paragraph in one style. */
void hasten_page_paragraph(struct hasten_page *page, enum hasten_style style, const char *text);
/* "and 12 more": rows that are not shown. */
void hasten_page_more(struct hasten_page *page, size_t count);
/* Text that is safe already, in at most `columns` columns. */
void hasten_page_cut(struct hasten_page *page, const char *text, size_t columns);
/* Draws `bar` in `columns` columns of which the whole stands for `full_ns`.
 * Returns the columns drawn. */
size_t hasten_page_bar(struct hasten_page *page, const struct hasten_bar *bar, int64_t full_ns,
                       size_t columns);
/* What the parts of the bars mean; those without time are left out. */
void hasten_page_legend(struct hasten_page *page, const char *text, const struct hasten_bar *parts);

/* The parts of a row's own time. */
struct hasten_bar hasten_bar_of(const struct hasten_time *time);

/* Append to `out`, safe for a terminal: a function's name; "file.py:41". */
void hasten_page_name(const struct hasten_page *page, struct hasten_buffer *out,
                      const struct hasten_row *row);
void hasten_page_place(const struct hasten_page *page, struct hasten_buffer *out,
                       const struct hasten_row *row);
/* Any other text of the profile, safe. */
void hasten_page_safe(const struct hasten_page *page, struct hasten_buffer *out, const char *text);

#endif
