/* SPDX-License-Identifier: MIT
 *
 * The ways to `_PyRuntime`, fastest first. Says where it is, not whether it is
 * one: interpreter.c judges what lies there. */
#include "core/pyabi/locate.h"

#include <string.h>
#include <unistd.h>

#include "core/pyabi/debugmap.h"
#include "core/pyabi/elffile.h"
#include "core/pyabi/elfimage.h"

/* How much of a file's data is searched for the cookie. The largest libpython
 * has below 4 MiB. */
#define HASTEN_COOKIE_SEARCH_MAX (UINT64_C(64) << 20)
#define HASTEN_COOKIE_ALIGNMENT 8

/* Exported by builds that count references only (object.h). */
static const char debug_symbol[] = "_Py_NegativeRefcount";
static const char runtime_symbol[] = "_PyRuntime";
static const char version_symbol[] = "Py_Version";
static const char code_counter_symbol[] = "_Py_next_func_version";
/* Every Python has it. */
static const char ancient_symbol[] = "Py_GetVersion";

static hasten_status read_process(void *context, uint64_t address, void *into, size_t size) {
    const uint32_t *pid = context;

    return hasten_memory_read(*pid, hasten_raddr_at(address), into, size);
}

hasten_status hasten_locate_exported(uint32_t pid, const struct hasten_candidate *candidate,
                                     struct hasten_location *ret_location) {
    struct hasten_location location = {.found_by = "dynamic symbol"};
    struct hasten_elf_reader reader = {read_process, &pid};
    struct hasten_elf_symbol symbol;
    struct hasten_elf_image image;

    hasten_status status = hasten_elf_open(reader, candidate->start, &image);
    if (status != HASTEN_OK)
        return status;
    status = hasten_elf_find(&image, runtime_symbol, &symbol);
    if (status != HASTEN_OK)
        return status;
    location.runtime = hasten_raddr_at(symbol.address);
    if (hasten_elf_find(&image, version_symbol, &symbol) == HASTEN_OK && symbol.size >= 4)
        location.version = hasten_raddr_at(symbol.address);
    location.is_debug_build = hasten_elf_find(&image, debug_symbol, &symbol) == HASTEN_OK;
    *ret_location = location;
    return HASTEN_OK;
}

static hasten_status locate_in_file(uint32_t pid, const struct hasten_elf_image *image,
                                    const struct hasten_mapping *mapping,
                                    struct hasten_location *ret_location) {
    struct hasten_elf_file_symbol symbols[] = {
        {runtime_symbol, 0}, {version_symbol, 0}, {debug_symbol, 0}};
    struct hasten_location location = {.found_by = "symbol table"};
    struct hasten_elf_symbol exported;
    uint64_t section;
    int descriptor;

    hasten_status status = hasten_process_open_mapping(pid, mapping, &descriptor, NULL);
    if (status != HASTEN_OK)
        return status;
    status = hasten_elf_file_find(descriptor, symbols, 3, &section);
    (void)close(descriptor);
    if (status != HASTEN_OK)
        return status;
    uint64_t runtime = symbols[0].address;
    if (runtime == 0) {
        runtime = section;
        location.found_by = "section";
    }
    if (runtime == 0)
        return HASTEN_NOT_FOUND;
    location.runtime = hasten_raddr_at(image->bias + runtime);
    if (symbols[1].address != 0)
        location.version = hasten_raddr_at(image->bias + symbols[1].address);
    else if (hasten_elf_find(image, version_symbol, &exported) == HASTEN_OK && exported.size >= 4)
        location.version = hasten_raddr_at(exported.address);
    location.is_debug_build =
        symbols[2].address != 0 || hasten_elf_find(image, debug_symbol, &exported) == HASTEN_OK;
    *ret_location = location;
    return HASTEN_OK;
}

struct search {
    uint32_t pid;
    uint64_t left;  /* bytes that may still be read */
    uint64_t found; /* 0: not yet */
};

/* The cookie in one piece of data, followed by a version that can be one. */
static uint64_t search_piece(const uint8_t *data, size_t size) {
    for (size_t at = 0; at + HASTEN_DEBUG_HEAD_SIZE <= size; at += HASTEN_COOKIE_ALIGNMENT) {
        uint32_t version_hex, free_threaded;
        if (hasten_debug_head(data + at, &version_hex, &free_threaded, NULL) == HASTEN_OK &&
            version_hex >> 24 == 3)
            return at;
    }
    return UINT64_MAX;
}

