/* SPDX-License-Identifier: MIT
 *
 * Walks an ELF image in memory as the dynamic linker would. Every loop is
 * bounded and every address checked against the image's extent. */
#include "core/pyabi/elfimage.h"

#include <elf.h>
#include <string.h>

#if defined(__x86_64__)
#define HASTEN_ELF_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HASTEN_ELF_MACHINE EM_AARCH64
#else
#error "hasten reads x86_64 and aarch64"
#endif

/* Real files have about a dozen. */
#define HASTEN_ELF_SEGMENTS_MAX 128
/* Real files have about thirty, plus one for each library that they need. */
#define HASTEN_ELF_DYNAMIC_MAX 1024
/* Entries of one hash bucket. libpython's longest chain is below 20. */
#define HASTEN_ELF_CHAIN_MAX 4096
/* Longest symbol name that may be asked for. */
#define HASTEN_ELF_NAME_MAX 64
/* No mapped file spans more: keeps sums far from overflow. */
#define HASTEN_ELF_SPAN_MAX (UINT64_C(1) << 40)
#define HASTEN_ELF_ADDRESS_MAX (UINT64_C(1) << 56)
/* Alignment of segments is at least this; what is below it is an offset. */
#define HASTEN_ELF_PAGE UINT64_C(4096)

static hasten_status fetch(const struct hasten_elf_image *image, uint64_t address, void *into,
                           size_t size) {
    if (address < image->start || address > image->end || size > image->end - address)
        return HASTEN_INVALID;
    return image->reader.read(image->reader.context, address, into, size);
}

static bool header_is_ours(const Elf64_Ehdr *header) {
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
           header->e_machine == HASTEN_ELF_MACHINE &&
           (header->e_type == ET_DYN || header->e_type == ET_EXEC);
}

/* Takes bias and extent off the loadable segments. `base` holds the start of the
 * file, so the segment with that tells the bias (tools that edit binaries put
 * others before it). */
static hasten_status measure(struct hasten_elf_image *image, uint64_t base,
                             const Elf64_Phdr *segments, size_t count) {
    uint64_t low = UINT64_MAX, high = 0, first = UINT64_MAX;

    for (size_t i = 0; i < count; i++) {
        const Elf64_Phdr *segment = &segments[i];
        if (segment->p_type != PT_LOAD)
            continue;
        if (segment->p_vaddr > HASTEN_ELF_ADDRESS_MAX || segment->p_memsz > HASTEN_ELF_SPAN_MAX)
            return HASTEN_INVALID;
        if (segment->p_offset < HASTEN_ELF_PAGE && segment->p_vaddr >= segment->p_offset &&
            first == UINT64_MAX)
            first = segment->p_vaddr - segment->p_offset;
        if (segment->p_vaddr < low)
            low = segment->p_vaddr;
        if (segment->p_vaddr + segment->p_memsz > high)
            high = segment->p_vaddr + segment->p_memsz;
    }
    if (first == UINT64_MAX || high - low > HASTEN_ELF_SPAN_MAX || first > base)
        return HASTEN_INVALID;
    image->bias = base - first;
    image->start = image->bias + low;
    image->end = image->bias + high;
    return HASTEN_OK;
}

/* The dynamic linker of glibc puts addresses into the section, others (and none
 * yet, in a process that just started) leave the file's. */
static uint64_t in_memory(const struct hasten_elf_image *image, uint64_t value) {
    if (value >= image->start && value < image->end)
        return value;
    if (value <= HASTEN_ELF_ADDRESS_MAX && image->bias + value >= image->start &&
        image->bias + value < image->end)
        return image->bias + value;
    return 0;
}

