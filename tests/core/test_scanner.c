/* SPDX-License-Identifier: MIT
 *
 * Kernels, ends of lines, regions and scanner against their models, with random text whose
 * few letters make every coincidence likely. */
#include "core/stream/scanner.h"

#include <stdlib.h>

#include "check.h"
#include "failing_allocator.h"
#include "lines_model.h"
#include "memory_source.h"

#define TEXT_SIZE 700
#define ROUNDS 400

static uint32_t random_state = 1;

static uint32_t next_random(uint32_t below) {
    random_state ^= random_state << 13; /* xorshift32 (Marsaglia 2003) */
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

static void fill(uint8_t *text, size_t size, const char *letters) {
    const uint32_t count = (uint32_t)strlen(letters);
    for (size_t i = 0; i < size; i++) {
        text[i] = (uint8_t)letters[next_random(count)];
    }
}

/* A copy that ends where its memory does: a sanitizer sees reads beyond. */
static uint8_t *exact(const uint8_t *text, size_t size) {
    uint8_t *copy = malloc(size + (size == 0));
    if (copy != NULL && size != 0) {
        memcpy(copy, text, size);
    }
    return copy;
}

static void compare_kernels(const struct hasten_kernels *kernels, const uint8_t *text,
                            size_t size) {
    struct hasten_span spans[TEXT_SIZE];
    unsigned kinds = 0;
    size_t feeds = 0;
    for (size_t i = 0; i < size; i++) {
        kinds |= text[i] >= 0x80 ? HASTEN_BYTES_HIGH : 0u;
        kinds |= text[i] == '\r' ? HASTEN_BYTES_RETURN : 0u;
        feeds += text[i] == '\n';
    }
    CHECK_EQ_INT(kernels->classify(text, size), kinds);
    CHECK_EQ_INT(kernels->count(text, size, '\n'), feeds);
    const size_t start = size == 0 ? 0 : next_random((uint32_t)size);
    const size_t capacity = next_random(TEXT_SIZE);
    size_t at = start;
    const size_t count = kernels->split(text, size, '\n', start, spans, capacity);
    for (size_t i = 0; i < count; i++) {
        CHECK_EQ_INT(spans[i].start, at);
        at = model_line_end(HASTEN_NEWLINE_LF, text, size, at);
        CHECK_EQ_INT(spans[i].end, at);
        CHECK_EQ_INT(text[at - 1], '\n');
    }
    CHECK(count == capacity || memchr(text + at, '\n', size - at) == NULL);
}

static void compare_find(const struct hasten_kernels *kernels, const uint8_t *text, size_t size,
                         const uint8_t *bytes, size_t needle_size) {
    const struct hasten_needle needle = hasten_needle_make(bytes, needle_size);
    size_t expected = 0;
    while (expected + needle_size <= size && memcmp(text + expected, bytes, needle_size) != 0) {
        expected++;
    }
    CHECK_EQ_INT(kernels->find(text, size, &needle),
                 expected + needle_size <= size ? expected : size);
}

static void test_kernels(void) {
    const struct hasten_kernels *all[HASTEN_KERNELS_MAX];
    const size_t count = hasten_kernels_list(all);
    CHECK(count >= 1);
    CHECK(hasten_kernels_best() == all[0]);
    CHECK_EQ_STR(all[count - 1]->name, "portable");
    for (size_t round = 0; round < ROUNDS; round++) {
        uint8_t text[TEXT_SIZE];
        uint8_t bytes[TEXT_SIZE];
        const size_t size = next_random(round % 2 == 0 ? 100 : TEXT_SIZE);
        fill(text, size, round % 3 == 0 ? "a" : round % 3 == 1 ? "ab\n" : "abcde\r\n\xc3\xa4");
        uint8_t *copy = exact(text, size);
        const size_t needle_size = 1 + next_random(round % 5 == 0 ? 90 : 4);
        fill(bytes, needle_size, round % 3 == 0 ? "a" : "ab");
        bytes[next_random((uint32_t)needle_size)] = round % 4 == 0 ? 'b' : 'a';
        for (size_t i = 0; copy != NULL && i < count; i++) {
            compare_kernels(all[i], copy, size);
            compare_find(all[i], copy, size, bytes, needle_size);
        }
        free(copy);
    }
}

/* Text in which the two bytes that are compared first are everywhere takes linear time. */
static void test_find_in_the_worst_text(void) {
    const size_t size = 1 << 20;
    uint8_t *text = malloc(size);
    uint8_t needle[4096];
    if (!CHECK(text != NULL)) {
        return;
    }
    memset(text, 'a', size);
    memset(needle, 'a', sizeof needle);
    needle[sizeof needle / 2] = 'b';
    const struct hasten_needle made = hasten_needle_make(needle, sizeof needle);
    CHECK_EQ_INT(hasten_kernels_best()->find(text, size, &made), size);
    free(text);
}

static void test_newlines(void) {
    for (size_t round = 0; round < ROUNDS; round++) {
        uint8_t text[40];
        const size_t size = next_random(sizeof text);
        fill(text, size, "ab\r\n");
        uint8_t *copy = exact(text, size);
        for (unsigned rule = HASTEN_NEWLINE_LF; copy != NULL && rule <= HASTEN_NEWLINE_ANY;
             rule++) {
            size_t last = 0;
            for (size_t at = 0; at < size;) {
                const size_t end = model_line_end(rule, copy, size, at);
                CHECK_EQ_INT(hasten_newline_after(rule, copy, size, at), end);
                const size_t ending = hasten_newline_size(rule, copy + at, end - at);
                CHECK(end == size || ending != 0);
                CHECK_EQ_INT(model_line_end(rule, copy, end - ending, at), end - ending);
                last = ending != 0 ? end : last;
                at = end;
            }
            CHECK_EQ_INT(hasten_newline_before(rule, copy, 0, size), last);
            const size_t complete = hasten_newline_complete(rule, copy, size);
            CHECK(complete <= last);
            CHECK(complete == last || (rule == HASTEN_NEWLINE_ANY && copy[size - 1] == '\r'));
        }
        free(copy);
    }
}

/* Lines of any length around those that are looked through at a time. */
static void test_long_lines(void) {
    uint8_t *text = malloc(5000);
    if (!CHECK(text != NULL)) {
        return;
    }
    for (size_t length = 240; length < 4999; length += length < 280 ? 1 : 239) {
        static const char *const ENDS[] = {"\n", "\r", "\r\n", "\n\r", ""};
        for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
            const size_t ending = strlen(ENDS[i]);
            memset(text, 'a', length);
            memcpy(text + length, ENDS[i], ending);
            const size_t size = length + ending;
            for (unsigned rule = HASTEN_NEWLINE_LF; rule <= HASTEN_NEWLINE_ANY; rule++) {
                CHECK_EQ_INT(hasten_newline_after(rule, text, size, 0),
                             model_line_end(rule, text, size, 0));
            }
        }
    }
    free(text);
}

