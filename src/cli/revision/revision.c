/* SPDX-License-Identifier: MIT
 *
 * From a name to an environment: what it is called in the cache, and how it gets there. */
#include "cli/revision/revision.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/progress.h"
#include "cli/revision/git.h"
#include "cli/signals.h"
#include "core/base/hash.h"
#include "core/report/text.h"

/* program.py, made into C by tools/embed.py. */
extern const char revision_program[];

/* Counted up when what is built changes: what an older hasten built is not used. */
#define LAYOUT "1"
/* Of a log: what the end of a build usually says. */
#define TAIL_LINES 12
#define TAIL_SIZE 4096

/* Takes the words after `name` of a line. */
static void take_line(const char *text, const char *name, struct hasten_buffer *ret_value) {
    size_t size = strlen(name);
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (length > size && memcmp(line, name, size) == 0 && line[size] == ' ') {
            hasten_buffer_append(ret_value, line + size + 1, length - size - 1);
        }
        line += length + (line[length] == '\n');
    }
}

/* Asks the present interpreter what it is and what the project's settings say. */
static bool describe(struct revision_project *project, const char *install) {
    char home[2 * PATH_MAX];
    struct hasten_buffer output, errors, ignored;
    snprintf(home, sizeof home, "%s/%s", project->top, project->home);
    const char *const arguments[] = {project->python, "-c", revision_program,
                                     "describe",      home, NULL};
    const struct cli_command command = {.arguments = arguments, .log = -1};
    hasten_buffer_init(&output, NULL);
    hasten_buffer_init(&errors, NULL);
    hasten_buffer_init(&ignored, NULL);
    int status = cli_command_run(&command, &output, &errors);
    if (status == CLI_COMMAND_NOT_STARTED) {
        cli_say("cannot run %s: %s", project->python, strerror(errno));
    } else if (status != 0) {
        const char *text = hasten_buffer_cstring(&errors);
        size_t size = strlen(text);
        while (size > 0 && text[size - 1] == '\n') {
            size--;
        }
        const char *last = memrchr(text, '\n', size);
        last = last == NULL ? text : last + 1;
        cli_say("%.*s", (int)(size - (size_t)(last - text)), last);
    } else {
        const char *text = hasten_buffer_cstring(&output);
        take_line(text, "install", install == NULL ? &project->install : &ignored);
        take_line(text, "signature", &project->signature);
        hasten_buffer_text(&project->install, install == NULL ? "" : install);
    }
    /* Both end with a NUL from here on. */
    (void)hasten_buffer_cstring(&project->install);
    (void)hasten_buffer_cstring(&project->signature);
    hasten_buffer_done(&output);
    hasten_buffer_done(&errors);
    hasten_buffer_done(&ignored);
    return status == 0;
}

bool revision_project_find(struct revision_project *project, const char *python,
                           const char *install) {
    *project = (struct revision_project){.python = python};
    hasten_buffer_init(&project->install, NULL);
    hasten_buffer_init(&project->signature, NULL);
    return revision_git_project(project) && describe(project, install);
}

void revision_project_done(struct revision_project *project) {
    hasten_buffer_done(&project->install);
    hasten_buffer_done(&project->signature);
}

bool revision_is_dirty(const struct revision_project *project) {
    return strcmp(project->tree, project->head_tree) != 0;
}

/* All that the result depends on. */
static void make_key(const struct revision_project *project, const struct revision *revision,
                     char ret_key[33]) {
    const char *const parts[] = {LAYOUT,           project->top,         project->home,
                                 revision->commit, revision->tree,       project->signature.data,
                                 project->python,  project->install.data};
    struct hasten_map_key key = {0, 0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *part = parts[i] == NULL ? "" : parts[i];
        key = hasten_hash(key, part, strlen(part) + 1);
    }
    snprintf(ret_key, 33, "%016" PRIx64 "%016" PRIx64, key.high, key.low);
}

/* Shows how the log ends. */
static void show_tail(const char *path) {
    char text[TAIL_SIZE];
    struct hasten_buffer out;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = descriptor < 0 ? 0 : lseek(descriptor, 0, SEEK_END);
    off_t start = size > TAIL_SIZE ? size - TAIL_SIZE : 0;
    ssize_t got = descriptor < 0 ? -1 : pread(descriptor, text, sizeof text, start);
    if (descriptor >= 0) {
        close(descriptor);
    }
    if (got <= 0) {
        return;
    }
    const char *line = text + got;
    for (int lines = 0; line > text && lines <= TAIL_LINES; line--) {
        lines += line[-1] == '\n';
    }
    line += line > text || *line == '\n' ? 1 : 0;
    hasten_buffer_init(&out, NULL);
    while (line < text + got) {
        const char *end = memchr(line, '\n', (size_t)(text + got - line));
        end = end == NULL ? text + got : end;
        hasten_buffer_text(&out, "    ");
        hasten_text_safe(&out, line, (size_t)(end - line), true);
        hasten_buffer_byte(&out, '\n');
        line = end + 1;
    }
    if (!out.failed) {
        fwrite(out.data, 1, out.size, stderr);
    }
    hasten_buffer_done(&out);
}

