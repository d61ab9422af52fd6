/* SPDX-License-Identifier: MIT
 *
 * The chapter on memory of a terminal report. In a report on time it is short; asked
 * for alone (options->memory) it has all its rows. */
#ifndef HASTEN_REPORT_SECTIONS_MEMORY_H
#define HASTEN_REPORT_SECTIONS_MEMORY_H

#include "core/report/memory_sums.h"
#include "core/report/table.h"

/* All of the chapter; nothing where nothing was measured. */
void hasten_section_memory(struct hasten_page *page, const struct hasten_memory *memory);
/* Its tables: lines, native code, threads, processes. */
void hasten_section_memory_tables(struct hasten_page *page, const struct hasten_memory *memory);

/* Appends a sentence or two where memory is the striking thing, else nothing. */
void hasten_memory_verdict(const struct hasten_page *page, const struct hasten_memory *memory,
                           struct hasten_buffer *out);

/* How good an estimate is: "3 %", "<1 %"; empty where it is exact. */
void hasten_memory_cell_error(struct hasten_table *table, const struct hasten_memory *memory,
                              int64_t bytes);
/* What native code is called: its symbol. */
const char *hasten_memory_native_name(const struct hasten_profile *profile, uint32_t function);

#endif
