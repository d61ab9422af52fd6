/* SPDX-License-Identifier: MIT
 *
 * The sections of a terminal report. Each writes nothing where it has nothing to
 * say: one thread needs no table of threads. */
#ifndef HASTEN_REPORT_SECTIONS_H
#define HASTEN_REPORT_SECTIONS_H

#include "core/report/facts.h"
#include "core/report/page.h"

void hasten_section_functions(struct hasten_page *page, const struct hasten_facts *facts);
/* Of a traced program. */
void hasten_section_calls(struct hasten_page *page);
void hasten_section_traced_threads(struct hasten_page *page);
/* Callers and callees of the functions that were asked for. */
void hasten_section_edges(struct hasten_page *page);
void hasten_section_lines(struct hasten_page *page);
void hasten_section_waiting(struct hasten_page *page);
void hasten_section_threads(struct hasten_page *page);
void hasten_section_processes(struct hasten_page *page);
void hasten_section_collector(struct hasten_page *page);
/* What grew while the program ran, as its processes said (facts "leaks.PID"). */
void hasten_section_leaks(struct hasten_page *page);

#endif
