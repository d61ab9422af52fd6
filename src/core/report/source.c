/* SPDX-License-Identifier: MIT
 *
 * Reads source files whole, once, and finds lines in them. */
#include "core/report/source.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Larger files are not source that anybody reads. */
#define FILE_LIMIT (8u << 20)
/* All files of one report together. */
#define TOTAL_LIMIT (64u << 20)
#define COUNT_LIMIT 256
#define NS_PER_S 1000000000ULL

struct hasten_source_file {
    const char *name;
    char *text; /* NULL: not readable */
    size_t size;
};

void hasten_sources_init(struct hasten_sources *sources, const struct hasten_allocator *allocator,
                         const char *directory, uint64_t changed_before_ns) {
    *sources = (struct hasten_sources){
        .allocator = allocator, .directory = directory, .changed_before_ns = changed_before_ns};
}

void hasten_sources_done(struct hasten_sources *sources) {
    for (size_t i = 0; i < sources->count; i++) {
        hasten_release(sources->allocator, sources->files[i].text, sources->files[i].size);
    }
    hasten_release(sources->allocator, sources->files, sources->capacity * sizeof *sources->files);
    sources->files = NULL;
    sources->count = sources->capacity = 0;
}

/* O_NONBLOCK: the name may be a pipe's. */
static int open_source(const struct hasten_sources *sources, const char *name) {
    int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    if (name[0] == '/') {
        return open(name, flags);
    }
    if (name[0] == '\0' || name[0] == '<' || sources->directory == NULL ||
        sources->directory[0] != '/') {
        return -1;
    }
    int directory = open(sources->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return -1;
    }
    int descriptor = openat(directory, name, flags);
    close(directory);
    return descriptor;
}

static bool read_all(int descriptor, char *text, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(descriptor, text + done, size - done);
        if (got <= 0) {
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

static bool changed_since(const struct hasten_sources *sources, const struct stat *info) {
    uint64_t changed_ns =
        (uint64_t)info->st_mtim.tv_sec * NS_PER_S + (uint64_t)info->st_mtim.tv_nsec;
    return sources->changed_before_ns != 0 && changed_ns > sources->changed_before_ns;
}

static void load(struct hasten_sources *sources, struct hasten_source_file *file) {
    struct stat info;
    int descriptor = open_source(sources, file->name);
    if (descriptor < 0) {
        return;
    }
    if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size <= 0 ||
        (uint64_t)info.st_size > FILE_LIMIT ||
        (uint64_t)info.st_size > TOTAL_LIMIT - sources->bytes) {
        goto done;
    }
    if (changed_since(sources, &info)) {
        sources->any_changed = true;
        goto done;
    }
    size_t size = (size_t)info.st_size;
    char *text = hasten_allocate(sources->allocator, size);
    if (text == NULL) {
        goto done;
    }
    if (!read_all(descriptor, text, size)) {
        hasten_release(sources->allocator, text, size);
        goto done;
    }
    file->text = text;
    file->size = size;
    sources->bytes += size;
done:
    close(descriptor);
}

static struct hasten_source_file *find_file(struct hasten_sources *sources, const char *name) {
    for (size_t i = 0; i < sources->count; i++) {
        if (strcmp(sources->files[i].name, name) == 0) {
            return &sources->files[i];
        }
    }
    void *files = sources->files;
    if (sources->count == COUNT_LIMIT ||
        hasten_grow(sources->allocator, &files, &sources->capacity, sources->count + 1,
                    sizeof *sources->files) != 0) {
        return NULL;
    }
    sources->files = files;
    struct hasten_source_file *file = &sources->files[sources->count++];
    *file = (struct hasten_source_file){.name = name};
    load(sources, file);
    return file;
}

static bool is_blank(char character) {
    return character == ' ' || character == '\t' || character == '\r' || character == '\f';
}

const char *hasten_sources_line(struct hasten_sources *sources, const char *file_name, int32_t line,
                                size_t *ret_size) {
    struct hasten_source_file *file = find_file(sources, file_name);
    if (file == NULL || file->text == NULL || line < 1) {
        return NULL;
    }
    const char *start = file->text;
    const char *end = file->text + file->size;
    for (int32_t i = 1; i < line; i++) {
        const char *newline = memchr(start, '\n', (size_t)(end - start));
        if (newline == NULL) {
            return NULL;
        }
        start = newline + 1;
    }
    const char *newline = memchr(start, '\n', (size_t)(end - start));
    end = newline == NULL ? end : newline;
    while (start < end && is_blank(*start)) {
        start++;
    }
    while (end > start && is_blank(end[-1])) {
        end--;
    }
    if (start == end) {
        return NULL;
    }
    *ret_size = (size_t)(end - start);
    return start;
}
