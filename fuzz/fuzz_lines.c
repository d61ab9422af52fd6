/* SPDX-License-Identifier: MIT
 *
 * The input's first bytes choose a rule, the size of blocks and pieces and a limit; then
 * comes a needle, which ends with 0; the rest is text. Its lines are those of the model. */
#include <stdlib.h>
#include <string.h>

#include "../tests/core/lines_model.h"
#include "../tests/core/memory_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int held) {
    if (!held) {
        abort();
    }
}

struct expected {
    const uint8_t *text;
    size_t size;
    const uint8_t *needle;
    size_t needle_size;
    enum hasten_newline rule;
    size_t limit;
    size_t at;
};

/* The next line of the model is that of the span. */
static void must_be_next(struct expected *expected, const uint8_t *line,
                         const struct hasten_span *span) {
    const size_t end = model_line_end(expected->rule, expected->text, expected->size, expected->at);
    const size_t size = end - expected->at;
    must(span->end - span->start == size);
    must(memcmp(line + span->start, expected->text + expected->at, size) == 0);
    must(span->is_candidate ==
         (expected->needle_size == 0 ||
          model_contains(line + span->start, size, expected->needle, expected->needle_size)));
    must(expected->limit == 0 ||
         size - hasten_newline_size(expected->rule, line + span->start, size) <= expected->limit);
    expected->at = end;
}

static void check(struct expected *expected, size_t block_size, size_t piece) {
    struct memory_source memory = {
        .data = expected->text, .size = expected->size, .piece = piece, .interrupt_every = 3};
    struct hasten_regions regions;
    struct hasten_scanner scanner;
    must(hasten_regions_init(&regions, expected->rule, block_size, expected->limit, NULL) ==
         HASTEN_OK);
    must(hasten_scanner_init(&scanner, &expected->needle, &expected->needle_size,
                             expected->needle_size != 0, expected->needle_size != 0,
                             HASTEN_WANTED_CANDIDATES | HASTEN_WANTED_REST, NULL) == HASTEN_OK);
    const uint8_t *region = NULL;
    size_t region_size = 1;
    hasten_status status = HASTEN_OK;
    while (region_size != 0 && (status == HASTEN_OK || status == HASTEN_INTERRUPTED)) {
        status =
            hasten_regions_next(&regions, memory_source_of(&memory), &region, &region_size, NULL);
        if (status != HASTEN_OK) {
            continue;
        }
        hasten_scanner_begin(&scanner, region, region_size, expected->rule);
        struct hasten_span spans[5];
        for (size_t count; (count = hasten_scanner_next(&scanner, spans, 5)) != 0;) {
            for (size_t i = 0; i < count; i++) {
                must_be_next(expected, region, &spans[i]);
            }
        }
    }
    must(status == HASTEN_LIMIT ? expected->limit != 0 : expected->at == expected->size);
    hasten_regions_done(&regions);
    hasten_scanner_done(&scanner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) {
        return 0;
    }
    const uint8_t *text = data + 4;
    size_t text_size = size - 4;
    uint8_t needle[16];
    size_t needle_size = 0;
    while (text_size != 0 && *text != 0 && needle_size < sizeof needle) {
        if (*text != '\r' && *text != '\n') {
            needle[needle_size++] = *text;
        }
        text++;
        text_size--;
    }
    struct expected expected = {
        .text = text,
        .size = text_size,
        .needle = needle,
        .needle_size = needle_size,
        .rule = (enum hasten_newline)(data[0] % 4),
        .limit = data[1],
    };
    check(&expected, 1 + (size_t)data[2], data[3]);
    return 0;
}
