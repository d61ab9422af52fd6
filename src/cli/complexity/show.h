/* SPDX-License-Identifier: MIT
 *
 * How `hasten complexity` shows a result that other programs read; what a person reads
 * is in core/scaling/words.h. */
#ifndef HASTEN_CLI_COMPLEXITY_SHOW_H
#define HASTEN_CLI_COMPLEXITY_SHOW_H

#include "core/base/buffer.h"
#include "core/scaling/scaling.h"

void complexity_json(struct hasten_buffer *out, const char *label,
                     const struct hasten_scaling_result *result);

#endif
