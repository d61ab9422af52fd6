/* SPDX-License-Identifier: MIT
 *
 * One interpreter (main or sub) of a process: the few fields that are read with
 * every sample, the pulse: who holds the GIL, whether the collector runs, whether
 * threads came or code objects went. */
#ifndef HASTEN_SAMPLING_INTERP_H
#define HASTEN_SAMPLING_INTERP_H

#include "core/pyabi/interpreter.h"

#define HASTEN_INTERP_PIECES 8
#define HASTEN_INTERP_PULSE_MAX 12288

struct hasten_pulse {
    uint64_t threads_head;
    uint64_t next_unique_id;
    uint64_t code_generation; /* counts freed code objects, 0 where the version does not */
    uint32_t code_counter;    /* counts made ones, 0 where it does not or cannot any more */
    uint64_t gil_holder;      /* thread state that holds the GIL, 0: nobody */
    uint64_t next_interp;
    bool collecting;
};

struct hasten_interp {
    uint64_t address;
    int64_t id;            /* 0: the main interpreter */
    uint64_t gil;          /* address of its GIL's structure */
    uint64_t gil_size;     /* bytes in which a futex belongs to the GIL */
    uint64_t code_counter; /* its address, 0: the version has none, or it is elsewhere */
    uint64_t codes_seen;   /* the pulse's counter of either kind, as last seen */
    bool counts_codes;     /* it has one that works */
    bool codes_change;     /* it had changed when it was last read */
    size_t piece_count;
    struct hasten_read pieces[HASTEN_INTERP_PIECES]; /* into `bytes` */
    uint8_t bytes[HASTEN_INTERP_PULSE_MAX];
};

/* Prepares the pieces; reads the GIL's address. NOT_READY: it has none yet. */
HASTEN_CHECKED hasten_status hasten_interp_init(struct hasten_interp *interp,
                                                const struct hasten_interpreter *interpreter,
                                                uint64_t address);
/* What the pieces said when they were last read. */
struct hasten_pulse hasten_interp_pulse(const struct hasten_interp *interp,
                                        const struct hasten_interpreter *interpreter);

#endif
