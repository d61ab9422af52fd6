/* SPDX-License-Identifier: MIT
 *
 * What the command asked for comes by the environment, and is passed on by it to the
 * programs that this one starts; the program itself is not to see it. */
#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/heap.h"
#include "preload/real.h"
#include "preload/settings.h"

#define PRELOAD "LD_PRELOAD="
#define SETTINGS "HASTEN_MEMORY="
#define LIBRARY "hasten_heap.so"
/* The kernel takes no longer argument: 32 pages. */
#define MOST_COMMAND 131072

/* Taken from the environment when the library was loaded; never changed after that. */
static char own_settings[PATH_MAX + 128];
static char library[PATH_MAX];
static char own_preload[sizeof PRELOAD + PATH_MAX];

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* mean:start_ns:seed:folder, the version before them. */
static bool parse(const char *text, struct hasten_heap *heap) {
    char *end = NULL;
    if (!starts_with(text, HASTEN_SETTINGS_VERSION ":")) {
        return false;
    }
    heap->mean_bytes = (double)strtoull(text + strlen(HASTEN_SETTINGS_VERSION ":"), &end, 10);
    if (*end != ':') {
        return false;
    }
    heap->start_ns = strtoull(end + 1, &end, 10);
    if (*end != ':') {
        return false;
    }
    heap->seed = strtoull(end + 1, &end, 10);
    if (*end != ':' || end[1] != '/' || strlen(end + 1) >= sizeof heap->folder) {
        return false;
    }
    strcpy(heap->folder, end + 1);
    return true;
}

static void remove_entry(char **entry) {
    do {
        entry[0] = entry[1];
        entry++;
    } while (entry[-1] != NULL);
}

static bool is_separator(char character) {
    return character == ':' || character == ' ';
}

/* Takes this library off a list of them; its name goes to `library`. */
static void remove_library(char *list) {
    for (char *at = list; *at != '\0';) {
        size_t size = strcspn(at, ": ");
        const char *name = size < sizeof LIBRARY - 1 ? "" : at + size - (sizeof LIBRARY - 1);
        if (strncmp(name, LIBRARY, sizeof LIBRARY - 1) != 0 || size >= sizeof library) {
            at += size + (at[size] != '\0');
            continue;
        }
        memcpy(library, at, size);
        library[size] = '\0';
        char *rest = at + size + (at[size] != '\0');
        memmove(at, rest, strlen(rest) + 1);
    }
    size_t left = strlen(list);
    while (left > 0 && is_separator(list[left - 1])) {
        list[--left] = '\0';
    }
}

bool hasten_settings_read(struct hasten_heap *heap) {
    bool found = false;
    for (char **entry = environ; entry != NULL && *entry != NULL;) {
        if (starts_with(*entry, SETTINGS)) {
            found = strlen(*entry) < sizeof own_settings && parse(*entry + strlen(SETTINGS), heap);
            snprintf(own_settings, sizeof own_settings, "%s", *entry);
            remove_entry(entry);
            continue;
        }
        if (starts_with(*entry, PRELOAD)) {
            remove_library(*entry + strlen(PRELOAD));
            if ((*entry)[strlen(PRELOAD)] == '\0') {
                remove_entry(entry);
                continue;
            }
        }
        entry++;
    }
    if (!found || library[0] == '\0') {
        own_settings[0] = '\0';
        return false;
    }
    snprintf(own_preload, sizeof own_preload, PRELOAD "%s", library);
    return true;
}

/* A program of another word size: its loader would say on its standard error that it
 * cannot load this. What cannot be looked at is given the benefit of the doubt. */
static bool is_of_other_size(const char *path) {
    unsigned char head[5];
    int error_number = errno;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t got = file < 0 ? 0 : pread(file, head, sizeof head, 0);
    if (file >= 0) {
        (void)close(file);
    }
    errno = error_number;
    return got == (ssize_t)sizeof head && memcmp(head, "\177ELF", 4) == 0 &&
           head[4] != sizeof(void *) / 4;
}

size_t hasten_settings_room(char *const *environment) {
    size_t count = 0;
    while (environment != NULL && environment[count] != NULL) {
        count++;
    }
    return own_settings[0] == '\0' ? 0 : count + 3;
}

char *const *hasten_settings_for(const char *path, char *const *environment, char **room,
                                 struct hasten_settings_list *list) {
    size_t used = 0;
    int error_number = errno;
    bool is_there = own_settings[0] != '\0' && access(library, R_OK) == 0;
    errno = error_number;
    if (!is_there || (path != NULL && is_of_other_size(path))) {
        return environment;
    }
    const char *preload = own_preload;
    for (size_t i = 0; environment != NULL && environment[i] != NULL; i++) {
        char *entry = environment[i];
        if (starts_with(entry, SETTINGS)) {
            continue;
        }
        if (!starts_with(entry, PRELOAD)) {
            room[used++] = entry;
            continue;
        }
        const char *others = entry + strlen(PRELOAD);
        int size = snprintf(list->text, sizeof list->text, PRELOAD "%s:%s", library, others);
        if (strstr(others, LIBRARY) != NULL || size < 0 || (size_t)size >= sizeof list->text) {
            return environment; /* it is there already, or there is no room for it */
        }
        preload = list->text;
    }
    room[used++] = (char *)preload;
    room[used++] = own_settings;
    room[used] = NULL;
    return room;
}

/* Puts the text as one word of a shell's: at most four characters for one, and two more. */
static char *put_word(char *at, const char *text) {
    *at++ = '\'';
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            at = stpcpy(at, "'\\''");
        } else {
            *at++ = *text;
        }
    }
    *at++ = '\'';
    return at;
}

char *hasten_settings_command(const char *command) {
    static const char export_preload[] = "export LD_PRELOAD=";
    static const char export_settings[] = "; export HASTEN_MEMORY=";
    struct hasten_settings_list list;
    const size_t entry_count = hasten_settings_room(environ);
    if (entry_count == 0) {
        return NULL;
    }
    char **room = alloca(entry_count * sizeof(char *));
    char *const *entries = hasten_settings_for(NULL, environ, room, &list);
    if (entries == environ) {
        return NULL;
    }
    size_t count = 0;
    while (entries[count] != NULL) {
        count++;
    }
    const char *preload = entries[count - 2] + strlen(PRELOAD);
    const char *settings = own_settings + strlen(SETTINGS);
    const size_t size = sizeof export_preload + sizeof export_settings +
                        4 * (strlen(preload) + strlen(settings) + 2) + strlen(command);
    char *longer = size > MOST_COMMAND ? NULL : hasten_real.malloc(size);
    if (longer != NULL) {
        char *at = put_word(stpcpy(longer, export_preload), preload);
        at = put_word(stpcpy(at, export_settings), settings);
        strcpy(stpcpy(at, "; "), command);
    }
    return longer;
}
