/* SPDX-License-Identifier: MIT
 *
 * Identifies generators. */
#include "core/sampling/generators.h"

#include "core/sampling/load.h"
#include "core/sampling/resolve.h"

/* Reads after which a caller is believed to run itself, whatever it names. */
#define UNSURE_TRIES 8

hasten_status hasten_generator_look(const struct hasten_view *view, struct hasten_frame *frame,
                                    bool *ret_found) {
    const struct hasten_layout *layout = view->layout;
    bool started = false;
    *ret_found = false;
    frame->owner = hasten_load_u8(frame->bytes, layout->frame_owner);
    frame->code_address = hasten_frame_code(layout, frame->bytes);
    if (frame->owner != layout->owner_generator || frame->code_address == 0)
        return HASTEN_OK;
    hasten_status status = hasten_resolve_code(view, frame, &started);
    if (status == HASTEN_TORN || (status == HASTEN_OK && !started))
        return HASTEN_OK;
    if (status == HASTEN_OK)
        status = hasten_resolve_want(view, frame);
    *ret_found = status == HASTEN_OK;
    return status;
}

/* It ran this code before and after its caller was copied. */
static bool is_certain(const struct hasten_view *view, const struct hasten_frame *caller,
                       const struct hasten_frame *generator) {
    const uint8_t *after = hasten_snapshot_after(view->snapshot, generator->address);
    uint32_t at = view->layout->frame_code;
    if (!generator->bytes || (generator->traits & HASTEN_UNIT_RETURN))
        return false;
    if (after)
        return hasten_load_u64(after, at) == hasten_load_u64(generator->bytes, at);
    return hasten_frame_stands_still(view, caller) && hasten_frame_keeps_code(view, generator);
}

/* What the caller's instruction resumed last. */
static hasten_status recall(const struct hasten_view *view, const struct hasten_frame *caller,
                            struct hasten_frame *ret_last, bool *ret_known) {
    struct hasten_resumed resumed;
    *ret_known = false;
    if (!hasten_edges_recall(view->edges, caller->code->code, caller->unit, &resumed))
        return HASTEN_OK;
    struct hasten_code_entry *entry = hasten_codes_find(view->codes, resumed.code_address);
    if (!entry || entry->code == HASTEN_NONE || resumed.unit >= entry->unit_count)
        return HASTEN_OK;
    if (entry->verified_epoch != view->codes->epoch) {
        view->walk->missing_code = resumed.code_address;
        return HASTEN_NOT_FOUND;
    }
    *ret_last = (struct hasten_frame){
        .code_address = resumed.code_address,
        .code = entry,
        .unit = resumed.unit,
        .traits = entry->units[resumed.unit] & ~HASTEN_UNIT_BACK,
        .owner = view->layout->owner_generator,
    };
    *ret_known = true;
    return HASTEN_OK;
}

hasten_status hasten_generator_identify(const struct hasten_view *view,
                                        const struct hasten_frame *caller,
                                        struct hasten_frame *generator, bool *found) {
    struct hasten_frame last;
    bool known;
    if (*found && is_certain(view, caller, generator)) {
        hasten_edges_remember(view->edges, caller->code->code, caller->unit,
                              (struct hasten_resumed){generator->code_address, generator->unit});
        return HASTEN_OK;
    }
    hasten_status status = recall(view, caller, &last, &known);
    if (status != HASTEN_OK)
        return status;
    if (!known) {
        view->walk->distant = true;
        *found = false;
        return view->walk->tries < UNSURE_TRIES ? HASTEN_TORN : HASTEN_OK;
    }
    bool agrees = *found && generator->code_address == last.code_address &&
                  !(generator->traits & HASTEN_UNIT_RETURN);
    if (!agrees) { /* it is taken to be where the last one was */
        last.address = generator->address;
        last.entered_from_c = generator->entered_from_c;
        *generator = last;
    }
    *found = true;
    return HASTEN_OK;
}