static hasten_status read_dynamic(struct hasten_elf_image *image, const Elf64_Phdr *segment) {
    Elf64_Dyn entries[64];
    size_t count = segment->p_memsz / sizeof(Elf64_Dyn);

    if (segment->p_vaddr > HASTEN_ELF_ADDRESS_MAX)
        return HASTEN_INVALID;
    if (count > HASTEN_ELF_DYNAMIC_MAX)
        count = HASTEN_ELF_DYNAMIC_MAX;
    for (size_t done = 0; done < count;) {
        size_t part = count - done < 64 ? count - done : 64;
        uint64_t address = image->bias + segment->p_vaddr + done * sizeof(Elf64_Dyn);
        hasten_status status = fetch(image, address, entries, part * sizeof(Elf64_Dyn));
        if (status != HASTEN_OK)
            return status;
        for (size_t i = 0; i < part; i++) {
            switch (entries[i].d_tag) {
            case DT_NULL:
                return HASTEN_OK;
            case DT_SYMTAB:
                image->symbols = in_memory(image, entries[i].d_un.d_ptr);
                break;
            case DT_STRTAB:
                image->strings = in_memory(image, entries[i].d_un.d_ptr);
                break;
            case DT_STRSZ:
                image->strings_size = entries[i].d_un.d_val;
                break;
            case DT_GNU_HASH:
                image->gnu_hash = in_memory(image, entries[i].d_un.d_ptr);
                break;
            case DT_HASH:
                image->hash = in_memory(image, entries[i].d_un.d_ptr);
                break;
            default:
                break;
            }
        }
        done += part;
    }
    return HASTEN_OK;
}

hasten_status hasten_elf_open(struct hasten_elf_reader reader, uint64_t base,
                              struct hasten_elf_image *ret_image) {
    struct hasten_elf_image image = {.reader = reader};
    Elf64_Phdr segments[HASTEN_ELF_SEGMENTS_MAX];
    Elf64_Ehdr header;

    hasten_status status = reader.read(reader.context, base, &header, sizeof header);
    if (status != HASTEN_OK)
        return status;
    if (!header_is_ours(&header))
        return HASTEN_NOT_FOUND;
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > HASTEN_ELF_SEGMENTS_MAX ||
        base > HASTEN_ELF_ADDRESS_MAX || header.e_phoff > HASTEN_ELF_SPAN_MAX)
        return HASTEN_INVALID;
    status = reader.read(reader.context, base + header.e_phoff, segments,
                         header.e_phnum * sizeof(Elf64_Phdr));
    if (status != HASTEN_OK)
        return status;
    status = measure(&image, base, segments, header.e_phnum);
    if (status != HASTEN_OK)
        return status;
    for (size_t i = 0; i < header.e_phnum; i++) {
        if (segments[i].p_type != PT_DYNAMIC)
            continue;
        status = read_dynamic(&image, &segments[i]);
        if (status != HASTEN_OK)
            return status;
        break;
    }
    if (image.strings == 0 || (image.gnu_hash == 0 && image.hash == 0))
        image.symbols = 0;
    *ret_image = image;
    return HASTEN_OK;
}

/* Whether symbol number `index` is a definition of `name`. OK: it is;
 * NOT_FOUND: it is not. */
static hasten_status match(const struct hasten_elf_image *image, uint64_t index, const char *name,
                           struct hasten_elf_symbol *ret_symbol) {
    char text[HASTEN_ELF_NAME_MAX + 1];
    size_t size = strlen(name) + 1;
    Elf64_Sym symbol;

    hasten_status status =
        fetch(image, image->symbols + index * sizeof symbol, &symbol, sizeof symbol);
    if (status != HASTEN_OK)
        return status;
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS ||
        symbol.st_name >= image->strings_size || size > image->strings_size - symbol.st_name)
        return HASTEN_NOT_FOUND;
    status = fetch(image, image->strings + symbol.st_name, text, size);
    if (status != HASTEN_OK)
        return status;
    if (memcmp(text, name, size) != 0)
        return HASTEN_NOT_FOUND;
    if (symbol.st_value > HASTEN_ELF_ADDRESS_MAX)
        return HASTEN_INVALID;
    uint64_t address = image->bias + symbol.st_value;
    if (address < image->start || address >= image->end || symbol.st_size > image->end - address)
        return HASTEN_INVALID;
    *ret_symbol = (struct hasten_elf_symbol){address, symbol.st_size};
    return HASTEN_OK;
}

