/* SPDX-License-Identifier: MIT
 *
 * Tells standard library, packages and own code apart by their paths. */
#include "core/report/paths.h"

#include <string.h>

/* The last occurrence, since a package may hold a tree of its own kind. */
static const char *find_last(const char *text, const char *part) {
    const char *found = NULL;
    for (const char *next = strstr(text, part); next != NULL; next = strstr(next + 1, part)) {
        found = next;
    }
    return found;
}

/* What follows site-packages/ or dist-packages/, with that folder; else NULL. */
static const char *package_part(const char *file) {
    const char *found = find_last(file, "/site-packages/");
    if (found == NULL) {
        found = find_last(file, "/dist-packages/");
    }
    return found == NULL ? NULL : found + 1;
}

/* What follows lib/python3.N/ (lib64, python3.Nt), else NULL. */
static const char *library_part(const char *file) {
    const char *found = find_last(file, "/python3.");
    if (found == NULL) {
        return NULL;
    }
    bool in_lib = (found - file >= 4 && memcmp(found - 4, "/lib", 4) == 0) ||
                  (found - file >= 6 && memcmp(found - 6, "/lib64", 6) == 0);
    const char *rest = found + strlen("/python3.");
    const char *digits = rest;
    while (*rest >= '0' && *rest <= '9') {
        rest++;
    }
    if (!in_lib || rest == digits) {
        return NULL;
    }
    if (*rest == 't') {
        rest++;
    }
    return *rest == '/' ? rest + 1 : NULL;
}

enum hasten_origin hasten_path_origin(const char *file) {
    if (file[0] == '<') {
        if (strncmp(file, "<frozen ", 8) == 0) {
            return HASTEN_ORIGIN_LIBRARY;
        }
        if (strcmp(file, "<string>") == 0 || strcmp(file, "<stdin>") == 0) {
            return HASTEN_ORIGIN_OWN;
        }
        return HASTEN_ORIGIN_GENERATED;
    }
    if (package_part(file) != NULL) {
        return HASTEN_ORIGIN_PACKAGE;
    }
    return library_part(file) != NULL ? HASTEN_ORIGIN_LIBRARY : HASTEN_ORIGIN_OWN;
}

/* "<frozen importlib._bootstrap>" is <stdlib>/importlib/_bootstrap.py. */
static bool shorten_frozen(struct hasten_buffer *out, const char *file) {
    static const char start[] = "<frozen ";
    size_t length = strlen(file);
    if (strncmp(file, start, sizeof start - 1) != 0 || file[length - 1] != '>') {
        return false;
    }
    hasten_buffer_text(out, "<stdlib>/");
    for (size_t i = sizeof start - 1; i < length - 1; i++) {
        hasten_buffer_byte(out, file[i] == '.' ? '/' : (uint8_t)file[i]);
    }
    hasten_buffer_text(out, ".py");
    return true;
}

void hasten_path_shorten(struct hasten_buffer *out, const char *file, const char *directory) {
    if (shorten_frozen(out, file)) {
        return;
    }
    const char *part = file[0] == '<' ? NULL : package_part(file);
    if (part != NULL) {
        hasten_buffer_text(out, part);
        return;
    }
    part = file[0] == '<' ? NULL : library_part(file);
    if (part != NULL) {
        hasten_buffer_text(out, "<stdlib>/");
        hasten_buffer_text(out, part);
        return;
    }
    size_t length = directory == NULL ? 0 : strlen(directory);
    while (length > 0 && directory[length - 1] == '/') {
        length--;
    }
    if (length > 0 && strncmp(file, directory, length) == 0 && file[length] == '/' &&
        file[length + 1] != '\0') {
        file += length + 1;
    }
    while (file[0] == '.' && file[1] == '/' && file[2] != '\0') {
        file += 2;
    }
    hasten_buffer_text(out, file);
}
