/* SPDX-License-Identifier: MIT
 *
 * From places in files to names. */
#include "cli/record/natives.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/heap/symbols.h"

/* "+0x1f2a4": an offset in the file. */
#define PLACE "+0x"

/* A native function that has no name yet. */
static bool is_place(const struct hasten_profile *profile, const struct hasten_code *code) {
    return code->first_line == -1 && code->linetable_size == 0 &&
           strncmp(profile->strings[code->name], PLACE, strlen(PLACE)) == 0;
}

/* One file at a time is open: codes are visited file by file. */
static hasten_status name_file(const struct hasten_profile *profile, struct hasten_profile *named,
                               uint32_t file) {
    struct hasten_symbols *symbols = NULL;
    if (hasten_symbols_open(profile->strings[file], NULL, &symbols) != HASTEN_OK) {
        symbols = NULL;
    }
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < profile->code_count && status == HASTEN_OK; i++) {
        const struct hasten_code *code = &profile->codes[i];
        if (code->file != file || !is_place(profile, code)) {
            continue;
        }
        const char *place = profile->strings[code->name] + strlen(PLACE);
        const char *name =
            symbols == NULL ? NULL : hasten_symbols_find(symbols, strtoull(place, NULL, 16));
        struct hasten_buffer clean;
        hasten_buffer_init(&clean, NULL);
        hasten_utf8_clean(&clean, name == NULL ? "?" : name, name == NULL ? 1 : strlen(name));
        char *text = strdup(hasten_buffer_cstring(&clean));
        hasten_buffer_done(&clean);
        if (text == NULL) {
            status = HASTEN_NO_MEMORY;
            break;
        }
        uint32_t string = (uint32_t)named->string_count++;
        named->strings[string] = text;
        named->codes[i].name = named->codes[i].qualname = string;
    }
    hasten_symbols_free(symbols);
    return status;
}

hasten_status cli_natives_name(const struct hasten_profile *profile,
                               struct hasten_profile *ret_named) {
    struct hasten_profile named = *profile;
    size_t strings = profile->string_count + profile->code_count;
    named.strings = calloc(strings + 1, sizeof *named.strings);
    named.codes = calloc(profile->code_count + 1, sizeof *named.codes);
    /* From here on the profile's own count is where ours begin. */
    named.storage = (void *)profile;
    hasten_status status =
        named.strings == NULL || named.codes == NULL ? HASTEN_NO_MEMORY : HASTEN_OK;
    if (status == HASTEN_OK) {
        memcpy(named.strings, profile->strings, profile->string_count * sizeof *named.strings);
        memcpy(named.codes, profile->codes, profile->code_count * sizeof *named.codes);
    }
    for (size_t i = 0; i < profile->code_count && status == HASTEN_OK; i++) {
        const struct hasten_code *code = &named.codes[i];
        if (is_place(&named, code)) {
            status = name_file(profile, &named, code->file);
        }
    }
    if (status != HASTEN_OK) {
        cli_natives_done(&named);
        return status;
    }
    *ret_named = named;
    return HASTEN_OK;
}

void cli_natives_done(struct hasten_profile *named) {
    const struct hasten_profile *profile = named->storage;
    for (size_t i = profile->string_count; named->strings != NULL && i < named->string_count; i++) {
        free((char *)named->strings[i]);
    }
    free(named->strings);
    free(named->codes);
}
