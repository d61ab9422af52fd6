/* SPDX-License-Identifier: MIT
 *
 * The code objects of one process, by address.
 *
 * An address can be reused: a code object is freed and another one made in its
 * place. So an entry is trusted only in the epoch in which its fingerprint (what
 * tells two code objects apart) was last compared with the process's memory.
 * The owner begins a new epoch whenever a code object may have been freed. */
#ifndef HASTEN_SAMPLING_CODES_H
#define HASTEN_SAMPLING_CODES_H

#include "core/base/buffer.h"
#include "core/base/map.h"
#include "core/pyabi/interpreter.h"
#include "core/pyabi/opcodes.h"
#include "hasten/recorder.h"

/* Entries kept before the table starts anew: bounds memory in programs that
 * make code objects without end. */
#define HASTEN_CODES_MAX 100000
/* Largest bytecode that is scanned, in 2-byte units. */
#define HASTEN_CODE_UNITS_MAX (1u << 20)
/* Bytes of a code object that hold its fingerprint, in every version. */
#define HASTEN_CODE_HEAD_MAX 512

/* Slots of the direct-mapped cache; a power of two. */
#define HASTEN_CODES_RECENT 512

/* Bits of hasten_code_entry.units. */
#define HASTEN_UNIT_BACK 0x0f     /* units back to the instruction's start */
#define HASTEN_UNIT_ITERATES 0x10 /* resumes the generator on top of the value stack */
#define HASTEN_UNIT_RETURN 0x20   /* ends the frame */
#define HASTEN_UNIT_MAY_PUSH 0x40 /* a Python frame may be pushed here without C between */
#define HASTEN_UNIT_CALL 0x80     /* calls an arbitrary callable */

struct hasten_code_entry {
    uint64_t address;
    uint64_t fingerprint;
    uint64_t verified_epoch;
    uint32_t code;        /* the recorder's identifier; HASTEN_NONE: not a code object */
    uint32_t frame_words; /* of its frames on the data stack */
    uint32_t unit_count;
    uint32_t first_traceable; /* units; frames before it have not started */
    uint8_t *units;
    /* The call and callee (the recorder's code) that were last found believable. */
    uint32_t call_unit, callee;
    uint32_t call_sightings; /* of this pair, not counted yet */
};

struct hasten_codes {
    const struct hasten_allocator *allocator;
    struct hasten_recorder *recorder;
    const struct hasten_opcodes *opcodes;
    struct hasten_map by_address;
    struct hasten_code_entry **recent; /* direct-mapped in front of it; may be NULL */
    struct hasten_code_entry **entries;
    size_t count;
    size_t capacity;
    uint64_t epoch;
    uint64_t code_type; /* address of PyCode_Type once known, else 0 */
    struct hasten_buffer text, line_table, bytecode;
    uint32_t head_low, head_size; /* the bytes of a code object that are fingerprinted */
};

void hasten_codes_init(struct hasten_codes *codes, struct hasten_recorder *recorder,
                       const struct hasten_allocator *allocator);
void hasten_codes_done(struct hasten_codes *codes);
/* Forgets everything: the process runs another program now. */
void hasten_codes_reset(struct hasten_codes *codes, const struct hasten_interpreter *interpreter);

/* The entry for an address, verified or not; NULL when there is none. */
struct hasten_code_entry *hasten_codes_find(const struct hasten_codes *codes, uint64_t address);

/* Where the fingerprinted bytes of the code object at `address` are. */
struct hasten_read hasten_codes_head(const struct hasten_codes *codes, uint64_t address,
                                     void *into);
/* Compares `head`, read as hasten_codes_head says, and marks the entry verified
 * in this epoch; false where it is another code object by now. */
bool hasten_codes_verify(const struct hasten_codes *codes,
                         const struct hasten_interpreter *interpreter,
                         struct hasten_code_entry *entry, const uint8_t *head);

/* Reads the code object at `address` and enters it (in place of an older entry).
 * `process` is the recorder's. GONE where memory does not look like one. */
HASTEN_CHECKED hasten_status hasten_codes_load(struct hasten_codes *codes,
                                               const struct hasten_interpreter *interpreter,
                                               uint32_t process, uint64_t address,
                                               struct hasten_code_entry **ret_entry);

#endif
