/* SPDX-License-Identifier: MIT
 *
 * Interning of texts and functions, and the standard name of a function. */
#include "core/pstats/names.h"

#include "core/base/hash.h"
#include "core/pstats/surrogates.h"

#include <stdio.h>
#include <string.h>

/* "-9223372036854775808" */
#define INTEGER_MAX 21

void hasten_pstats_names_init(struct hasten_pstats_names *names,
                              const struct hasten_allocator *allocator) {
    *names = (struct hasten_pstats_names){.allocator = allocator};
    hasten_buffer_init(&names->bytes, allocator);
    hasten_map_init(&names->text_map, allocator);
    hasten_map_init(&names->function_map, allocator);
}

void hasten_pstats_names_done(struct hasten_pstats_names *names) {
    hasten_buffer_done(&names->bytes);
    hasten_map_done(&names->text_map);
    hasten_map_done(&names->function_map);
    hasten_release(names->allocator, names->texts, names->text_capacity * sizeof *names->texts);
    hasten_release(names->allocator, names->functions,
                   names->function_capacity * sizeof *names->functions);
    hasten_pstats_names_init(names, names->allocator);
}

static hasten_status add_text(struct hasten_pstats_names *names, const char *bytes, size_t size) {
    void *texts = names->texts;
    if (hasten_grow(names->allocator, &texts, &names->text_capacity, names->text_count + 1,
                    sizeof *names->texts) != 0) {
        return HASTEN_NO_MEMORY;
    }
    names->texts = texts;
    const size_t offset = names->bytes.size;
    hasten_buffer_append(&names->bytes, bytes, size);
    if (names->bytes.failed) {
        names->bytes.failed = false;
        return HASTEN_NO_MEMORY;
    }
    names->texts[names->text_count++] = (struct hasten_pstats_text){
        offset, size, hasten_surrogates_length((const uint8_t *)bytes, size)};
    return HASTEN_OK;
}

hasten_status hasten_pstats_names_text(struct hasten_pstats_names *names, const char *bytes,
                                       size_t size, uint32_t *ret_text) {
    if (names->text_count >= UINT32_MAX) {
        return HASTEN_LIMIT;
    }
    const struct hasten_map_key key = hasten_hash((struct hasten_map_key){0, 0}, bytes, size);
    bool is_new = false;
    const uint32_t *number =
        hasten_map_insert(&names->text_map, key, (uint32_t)names->text_count, &is_new);
    if (number == NULL) {
        return HASTEN_NO_MEMORY;
    }
    if (is_new && add_text(names, bytes, size) != HASTEN_OK) {
        hasten_map_remove(&names->text_map, key);
        return HASTEN_NO_MEMORY;
    }
    *ret_text = *number;
    return HASTEN_OK;
}

const char *hasten_pstats_names_bytes(const struct hasten_pstats_names *names, uint32_t text) {
    return names->bytes.data == NULL ? "" : names->bytes.data + names->texts[text].offset;
}

static bool is_text(const struct hasten_pstats_names *names, uint32_t text, const char *bytes) {
    const size_t size = strlen(bytes);
    return names->texts[text].size == size &&
           memcmp(hasten_pstats_names_bytes(names, text), bytes, size) == 0;
}

/* What is written in C has no file: it is named "~". */
static bool is_builtin(const struct hasten_pstats_names *names,
                       const struct hasten_pstats_function *function) {
    return function->line == 0 && is_text(names, function->file, "~");
}

static size_t width_of(const struct hasten_pstats_names *names,
                       const struct hasten_pstats_function *function) {
    const size_t name = names->texts[function->name].length;
    if (is_builtin(names, function)) {
        return name;
    }
    char line[INTEGER_MAX];
    const int digits = snprintf(line, sizeof line, "%lld", (long long)function->line);
    return names->texts[function->file].length + (size_t)digits + name + strlen(":()");
}

