/* SPDX-License-Identifier: MIT
 *
 * hasten imports: runs a program whose interpreter records its imports, and shows them. The
 * recording is python/_hasten_imports.py's; each process of the program writes a file. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/imports/show.h"
#include "cli/message.h"
#include "cli/python.h"
#include "cli/quote.h"
#include "cli/record/child.h"
#include "cli/record/parts.h"
#include "cli/screen.h"

#define VARIABLE "HASTEN_IMPORTS"
/* A file has a line of a hundred bytes a module. */
#define MOST_BYTES (64u << 20)

static bool check_usage(const struct cli_options *options) {
    if (options->is_command) {
        cli_say("imports: a Python program is expected, not a command after --");
        return false;
    }
    if (options->module == NULL && options->code == NULL && options->argument_count == 0) {
        cli_say("imports: of what? A script, -m MODULE or -c CODE; `hasten help imports` shows "
                "how");
        return false;
    }
    return true;
}

static bool can_record(const char *python) {
    if (cli_python_has(python, "_hasten_imports", VARIABLE)) {
        return true;
    }
    cli_say("cannot look at imports in %s: hasten is not installed there, and it looks inside the "
            "program; install it with `%s -m pip install hasten`, or name another interpreter "
            "with --python",
            python, python);
    return false;
}

/* argv of the program, NULL-terminated; freed by the caller. */
static char **make_arguments(const struct cli_options *options, char *python) {
    const size_t count = (size_t)options->argument_count;
    char **arguments = calloc(count + 4, sizeof *arguments);
    size_t used = 0;
    if (arguments == NULL) {
        cli_say("out of memory");
        return NULL;
    }
    arguments[used++] = python;
    if (options->module != NULL || options->code != NULL) {
        arguments[used++] = options->module != NULL ? "-m" : "-c";
        arguments[used++] = (char *)(options->module != NULL ? options->module : options->code);
    }
    memcpy(arguments + used, options->arguments, count * sizeof *arguments);
    return arguments;
}

/* Where the program's processes write. */
static bool make_folder(struct cli_parts *parts) {
    const char *where = getenv("TMPDIR");
    const int size = snprintf(parts->folder, sizeof parts->folder, "%s/hasten-imports.XXXXXX",
                              where == NULL || where[0] != '/' ? "/tmp" : where);
    if (size < 0 || (size_t)size >= sizeof parts->folder || mkdtemp(parts->folder) == NULL) {
        cli_say("cannot make a folder in %s: %s", where == NULL ? "/tmp" : where, strerror(errno));
        return false;
    }
    return true;
}

/* The whole file; NULL: there is none, or it cannot be read. Freed by the caller. */
static char *read_part(const char *path, size_t *ret_size) {
    FILE *file = fopen(path, "re");
    char *text = file == NULL ? NULL : malloc(MOST_BYTES);
    if (text != NULL) {
        *ret_size = fread(text, 1, MOST_BYTES, file);
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

static size_t count_parts(const struct cli_parts *parts) {
    DIR *folder = opendir(parts->folder);
    size_t count = 0;
    const struct dirent *entry = NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        const size_t size = strlen(entry->d_name);
        count += size > 5 && strcmp(entry->d_name + size - 5, ".part") == 0;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

/* The imports of the process that was started; NULL after saying what is wrong. */
static struct hasten_loads *load_imports(const struct cli_parts *parts, pid_t pid) {
    char path[PATH_MAX + 32];
    struct hasten_loads *loads = NULL;
    struct hasten_error error = {.status = HASTEN_OK};
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%d.part", parts->folder, (int)pid);
    char *text = read_part(path, &size);
    if (text == NULL) {
        cli_say("nothing is known of the program's imports: it did not end by itself (a signal, "
                "os._exit or another program in its place), or its Python did not begin");
        return NULL;
    }
    if (hasten_loads_parse(text, size, NULL, &loads, &error) != HASTEN_OK) {
        cli_say("what the program wrote of its imports cannot be read: %s", cli_error_text(&error));
    }
    free(text);
    return loads;
}

/* "app.py --fast", "-m app": what follows `hasten run`. */
static void name_program(char *const *arguments, char *text, size_t size) {
    cli_quote(arguments + 1, text, size);
}

/* The report's descriptor, or -1 after saying why there is none. */
static int open_output(const struct cli_options *options, FILE **ret_file) {
    *ret_file = NULL;
    if (options->output == NULL) {
        return STDERR_FILENO;
    }
    *ret_file = fopen(options->output, "we");
    if (*ret_file == NULL) {
        cli_say("cannot write %s: %s", options->output, strerror(errno));
        return -1;
    }
    return fileno(*ret_file);
}

static void show(const struct cli_options *options, const struct hasten_loads *loads,
                 const char *program, FILE *file, int descriptor) {
    struct hasten_buffer out;
    hasten_buffer_init(&out, NULL);
    if (options->json) {
        cli_imports_json(&out, loads, program);
    } else {
        const struct hasten_report_options screen = cli_screen(descriptor, options);
        cli_imports_text(&out, loads, options, &screen, program);
    }
    FILE *to = file == NULL ? stderr : file;
    if (out.failed) {
        cli_say("imports: out of memory");
    } else if (fwrite(out.data, 1, out.size, to) != out.size || fflush(to) != 0) {
        cli_say("cannot write the report: %s", strerror(errno));
    } else if (file != NULL) {
        cli_say("the report on imports is in %s", options->output);
    }
    hasten_buffer_done(&out);
}

static int run(const struct cli_options *options, char **arguments, FILE *file, int descriptor) {
    struct cli_parts parts;
    struct cli_child child;
    char program[4096];
    if (!make_folder(&parts)) {
        return CLI_EXIT_FAILED;
    }
    name_program(arguments, program, sizeof program);
    int reason = setenv(VARIABLE, parts.folder, 1) != 0 ? errno : 0;
    if (reason == 0) {
        reason = cli_child_start(&child, arguments);
    }
    if (reason != 0) {
        cli_parts_remove(&parts);
        return cli_child_not_started(arguments[0], reason);
    }
    while (!cli_child_ended(&child, true)) {
    }
    struct hasten_loads *loads = load_imports(&parts, child.pid);
    if (loads != NULL) {
        show(options, loads, program, file, descriptor);
        const size_t count = count_parts(&parts);
        const size_t others = count == 0 ? 0 : count - 1; /* 0: the folder cannot be read */
        if (others > 0) {
            cli_say("%zu more Python process%s of the program %s not shown", others,
                    others == 1 ? "" : "es", others == 1 ? "is" : "are");
        }
    }
    hasten_loads_free(loads);
    cli_parts_remove(&parts);
    if (file != NULL) {
        fclose(file);
    }
    cli_child_exit_like(&child);
}

int cmd_imports(const struct cli_options *options) {
    char python[PATH_MAX] = "";
    FILE *file = NULL;
    if (!check_usage(options)) {
        return CLI_EXIT_USAGE;
    }
    if (!cli_python_choose(options->python, python, sizeof python)) {
        cli_say("no Python was found%s%s; name one with --python PATH",
                options->python == NULL ? "" : " for --python ",
                options->python == NULL ? "" : options->python);
        return CLI_EXIT_NOT_FOUND;
    }
    if (!can_record(python)) {
        return CLI_EXIT_FAILED;
    }
    const int descriptor = open_output(options, &file);
    char **arguments = descriptor < 0 ? NULL : make_arguments(options, python);
    int status = CLI_EXIT_FAILED;
    if (arguments != NULL) {
        status = run(options, arguments, file, descriptor);
    }
    free(arguments);
    return status;
}
