/* SPDX-License-Identifier: MIT
 *
 * Cells of tables of calls: numbers of calls, times of a call, functions of C. */
#ifndef HASTEN_REPORT_CELLS_H
#define HASTEN_REPORT_CELLS_H

#include "core/report/table.h"

/* From here on there is room for a column of its own for places. */
#define HASTEN_CELL_WIDE_COLUMNS 96

enum hasten_style hasten_cell_style(int64_t part, int64_t whole);
/* "87 ns", "1.23 us", then as other times. */
void hasten_cell_time(struct hasten_table *table, enum hasten_style style, int64_t time_ns);
/* Per call; empty where there are no calls. */
void hasten_cell_mean(struct hasten_table *table, int64_t time_ns, int64_t calls);
/* "120", "832040/1": all, and those that are primitive, where they differ. */
void hasten_cell_calls(struct hasten_table *table, enum hasten_style style, int64_t calls,
                       int64_t primitive);
/* Name and place: two cells on wide pages, one on others. */
void hasten_cell_function(struct hasten_table *table, enum hasten_style style, uint32_t function);
/* How many of `all` columns a table has whose last is that of the places. */
size_t hasten_cell_columns(const struct hasten_page *page, size_t all);
struct hasten_bar hasten_cell_bar(const struct hasten_page *page, uint32_t function,
                                  int64_t time_ns);
/* A function's name, safe; "time.sleep", "list.append" for functions of C. */
void hasten_cell_append_name(struct hasten_page *page, struct hasten_buffer *out,
                             uint32_t function);

#endif