struct question {
    const uint8_t *const *needles;
    const size_t *sizes;
    size_t count;
    bool is_searching;
    unsigned wanted;
    enum hasten_newline rule;
};

static bool is_candidate(const struct question *question, const uint8_t *line, size_t size) {
    bool found = !question->is_searching;
    for (size_t i = 0; i < question->count; i++) {
        found = found || model_contains(line, size, question->needles[i], question->sizes[i]);
    }
    return found;
}

static void compare_scan(const struct question *question, const uint8_t *text, size_t size,
                         size_t capacity) {
    struct hasten_scanner scanner;
    struct hasten_span spans[16];
    if (!CHECK_STATUS(hasten_scanner_init(&scanner, question->needles, question->sizes,
                                          question->count, question->is_searching, question->wanted,
                                          NULL),
                      HASTEN_OK)) {
        return;
    }
    hasten_scanner_begin(&scanner, text, size, question->rule);
    size_t count = 0;
    size_t next = 0;
    uint64_t expected = 0;
    for (size_t at = 0; at < size;) {
        const size_t end = model_line_end(question->rule, text, size, at);
        const bool candidate = is_candidate(question, text + at, end - at);
        const bool is_wanted =
            (question->wanted & (candidate ? HASTEN_WANTED_CANDIDATES : HASTEN_WANTED_REST)) != 0;
        if (is_wanted) {
            if (next == count) {
                count = hasten_scanner_next(&scanner, spans, capacity);
                next = 0;
            }
            if (!CHECK(next < count)) {
                break;
            }
            CHECK_EQ_INT(spans[next].start, at);
            CHECK_EQ_INT(spans[next].end, end);
            CHECK_EQ_INT(spans[next].is_candidate, candidate);
            next++;
            expected++;
        }
        at = end;
    }
    CHECK_EQ_INT(next, count);
    CHECK_EQ_INT(hasten_scanner_next(&scanner, spans, capacity), 0);
    hasten_scanner_begin(&scanner, text, size, question->rule);
    CHECK_EQ_INT(hasten_scanner_count(&scanner), expected);
    hasten_scanner_done(&scanner);
}

static void test_scanner(void) {
    static const char *const needles[] = {"ab", "cc", "a", "abcab"};
    for (size_t round = 0; round < ROUNDS * 4; round++) {
        uint8_t text[200];
        const size_t size = next_random(sizeof text);
        fill(text, size, round % 2 == 0 ? "abc\r\n" : "abcdefgh\n");
        const uint8_t *chosen[3];
        size_t sizes[3];
        const size_t count = next_random(4);
        for (size_t i = 0; i < count; i++) {
            const char *needle = needles[next_random(4)];
            chosen[i] = (const uint8_t *)needle;
            sizes[i] = strlen(needle);
        }
        const struct question question = {
            chosen,         sizes,
            count,          count != 0 || round % 3 == 0,
            next_random(4), (enum hasten_newline)next_random(4),
        };
        uint8_t *copy = exact(text, size);
        if (copy != NULL && (question.is_searching || question.wanted != HASTEN_WANTED_REST)) {
            compare_scan(&question, copy, size, 1 + next_random(16));
        }
        free(copy);
    }
}

