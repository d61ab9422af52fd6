/* SPDX-License-Identifier: MIT
 *
 * hasten run: starts the program, samples it, passes its end on. The program is
 * never worse off than without hasten: whatever fails after its start is said,
 * and the program goes on. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/output.h"
#include "cli/python.h"
#include "cli/quote.h"
#include "cli/record/child.h"
#include "cli/record/lazy.h"
#include "cli/record/leaks.h"
#include "cli/record/memory.h"
#include "cli/record/session.h"
#include "cli/record/tracing.h"
#include "cli/signals.h"

/* What the program is called: what its recording is named after. */
static const char *program_name(const struct cli_options *options) {
    if (options->module != NULL) {
        return options->module;
    }
    return options->code != NULL ? "command" : options->arguments[0];
}

/* A word that is a command and no file was meant to follow `--`. */
static bool is_mistaken_command(const struct cli_options *options) {
    char path[PATH_MAX];
    const char *script = options->arguments[0];
    return access(script, F_OK) != 0 && strchr(script, '/') == NULL &&
           cli_python_on_path(script, path, sizeof path);
}

static bool check_usage(const struct cli_options *options) {
    bool has_program = options->module != NULL || options->code != NULL;
    if (!has_program && options->argument_count == 0) {
        cli_say("run: what? A script, -m MODULE, -c CODE or -- COMMAND; `hasten help run` shows "
                "how");
        return false;
    }
    if (options->is_command && options->python != NULL) {
        cli_say("run: --python goes with a script, not with a command after --");
        return false;
    }
    if (!has_program && !options->is_command && is_mistaken_command(options)) {
        cli_say("run: there is no file %s here; to run the command of that name: hasten run -- %s",
                options->arguments[0], options->arguments[0]);
        return false;
    }
    if (options->no_builtins && !options->trace) {
        cli_say("run: --no-builtins goes with --trace");
        return false;
    }
    if (options->memory_interval_bytes != 0 && options->memory != CLI_MEMORY_SAMPLED) {
        cli_say("run: --memory-interval goes with --memory=sampled");
        return false;
    }
    return cli_leaks_check(options) && (!options->trace || cli_tracing_check(options));
}

/* argv of the program, NULL-terminated; freed by the caller. */
static char **make_arguments(const struct cli_options *options, char *python) {
    size_t count = (size_t)options->argument_count;
    char **arguments = calloc(count + 4, sizeof *arguments);
    size_t used = 0;
    if (arguments == NULL) {
        return NULL;
    }
    if (!options->is_command) {
        arguments[used++] = python;
    }
    if (options->module != NULL || options->code != NULL) {
        arguments[used++] = options->module != NULL ? "-m" : "-c";
        arguments[used++] = (char *)(options->module != NULL ? options->module : options->code);
    }
    memcpy(arguments + used, options->arguments, count * sizeof *arguments);
    return arguments;
}

/* Samples until the child ends; then, and after -d, shows what there is. */
static void watch(struct cli_session *session, struct cli_child *child, struct cli_leaks *leaks) {
    char status[32];
    while (session->is_sampling && !cli_child_ended(child, false)) {
        if (!cli_session_step(session) && session->end_ns != 0 && !cli_child_ended(child, false)) {
            cli_session_finish(session, NULL); /* the program may go on for days */
        }
    }
    cli_child_ended(child, true);
    cli_child_status_text(child, status, sizeof status);
    cli_leaks_finish(leaks, session);
    cli_session_finish(session, status);
}

static int run(const struct cli_options *options, char **arguments, const char *path) {
    struct cli_session session;
    struct cli_memory memory;
    struct cli_child child;
    struct cli_leaks leaks;
    struct hasten_error error = {.status = HASTEN_OK};
    char command[4096];
    cli_memory_begin(&memory, options, path);
    if (!cli_session_begin(&session, options, path)) {
        cli_memory_end(&memory);
        return CLI_EXIT_FAILED;
    }
    session.memory = &memory;
    cli_quote(arguments, command, sizeof command);
    cli_session_fact(&session, "command", command);
    if (!options->is_command) {
        cli_session_fact(&session, "python", arguments[0]);
    }
    if (!cli_leaks_begin(&leaks, options, options->is_command ? NULL : arguments[0], path)) {
        cli_memory_end(&memory);
        cli_session_abandon(&session);
        return CLI_EXIT_FAILED;
    }
    cli_memory_enter(&memory);
    int reason = cli_child_start(&child, arguments);
    cli_memory_leave(&memory);
    if (reason != 0) {
        cli_leaks_abandon(&leaks);
        cli_memory_end(&memory);
        cli_session_abandon(&session);
        return cli_child_not_started(arguments[0], reason);
    }
    if (hasten_sampler_add(session.sampler, (uint32_t)child.pid, true, &error) != HASTEN_OK) {
        cli_say("the program runs, but cannot be sampled: %s", cli_error_text(&error));
        cli_session_abandon(&session);
    }
    watch(&session, &child, &leaks);
    cli_memory_end(&memory);
    cli_child_exit_like(&child);
}

int cmd_run(const struct cli_options *options) {
    char python[PATH_MAX] = "";
    char path[PATH_MAX];
    if (!check_usage(options)) {
        return CLI_EXIT_USAGE;
    }
    if (!options->is_command && !cli_python_choose(options->python, python, sizeof python)) {
        cli_say("no Python was found%s%s; name one with --python PATH",
                options->python == NULL ? "" : " for --python ",
                options->python == NULL ? "" : options->python);
        return CLI_EXIT_NOT_FOUND;
    }
    if (!cli_lazy_begin(options, options->is_command ? NULL : python)) {
        return CLI_EXIT_FAILED;
    }
    char **arguments = make_arguments(options, python);
    if (arguments == NULL) {
        cli_say("out of memory");
        return CLI_EXIT_FAILED;
    }
    int status = CLI_EXIT_FAILED;
    if (cli_output_choose(options->output, program_name(options), path, sizeof path)) {
        status = options->trace ? cli_tracing_run(options, arguments, path)
                                : run(options, arguments, path);
    }
    free(arguments);
    return status;
}
