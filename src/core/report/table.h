/* SPDX-License-Identifier: MIT
 *
 * A table of a terminal report: cells are collected, then laid out so that the
 * rows fit the page. Cell texts must be safe for a terminal. */
#ifndef HASTEN_REPORT_TABLE_H
#define HASTEN_REPORT_TABLE_H

#include "core/report/page.h"

enum hasten_cut {
    HASTEN_CUT_NEVER,
    HASTEN_CUT_END,
    HASTEN_CUT_START, /* for paths */
};

struct hasten_table_column {
    const char *heading;
    bool right; /* aligned to the right */
    enum hasten_cut cut;
    size_t least; /* a column that may be cut stays at least this wide */
};

struct hasten_table_cell;

struct hasten_table {
    struct hasten_page *page;
    const struct hasten_table_column *columns;
    size_t column_count;
    struct hasten_buffer text;
    struct hasten_table_cell *cells;
    size_t cell_count, cell_capacity;
    int64_t bar_full_ns; /* what a whole bar stands for */
    bool failed;
};

/* At most this many columns. */
#define HASTEN_TABLE_COLUMNS 10

/* `columns` is borrowed. */
void hasten_table_init(struct hasten_table *table, struct hasten_page *page,
                       const struct hasten_table_column *columns, size_t column_count,
                       int64_t bar_full_ns);
/* The next cell, row by row. */
void hasten_table_text(struct hasten_table *table, enum hasten_style style, const char *text);
void hasten_table_bar(struct hasten_table *table, struct hasten_bar bar);
/* Writes the table to the page and releases it. */
void hasten_table_finish(struct hasten_table *table);

#endif
