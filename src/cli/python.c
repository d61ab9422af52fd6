/* SPDX-License-Identifier: MIT
 *
 * Looks for an interpreter in the places where users expect it. */
#include "cli/python.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/message.h"

static bool is_executable(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

/* directory/name into `ret_path` where that is executable. */
static bool in_directory(const char *directory, size_t length, const char *name, char *ret_path,
                         size_t size) {
    char path[PATH_MAX];
    int used = snprintf(path, sizeof path, "%.*s/%s", (int)length, directory, name);
    if (used <= 0 || (size_t)used >= sizeof path || (size_t)used >= size || !is_executable(path)) {
        return false;
    }
    memcpy(ret_path, path, (size_t)used + 1);
    return true;
}

bool cli_python_on_path(const char *name, char *ret_path, size_t size) {
    const char *path = getenv("PATH");
    if (path == NULL) {
        path = "/usr/local/bin:/usr/bin:/bin";
    }
    for (;;) {
        size_t length = strcspn(path, ":");
        if (in_directory(length == 0 ? "." : path, length == 0 ? 1 : length, name, ret_path,
                         size)) {
            return true;
        }
        if (path[length] == '\0') {
            return false;
        }
        path += length + 1;
    }
}

static bool beside_hasten(char *ret_path, size_t size) {
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) {
        return false;
    }
    self[length] = '\0';
    const char *slash = strrchr(self, '/');
    size_t directory = slash == NULL ? 0 : (size_t)(slash - self);
    return in_directory(self, directory, "python", ret_path, size) ||
           in_directory(self, directory, "python3", ret_path, size);
}

bool cli_python_choose(const char *wanted, char *ret_path, size_t size) {
    if (wanted != NULL) {
        if (strchr(wanted, '/') == NULL) {
            return cli_python_on_path(wanted, ret_path, size);
        }
        /* What is wrong with a path is best said by exec. */
        return snprintf(ret_path, size, "%s", wanted) < (int)size;
    }
    const char *environment = getenv("VIRTUAL_ENV");
    if (environment != NULL && environment[0] != '\0') {
        char bin[PATH_MAX];
        int used = snprintf(bin, sizeof bin, "%s/bin", environment);
        if (used > 0 && (size_t)used < sizeof bin &&
            in_directory(bin, (size_t)used, "python", ret_path, size)) {
            return true;
        }
    }
    return beside_hasten(ret_path, size) || cli_python_on_path("python3", ret_path, size) ||
           cli_python_on_path("python", ret_path, size);
}

bool cli_python_has(const char *python, const char *module, const char *variable) {
    char program[256];
    snprintf(program, sizeof program,
             "import sys; found = sys.modules.get('%s'); "
             "sys.exit(found is None or not found.is_usable())",
             module);
    pid_t pid = fork();
    if (pid == 0) {
        setenv(variable, "check", 1);
        execlp(python, python, "-c", program, (char *)NULL);
        _exit(CLI_EXIT_NOT_FOUND);
    }
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && WIFEXITED(status) &&
           (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CLI_EXIT_NOT_FOUND);
}