static uint32_t gnu_hash_of(const char *name) {
    uint32_t hash = 5381;

    for (; *name != '\0'; name++)
        hash = hash * 33 + (uint8_t)*name;
    return hash;
}

static hasten_status find_gnu(const struct hasten_elf_image *image, const char *name,
                              struct hasten_elf_symbol *ret_symbol) {
    struct {
        uint32_t buckets, first, bloom_words, bloom_shift;
    } header;
    uint32_t index, wanted = gnu_hash_of(name);

    hasten_status status = fetch(image, image->gnu_hash, &header, sizeof header);
    if (status != HASTEN_OK)
        return status;
    if (header.buckets == 0)
        return HASTEN_NOT_FOUND;
    uint64_t buckets = image->gnu_hash + sizeof header + UINT64_C(8) * header.bloom_words;
    uint64_t chains = buckets + UINT64_C(4) * header.buckets;
    status = fetch(image, buckets + UINT64_C(4) * (wanted % header.buckets), &index, sizeof index);
    if (status != HASTEN_OK)
        return status;
    if (index < header.first)
        return HASTEN_NOT_FOUND;
    for (uint32_t step = 0; step < HASTEN_ELF_CHAIN_MAX && index != UINT32_MAX; step++, index++) {
        uint32_t hash;
        status = fetch(image, chains + UINT64_C(4) * (index - header.first), &hash, sizeof hash);
        if (status != HASTEN_OK)
            return status;
        if ((hash | 1) == (wanted | 1)) {
            status = match(image, index, name, ret_symbol);
            if (status != HASTEN_NOT_FOUND)
                return status;
        }
        if ((hash & 1) != 0) /* the chain's last */
            break;
    }
    return HASTEN_NOT_FOUND;
}

static uint32_t sysv_hash_of(const char *name) {
    uint32_t hash = 0;

    for (; *name != '\0'; name++) {
        hash = (hash << 4) + (uint8_t)*name;
        uint32_t high = hash & UINT32_C(0xf0000000);
        hash = (hash ^ (high >> 24)) & ~high;
    }
    return hash;
}

static hasten_status find_sysv(const struct hasten_elf_image *image, const char *name,
                               struct hasten_elf_symbol *ret_symbol) {
    struct {
        uint32_t buckets, chains;
    } header;
    uint32_t index;

    hasten_status status = fetch(image, image->hash, &header, sizeof header);
    if (status != HASTEN_OK)
        return status;
    if (header.buckets == 0)
        return HASTEN_NOT_FOUND;
    uint64_t buckets = image->hash + sizeof header;
    uint64_t chains = buckets + UINT64_C(4) * header.buckets;
    uint64_t at = buckets + UINT64_C(4) * (sysv_hash_of(name) % header.buckets);
    for (uint32_t step = 0; step < HASTEN_ELF_CHAIN_MAX; step++) {
        status = fetch(image, at, &index, sizeof index);
        if (status != HASTEN_OK)
            return status;
        if (index == STN_UNDEF || index >= header.chains)
            return HASTEN_NOT_FOUND;
        status = match(image, index, name, ret_symbol);
        if (status != HASTEN_NOT_FOUND)
            return status;
        at = chains + UINT64_C(4) * index;
    }
    return HASTEN_NOT_FOUND;
}

hasten_status hasten_elf_find(const struct hasten_elf_image *image, const char *name,
                              struct hasten_elf_symbol *ret_symbol) {
    if (image->symbols == 0)
        return HASTEN_NOT_FOUND;
    if (strlen(name) > HASTEN_ELF_NAME_MAX)
        return HASTEN_INVALID;
    if (image->gnu_hash != 0)
        return find_gnu(image, name, ret_symbol);
    return find_sysv(image, name, ret_symbol);
}
