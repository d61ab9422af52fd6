/* SPDX-License-Identifier: MIT
 *
 * Location tables: written by hand, damaged, and of real code objects with what
 * their interpreter says of them (tests/golden/locations/, made by generate.py
 * there). */
#include <stdlib.h>

#include "check.h"
#include "core/profile/location.h"

static struct hasten_code code_of(int32_t first_line, const void *table, size_t size) {
    return (struct hasten_code){
        .first_line = first_line, .linetable = table, .linetable_size = (uint32_t)size};
}

static void check_location(const struct hasten_code *code, uint32_t instruction, int line,
                           int end_line, int column, int end_column) {
    struct hasten_location location = hasten_code_location(code, instruction);
    CHECK_EQ_INT(location.line, line);
    CHECK_EQ_INT(location.end_line, end_line);
    CHECK_EQ_INT(location.column, column);
    CHECK_EQ_INT(location.end_column, end_column);
}

static void test_kinds(void) {
    static const uint8_t table[] = {
        0x80 | 3 << 3 | 1,  0x25,                    /* short: 2 units, columns 26 to 31 */
        0x80 | 12 << 3 | 0, 4,        9,             /* one line, 2 further */
        0x80 | 13 << 3 | 7, 0x03,                    /* 8 units, no columns, 1 back */
        0x80 | 15 << 3 | 0,                          /* nothing */
        0x80 | 14 << 3 | 2, 0x40 | 8, 0x01, 2, 5, 0, /* 36 further, 2 more lines, from 4 */
    };
    struct hasten_code code = code_of(100, table, sizeof table);
    check_location(&code, 0, 100, 100, 27, 32);
    check_location(&code, 1, 100, 100, 27, 32);
    check_location(&code, 2, 102, 102, 5, 10);
    check_location(&code, 3, 101, 101, 0, 0);
    check_location(&code, 10, 101, 101, 0, 0);
    check_location(&code, 11, 0, 0, 0, 0);
    check_location(&code, 12, 137, 139, 5, 0);
    check_location(&code, 14, 137, 139, 5, 0);
    check_location(&code, 15, 100, 100, 0, 0); /* past the end */
    check_location(&code, UINT32_MAX, 100, 100, 0, 0);
}

static void test_damage(void) {
    struct hasten_code code = code_of(7, NULL, 0);
    check_location(&code, 0, 7, 7, 0, 0);
    code = code_of(-3, NULL, 0);
    check_location(&code, 0, 0, 0, 0, 0);
    static const uint8_t tables[][8] = {
        {0x00},                    /* an entry that does not begin */
        {0x80},                    /* short without its columns */
        {0x80 | 11 << 3, 1},       /* one column of two */
        {0x80 | 13 << 3, 0x40},    /* number not ended */
        {0x80 | 13 << 3, 0x80},    /* number cut by an entry */
        {0x80 | 14 << 3, 0, 0, 0}, /* a column missing */
        {0x80 | 13 << 3, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f}, /* too long */
        {0x80 | 13 << 3, 0x41, 1},                                  /* below line 0 */
    };
    static const uint8_t sizes[] = {1, 1, 2, 2, 2, 4, 8, 3};
    for (size_t i = 0; i < sizeof sizes; i++) {
        code = code_of(7, tables[i], sizes[i]);
        check_location(&code, 0, 7, 7, 0, 0);
    }
    /* What is before the damage counts. */
    static const uint8_t late[] = {0x80 | 10 << 3, 0, 1, 0x00};
    code = code_of(7, late, sizeof late);
    check_location(&code, 0, 7, 7, 1, 2);
    check_location(&code, 1, 7, 7, 0, 0);
}

static size_t decode_hex(const char *hex, uint8_t *bytes, size_t size) {
    size_t count = 0;
    while (count < size && hex[0] > ' ' && hex[1] > ' ') {
        char pair[3] = {hex[0], hex[1], '\0'};
        bytes[count++] = (uint8_t)strtoul(pair, NULL, 16);
        hex += 2;
    }
    return count;
}

/* "code FIRST_LINE HEX" then "UNITS LINE END_LINE COLUMN END_COLUMN" for each run
 * of units with the same location, as in hasten_location. */
static void test_interpreter(const char *version) {
    char path[128];
    snprintf(path, sizeof path, "tests/golden/locations/%s.txt", version);
    FILE *file = fopen(path, "r");
    if (!CHECK(file != NULL)) {
        return;
    }
    static char text[200000];
    static uint8_t table[100000];
    struct hasten_code code = {0};
    uint32_t unit = 0;
    unsigned codes = 0;
    unsigned units = 0;
    unsigned wrong = 0;
    while (fgets(text, sizeof text, file) != NULL) {
        int first_line = 0;
        int hex_at = 0;
        struct hasten_location expected;
        unsigned count = 0;
        if (sscanf(text, "code %d %n", &first_line, &hex_at) == 1) {
            code = code_of(first_line, table, decode_hex(text + hex_at, table, sizeof table));
            unit = 0;
            codes++;
        } else if (sscanf(text, "%u %d %d %d %d", &count, &expected.line, &expected.end_line,
                          &expected.column, &expected.end_column) == 5) {
            for (; count > 0; count--, unit++, units++) {
                struct hasten_location location = hasten_code_location(&code, unit);
                wrong += memcmp(&location, &expected, sizeof location) != 0;
            }
        }
    }
    fclose(file);
    CHECK(codes > 20);
    CHECK(units > 1000);
    CHECK_EQ_INT(wrong, 0);
}

int main(void) {
    test_kinds();
    test_damage();
    static const char *const versions[] = {"3.11", "3.12", "3.13", "3.14", "3.15"};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        test_interpreter(versions[i]);
    }
    return check_done();
}