/* The environment, by program.py. */
static bool build_environment(const struct revision_project *project, struct revision *revision,
                              const char *log_path, int log) {
    const char *const arguments[] = {project->python,
                                     "-c",
                                     revision_program,
                                     "build",
                                     revision->entry.path,
                                     revision->root,
                                     project->home,
                                     project->top,
                                     project->install.data == NULL ? "" : project->install.data,
                                     NULL};
    const struct cli_command command = {.arguments = arguments, .log = log};
    int status = cli_command_run(&command, NULL, NULL);
    if (status == 0 || status == CLI_COMMAND_STOPPED) {
        return status == 0;
    }
    if (status == CLI_COMMAND_NOT_STARTED) {
        cli_say("cannot run %s: %s", project->python, strerror(errno));
        return false;
    }
    cli_say("%s cannot be built; --install CMD says how, all that was said is in %s, at the end:",
            revision->label, log_path);
    show_tail(log_path);
    return false;
}

static bool build(const struct revision_project *project, struct revision *revision) {
    char log_path[PATH_MAX], what[128];
    struct cli_progress progress;
    snprintf(log_path, sizeof log_path, "%s/log", revision->entry.path);
    snprintf(what, sizeof what, "building %.90s", revision->label);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) {
        cli_say("cannot write %s: %s", log_path, strerror(errno));
        return false;
    }
    cli_progress_begin(&progress, what);
    bool done = revision_git_checkout(project, revision, log);
    cli_progress_end(&progress);
    if (done) {
        cli_progress_begin(&progress, what);
        done = build_environment(project, revision, log_path, log);
        cli_progress_end(&progress);
    }
    close(log);
    return done && revision_entry_finish(&revision->entry);
}

/* What is on PYTHONPATH inside of the working tree is meant of the revision. */
static void move_import_path(const struct revision_project *project,
                             const struct revision *revision, struct hasten_buffer *out) {
    const char *path = getenv("PYTHONPATH"), *before = "";
    size_t top = strlen(project->top);
    hasten_buffer_text(out, "PYTHONPATH=");
    while (path != NULL && *path != '\0') {
        size_t length = strcspn(path, ":");
        char given[PATH_MAX], real[PATH_MAX];
        snprintf(given, sizeof given, "%.*s", (int)length, path);
        const char *found = realpath(length == 0 ? "." : given, real) == NULL ? given : real;
        bool is_inside =
            strncmp(found, project->top, top) == 0 && (found[top] == '/' || found[top] == '\0');
        hasten_buffer_text(out, before);
        hasten_buffer_text(out, is_inside ? revision->root : "");
        hasten_buffer_text(out, is_inside ? found + top : found);
        before = ":";
        path += length + (path[length] == ':');
    }
}

static bool set_environment(const struct revision_project *project, struct revision *revision) {
    const char *path = getenv("PATH");
    const char *entry = revision->entry.path;
    struct hasten_buffer *texts = revision->texts;
    move_import_path(project, revision, &texts[0]);
    /* The interpreter that makes an environment has its programs beside it. */
    const char *slash = strrchr(project->python, '/');
    int folder = slash == NULL ? 0 : (int)(slash - project->python);
    hasten_buffer_format(&texts[1], "PATH=%s/env/bin:%.*s%s", entry, folder, project->python,
                         folder == 0 ? "" : ":");
    hasten_buffer_text(&texts[1], path == NULL ? "/usr/local/bin:/usr/bin:/bin" : path);
    hasten_buffer_format(&texts[2], "VIRTUAL_ENV=%s/env", entry);
    hasten_buffer_format(&texts[3], "HASTEN_BENCH_FOLDER=%s", revision->folder);
    hasten_buffer_format(&texts[4], "HASTEN_BENCH_APART=%s", project->top);
    bool is_whole = true;
    for (size_t i = 0; i < REVISION_TEXTS; i++) {
        revision->settings[i] = hasten_buffer_cstring(&texts[i]);
        is_whole = is_whole && !texts[i].failed;
    }
    if (getenv("PYTHONPATH") == NULL) {
        revision->settings[0] = "PYTHONPATH";
    }
    revision->settings[REVISION_TEXTS] = "PYTHONHOME";
    revision->settings[REVISION_TEXTS + 1] = NULL;
    if (!is_whole) {
        cli_say("out of memory");
    }
    return is_whole;
}

bool revision_prepare(const struct revision_project *project, const char *ref,
                      struct revision *revision) {
    char key[33];
    *revision = (struct revision){.entry = {.lock = -1}};
    for (size_t i = 0; i < REVISION_TEXTS; i++) {
        hasten_buffer_init(&revision->texts[i], NULL);
    }
    if (ref == NULL) {
        snprintf(revision->label, sizeof revision->label, "working tree");
        memcpy(revision->commit, project->head, sizeof revision->commit);
        memcpy(revision->tree, project->tree, sizeof revision->tree);
    } else {
        if (!revision_git_commit(project, ref, revision->commit, revision->tree)) {
            return false;
        }
        snprintf(revision->label, sizeof revision->label, "%.100s (%.*s)", ref, REVISION_SHORT,
                 revision->commit);
    }
    make_key(project, revision, key);
    if (!revision_entry_open(&revision->entry, key)) {
        return false;
    }
    const char *entry = revision->entry.path;
    snprintf(revision->root, sizeof revision->root, "%s/src", entry);
    snprintf(revision->folder, sizeof revision->folder, "%s/src/%.*s", entry,
             (int)(sizeof revision->folder - strlen(entry) - 8), project->inside);
    snprintf(revision->python, sizeof revision->python, "%s/env/bin/python", entry);
    if (!revision->entry.is_built && !build(project, revision)) {
        return false;
    }
    return set_environment(project, revision);
}

void revision_done(struct revision *revision) {
    revision_entry_close(&revision->entry);
    for (size_t i = 0; i < REVISION_TEXTS; i++) {
        hasten_buffer_done(&revision->texts[i]);
    }
}
