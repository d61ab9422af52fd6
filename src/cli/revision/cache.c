/* SPDX-License-Identifier: MIT
 *
 * Folders, locks on them, and their end. */
#include "cli/revision/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/signals.h"

#define KEPT_S (30 * 24 * 3600L)
/* An environment is some megabytes, or hundreds where the project is large. */
#define KEPT_MOST 16
#define LISTED_MOST 1024
#define KEY_SIZE 33
/* Ten a second. */
#define TRIES_BEFORE_SAYING 10

/* Makes a folder and those above it. */
static bool make_folders(const char *path) {
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return false;
        }
        *slash = '/';
    }
    return mkdir(part, 0700) == 0 || errno == EEXIST;
}

bool revision_cache_folder(char *ret_path, size_t size) {
    char path[PATH_MAX];
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    bool has_cache = cache != NULL && cache[0] == '/'; /* others are to be ignored */
    if (!has_cache && (home == NULL || home[0] != '/')) {
        cli_say("no folder to build revisions in; set XDG_CACHE_HOME or HOME");
        return false;
    }
    int used = snprintf(path, sizeof path, "%s%s/hasten/revisions", has_cache ? cache : home,
                        has_cache ? "" : "/.cache");
    if (used >= (int)size || used >= (int)sizeof path || !make_folders(path)) {
        cli_say("cannot make the folder %s: %s; XDG_CACHE_HOME names another", path,
                used >= (int)size ? strerror(ENAMETOOLONG) : strerror(errno));
        return false;
    }
    memcpy(ret_path, path, (size_t)used + 1);
    return true;
}

/* Folders that could not even be read one below the other: more is no package. */
#define MOST_LOCKED 1000

/* Some packages have folders that may not be written to, or read. */
static int unlock_one(const char *path, const struct stat *info, int kind, struct FTW *place) {
    (void)place;
    if (kind == FTW_D && (info->st_mode & 0700) != 0700) {
        (void)chmod(path, 0700); /* that it failed is seen when what is in it is removed */
    }
    if (kind == FTW_DNR) {
        return chmod(path, 0700) == 0 ? 1 : -1; /* once more: what is in it was not seen */
    }
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place) {
    (void)info;
    (void)kind;
    if (place->level == 0) {
        return 0; /* the folder itself has the lock */
    }
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

static bool empty_folder(const char *path) {
    int status = 1;
    for (unsigned tries = 0; status == 1 && tries < MOST_LOCKED; tries++) {
        status = nftw(path, unlock_one, 16, FTW_PHYS);
    }
    return status == 0 && nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0;
}

static bool is_built(const char *path) {
    char done[PATH_MAX];
    snprintf(done, sizeof done, "%s/done", path);
    return access(done, F_OK) == 0;
}

/* Waits for a lock; says that it does where it takes long. */
static bool lock_folder(const struct revision_entry *entry, int kind) {
    for (unsigned tries = 1; flock(entry->lock, kind | LOCK_NB) != 0; tries++) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || cli_signals_stop_asked()) {
            return false;
        }
        if (tries == TRIES_BEFORE_SAYING) {
            cli_say("waiting for another hasten that builds %s", entry->path);
        }
        const struct timespec pause = {0, 100000000};
        nanosleep(&pause, NULL);
    }
    return true;
}

