/* SPDX-License-Identifier: MIT
 *
 * Names of native functions in the parts that processes wrote: these have only where in
 * which file a function is. */
#ifndef HASTEN_CLI_RECORD_NATIVES_H
#define HASTEN_CLI_RECORD_NATIVES_H

#include "hasten/profile.h"

/* `*ret_named` is the profile with such names filled in; it shares all else with
 * `profile`, which must live longer. "?" where the file is gone or names nothing. */
HASTEN_CHECKED hasten_status cli_natives_name(const struct hasten_profile *profile,
                                              struct hasten_profile *ret_named);
void cli_natives_done(struct hasten_profile *named);

#endif
