/* SPDX-License-Identifier: MIT
 *
 * Reading marshal data: every code, references, and where and how it is found to
 * be damaged. That files load as Python reads them is tested in tests/ext. */
#include "check.h"
#include "core/pstats/marshal_tree.h"
#include "core/pstats/surrogates.h"
#include "failing_allocator.h"

#include <math.h>
#include <stdlib.h>

static struct hasten_marshal_tree parse(const char *data, size_t size) {
    struct hasten_marshal_tree tree = {0};
    CHECK_STATUS(hasten_marshal_parse(data, size, NULL, &tree, NULL), HASTEN_OK);
    return tree;
}

#define PARSE(data) parse((data), sizeof(data) - 1)

static void check_integer(const char *data, size_t size, int64_t expected) {
    struct hasten_marshal_tree tree = parse(data, size);
    CHECK_EQ_INT(tree.nodes[0].kind, HASTEN_MARSHAL_INT);
    CHECK_EQ_INT(tree.nodes[0].integer, expected);
    hasten_marshal_done(&tree);
}

static void check_float(const char *data, size_t size, double expected) {
    struct hasten_marshal_tree tree = parse(data, size);
    CHECK_EQ_INT(tree.nodes[0].kind, HASTEN_MARSHAL_FLOAT);
    CHECK(tree.nodes[0].number == expected || (isnan(expected) && isnan(tree.nodes[0].number)));
    hasten_marshal_done(&tree);
}

static void check_kind(const char *data, size_t size, uint32_t expected) {
    struct hasten_marshal_tree tree = parse(data, size);
    CHECK_EQ_INT(tree.nodes[0].kind, expected);
    hasten_marshal_done(&tree);
}

#define INTEGER(data, expected) check_integer((data), sizeof(data) - 1, (expected))
#define FLOAT(data, expected) check_float((data), sizeof(data) - 1, (expected))
#define KIND(data, expected) check_kind((data), sizeof(data) - 1, HASTEN_MARSHAL_##expected)

static void test_scalars(void) {
    INTEGER("i\x01\0\0\0", 1);
    INTEGER("i\xff\xff\xff\xff", -1);
    INTEGER("I\0\0\0\0\0\0\0\x80", INT64_MIN);
    INTEGER("l\x02\0\0\0\x01\0\x01\0", 1 + (1 << 15));
    INTEGER("l\xfe\xff\xff\xff\x01\0\x01\0", -1 - (1 << 15));
    INTEGER("l\x04\0\0\0\xff\x7f\xff\x7f\xff\x7f\xff\x7f", ((int64_t)1 << 60) - 1);
    INTEGER("l\0\0\0\0", 0);
    KIND("l\x05\0\0\0\x01\0\x01\0\x01\0\x01\0\x01\0", OTHER);
    FLOAT("g\0\0\0\0\0\0\xf8\xbf", -1.5);
    FLOAT("f\x04"
          "-1.5",
          -1.5);
    FLOAT("f\x05"
          "1e+20",
          1e20);
    FLOAT("f\x03"
          "inf",
          INFINITY);
    FLOAT("f\x03"
          "nan",
          NAN);
    KIND("N", OTHER);
    KIND("T\xff\xff", OTHER); /* what follows the object does not count */
    KIND("y\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\xf8\x3f", OTHER);
    KIND("x\x01"
         "1\x01"
         "2",
         OTHER);
    KIND("s\x02\0\0\0\xff\xff", OTHER);
    KIND("u\x02\0\0\0\xc3\xa9", TEXT);
    KIND("t\x03\0\0\0\xed\xb2\x80", TEXT); /* a lone surrogate */
    KIND("z\x01"
         "a",
         TEXT);
    KIND("Z\x01\xe9", OTHER);
    KIND("a\0\0\0\0", TEXT);
    KIND("A\x01\0\0\0a", TEXT);
    KIND("(\0\0\0\0", TUPLE);
    KIND(")\0", TUPLE);
    KIND("[\x01\0\0\0N", BAG);
    KIND("<\x01\0\0\0N", BAG);
    KIND(">\x01\0\0\0N", BAG);
    KIND(":NNN", BAG);
    KIND("{0", DICT);
    KIND("{NN0", DICT);
    KIND("}NN0", BAG);
}

