/* SPDX-License-Identifier: MIT
 *
 * Status, allocator, buffer with cursor, checksum and clock. */
#include <stdint.h>

#include "check.h"
#include "core/base/buffer.h"
#include "core/base/checksum.h"
#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "failing_allocator.h"

static void test_status(void) {
    CHECK_EQ_STR(hasten_status_name(HASTEN_OK), "OK");
    CHECK_EQ_STR(hasten_status_name(HASTEN_NEWER), "NEWER");
    CHECK_EQ_STR(hasten_status_name((hasten_status)999), "UNKNOWN");
    CHECK_EQ_STR(hasten_status_sentence(HASTEN_NO_SPACE), "no space left on the device");
    CHECK_EQ_STR(hasten_status_sentence((hasten_status)-1), "unknown status");
    struct hasten_error error;
    CHECK_STATUS(hasten_error_set(&error, HASTEN_CORRUPT, 17, "block %d", 3), HASTEN_CORRUPT);
    CHECK_STATUS(error.status, HASTEN_CORRUPT);
    CHECK_EQ_INT(error.position, 17);
    CHECK_EQ_STR(error.message, "block 3");
    CHECK_STATUS(hasten_error_set(NULL, HASTEN_IO, -1, "nobody asked"), HASTEN_IO);
    hasten_error_set(&error, HASTEN_IO, -1, "%0600d", 1);
    CHECK_EQ_INT(strlen(error.message), sizeof error.message - 1);
}

static void test_grow(void) {
    struct failing_allocator memory;
    failing_allocator_init(&memory, 2, false);
    void *array = NULL;
    size_t capacity = 0;
    CHECK_EQ_INT(hasten_grow(&memory.allocator, &array, &capacity, 1, 8), 0);
    CHECK_EQ_INT(capacity, 16);
    void *before = array;
    CHECK_EQ_INT(hasten_grow(&memory.allocator, &array, &capacity, 17, 8), -1);
    CHECK(array == before);
    CHECK_EQ_INT(capacity, 16);
    CHECK_EQ_INT(hasten_grow(&memory.allocator, &array, &capacity, 100, 8), 0);
    CHECK_EQ_INT(capacity, 128);
    CHECK_EQ_INT(hasten_grow(&memory.allocator, &array, &capacity, SIZE_MAX / 4, 8), -1);
    CHECK_EQ_INT(hasten_grow(&memory.allocator, &array, &capacity, SIZE_MAX, 1), -1);
    hasten_release(&memory.allocator, array, capacity * 8);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
}

static void test_varints(void) {
    static const uint64_t values[] = {0,     1,          127,       128,       16383,
                                      16384, UINT32_MAX, INT64_MAX, UINT64_MAX};
    struct hasten_buffer buffer;
    hasten_buffer_init(&buffer, NULL);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        hasten_buffer_varint(&buffer, values[i]);
        hasten_buffer_varint_signed(&buffer, (int64_t)values[i]);
        hasten_buffer_varint_signed(&buffer, -(int64_t)(values[i] / 2));
    }
    hasten_buffer_varint_signed(&buffer, INT64_MIN);
    hasten_buffer_blob(&buffer, "abc", 3);
    CHECK(!buffer.failed);
    struct hasten_cursor cursor = {.data = (const uint8_t *)buffer.data, .size = buffer.size};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        CHECK(hasten_cursor_varint(&cursor) == values[i]);
        CHECK(hasten_cursor_varint_signed(&cursor) == (int64_t)values[i]);
        CHECK(hasten_cursor_varint_signed(&cursor) == -(int64_t)(values[i] / 2));
    }
    CHECK(hasten_cursor_varint_signed(&cursor) == INT64_MIN);
    size_t size = 0;
    const uint8_t *blob = hasten_cursor_blob(&cursor, &size);
    CHECK(blob != NULL && size == 3 && memcmp(blob, "abc", 3) == 0);
    CHECK(!cursor.failed && cursor.position == cursor.size);
    CHECK_EQ_INT(hasten_cursor_byte(&cursor), 0);
    CHECK(cursor.failed);
    hasten_buffer_done(&buffer);
}

static void test_cursor_faults(void) {
    static const uint8_t too_long[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                       0x80, 0x80, 0x80, 0x02, 0x00};
    struct hasten_cursor cursor = {.data = too_long, .size = sizeof too_long};
    CHECK(hasten_cursor_varint(&cursor) == 0);
    CHECK(cursor.failed);
    static const uint8_t cut[] = {0x80, 0x80};
    cursor = (struct hasten_cursor){.data = cut, .size = sizeof cut};
    CHECK(hasten_cursor_varint(&cursor) == 0);
    CHECK(cursor.failed);
    static const uint8_t huge_blob[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    cursor = (struct hasten_cursor){.data = huge_blob, .size = sizeof huge_blob};
    size_t size = 42;
    CHECK(hasten_cursor_blob(&cursor, &size) == NULL);
    CHECK(cursor.failed && size == 42);
    CHECK(hasten_cursor_bytes(&cursor, 0) == NULL);
}

static void test_buffer(void) {
    struct hasten_buffer buffer;
    hasten_buffer_init(&buffer, NULL);
    CHECK_EQ_STR(hasten_buffer_cstring(&buffer), "");
    hasten_buffer_text(&buffer, "one ");
    hasten_buffer_format(&buffer, "%d %s", 2, "three");
    hasten_buffer_byte(&buffer, '!');
    CHECK_EQ_STR(hasten_buffer_cstring(&buffer), "one 2 three!");
    CHECK_EQ_INT(buffer.size, 12);
    hasten_buffer_clear(&buffer);
    CHECK_EQ_STR(hasten_buffer_cstring(&buffer), "");
    hasten_buffer_done(&buffer);
    CHECK(buffer.data == NULL);
}

static void test_buffer_out_of_memory(void) {
    struct failing_allocator memory;
    failing_allocator_init(&memory, 2, false);
    struct hasten_buffer buffer;
    hasten_buffer_init(&buffer, &memory.allocator);
    hasten_buffer_text(&buffer, "fits");
    hasten_buffer_format(&buffer, "%0100d", 1);
    CHECK(buffer.failed);
    hasten_buffer_text(&buffer, "dropped although there would be room");
    CHECK_EQ_INT(buffer.size, 4);
    CHECK_EQ_STR(hasten_buffer_cstring(&buffer), "");
    hasten_buffer_done(&buffer);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
}

static void test_checksum(void) {
    /* RFC 3720, appendix B.4. */
    CHECK_EQ_INT(hasten_crc32c(0, "123456789", 9), 0xe3069283);
    static const uint8_t zeros[32] = {0};
    CHECK_EQ_INT(hasten_crc32c(0, zeros, 32), 0x8a9136aa);
    CHECK_EQ_INT(hasten_crc32c(hasten_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
    CHECK_EQ_INT(hasten_crc32c(0, "", 0), 0);
}

static void test_clock(void) {
    uint64_t first = hasten_clock_monotonic_ns();
    CHECK(hasten_clock_monotonic_ns() >= first);
    CHECK(hasten_clock_wall_ns() > 1600000000000000000u);
    CHECK(hasten_clock_process_cpu_ns() > 0);
}

int main(void) {
    test_status();
    test_grow();
    test_varints();
    test_cursor_faults();
    test_buffer();
    test_buffer_out_of_memory();
    test_checksum();
    test_clock();
    return check_done();
}
