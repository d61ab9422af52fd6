/* SPDX-License-Identifier: MIT
 *
 * Valid UTF-8 and what is made of the rest; hashes that stand for texts. */
#include "check.h"
#include "core/base/hash.h"
#include "core/base/utf8.h"
#include "failing_allocator.h"

static void check_clean(const char *text, const char *expected) {
    struct hasten_buffer buffer;
    hasten_buffer_init(&buffer, NULL);
    hasten_utf8_clean(&buffer, text, strlen(text));
    CHECK_EQ_STR(hasten_buffer_cstring(&buffer), expected);
    CHECK_EQ_INT(hasten_utf8_valid(buffer.data, buffer.size), buffer.size);
    hasten_buffer_done(&buffer);
}

static void test_clean(void) {
    check_clean("", "");
    check_clean("plain", "plain");
    check_clean("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8d",
                "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8d");
    check_clean("a\xff"
                "b",
                "a\xef\xbf\xbd"
                "b");
    check_clean("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong */
    check_clean("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* surrogate */
    check_clean("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    check_clean("cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd");
}

/* Every two-byte text: accepted as the standard has it. */
static void test_pairs(void) {
    unsigned wrong = 0;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            char text[2] = {(char)first, (char)second};
            bool pair = first >= 0xc2 && first <= 0xdf && second >= 0x80 && second <= 0xbf;
            size_t expected = pair ? 2 : first >= 0x80 ? 0 : second >= 0x80 ? 1 : 2;
            wrong += hasten_utf8_valid(text, 2) != expected;
        }
    }
    CHECK_EQ_INT(wrong, 0);
}

/* 100 000 texts that differ in little have as many hashes, and the map that
 * holds them is not slow. */
static void test_hashes(void) {
    struct hasten_map map;
    hasten_map_init(&map, NULL);
    unsigned same = 0;
    for (unsigned i = 0; i < 100000; i++) {
        char text[32];
        int size = snprintf(text, sizeof text, "module_%u", i);
        bool inserted = false;
        struct hasten_map_key key = hasten_hash((struct hasten_map_key){0}, text, (size_t)size);
        same += hasten_map_insert(&map, key, i, &inserted) == NULL || !inserted;
    }
    CHECK_EQ_INT(same, 0);
    hasten_map_done(&map);
    struct hasten_map_key zero = {0};
    struct hasten_map_key empty = hasten_hash(zero, "", 0);
    struct hasten_map_key nul = hasten_hash(zero, "\0", 1);
    CHECK(empty.low != nul.low && empty.high != nul.high);
    struct hasten_map_key chained = hasten_hash(hasten_hash(zero, "ab", 2), "c", 1);
    struct hasten_map_key other = hasten_hash(hasten_hash(zero, "a", 1), "bc", 2);
    CHECK(chained.low != other.low && chained.high != other.high);
}

int main(void) {
    test_clean();
    test_pairs();
    test_hashes();
    return check_done();
}