static void test_references(void) {
    /* (s, (s, s), (the inner one)); constants are not counted, whatever their mark. */
    struct hasten_marshal_tree tree = PARSE(")\x03\xfa\x01"
                                            "a\xa9\x03r\0\0\0\0\xcer\0\0\0\0r\x01\0\0\0");
    CHECK_EQ_INT(tree.count, 7);
    CHECK_EQ_INT(tree.nodes[0].end, 7);
    CHECK_EQ_INT(tree.nodes[2].end, 6);
    CHECK_EQ_INT(tree.nodes[3].kind, HASTEN_MARSHAL_REFERENCE);
    CHECK_EQ_INT(tree.nodes[3].target, 1);
    CHECK_EQ_INT(tree.nodes[6].target, 2);
    hasten_marshal_done(&tree);
    /* A reference to a reference's target is one to the object itself. */
    tree = PARSE(")\x03\xe9\x07\0\0\0r\0\0\0\0r\0\0\0\0");
    CHECK_EQ_INT(tree.nodes[3].target, 1);
    hasten_marshal_done(&tree);
    tree = PARSE("{i\x01\0\0\0N)\x01Ni\x02\0\0\0"
                 "0");
    CHECK_EQ_INT(tree.nodes[0].count, 2);
    CHECK_EQ_INT(tree.nodes[0].end, 6);
    hasten_marshal_done(&tree);
}

static void check_fault(const char *data, size_t size, hasten_status expected, int64_t position,
                        const char *message) {
    /* A copy without slack, so that a sanitizer sees what reads past it. */
    char *exact = malloc(size + (size == 0));
    if (exact == NULL) {
        return;
    }
    memcpy(exact, data, size);
    struct hasten_marshal_tree tree = {0};
    struct hasten_error error = {HASTEN_OK, -1, ""};
    CHECK_STATUS(hasten_marshal_parse(exact, size, NULL, &tree, &error), expected);
    CHECK_STATUS(error.status, expected);
    CHECK_EQ_INT(error.position, position);
    CHECK_HAS_STR(error.message, message);
    CHECK(tree.nodes == NULL);
    free(exact);
}

