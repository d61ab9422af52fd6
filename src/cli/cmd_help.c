/* SPDX-License-Identifier: MIT
 *
 * hasten help. */
#include "cli/help.h"
#include "cli/message.h"

int cmd_help(const struct cli_options *options) {
    if (options->argument_count == 0) {
        cli_help_overview(stdout);
        return CLI_EXIT_OK;
    }
    enum cli_verb_id verb = cli_find_verb(options->arguments[0]);
    if (verb == CLI_VERB_COUNT || options->argument_count > 1) {
        cli_say("help: no command %s; `hasten help` lists them",
                options->arguments[options->argument_count > 1 ? 1 : 0]);
        return CLI_EXIT_USAGE;
    }
    cli_help_verb(verb, stdout);
    return CLI_EXIT_OK;
}
