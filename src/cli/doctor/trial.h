/* SPDX-License-Identifier: MIT
 *
 * Samples an interpreter for a moment, all the way from starting it to reading
 * the recording, to see whether it works here. */
#ifndef HASTEN_CLI_DOCTOR_TRIAL_H
#define HASTEN_CLI_DOCTOR_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

struct trial_result {
    uint64_t samples;
    uint64_t failed;
    uint32_t python_version; /* PY_VERSION_HEX; 0 where it was not found out */
    bool found_function;     /* the one known to be busy is in the recording */
};

/* OK also where nothing was sampled; otherwise why it could not be. */
HASTEN_CHECKED hasten_status cli_trial(const char *python, struct trial_result *ret_result,
                                       struct hasten_error *error);
/* "3.12.1", "pypy 3.10.14" by asking the interpreter; false where it does not
 * answer in a few seconds. */
bool cli_trial_version(const char *python, char *ret_text, size_t size);

#endif
