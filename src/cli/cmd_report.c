/* SPDX-License-Identifier: MIT
 *
 * hasten report. */
#include <signal.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/show.h"

int cmd_report(const struct cli_options *options) {
    if (options->argument_count != 1) {
        cli_say("report: %s; `hasten help report` shows how",
                options->argument_count == 0 ? "which recording?" : "one recording at a time");
        return CLI_EXIT_USAGE;
    }
    signal(SIGPIPE, SIG_IGN); /* `| head` is no failure */
    return cli_show(options->arguments[0], options, STDOUT_FILENO) ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}
