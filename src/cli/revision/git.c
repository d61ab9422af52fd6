/* SPDX-License-Identifier: MIT
 *
 * Calls of git. */
#include "cli/revision/git.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/signals.h"

#define MOST_WORDS 12

/* In a hook git says by its environment which repository it means: not this one. */
static const char *const elsewhere[] = {"GIT_DIR",
                                        "GIT_WORK_TREE",
                                        "GIT_INDEX_FILE",
                                        "GIT_OBJECT_DIRECTORY",
                                        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                        "GIT_PREFIX",
                                        NULL};

/* Says what git said, its first line. */
static void say_failure(const char *what, const struct hasten_buffer *errors) {
    const char *text = errors->size == 0 ? "git gave no reason" : errors->data;
    size_t size = errors->size == 0 ? strlen(text) : errors->size;
    const char *end = memchr(text, '\n', size);
    size = end == NULL ? size : (size_t)(end - text);
    if (!cli_signals_stop_asked()) {
        cli_say("%s: %.*s", what, (int)(size > 1000 ? 1000 : size), text);
    }
}

/* Runs git with these words in `directory`; the output's first line into `ret_line`
 * (may be NULL). 0 where it worked, else git's status; -1 where there is none. What
 * went wrong is said unless `what` is NULL. */
static int git(const char *directory, const char *const *settings, const char *const *words,
               const char *what, char *ret_line, size_t size) {
    const char *arguments[MOST_WORDS + 2] = {"git"};
    struct hasten_buffer output, errors;
    for (size_t i = 0; words[i] != NULL && i < MOST_WORDS; i++) {
        arguments[i + 1] = words[i];
    }
    hasten_buffer_init(&output, NULL);
    hasten_buffer_init(&errors, NULL);
    const struct cli_command command = {
        .arguments = arguments, .directory = directory, .settings = settings, .log = -1};
    int status = cli_command_run(&command, &output, &errors);
    if (status == CLI_COMMAND_NOT_STARTED) {
        if (errno == ENOENT) {
            cli_say("revisions need git, and there is none; install it (Debian: apt install git)");
        } else {
            cli_say("cannot run git: %s", strerror(errno));
        }
    } else if (status != 0 && what != NULL) {
        say_failure(what, &errors);
    } else if (status == 0 && ret_line != NULL) {
        const char *text = hasten_buffer_cstring(&output);
        size_t length = strcspn(text, "\n");
        if (length >= size) {
            cli_say("a path of the repository is too long");
            status = -1;
        } else {
            memcpy(ret_line, text, length);
            ret_line[length] = '\0';
        }
    }
    hasten_buffer_done(&output);
    hasten_buffer_done(&errors);
    return status == CLI_COMMAND_NOT_STARTED || status == CLI_COMMAND_STOPPED ? -1 : status;
}

static bool ask(const char *directory, const char *question, const char *what, char *ret_line,
                size_t size) {
    const char *const words[] = {"rev-parse", question, NULL};
    return git(directory, NULL, words, what, ret_line, size) == 0;
}

/* Where the project is: the nearest folder upwards that says how it is installed,
 * else the top. */
static void find_home(struct revision_project *project) {
    static const char *const signs[] = {"pyproject.toml", "setup.py", "setup.cfg"};
    char *inside = project->home;
    snprintf(inside, sizeof project->home, "%s", project->inside);
    for (;;) {
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
            char path[2 * PATH_MAX + 32];
            snprintf(path, sizeof path, "%s/%s%s", project->top, inside, signs[i]);
            if (access(path, F_OK) == 0) {
                return;
            }
        }
        size_t size = strlen(inside);
        if (size == 0) {
            return;
        }
        inside[size - 1] = '\0'; /* "a/b/" is "a/b", then "a/" */
        char *slash = strrchr(inside, '/');
        inside[slash == NULL ? 0 : slash - inside + 1] = '\0';
    }
}

/* The tree that the working tree would be when it was committed as it is. */
static bool write_tree(struct revision_project *project) {
    char index[PATH_MAX + 64], objects[PATH_MAX + 64], others[PATH_MAX + 64];
    snprintf(index, sizeof index, "GIT_INDEX_FILE=%s/index-%d", project->snapshot, getpid());
    snprintf(objects, sizeof objects, "GIT_OBJECT_DIRECTORY=%s", project->snapshot);
    snprintf(others, sizeof others, "GIT_ALTERNATE_OBJECT_DIRECTORIES=%s", project->objects);
    const char *const settings[] = {index, objects, others, NULL};
    static const char what[] = "the working tree cannot be read";
    const char *const reset[] = {"read-tree", "HEAD", NULL};
    const char *const add[] = {"add", "--all", "--", ":/", NULL};
    const char *const tree[] = {"write-tree", NULL};
    bool done = git(project->top, settings, reset, what, NULL, 0) == 0 &&
                git(project->top, settings, add, what, NULL, 0) == 0 &&
                git(project->top, settings, tree, what, project->tree, sizeof project->tree) == 0;
    unlink(strchr(index, '=') + 1);
    return done;
}

/* A folder for the objects of working trees, of every repository. */
static bool make_snapshot_folder(struct revision_project *project) {
    char folder[PATH_MAX - 320];
    if (!revision_cache_folder(folder, sizeof folder)) {
        return false;
    }
    snprintf(project->snapshot, sizeof project->snapshot, "%s/objects", folder);
    if (mkdir(project->snapshot, 0700) != 0 && errno != EEXIST) {
        cli_say("cannot make the folder %s: %s", project->snapshot, strerror(errno));
        return false;
    }
    return true;
}

