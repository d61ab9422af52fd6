/* SPDX-License-Identifier: MIT
 *
 * A small ELF image in memory with three symbols, and a reader of it. */
#ifndef HASTEN_TESTS_ELF_FIXTURE_H
#define HASTEN_TESTS_ELF_FIXTURE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/pyabi/elfimage.h"

#define ELF_FIXTURE_SIZE 2048u

struct elf_fixture {
    uint8_t bytes[ELF_FIXTURE_SIZE];
    size_t size;   /* bytes that are mapped */
    uint64_t base; /* where they are */
};

struct elf_fixture_options {
    uint64_t base;       /* where the image is loaded */
    uint64_t first;      /* the address the file says for its first byte */
    bool is_executable;  /* ET_EXEC */
    bool sysv_hash;      /* DT_HASH in place of DT_GNU_HASH */
    bool is_relocated;   /* addresses in the dynamic section are those in memory */
    bool segment_before; /* another segment in front of the file's first byte */
};

/* Places in the image. */
enum {
    ELF_FIXTURE_DYNAMIC = 0x200,
    ELF_FIXTURE_SYMBOLS = 0x300,
    ELF_FIXTURE_STRINGS = 0x400,
    ELF_FIXTURE_HASH = 0x480,
    ELF_FIXTURE_RUNTIME = 0x600, /* value of _PyRuntime */
    ELF_FIXTURE_VERSION = 0x700, /* value of Py_Version */
};

static const char elf_fixture_strings[] = "\0imported\0_PyRuntime\0Py_Version\0last";
enum { ELF_FIXTURE_SYMBOL_COUNT = 5 };

static inline uint32_t elf_fixture_gnu_hash(const char *name) {
    uint32_t hash = 5381;
    for (; *name != '\0'; name++)
        hash = (hash << 5) + hash + (uint8_t)*name;
    return hash;
}

static inline void elf_fixture_put(struct elf_fixture *fixture, size_t at, const void *data,
                                   size_t size) {
    memcpy(fixture->bytes + at, data, size);
}

/* All defined symbols in one bucket. */
static inline void elf_fixture_hashes(struct elf_fixture *fixture, bool sysv) {
    if (sysv) {
        const uint32_t table[] = {1, ELF_FIXTURE_SYMBOL_COUNT, 1, 0, 2, 3, 4, 0};
        elf_fixture_put(fixture, ELF_FIXTURE_HASH, table, sizeof table);
        return;
    }
    uint32_t table[] = {1, 2, 1, 6, UINT32_MAX, UINT32_MAX, 2, 0, 0, 0};
    table[7] = elf_fixture_gnu_hash("_PyRuntime") & ~1u;
    table[8] = elf_fixture_gnu_hash("Py_Version") & ~1u;
    table[9] = elf_fixture_gnu_hash("last") | 1u;
    elf_fixture_put(fixture, ELF_FIXTURE_HASH, table, sizeof table);
}

static inline void elf_fixture_make(struct elf_fixture *fixture,
                                    const struct elf_fixture_options *options) {
    uint64_t first = options->first;
    uint64_t shown = options->is_relocated ? options->base : first;
    Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = options->is_executable ? ET_EXEC : ET_DYN,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof header,
        .e_ehsize = sizeof header,
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 3};
#if defined(__aarch64__)
    header.e_machine = EM_AARCH64;
#else
    header.e_machine = EM_X86_64;
#endif
    Elf64_Phdr segments[3] = {
        {.p_type = options->segment_before ? PT_LOAD : PT_NOTE,
         .p_offset = 0x10000,
         .p_vaddr = first - 0x10000,
         .p_memsz = 0x1000},
        {.p_type = PT_LOAD, .p_vaddr = first, .p_memsz = ELF_FIXTURE_SIZE},
        {.p_type = PT_DYNAMIC,
         .p_offset = ELF_FIXTURE_DYNAMIC,
         .p_vaddr = first + ELF_FIXTURE_DYNAMIC,
         .p_memsz = 6 * sizeof(Elf64_Dyn)},
    };
    Elf64_Dyn dynamic[6] = {
        {DT_SYMTAB, {shown + ELF_FIXTURE_SYMBOLS}},
        {DT_STRTAB, {shown + ELF_FIXTURE_STRINGS}},
        {DT_STRSZ, {sizeof elf_fixture_strings}},
        {options->sysv_hash ? DT_HASH : DT_GNU_HASH, {shown + ELF_FIXTURE_HASH}},
        {DT_NULL, {0}},
        {DT_STRSZ, {1}}, /* behind the end: must not be read */
    };
    Elf64_Sym symbols[ELF_FIXTURE_SYMBOL_COUNT] = {
        {0},
        {.st_name = 1, .st_shndx = SHN_UNDEF},
        {.st_name = 10, .st_shndx = 1, .st_value = first + ELF_FIXTURE_RUNTIME, .st_size = 64},
        {.st_name = 21, .st_shndx = 1, .st_value = first + ELF_FIXTURE_VERSION, .st_size = 8},
        {.st_name = 32, .st_shndx = 1, .st_value = first + ELF_FIXTURE_SIZE - 8, .st_size = 8},
    };

    memset(fixture, 0, sizeof *fixture);
    fixture->size = ELF_FIXTURE_SIZE;
    fixture->base = options->base;
    elf_fixture_put(fixture, 0, &header, sizeof header);
    elf_fixture_put(fixture, sizeof header, segments, sizeof segments);
    elf_fixture_put(fixture, ELF_FIXTURE_DYNAMIC, dynamic, sizeof dynamic);
    elf_fixture_put(fixture, ELF_FIXTURE_SYMBOLS, symbols, sizeof symbols);
    elf_fixture_put(fixture, ELF_FIXTURE_STRINGS, elf_fixture_strings, sizeof elf_fixture_strings);
    elf_fixture_hashes(fixture, options->sysv_hash);
}

static inline hasten_status elf_fixture_read(void *context, uint64_t address, void *into,
                                             size_t size) {
    const struct elf_fixture *fixture = context;

    if (address < fixture->base || address - fixture->base > fixture->size ||
        size > fixture->size - (address - fixture->base))
        return HASTEN_GONE;
    memcpy(into, fixture->bytes + (address - fixture->base), size);
    return HASTEN_OK;
}

#endif
