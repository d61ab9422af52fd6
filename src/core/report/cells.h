/* SPDX-License-Identifier: MIT
 *
 * Cells that tables share: numbers of calls, times of a call, functions of C, places,
 * bytes. */
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
/* "file.py:41"; the text of that line, else the function that it is in. */
void hasten_cell_place(struct hasten_table *table, const struct hasten_row *row);
void hasten_cell_source(struct hasten_table *table, const struct hasten_row *row);
/* "main thread", "pool_0", "thread 4711". */
void hasten_cell_append_thread(struct hasten_page *page, struct hasten_buffer *out,
                               const struct hasten_thread *thread);
/* "main thread", "pool_0", "python3, 4711": threads that nobody named have the
 * program's name. */
void hasten_cell_thread(struct hasten_table *table, uint32_t index);
void hasten_cell_percent(struct hasten_table *table, enum hasten_style style, double share);
void hasten_cell_bytes(struct hasten_table *table, enum hasten_style style, int64_t bytes);

#endif