/* Whether the folder that was opened is still the one of that name. */
static bool is_current(const struct revision_entry *entry) {
    struct stat opened, named;
    return fstat(entry->lock, &opened) == 0 && stat(entry->path, &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/* False with errno. Leaves the entry locked: shared where it is built, else alone. */
static bool open_folder(struct revision_entry *entry) {
    for (;;) {
        if (mkdir(entry->path, 0700) != 0 && errno != EEXIST) {
            return false;
        }
        entry->lock = open(entry->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (entry->lock < 0 && errno != ENOENT) {
            return false;
        }
        if (entry->lock >= 0) {
            if (!lock_folder(entry, LOCK_SH)) {
                return false;
            }
            entry->is_built = is_built(entry->path);
            if (!entry->is_built && !lock_folder(entry, LOCK_EX)) {
                return false;
            }
            /* Another may have built it, or deleted it, meanwhile. */
            bool same = is_current(entry) && entry->is_built == is_built(entry->path);
            if (same) {
                return true;
            }
            close(entry->lock);
            entry->lock = -1;
        }
    }
}

bool revision_entry_open(struct revision_entry *entry, const char *key) {
    char folder[PATH_MAX - 320];
    *entry = (struct revision_entry){.lock = -1};
    if (!revision_cache_folder(folder, sizeof folder)) {
        return false;
    }
    snprintf(entry->path, sizeof entry->path, "%s/%.32s", folder, key);
    if (!open_folder(entry) || (!entry->is_built && !empty_folder(entry->path))) {
        if (!cli_signals_stop_asked()) {
            cli_say("cannot use the folder %s: %s", entry->path, strerror(errno));
        }
        revision_entry_close(entry);
        return false;
    }
    if (entry->is_built) {
        char done[PATH_MAX];
        snprintf(done, sizeof done, "%s/done", entry->path);
        utimensat(AT_FDCWD, done, NULL, 0); /* when it was used last */
    }
    return true;
}

bool revision_entry_finish(struct revision_entry *entry) {
    char done[PATH_MAX];
    snprintf(done, sizeof done, "%s/done", entry->path);
    int descriptor = open(done, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool is_written = descriptor >= 0 && write(descriptor, "1\n", 2) == 2;
    int reason = errno;
    if (descriptor >= 0 && close(descriptor) != 0 && is_written) {
        is_written = false;
        reason = errno;
    }
    if (is_written && flock(entry->lock, LOCK_SH) != 0) {
        is_written = false;
        reason = errno;
    }
    if (!is_written) {
        cli_say("cannot write %s: %s", done, strerror(reason));
        return false;
    }
    entry->is_built = true;
    return true;
}

void revision_entry_close(struct revision_entry *entry) {
    if (entry->lock >= 0) {
        close(entry->lock);
        entry->lock = -1;
    }
}

struct listed {
    char key[KEY_SIZE];
    time_t used;
};

static int latest_first(const void *left, const void *right) {
    time_t a = ((const struct listed *)left)->used, b = ((const struct listed *)right)->used;
    return (a < b) - (a > b);
}

static size_t list_entries(const char *folder, struct listed *ret_listed) {
    size_t count = 0;
    DIR *open_folder_list = opendir(folder);
    const struct dirent *found;
    while (open_folder_list != NULL && count < LISTED_MOST &&
           (found = readdir(open_folder_list)) != NULL) {
        char path[PATH_MAX];
        struct stat info;
        if (strlen(found->d_name) != KEY_SIZE - 1) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%.32s/done", folder, found->d_name);
        if (stat(path, &info) != 0) {
            snprintf(path, sizeof path, "%s/%.32s", folder, found->d_name);
            if (stat(path, &info) != 0) {
                continue;
            }
        }
        snprintf(ret_listed[count].key, KEY_SIZE, "%.32s", found->d_name);
        ret_listed[count++].used = info.st_mtime;
    }
    if (open_folder_list != NULL) {
        closedir(open_folder_list);
    }
    return count;
}

/* An object, or an index that a killed hasten left behind. What is used again is as
 * good as new: git says so by the file's time. */
static int remove_old(const char *path, const struct stat *info, int kind, struct FTW *place) {
    (void)place;
    if (kind == FTW_F && time(NULL) - info->st_mtime > KEPT_S) {
        unlink(path);
    }
    return 0;
}

void revision_cache_clean(void) {
    char folder[PATH_MAX - 320];
    struct listed *listed = malloc(LISTED_MOST * sizeof *listed);
    if (listed != NULL && revision_cache_folder(folder, sizeof folder)) {
        size_t count = list_entries(folder, listed);
        char objects[PATH_MAX];
        snprintf(objects, sizeof objects, "%s/objects", folder);
        nftw(objects, remove_old, 16, FTW_PHYS);
        qsort(listed, count, sizeof *listed, latest_first);
        for (size_t i = 0; i < count; i++) {
            char path[PATH_MAX];
            if (i < KEPT_MOST && time(NULL) - listed[i].used < KEPT_S) {
                continue;
            }
            snprintf(path, sizeof path, "%s/%.32s", folder, listed[i].key);
            int lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0 && empty_folder(path)) {
                rmdir(path);
            }
            if (lock >= 0) {
                close(lock);
            }
        }
    }
    free(listed);
}
