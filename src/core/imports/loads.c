/* SPDX-License-Identifier: MIT
 *
 * Reads the file, and sums up. */
#include "core/imports/loads.h"

#include <stdlib.h>
#include <string.h>

/* A time or a size that is larger is none, nor a sum of them: so sums of sums fit. */
#define MOST_NUMBER (INT64_C(1) << 60)

struct reader {
    struct hasten_loads *loads;
    const char *text, *end;
    const char *line; /* the one that is read */
    const char *line_end;
    const char *at;
    int64_t times_ns, bytes; /* of all loads so far, sizes without their signs */
    struct hasten_error *error;
};

static hasten_status corrupt(const struct reader *reader, const char *what) {
    const int64_t offset = reader->line - reader->text;
    return hasten_error_set(reader->error, HASTEN_CORRUPT, offset,
                            "the line at byte %lld is not of a list of imports: %s",
                            (long long)offset, what);
}

static hasten_status no_memory(struct hasten_error *error) {
    return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
}

/* Only whole lines: what follows the last line end was not written to its end. */
static bool next_line(struct reader *reader) {
    const char *start = reader->line_end == NULL ? reader->text : reader->line_end + 1;
    const char *end =
        start < reader->end ? memchr(start, '\n', (size_t)(reader->end - start)) : NULL;
    reader->line = start;
    reader->line_end = end;
    reader->at = start;
    return end != NULL;
}

/* The next field of the line, up to a tab. False where there is none. */
static bool next_field(struct reader *reader, const char **ret_field, size_t *ret_size) {
    if (reader->at > reader->line_end) {
        return false;
    }
    const size_t left = (size_t)(reader->line_end - reader->at);
    const char *tab = memchr(reader->at, '\t', left);
    const char *end = tab == NULL ? reader->line_end : tab;
    *ret_field = reader->at;
    *ret_size = (size_t)(end - reader->at);
    reader->at = end + 1;
    return true;
}

static bool next_number(struct reader *reader, int64_t *ret_number) {
    const char *field = NULL;
    size_t size = 0;
    char digits[24];
    char *end = NULL;
    if (!next_field(reader, &field, &size) || size == 0 || size >= sizeof digits) {
        return false;
    }
    memcpy(digits, field, size);
    digits[size] = '\0';
    *ret_number = strtoll(digits, &end, 10);
    return end == digits + size && (digits[0] == '-' || (digits[0] >= '0' && digits[0] <= '9')) &&
           *ret_number<MOST_NUMBER && * ret_number> - MOST_NUMBER;
}

static bool next_text(struct reader *reader, size_t *ret_text) {
    const char *field = NULL;
    size_t size = 0;
    if (!next_field(reader, &field, &size) || memchr(field, '\0', size) != NULL) {
        return false;
    }
    *ret_text = reader->loads->texts.size;
    hasten_buffer_append(&reader->loads->texts, field, size);
    hasten_buffer_byte(&reader->loads->texts, '\0');
    return true;
}

static bool is_line(const struct reader *reader, const char *word) {
    const size_t size = strlen(word);
    return (size_t)(reader->line_end - reader->line) == size &&
           memcmp(reader->line, word, size) == 0;
}

static bool starts(struct reader *reader, const char *word) {
    const char *field = NULL;
    size_t size = 0;
    return next_field(reader, &field, &size) && size == strlen(word) &&
           memcmp(field, word, size) == 0;
}

static hasten_status read_head(struct reader *reader) {
    static const char first[] = "hasten imports ";
    int64_t knows_use = 0;
    if (!next_line(reader) || (size_t)(reader->line_end - reader->line) < sizeof first ||
        memcmp(reader->line, first, sizeof first - 1) != 0) {
        return corrupt(reader, "the first line is another");
    }
    int64_t version = 0;
    reader->at = reader->line + sizeof first - 1;
    if (!next_number(reader, &version) || reader->at <= reader->line_end || version < 1) {
        return corrupt(reader, "the version is no number");
    }
    if (version > HASTEN_LOADS_VERSION) {
        return hasten_error_set(reader->error, HASTEN_NEWER, 0,
                                "the list of imports was written by a newer hasten");
    }
    if (!next_line(reader) || !starts(reader, "process") ||
        !next_number(reader, &reader->loads->duration_ns) || !next_number(reader, &knows_use) ||
        !next_text(reader, &reader->loads->version)) {
        return corrupt(reader, "it should say how long the process ran");
    }
    reader->loads->knows_use = knows_use != 0;
    return HASTEN_OK;
}