hasten_status hasten_pstats_names_function(struct hasten_pstats_names *names, uint32_t file,
                                           int64_t line, uint32_t name, uint32_t *ret_function) {
    if (names->function_count >= UINT32_MAX - 1) {
        return HASTEN_LIMIT;
    }
    const struct hasten_map_key key = {.low = (uint64_t)file << 32 | name, .high = (uint64_t)line};
    void *functions = names->functions;
    if (hasten_grow(names->allocator, &functions, &names->function_capacity,
                    names->function_count + 1, sizeof *names->functions) != 0) {
        return HASTEN_NO_MEMORY;
    }
    names->functions = functions;
    bool is_new = false;
    const uint32_t *number =
        hasten_map_insert(&names->function_map, key, (uint32_t)names->function_count, &is_new);
    if (number == NULL) {
        return HASTEN_NO_MEMORY;
    }
    if (is_new) {
        struct hasten_pstats_function *function = &names->functions[names->function_count++];
        *function = (struct hasten_pstats_function){.line = line, .file = file, .name = name};
        function->width = width_of(names, function);
    }
    *ret_function = *number;
    return HASTEN_OK;
}

hasten_status hasten_pstats_names_stripped(struct hasten_pstats_names *names, uint32_t function,
                                           uint32_t *ret_function) {
    const struct hasten_pstats_function whole = names->functions[function];
    const struct hasten_pstats_text file = names->texts[whole.file];
    const char *bytes = hasten_pstats_names_bytes(names, whole.file);
    const char *slash = memrchr(bytes, '/', file.size);
    if (slash == NULL) {
        *ret_function = function;
        return HASTEN_OK;
    }
    const size_t start = (size_t)(slash + 1 - bytes);
    /* Adding a text may move the bytes, these among them: room first. */
    char *copy = hasten_allocate(names->allocator, file.size - start);
    if (copy == NULL) {
        return HASTEN_NO_MEMORY;
    }
    memcpy(copy, bytes + start, file.size - start);
    uint32_t stripped = 0;
    hasten_status status = hasten_pstats_names_text(names, copy, file.size - start, &stripped);
    hasten_release(names->allocator, copy, file.size - start);
    if (status != HASTEN_OK) {
        return status;
    }
    return hasten_pstats_names_function(names, stripped, whole.line, whole.name, ret_function);
}

int hasten_pstats_names_compare_texts(const struct hasten_pstats_names *names, uint32_t left,
                                      uint32_t right) {
    if (left == right) {
        return 0;
    }
    const size_t left_size = names->texts[left].size;
    const size_t right_size = names->texts[right].size;
    const int order =
        memcmp(hasten_pstats_names_bytes(names, left), hasten_pstats_names_bytes(names, right),
               left_size < right_size ? left_size : right_size);
    return order != 0 ? order : (left_size > right_size) - (left_size < right_size);
}

int hasten_pstats_names_compare(const struct hasten_pstats_names *names, uint32_t left,
                                uint32_t right) {
    const struct hasten_pstats_function *one = &names->functions[left];
    const struct hasten_pstats_function *other = &names->functions[right];
    int order = hasten_pstats_names_compare_texts(names, one->file, other->file);
    if (order == 0) {
        order = (one->line > other->line) - (one->line < other->line);
    }
    return order != 0 ? order : hasten_pstats_names_compare_texts(names, one->name, other->name);
}

void hasten_pstats_names_append(const struct hasten_pstats_names *names, uint32_t function,
                                struct hasten_buffer *buffer) {
    const struct hasten_pstats_function *it = &names->functions[function];
    const char *name = hasten_pstats_names_bytes(names, it->name);
    const size_t size = names->texts[it->name].size;
    if (!is_builtin(names, it)) {
        hasten_buffer_append(buffer, hasten_pstats_names_bytes(names, it->file),
                             names->texts[it->file].size);
        hasten_buffer_format(buffer, ":%lld(", (long long)it->line);
        hasten_buffer_append(buffer, name, size);
        hasten_buffer_byte(buffer, ')');
    } else if (size >= 2 && name[0] == '<' && name[size - 1] == '>') {
        hasten_buffer_byte(buffer, '{');
        hasten_buffer_append(buffer, name + 1, size - 2);
        hasten_buffer_byte(buffer, '}');
    } else {
        hasten_buffer_append(buffer, name, size);
    }
}
