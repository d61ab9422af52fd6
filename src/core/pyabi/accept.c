/* SPDX-License-Identifier: MIT
 *
 * Version, layout, live check: what an interpreter must pass. */
#include "core/pyabi/accept.h"

#include <stdio.h>

#include "core/pyabi/debugmap.h"
#include "core/pyabi/interpreter.h"
#include "core/pyabi/livecheck.h"

/* "3.15.0a2" of a PY_VERSION_HEX. */
static void version_text(uint32_t hex, char text[32]) {
    static const char *const levels[16] = {[0xa] = "a", [0xb] = "b", [0xc] = "rc"};
    const char *level = levels[hex >> 4 & 0xf];
    int length = snprintf(text, 32, "%u.%u.%u", hex >> 24, hex >> 16 & 0xff, hex >> 8 & 0xff);

    if (level != NULL && length > 0)
        (void)snprintf(text + length, (size_t)(32 - length), "%s%u", level, hex & 0xf);
}

/* `what` completes "process 1 runs CPython 3.15.0 (path), ...". */
static hasten_status refuse_version(uint32_t pid, uint32_t hex, const char *path, const char *what,
                                    struct hasten_error *error) {
    char text[32];

    version_text(hex, text);
    return hasten_error_set(error, HASTEN_UNSUPPORTED, -1, "process %u runs CPython %s (%.200s)%s",
                            pid, text, path, what);
}

static hasten_status check_version(uint32_t pid, uint32_t hex, const char *path,
                                   struct hasten_error *error) {
    uint32_t level = hex >> 4 & 0xf;

    /* An executable's own copy of a library's symbol is empty until the dynamic
     * linker has filled it. */
    if (hex == 0)
        return hasten_error_set(error, HASTEN_NOT_READY, -1,
                                "the Python in process %u is not initialised yet", pid);
    if (hasten_layout_of(hex >> 16) == NULL)
        return refuse_version(pid, hex, path, ": hasten supports CPython 3.11 to 3.15", error);
    if (level != 0xc && level != 0xf)
        return refuse_version(pid, hex, path,
                              ", a preview: hasten supports final releases and candidates of them",
                              error);
    return HASTEN_OK;
}

static hasten_status make_layout(uint32_t pid, hasten_raddr runtime, uint32_t hex,
                                 struct hasten_layout *ret_layout, struct hasten_error *error) {
    const struct hasten_layout *table = hasten_layout_of(hex >> 16);
    const struct hasten_debug_positions *positions = hasten_debug_positions_of(hex >> 16);
    uint8_t bytes[HASTEN_DEBUG_SIZE_MAX];
    uint32_t described, free_threaded;

    if (positions == NULL) {
        *ret_layout = *table;
        return HASTEN_OK;
    }
    hasten_status status = hasten_memory_read(pid, runtime, bytes, positions->total);
    if (status == HASTEN_OK)
        status = hasten_debug_head(bytes, &described, &free_threaded, error);
    if (status != HASTEN_OK)
        return status;
    if (described != hex)
        return hasten_error_set(error, HASTEN_BAD_LAYOUT, (int64_t)runtime.value,
                                "process %u calls itself CPython 0x%08x, but 0x%08x in the "
                                "description of its memory",
                                pid, hex, described);
    return hasten_debug_layout(bytes, positions->total, table, positions, ret_layout, error);
}

hasten_status hasten_accept(uint32_t pid, const struct hasten_claim *claim,
                            struct hasten_layout *ret_layout, struct hasten_error *error) {
    struct hasten_layout layout;
    hasten_status status = check_version(pid, claim->version_hex, claim->path, error);

    if (status == HASTEN_OK && claim->is_debug_build)
        status = refuse_version(pid, claim->version_hex, claim->path,
                                ", a debug build: hasten supports ordinary builds", error);
    if (status == HASTEN_OK)
        status = make_layout(pid, claim->runtime, claim->version_hex, &layout, error);
    if (status == HASTEN_OK)
        status = hasten_livecheck(pid, claim->runtime, &layout, error);
    if (status == HASTEN_OK)
        *ret_layout = layout;
    return status;
}
