/* SPDX-License-Identifier: MIT
 *
 * A process's imports as a person or a program reads them. */
#ifndef HASTEN_CLI_IMPORTS_SHOW_H
#define HASTEN_CLI_IMPORTS_SHOW_H

#include "cli/options.h"
#include "core/imports/loads.h"

/* `program` is what `hasten run` would be told to run: "app.py", "-m app". */
void cli_imports_text(struct hasten_buffer *out, const struct hasten_loads *loads,
                      const struct cli_options *options, const struct hasten_report_options *screen,
                      const char *program);
void cli_imports_json(struct hasten_buffer *out, const struct hasten_loads *loads,
                      const char *program);

#endif
