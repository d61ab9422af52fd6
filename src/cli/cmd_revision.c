/* SPDX-License-Identifier: MIT
 *
 * hasten revision: for programs that want to run what another revision of the project
 * does, such as a test suite's plugin. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "cli/options.h"
#include "cli/python.h"
#include "cli/revision/revision.h"
#include "cli/signals.h"
#include "core/report/json_writer.h"

/* What is to be set in the environment of what runs in it, null to be removed. */
static void print_environment(struct hasten_json *json, const struct revision *revision) {
    hasten_json_open(json, "environment", '{');
    for (const char *const *setting = revision->settings; *setting != NULL; setting++) {
        const char *equals = strchr(*setting, '=');
        char name[64];
        size_t length = equals == NULL ? strlen(*setting) : (size_t)(equals - *setting);
        snprintf(name, sizeof name, "%.*s", (int)length, *setting);
        if (equals == NULL) {
            hasten_json_null(json, name);
        } else {
            hasten_json_string(json, name, equals + 1);
        }
    }
    hasten_json_close(json, '}');
}

static bool print(const struct revision_project *project, const struct revision *revision,
                  bool as_json) {
    struct hasten_buffer out;
    hasten_buffer_init(&out, NULL);
    if (as_json) {
        struct hasten_json json = {.out = &out};
        hasten_json_open(&json, NULL, '{');
        hasten_json_string(&json, "python", revision->python);
        hasten_json_string(&json, "root", revision->root);
        hasten_json_string(&json, "commit", revision->commit);
        hasten_json_string(&json, "label", revision->label);
        hasten_json_string(&json, "top", project->top);
        hasten_json_string(&json, "folder", revision->folder);
        hasten_json_string(&json, "entry", revision->entry.path);
        hasten_json_boolean(&json, "dirty", revision_is_dirty(project));
        print_environment(&json, revision);
        hasten_json_close(&json, '}');
        hasten_buffer_byte(&out, '\n');
    } else {
        hasten_buffer_format(&out, "python %s\nroot %s\ncommit %s\n", revision->python,
                             revision->root, revision->commit);
    }
    bool is_whole = !out.failed;
    if (is_whole) {
        fwrite(out.data, 1, out.size, stdout);
    } else {
        cli_say("revision: out of memory");
    }
    hasten_buffer_done(&out);
    return is_whole;
}

int cmd_revision(const struct cli_options *options) {
    char python[PATH_MAX];
    if (options->argument_count != 1) {
        cli_say("revision: one revision is expected; `hasten help revision` says more");
        return CLI_EXIT_USAGE;
    }
    if (!cli_python_choose(options->python, python, sizeof python)) {
        cli_say("revision: no interpreter found; --python PATH names one");
        return CLI_EXIT_USAGE;
    }
    const char *name = options->arguments[0];
    struct revision_project project;
    struct revision *revision = calloc(1, sizeof *revision);
    if (revision == NULL) {
        cli_say("revision: out of memory");
        return CLI_EXIT_USAGE;
    }
    revision->entry.lock = -1;
    cli_signals_catch_stop();
    bool done = revision_project_find(&project, python, options->bench.install) &&
                revision_prepare(&project, strcmp(name, ".") == 0 ? NULL : name, revision);
    if (done) {
        revision_cache_clean();
        done = print(&project, revision, options->json);
    }
    revision_done(revision);
    revision_project_done(&project);
    free(revision);
    if (cli_signals_stop_asked()) {
        cli_signals_die_by(SIGINT);
    }
    return done ? CLI_EXIT_OK : CLI_EXIT_USAGE;
}
