/* SPDX-License-Identifier: MIT
 *
 * The `memory` object of the JSON report (docs/formats/report-json.md). */
#ifndef HASTEN_REPORT_JSON_MEMORY_H
#define HASTEN_REPORT_JSON_MEMORY_H

#include "core/report/json_writer.h"
#include "core/report/memory_sums.h"
#include "core/report/page.h"

/* Null where nothing was measured. The page is used for words only. */
void hasten_json_memory(struct hasten_json *json, const struct hasten_page *page,
                        const struct hasten_memory *memory,
                        const struct hasten_report_options *options);

#endif
