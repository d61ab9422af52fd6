/* SPDX-License-Identifier: MIT
 *
 * What each compressed format needs of the library that reads it. A file is one member or
 * several, one after the other; a member knows where it ends. */
#ifndef HASTEN_STREAM_CODEC_H
#define HASTEN_STREAM_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hasten_codec_step {
    HASTEN_CODEC_ON,  /* wants input or room */
    HASTEN_CODEC_END, /* the member is over */
    HASTEN_CODEC_BAD,
    HASTEN_CODEC_NO_MEMORY
};

/* Moved on by what was taken and given. */
struct hasten_codec_io {
    const uint8_t *in;
    size_t in_size;
    uint8_t *out;
    size_t out_size;
    const char *why; /* it is bad; a constant text */
};

struct hasten_codec {
    const char *name;
    const uint8_t *magic[2]; /* how a file begins; 0 stands for any byte */
    size_t magic_size[2];    /* 0: there is no other way */
    bool has_padding;        /* zeros between members mean nothing */
    bool is_strict_at_end;   /* what is no member is not passed over */
    void *(*make)(void);     /* ready for a member; NULL: no memory */
    bool (*again)(void *state);
    enum hasten_codec_step (*step)(void *state, struct hasten_codec_io *io);
    void (*end)(void *state);
};

extern const struct hasten_codec hasten_codec_gzip;
extern const struct hasten_codec hasten_codec_zstd;
extern const struct hasten_codec hasten_codec_xz;
extern const struct hasten_codec hasten_codec_bzip2;

/* By name ("gzip"); NULL: none. */
const struct hasten_codec *hasten_codec_named(const char *name);
/* By how the data begins. `*ret_undecided`: not yet, for it could become the beginning of
 * one; more has to be seen. */
const struct hasten_codec *hasten_codec_recognised(const uint8_t *data, size_t size,
                                                   bool *ret_undecided);

/* Whether data begin as a file of this format does, or may do so once there are more. */
bool hasten_codec_begins(const struct hasten_codec *codec, const uint8_t *data, size_t size,
                         bool *ret_undecided);

/* The most bytes that recognising takes. */
#define HASTEN_CODEC_MAGIC_MAX 10

#endif