#define FAULT(data, status, position, message) \
    check_fault((data), sizeof(data) - 1, HASTEN_##status, (position), (message))

static void test_faults(void) {
    FAULT("", TRUNCATED, 0, "EOF read where object expected");
    FAULT("{", TRUNCATED, 1, "EOF read where object expected");
    FAULT("i\x01\0\0", TRUNCATED, 4, "marshal data too short: it ends at byte 4");
    FAULT("z\x05"
          "a",
          TRUNCATED, 3, "too short");
    FAULT("(\x02\0\0\0N", TRUNCATED, 6, "marshal data too short: it ends at byte 6");
    FAULT(")\x02N", TRUNCATED, 3, "marshal data too short");
    FAULT("{N", TRUNCATED, 2, "EOF read where object expected");
    FAULT("?", CORRUPT, 0, "unknown type code");
    FAULT("[\x01\0\0\0\x01", CORRUPT, 5, "unknown type code");
    FAULT("c", CORRUPT, 0, "a code object");
    FAULT("r\0\0\0\0", CORRUPT, 5, "invalid reference");
    FAULT("\xa9\x01r\0\0\0\0", CORRUPT, 7, "an object that holds itself");
    FAULT("\xfbNr\0\0\0\0", CORRUPT, 7, "an object that holds itself");
    FAULT("[\0\0\0\x80", CORRUPT, 5, "size out of range");
    FAULT("s\0\0\0\x80", CORRUPT, 5, "string size out of range");
    FAULT("l\0\0\0\x80", CORRUPT, 5, "long size out of range");
    FAULT("l\x01\0\0\0\0\x80", CORRUPT, 7, "digit out of range");
    FAULT("l\x01\0\0\0\0\0", CORRUPT, 7, "unnormalized long");
    FAULT("f\0", CORRUPT, 2, "not a number");
    FAULT("f\x03"
          "0x1",
          CORRUPT, 5, "not a number");
    FAULT("f\x02"
          " 1",
          CORRUPT, 4, "not a number");
    FAULT("u\x03\0\0\0ab\x80", CORRUPT, 7, "text that is not UTF-8");
    FAULT("0", INVALID, 1, "NULL object");
    FAULT(")\x01"
          "0",
          INVALID, 3, "NULL object");
    FAULT("{N0", INVALID, 3, "NULL object");
}

static void test_depth(void) {
    char data[HASTEN_MARSHAL_DEPTH_MAX * 2 + 3];
    for (size_t i = 0; i < sizeof data - 1; i += 2) {
        data[i] = ')';
        data[i + 1] = 1;
    }
    data[HASTEN_MARSHAL_DEPTH_MAX * 2] = 'N';
    struct hasten_marshal_tree tree = parse(data, HASTEN_MARSHAL_DEPTH_MAX * 2 + 1);
    CHECK_EQ_INT(tree.count, HASTEN_MARSHAL_DEPTH_MAX + 1);
    hasten_marshal_done(&tree);
    data[HASTEN_MARSHAL_DEPTH_MAX * 2] = ')';
    data[HASTEN_MARSHAL_DEPTH_MAX * 2 + 1] = 0;
    check_fault(data, HASTEN_MARSHAL_DEPTH_MAX * 2 + 2, HASTEN_CORRUPT,
                HASTEN_MARSHAL_DEPTH_MAX * 2 + 2, "nested too deeply");
}

static size_t valid(const char *text) {
    return hasten_surrogates_valid((const uint8_t *)text, strlen(text));
}

static void test_surrogates(void) {
    CHECK_EQ_INT(valid("plain text of more than eight bytes"), 35);
    CHECK_EQ_INT(valid("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d\xed\xa0\x80"), 12);
    CHECK_EQ_INT(valid("12345678\xc0\x80"), 8);
    CHECK_EQ_INT(valid("\xe0\x80\x80"), 0);
    CHECK_EQ_INT(valid("\xf4\x90\x80\x80"), 0);
    CHECK_EQ_INT(valid("\xf8\x88\x80\x80\x80"), 0);
    CHECK_EQ_INT(valid("a\xe2\x82"), 1);
    CHECK_EQ_INT(hasten_surrogates_ascii((const uint8_t *)"1234567890\xc3", 11), 10);
    CHECK_EQ_INT(hasten_surrogates_length((const uint8_t *)"a\xc3\xa9\xed\xa0\x80", 6), 3);
}

static void test_out_of_memory(void) {
    /* More objects than the first arrays hold. */
    static const char list[] = {'(', 40, 0, 0, 0};
    static const char text[] = {(char)('z' | 0x80), 2, 'a', 'b'};
    char data[sizeof list + 40 * sizeof text];
    memcpy(data, list, sizeof list);
    for (size_t i = 0; i < 40; i++) {
        memcpy(data + sizeof list + i * sizeof text, text, sizeof text);
    }
    for (size_t fail_at = 1;; fail_at++) {
        struct failing_allocator memory;
        failing_allocator_init(&memory, fail_at, false);
        struct hasten_marshal_tree tree = {0};
        hasten_status status =
            hasten_marshal_parse(data, sizeof data, &memory.allocator, &tree, NULL);
        if (!memory.failed) {
            CHECK_STATUS(status, HASTEN_OK);
            CHECK(fail_at > 4);
            hasten_marshal_done(&tree);
            CHECK_EQ_INT(memory.live_blocks, 0);
            break;
        }
        CHECK_STATUS(status, HASTEN_NO_MEMORY);
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
    }
}

int main(void) {
    test_scalars();
    test_references();
    test_faults();
    test_depth();
    test_surrogates();
    test_out_of_memory();
    return check_done();
}