bool revision_git_project(struct revision_project *project) {
    const char *const head[] = {"rev-parse", "--verify", "--quiet", "HEAD^{commit}", NULL};
    char objects[PATH_MAX];
    if (!ask(NULL, "--show-toplevel", "revisions need a git repository", project->top,
             sizeof project->top) ||
        !ask(NULL, "--show-prefix", "revisions need a working tree", project->inside,
             sizeof project->inside)) {
        return false;
    }
    const char *const path[] = {"rev-parse", "--path-format=absolute", "--git-path", "objects",
                                NULL};
    if (git(NULL, NULL, path, "the repository cannot be read", objects, sizeof objects) != 0) {
        return false;
    }
    snprintf(project->objects, sizeof project->objects, "%s", objects);
    int status = git(NULL, NULL, head, NULL, project->head, sizeof project->head);
    if (status != 0) {
        if (status > 0) {
            cli_say("the repository %s has no commit yet", project->top);
        }
        return false;
    }
    find_home(project);
    return ask(NULL, "HEAD^{tree}", "HEAD cannot be read", project->head_tree,
               sizeof project->head_tree) &&
           make_snapshot_folder(project) && write_tree(project);
}

bool revision_git_commit(const struct revision_project *project, const char *ref,
                         char ret_commit[REVISION_NAME_SIZE], char ret_tree[REVISION_NAME_SIZE]) {
    char commit[512], tree[REVISION_NAME_SIZE + 8];
    if (snprintf(commit, sizeof commit, "%s^{commit}", ref) >= (int)sizeof commit) {
        cli_say("there is no revision of so long a name");
        return false;
    }
    const char *const words[] = {"rev-parse",        "--verify", "--quiet",
                                 "--end-of-options", commit,     NULL};
    int status = git(project->top, NULL, words, NULL, ret_commit, REVISION_NAME_SIZE);
    if (status != 0) {
        char answer[8] = "";
        if (status > 0) {
            ask(project->top, "--is-shallow-repository", NULL, answer, sizeof answer);
            cli_say("there is no revision %s in %s%s", ref, project->top,
                    strcmp(answer, "true") == 0
                        ? "; the clone is shallow, `git fetch --unshallow` gets the rest"
                        : "");
        }
        return false;
    }
    snprintf(tree, sizeof tree, "%s^{tree}", ret_commit);
    return ask(project->top, tree, "the revision cannot be read", ret_tree, REVISION_NAME_SIZE);
}

bool revision_git_head(char ret_commit[REVISION_NAME_SIZE], int64_t *ret_committed_s,
                       bool *ret_is_dirty) {
    const char *const log[] = {"log", "-1", "--format=%ct %H", NULL};
    const char *const status[] = {"status", "--porcelain", "--untracked-files=no", NULL};
    char line[128], first[PATH_MAX];
    if (git(NULL, NULL, log, "a history needs commits", line, sizeof line) != 0 ||
        git(NULL, NULL, status, "git status failed", first, sizeof first) != 0) {
        return false;
    }
    if (sscanf(line, "%" SCNd64 " %64s", ret_committed_s, ret_commit) != 2) {
        cli_say("git answered something else than a commit");
        return false;
    }
    *ret_is_dirty = first[0] != '\0';
    return true;
}

/* Lets the clone find objects in the repository and among snapshots. */
static bool add_objects(const struct revision_project *project, const char *root) {
    char path[PATH_MAX + 64], text[2 * PATH_MAX + 2];
    snprintf(path, sizeof path, "%s/.git/objects/info/alternates", root);
    int size = snprintf(text, sizeof text, "%s\n%s\n", project->objects, project->snapshot);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool done = descriptor >= 0 && write(descriptor, text, (size_t)size) == size;
    if (descriptor >= 0) {
        close(descriptor);
    }
    if (!done) {
        cli_say("cannot write %s: %s", path, strerror(errno));
    }
    return done;
}

bool revision_git_checkout(const struct revision_project *project, const struct revision *revision,
                           int log) {
    char what[128], modules[PATH_MAX + 16];
    const char *root = revision->root;
    snprintf(what, sizeof what, "%.40s cannot be checked out", revision->label);
    const char *const clone[] = {"clone", "--quiet",    "--shared", "--no-checkout",
                                 "--",    project->top, root,       NULL};
    const char *const move[] = {"update-ref", "--no-deref", "HEAD", revision->commit, NULL};
    const char *const fill[] = {"read-tree", "--reset", "-u", revision->tree, NULL};
    if (git(NULL, elsewhere, clone, what, NULL, 0) != 0 || !add_objects(project, root) ||
        git(root, elsewhere, move, what, NULL, 0) != 0 ||
        git(root, elsewhere, fill, what, NULL, 0) != 0) {
        return false;
    }
    snprintf(modules, sizeof modules, "%s/.gitmodules", root);
    if (access(modules, F_OK) == 0) {
        const char *const arguments[] = {"git",         "-c",     "protocol.file.allow=always",
                                         "submodule",   "update", "--init",
                                         "--recursive", NULL};
        const struct cli_command command = {
            .arguments = arguments, .directory = root, .settings = elsewhere, .log = log};
        /* Where one is really needed the build says so. */
        (void)cli_command_run(&command, NULL, NULL);
    }
    return !cli_signals_stop_asked();
}