static int search_mapping(void *context, const struct hasten_mapping *mapping) {
    struct search *search = context;
    uint8_t data[65536];

    for (uint64_t at = mapping->start; at < mapping->end && search->left > 0;) {
        uint64_t size = mapping->end - at;
        if (size > sizeof data)
            size = sizeof data;
        if (hasten_memory_read(search->pid, hasten_raddr_at(at), data, size) != HASTEN_OK)
            return 0;
        uint64_t offset = search_piece(data, size);
        if (offset != UINT64_MAX) {
            search->found = at + offset;
            return 1;
        }
        search->left -= size < search->left ? size : search->left;
        if (size < sizeof data)
            break;
        /* Pieces overlap by a head, so that none is cut in two. */
        at += size - HASTEN_DEBUG_HEAD_SIZE;
    }
    return search->left == 0;
}

static hasten_status locate_cookie(uint32_t pid, const struct hasten_candidate *candidate,
                                   struct hasten_location *ret_location) {
    struct search search = {pid, HASTEN_COOKIE_SEARCH_MAX, 0};

    hasten_status status =
        hasten_candidate_writable(pid, candidate->start, search_mapping, &search, NULL);
    if (status != HASTEN_OK)
        return status;
    if (search.found == 0)
        return HASTEN_NOT_FOUND;
    *ret_location =
        (struct hasten_location){.runtime = hasten_raddr_at(search.found), .found_by = "cookie"};
    return HASTEN_OK;
}

hasten_status hasten_locate_hidden(uint32_t pid, const struct hasten_candidate *candidate,
                                   struct hasten_location *ret_location) {
    struct hasten_elf_reader reader = {read_process, &pid};
    struct hasten_elf_image image;
    struct hasten_mapping mapping;

    hasten_status status = hasten_elf_open(reader, candidate->start, &image);
    if (status != HASTEN_OK)
        return status;
    status = hasten_candidate_mapping(pid, candidate->start, &mapping, NULL);
    if (status != HASTEN_OK)
        return status;
    status = locate_in_file(pid, &image, &mapping, ret_location);
    if (status == HASTEN_OK)
        return HASTEN_OK;
    return locate_cookie(pid, candidate, ret_location);
}

hasten_status hasten_locate_code_counter(uint32_t pid, const struct hasten_candidate *candidate,
                                         hasten_raddr *ret_counter) {
    struct hasten_elf_reader reader = {read_process, &pid};
    struct hasten_elf_file_symbol symbol = {code_counter_symbol, 0};
    struct hasten_elf_image image;
    struct hasten_mapping mapping;
    uint64_t section;
    int descriptor;

    hasten_status status = hasten_elf_open(reader, candidate->start, &image);
    if (status == HASTEN_OK)
        status = hasten_candidate_mapping(pid, candidate->start, &mapping, NULL);
    if (status == HASTEN_OK)
        status = hasten_process_open_mapping(pid, &mapping, &descriptor, NULL);
    if (status != HASTEN_OK)
        return status;
    status = hasten_elf_file_find(descriptor, &symbol, 1, &section);
    (void)close(descriptor);
    if (status == HASTEN_OK && symbol.address == 0)
        status = HASTEN_NOT_FOUND;
    if (status == HASTEN_OK)
        *ret_counter = hasten_raddr_at(image.bias + symbol.address);
    return status;
}

hasten_status hasten_locate_ancient(uint32_t pid, const struct hasten_candidate *candidate,
                                    struct hasten_location *ret_location) {
    struct hasten_elf_reader reader = {read_process, &pid};
    struct hasten_elf_symbol symbol;
    struct hasten_elf_image image;

    hasten_status status = hasten_elf_open(reader, candidate->start, &image);
    if (status == HASTEN_OK)
        status = hasten_elf_find(&image, ancient_symbol, &symbol);
    if (status == HASTEN_OK)
        *ret_location = (struct hasten_location){.is_ancient = true, .found_by = ""};
    return status;
}
