/* SPDX-License-Identifier: MIT
 *
 * Reads symbol tables with libelf, the full one where the file has it, else the one of
 * what it exports. The file is another user's: libelf checks its structure; numbers and
 * sizes are bounded here. */
#include "core/heap/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define SECTIONS_MAX 4096
#define SYMBOLS_MAX (8u << 20)
#define SEGMENTS_MAX 64

struct segment {
    uint64_t offset, size, address;
};

struct function {
    uint64_t address, size;
    const char *name; /* libelf's */
};

struct hasten_symbols {
    const struct hasten_allocator *allocator;
    int descriptor;
    Elf *elf;
    struct segment segments[SEGMENTS_MAX];
    size_t segment_count;
    struct function *functions; /* by address */
    size_t count, capacity;
    bool is_full; /* they are those of the full table */
};

static void read_segments(struct hasten_symbols *symbols) {
    size_t count = 0;
    GElf_Phdr header;
    if (elf_getphdrnum(symbols->elf, &count) != 0) {
        return;
    }
    for (size_t i = 0; i < count && symbols->segment_count < SEGMENTS_MAX; i++) {
        if (gelf_getphdr(symbols->elf, (int)i, &header) != NULL && header.p_type == PT_LOAD) {
            symbols->segments[symbols->segment_count++] =
                (struct segment){header.p_offset, header.p_filesz, header.p_vaddr};
        }
    }
}

static hasten_status add(struct hasten_symbols *symbols, const GElf_Sym *symbol, uint32_t names) {
    int type = GELF_ST_TYPE(symbol->st_info);
    const char *name = elf_strptr(symbols->elf, names, symbol->st_name);
    if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol->st_shndx == SHN_UNDEF ||
        symbol->st_size == 0 || name == NULL) {
        return HASTEN_OK;
    }
    void *functions = symbols->functions;
    if (hasten_grow(symbols->allocator, &functions, &symbols->capacity, symbols->count + 1,
                    sizeof *symbols->functions) != 0) {
        return HASTEN_NO_MEMORY;
    }
    symbols->functions = functions;
    symbols->functions[symbols->count++] =
        (struct function){symbol->st_value, symbol->st_size, name};
    return HASTEN_OK;
}

static hasten_status read_section(struct hasten_symbols *symbols, Elf_Scn *section,
                                  const GElf_Shdr *header) {
    Elf_Data *data = elf_getdata(section, NULL);
    hasten_status status = HASTEN_OK;
    if (data == NULL || header->sh_size / header->sh_entsize > SYMBOLS_MAX) {
        return HASTEN_OK;
    }
    symbols->count = 0;
    for (size_t i = 0; i < header->sh_size / header->sh_entsize && status == HASTEN_OK; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL) {
            break;
        }
        status = add(symbols, &symbol, header->sh_link);
    }
    return status;
}

static int compare(const void *left_item, const void *right_item) {
    const struct function *left = left_item;
    const struct function *right = right_item;
    return (left->address > right->address) - (left->address < right->address);
}

static hasten_status read_functions(struct hasten_symbols *symbols) {
    Elf_Scn *section = NULL;
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < SECTIONS_MAX && status == HASTEN_OK; i++) {
        GElf_Shdr header;
        section = elf_nextscn(symbols->elf, section);
        if (section == NULL) {
            break;
        }
        if (gelf_getshdr(section, &header) != NULL && header.sh_entsize != 0 &&
            (header.sh_type == SHT_SYMTAB || (header.sh_type == SHT_DYNSYM && !symbols->is_full))) {
            symbols->is_full = header.sh_type == SHT_SYMTAB;
            status = read_section(symbols, section, &header);
        }
    }
    if (symbols->count > 0) {
        qsort(symbols->functions, symbols->count, sizeof *symbols->functions, compare);
    }
    return status;
}

hasten_status hasten_symbols_open(const char *path, const struct hasten_allocator *allocator,
                                  struct hasten_symbols **ret_symbols) {
    if (elf_version(EV_CURRENT) == EV_NONE) {
        return HASTEN_UNSUPPORTED;
    }
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) {
        return errno == ENOENT || errno == ENOTDIR ? HASTEN_NOT_FOUND : HASTEN_IO;
    }
    struct hasten_symbols *symbols = hasten_allocate_zeroed(allocator, sizeof *symbols);
    if (symbols == NULL) {
        (void)close(descriptor);
        return HASTEN_NO_MEMORY;
    }
    symbols->allocator = allocator;
    symbols->descriptor = descriptor;
    symbols->elf = elf_begin(descriptor, ELF_C_READ, NULL);
    if (symbols->elf == NULL || elf_kind(symbols->elf) != ELF_K_ELF) {
        hasten_symbols_free(symbols);
        return HASTEN_UNSUPPORTED;
    }
    read_segments(symbols);
    hasten_status status = read_functions(symbols);
    if (status != HASTEN_OK) {
        hasten_symbols_free(symbols);
        return status;
    }
    *ret_symbols = symbols;
    return HASTEN_OK;
}

void hasten_symbols_free(struct hasten_symbols *symbols) {
    if (symbols == NULL) {
        return;
    }
    hasten_release(symbols->allocator, symbols->functions,
                   symbols->capacity * sizeof *symbols->functions);
    (void)elf_end(symbols->elf);
    (void)close(symbols->descriptor);
    hasten_release(symbols->allocator, symbols, sizeof *symbols);
}

static bool address_of(const struct hasten_symbols *symbols, uint64_t offset,
                       uint64_t *ret_address) {
    for (size_t i = 0; i < symbols->segment_count; i++) {
        const struct segment *segment = &symbols->segments[i];
        if (offset >= segment->offset && offset - segment->offset < segment->size) {
            *ret_address = segment->address + (offset - segment->offset);
            return true;
        }
    }
    return false;
}

const char *hasten_symbols_find(const struct hasten_symbols *symbols, uint64_t file_offset) {
    uint64_t address = 0;
    if (!address_of(symbols, file_offset, &address)) {
        return NULL;
    }
    size_t low = 0, high = symbols->count; /* the first that begins behind the address */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symbols->functions[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const struct function *last = low == 0 ? NULL : &symbols->functions[low - 1];
    return last != NULL && address - last->address < last->size ? last->name : NULL;
}