/* Regions are whole lines, all of the text, and no line is longer than the limit. */
static void compare_regions(struct memory_source *memory, enum hasten_newline rule,
                            size_t block_size, size_t limit) {
    struct hasten_regions regions;
    const uint8_t *text = memory->data;
    size_t good = memory->size;
    for (size_t at = 0; limit != 0 && at < memory->size && good == memory->size;) {
        const size_t end = model_line_end(rule, text, memory->size, at);
        if (end - at - hasten_newline_size(rule, text + at, end - at) > limit) {
            good = at;
        }
        at = end;
    }
    if (!CHECK_STATUS(hasten_regions_init(&regions, rule, block_size, limit, NULL), HASTEN_OK)) {
        return;
    }
    size_t at = 0;
    hasten_status status = HASTEN_OK;
    struct hasten_error error = {HASTEN_OK, -1, ""};
    for (;;) {
        const uint8_t *data = NULL;
        size_t size = 0;
        status = hasten_regions_next(&regions, memory_source_of(memory), &data, &size, &error);
        if (status == HASTEN_INTERRUPTED) {
            continue;
        }
        if (status != HASTEN_OK || size == 0) {
            break;
        }
        if (!CHECK(at + size <= memory->size) || !CHECK(memcmp(data, text + at, size) == 0)) {
            break;
        }
        /* Its end is one of a line. */
        size_t end = at;
        while (end < at + size) {
            end = model_line_end(rule, text, memory->size, end);
        }
        CHECK_EQ_INT(end, at + size);
        at += size;
    }
    if (memory->fails_at_end && good == memory->size) {
        CHECK_STATUS(status, HASTEN_IO);
        CHECK_EQ_INT(at, hasten_newline_complete(rule, text, memory->size));
    } else {
        CHECK_STATUS(status, good == memory->size ? HASTEN_OK : HASTEN_LIMIT);
        CHECK_EQ_INT(at, good);
        CHECK(status == HASTEN_OK || error.position == (int64_t)good);
    }
    hasten_regions_done(&regions);
}

static void test_regions(void) {
    for (size_t round = 0; round < ROUNDS * 4; round++) {
        uint8_t text[300];
        const size_t size = next_random(sizeof text);
        fill(text, size, round % 2 == 0 ? "ab\r\n" : "abcdefghij\r\n");
        struct memory_source memory = {
            .data = text,
            .size = size,
            .piece = next_random(3) == 0 ? 1 + next_random(40) : 0,
            .interrupt_every = next_random(3) == 0 ? 2 : 0,
            .fails_at_end = next_random(4) == 0,
        };
        compare_regions(&memory, (enum hasten_newline)next_random(4), 1 + next_random(60),
                        next_random(2) * (1 + next_random(30)));
    }
}

static void test_out_of_memory(void) {
    const uint8_t *needles[] = {(const uint8_t *)"ab"};
    const size_t sizes[] = {2};
    uint8_t text[200];
    memset(text, 'a', sizeof text);
    for (size_t fail_at = 1;; fail_at++) {
        struct failing_allocator failing;
        failing_allocator_init(&failing, fail_at, false);
        struct hasten_scanner scanner = {.allocator = &failing.allocator};
        struct hasten_regions regions = {.allocator = &failing.allocator};
        struct memory_source memory = {.data = text, .size = sizeof text};
        const uint8_t *data = NULL;
        size_t size = 0;
        hasten_status status = hasten_scanner_init(&scanner, needles, sizes, 1, true,
                                                   HASTEN_WANTED_REST, &failing.allocator);
        if (status == HASTEN_OK) {
            status = hasten_regions_init(&regions, HASTEN_NEWLINE_LF, 16, 0, &failing.allocator);
        }
        if (status == HASTEN_OK) {
            status = hasten_regions_next(&regions, memory_source_of(&memory), &data, &size, NULL);
            CHECK(status == HASTEN_NO_MEMORY || size == sizeof text);
        }
        CHECK_STATUS(status, failing.failed ? HASTEN_NO_MEMORY : HASTEN_OK);
        hasten_scanner_done(&scanner);
        hasten_regions_done(&regions);
        CHECK_EQ_INT(failing.live_blocks, 0);
        CHECK(!failing.wrong_size);
        if (!failing.failed) {
            CHECK(fail_at > 3);
            break;
        }
    }
}

int main(void) {
    test_kernels();
    test_find_in_the_worst_text();
    test_newlines();
    test_long_lines();
    test_scanner();
    test_regions();
    test_out_of_memory();
    return check_done();
}
