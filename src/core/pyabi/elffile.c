/* SPDX-License-Identifier: MIT
 *
 * Reads ELF files with libelf. The file is another user's: libelf checks its
 * structure and reads it with pread (a mapping would fault when the file is cut
 * short meanwhile); loops and sizes are bounded here. */
#include "core/pyabi/elffile.h"

#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <string.h>

#define HASTEN_ELF_SECTIONS_MAX 4096
/* Chromium's debug build has some 3 million. */
#define HASTEN_ELF_SYMBOLS_MAX (8u << 20)

#if defined(__x86_64__)
#define HASTEN_ELF_FILE_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HASTEN_ELF_FILE_MACHINE EM_AARCH64
#endif

static void find_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                         struct hasten_elf_file_symbol *symbols, size_t count) {
    Elf_Data *data = elf_getdata(section, NULL);
    size_t missing = count;

    if (data == NULL || header->sh_entsize == 0)
        return;
    size_t total = header->sh_size / header->sh_entsize;
    if (total > HASTEN_ELF_SYMBOLS_MAX)
        return;
    for (size_t i = 0; i < total && missing > 0; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL)
            return;
        if (symbol.st_shndx == SHN_UNDEF || symbol.st_value == 0)
            continue;
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (name == NULL)
            continue;
        for (size_t j = 0; j < count; j++) {
            if (symbols[j].address == 0 && strcmp(name, symbols[j].name) == 0) {
                symbols[j].address = symbol.st_value;
                missing--;
            }
        }
    }
}

hasten_status hasten_elf_file_find(int descriptor, struct hasten_elf_file_symbol *symbols,
                                   size_t count, uint64_t *ret_section) {
    hasten_status status = HASTEN_NOT_FOUND;
    uint64_t section_address = 0;
    Elf_Scn *section = NULL;
    GElf_Ehdr header;
    size_t names;

    for (size_t i = 0; i < count; i++)
        symbols[i].address = 0;
    if (elf_version(EV_CURRENT) == EV_NONE)
        return HASTEN_INVALID;
    Elf *elf = elf_begin(descriptor, ELF_C_READ, NULL);
    if (elf == NULL)
        return HASTEN_NOT_FOUND;
    if (elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == NULL ||
        header.e_machine != HASTEN_ELF_FILE_MACHINE || elf_getshdrstrndx(elf, &names) != 0)
        goto done;
    for (size_t i = 0; i < HASTEN_ELF_SECTIONS_MAX; i++) {
        GElf_Shdr section_header;
        section = elf_nextscn(elf, section);
        if (section == NULL)
            break;
        if (gelf_getshdr(section, &section_header) == NULL)
            continue;
        const char *name = elf_strptr(elf, names, section_header.sh_name);
        if (name != NULL && strcmp(name, ".PyRuntime") == 0)
            section_address = section_header.sh_addr;
        if (section_header.sh_type == SHT_SYMTAB)
            find_symbols(elf, section, &section_header, symbols, count);
    }
    *ret_section = section_address;
    status = HASTEN_OK;
done:
    (void)elf_end(elf);
    return status;
}
