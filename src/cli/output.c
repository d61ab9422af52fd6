/* SPDX-License-Identifier: MIT
 *
 * Chooses and creates the recording's file. */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"

#define SUFFIX ".hasten"
#define MOST_NUMBERS 10000
#define MOST_NAME 200

/* What recordings of either form begin with (docs/formats/). */
static bool is_recording(int descriptor) {
    static const char log[] = "\x89HSTLOG\n";
    static const char sqlite[] = "SQLite format 3";
    char start[16] = "";
    ssize_t got = pread(descriptor, start, sizeof start, 0);
    return got >= 8 &&
           (memcmp(start, log, 8) == 0 || (got == 16 && memcmp(start, sqlite, sizeof sqlite) == 0));
}

static bool take_wanted(const char *path) {
    struct stat info;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
    if (descriptor < 0) {
        cli_say("cannot write %s: %s; name another file with -o", path, strerror(errno));
        return false;
    }
    bool may_replace = fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) &&
                       (info.st_size == 0 || is_recording(descriptor));
    close(descriptor);
    if (!may_replace) {
        cli_say("will not overwrite %s, which is not a recording; name another file with -o", path);
    }
    return may_replace;
}

/* "dir/app.py" -> "app"; other dots are kept ("http.server"). */
static size_t stem(const char *name, const char **ret_stem) {
    const char *slash = strrchr(name, '/');
    const char *start = slash == NULL ? name : slash + 1;
    size_t length = strlen(start);
    if (length > 3 && memcmp(start + length - 3, ".py", 3) == 0) {
        length -= 3;
    }
    if (length == 0 || (length <= 2 && start[0] == '.')) {
        start = "program"; /* a folder given as "." */
        length = strlen(start);
    }
    *ret_stem = start;
    return length < MOST_NAME ? length : MOST_NAME;
}

bool cli_output_choose(const char *wanted, const char *name, char *ret_path, size_t size) {
    const char *start = NULL;
    if (wanted != NULL) {
        if (strlen(wanted) >= size) {
            cli_say("the name after -o is too long");
            return false;
        }
        strcpy(ret_path, wanted);
        return take_wanted(wanted);
    }
    size_t length = stem(name, &start);
    for (unsigned number = 1; number <= MOST_NUMBERS; number++) {
        if (number == 1) {
            snprintf(ret_path, size, "%.*s" SUFFIX, (int)length, start);
        } else {
            snprintf(ret_path, size, "%.*s-%u" SUFFIX, (int)length, start, number);
        }
        int descriptor = open(ret_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0) {
            close(descriptor);
            return true;
        }
        if (errno != EEXIST) {
            cli_say("cannot write %s in the current directory: %s; name a place with -o FILE",
                    ret_path, strerror(errno));
            return false;
        }
    }
    cli_say("there are %d recordings of this name already; name a file with -o", MOST_NUMBERS);
    return false;
}