static hasten_status read_load(struct reader *reader) {
    struct hasten_loads *loads = reader->loads;
    struct hasten_load load = {0};
    int64_t parent = 0;
    int64_t flags = 0;
    void *all = loads->loads;
    if (!starts(reader, "load") || !next_number(reader, &parent) ||
        !next_number(reader, &load.start_ns) || !next_number(reader, &load.total_ns) ||
        !next_number(reader, &load.total_bytes) || !next_number(reader, &flags) ||
        !next_text(reader, &load.name) || !next_text(reader, &load.importer)) {
        return corrupt(reader, "a load has eight fields");
    }
    if (parent < -1 || parent >= (int64_t)loads->count) {
        return corrupt(reader, "it is part of a load that did not begin before it");
    }
    if (load.total_ns < 0 || load.start_ns < 0) {
        return corrupt(reader, "a time is negative");
    }
    reader->times_ns += load.total_ns;
    reader->bytes += load.total_bytes < 0 ? -load.total_bytes : load.total_bytes;
    if (reader->times_ns > MOST_NUMBER || reader->bytes > MOST_NUMBER) {
        return corrupt(reader, "what it adds up to is more than there is");
    }
    if (loads->count == HASTEN_LOADS_MOST) {
        return hasten_error_set(reader->error, HASTEN_LIMIT, -1, "more than %d modules",
                                HASTEN_LOADS_MOST);
    }
    load.parent = parent < 0 ? HASTEN_LOADS_NONE : (size_t)parent;
    load.is_needed = (flags & 1) != 0;
    load.has_failed = (flags & 2) != 0;
    if (hasten_grow(loads->allocator, &all, &loads->capacity, loads->count + 1,
                    sizeof *loads->loads) != 0) {
        return no_memory(reader->error);
    }
    loads->loads = all;
    loads->loads[loads->count++] = load;
    return HASTEN_OK;
}

/* Numbers of children are larger than their parents': one pass from the end sums up. */
static void sum_up(struct hasten_loads *loads) {
    for (size_t i = 0; i < loads->count; i++) {
        loads->loads[i].self_ns = loads->loads[i].total_ns;
        loads->loads[i].self_bytes = loads->loads[i].total_bytes;
    }
    for (size_t i = loads->count; i-- > 0;) {
        struct hasten_load *load = &loads->loads[i];
        /* Where a thread's loads were interrupted, parts may be more than the whole. */
        load->self_ns = load->self_ns < 0 ? 0 : load->self_ns;
        if (!load->is_needed) {
            load->unneeded_ns += load->self_ns;
            load->saved_ns += load->self_ns;
            loads->unneeded_ns += load->self_ns;
            loads->unneeded_bytes += load->self_bytes;
            loads->unneeded_count++;
        }
        if (load->parent == HASTEN_LOADS_NONE) {
            loads->total_ns += load->total_ns;
            loads->total_bytes += load->total_bytes;
            continue;
        }
        struct hasten_load *parent = &loads->loads[load->parent];
        parent->self_ns -= load->total_ns;
        parent->self_bytes -= load->total_bytes;
        parent->unneeded_ns += load->unneeded_ns;
        parent->saved_ns += load->is_needed || parent->is_needed ? 0 : load->saved_ns;
        parent->below += load->below + 1;
        parent->unneeded_below += load->unneeded_below + !load->is_needed;
    }
}

static hasten_status read_all(struct reader *reader) {
    hasten_status status = read_head(reader);
    while (status == HASTEN_OK && next_line(reader)) {
        if (is_line(reader, "end")) {
            return reader->loads->texts.failed ? no_memory(reader->error) : HASTEN_OK;
        }
        status = read_load(reader);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    return hasten_error_set(reader->error, HASTEN_TRUNCATED, reader->end - reader->text,
                            "the list of imports was not written to its end");
}

hasten_status hasten_loads_parse(const char *text, size_t size,
                                 const struct hasten_allocator *allocator,
                                 struct hasten_loads **ret_loads, struct hasten_error *error) {
    struct hasten_loads *loads = hasten_allocate(allocator, sizeof *loads);
    if (loads == NULL) {
        return no_memory(error);
    }
    *loads = (struct hasten_loads){.allocator = allocator};
    hasten_buffer_init(&loads->texts, allocator);
    struct reader reader = {.loads = loads, .text = text, .end = text + size, .error = error};
    const hasten_status status = read_all(&reader);
    if (status != HASTEN_OK) {
        hasten_loads_free(loads);
        return status;
    }
    sum_up(loads);
    *ret_loads = loads;
    return HASTEN_OK;
}

void hasten_loads_free(struct hasten_loads *loads) {
    if (loads != NULL) {
        hasten_buffer_done(&loads->texts);
        hasten_release(loads->allocator, loads->loads, loads->capacity * sizeof *loads->loads);
        hasten_release(loads->allocator, loads, sizeof *loads);
    }
}

/* By insertion: a module imports few others itself. */
size_t hasten_loads_below(const struct hasten_loads *loads, size_t parent, size_t *numbers) {
    size_t count = 0;
    const size_t first = parent == HASTEN_LOADS_NONE ? 0 : parent + 1;
    for (size_t i = first; i < loads->count; i++) {
        if (loads->loads[i].parent != parent) {
            continue;
        }
        size_t at = count++;
        for (; at > 0 && loads->loads[numbers[at - 1]].total_ns < loads->loads[i].total_ns; at--) {
            numbers[at] = numbers[at - 1];
        }
        numbers[at] = i;
    }
    return count;
}
