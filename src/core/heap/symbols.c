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
#include <unistd.h>

#define SECTIONS_MAX 4096
#define SYMBOLS_MAX (8u << 20)
#define SEGMENTS_MAX 64

struct segment {
    uint64_t offset, size, address;
};

struct hasten_symbols {
    const struct hasten_allocator *allocator;
    int descriptor;
    Elf *elf;
    struct segment segments[SEGMENTS_MAX];
    size_t segment_count;
    Elf_Data *table;
    size_t symbol_count;
    uint32_t names; /* section of the table's texts */
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

static void read_table(struct hasten_symbols *symbols) {
    Elf_Scn *section = NULL;
    for (size_t i = 0; i < SECTIONS_MAX; i++) {
        GElf_Shdr header;
        section = elf_nextscn(symbols->elf, section);
        if (section == NULL) {
            return;
        }
        if (gelf_getshdr(section, &header) == NULL || header.sh_entsize == 0 ||
            (header.sh_type != SHT_SYMTAB &&
             (header.sh_type != SHT_DYNSYM || symbols->table != NULL))) {
            continue;
        }
        Elf_Data *data = elf_getdata(section, NULL);
        if (data != NULL && header.sh_size / header.sh_entsize <= SYMBOLS_MAX) {
            symbols->table = data;
            symbols->symbol_count = header.sh_size / header.sh_entsize;
            symbols->names = header.sh_link;
        }
    }
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
    read_table(symbols);
    *ret_symbols = symbols;
    return HASTEN_OK;
}

void hasten_symbols_free(struct hasten_symbols *symbols) {
    if (symbols == NULL) {
        return;
    }
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
    if (symbols->table == NULL || !address_of(symbols, file_offset, &address)) {
        return NULL;
    }
    for (size_t i = 0; i < symbols->symbol_count; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(symbols->table, (int)i, &symbol) == NULL) {
            return NULL;
        }
        int type = GELF_ST_TYPE(symbol.st_info);
        if ((type == STT_FUNC || type == STT_GNU_IFUNC) && symbol.st_shndx != SHN_UNDEF &&
            address >= symbol.st_value && address - symbol.st_value < symbol.st_size) {
            return elf_strptr(symbols->elf, symbols->names, symbol.st_name);
        }
    }
    return NULL;
}
