/* SPDX-License-Identifier: MIT
 *
 * The hasten command: finds the verb and hands over. Does nothing before, so
 * that `hasten --version` costs nothing. */
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/message.h"

/* Output that could not be written is a failure. */
static int finish(int status) {
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        cli_say("cannot write to standard output");
        return status == CLI_EXIT_OK ? CLI_EXIT_FAILED : status;
    }
    return status;
}

int main(int argument_count, char **arguments) {
    struct cli_options options;
    if (argument_count < 2) {
        cli_help_overview(stderr);
        return CLI_EXIT_USAGE;
    }
    const char *first = arguments[1];
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
        puts("hasten " HASTEN_VERSION);
        return finish(CLI_EXIT_OK);
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        cli_help_overview(stdout);
        return finish(CLI_EXIT_OK);
    }
    enum cli_verb_id verb = cli_find_verb(first);
    if (verb == CLI_VERB_COUNT) {
        cli_say("no command %s; `hasten help` lists them", first);
        return CLI_EXIT_USAGE;
    }
    if (!cli_parse(verb, argument_count - 2, arguments + 2, &options)) {
        return CLI_EXIT_USAGE;
    }
    if (options.help) {
        cli_help_verb(verb, stdout);
        return finish(CLI_EXIT_OK);
    }
    return finish(cli_verbs[verb].run(&options));
}
