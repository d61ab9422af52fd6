/* SPDX-License-Identifier: MIT
 *
 * One recording being made: sampler, recorder, the finished file, its report.
 * What `run` and `attach` share. */
#ifndef HASTEN_CLI_RECORD_SESSION_H
#define HASTEN_CLI_RECORD_SESSION_H

#include "cli/options.h"
#include "cli/record/memory.h"

struct cli_session {
    const struct cli_options *options;
    const char *path;
    struct hasten_recorder *recorder;
    struct hasten_sampler *sampler;
    struct cli_memory *memory; /* the caller's; NULL: memory is not recorded */
    uint64_t end_ns;           /* -d, on the monotonic clock; 0: none */
    bool is_sampling;
    bool is_finished;
};

/* Opens the recording and makes the sampler. False after saying why not. */
bool cli_session_begin(struct cli_session *session, const struct cli_options *options,
                       const char *path);
/* A fact about the run. A failure to write shows at the next step. */
void cli_session_fact(struct cli_session *session, const char *name, const char *value);
/* Looks once. False where there is nothing more to sample: no process is left,
 * -d is over, or the recorder failed, which is said. */
bool cli_session_step(struct cli_session *session);
/* Ends the recording, makes the final file and shows the report on standard
 * error, whatever of this is possible; `exit_status` may be NULL. False where no
 * readable recording came of it. Does nothing the second time. */
bool cli_session_finish(struct cli_session *session, const char *exit_status);
/* Drops everything, the file too. */
void cli_session_abandon(struct cli_session *session);

#endif
