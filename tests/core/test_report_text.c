/* SPDX-License-Identifier: MIT
 *
 * Text of a report: what is dangerous is neutralised, what is long is cut,
 * numbers and paths are written as documented. */
#include "core/report/text.h"

#include "check.h"
#include "core/report/facts.h"
#include "core/report/numbers.h"
#include "core/report/paths.h"
#include "core/report/source.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct hasten_buffer out;

static const char *taken(void) {
    static char text[4096];
    snprintf(text, sizeof text, "%s", hasten_buffer_cstring(&out));
    hasten_buffer_clear(&out);
    return text;
}

static const char *safe(const char *text, bool unicode) {
    hasten_text_safe(&out, text, strlen(text), unicode);
    return taken();
}

static void test_safe(void) {
    CHECK_EQ_STR(safe("plain", true), "plain");
    CHECK_EQ_STR(safe("\x1b[31mred\x07", true), "\\x1b[31mred\\x07");
    CHECK_EQ_STR(safe("a\nb\tc\r\x7f", true), "a\\x0ab\\x09c\\x0d\\x7f");
    CHECK_EQ_STR(safe("caf\xc3\xa9", true), "caf\xc3\xa9");
    CHECK_EQ_STR(safe("caf\xc3\xa9", false), "caf\\xe9");
    CHECK_EQ_STR(safe("\xe4\xb8\xad", false), "\\u4e2d");
    CHECK_EQ_STR(safe("\xf0\x9f\x90\x8d", false), "\\U0001f40d");
    CHECK_EQ_STR(safe("\xc2\x9b"
                      "31m",
                      true),
                 "\\x9b31m"); /* C1: CSI */
    CHECK_EQ_STR(safe("\xe2\x80\xae"
                      "abc",
                      true),
                 "\\u202e"
                 "abc");                                                  /* right to left */
    CHECK_EQ_STR(safe("\xe2\x80\x8b", true), "\\u200b");                  /* no width */
    CHECK_EQ_STR(safe("\xff\xfe", true), "\\xff\\xfe");                   /* not UTF-8 */
    CHECK_EQ_STR(safe("\xc0\xaf", true), "\\xc0\\xaf");                   /* overlong */
    CHECK_EQ_STR(safe("\xed\xa0\x80", true), "\\xed\\xa0\\x80");          /* surrogate */
    CHECK_EQ_STR(safe("\xf4\x90\x80\x80", true), "\\xf4\\x90\\x80\\x80"); /* too large */
    CHECK_EQ_STR(safe("\xe4\xb8", true), "\\xe4\\xb8");                   /* cut off */
}

static void test_width(void) {
    CHECK_EQ_INT(hasten_text_width("abc", 3), 3);
    CHECK_EQ_INT(hasten_text_width("caf\xc3\xa9", 5), 4);
    CHECK_EQ_INT(hasten_text_width("e\xcc\x81", 3), 1);
    CHECK_EQ_INT(hasten_text_width("\xe4\xb8\xad\xe6\x96\x87", 6), 4);
}

static const char *cut(size_t (*how)(struct hasten_buffer *, const char *, size_t, bool),
                       const char *text, size_t columns) {
    size_t used = how(&out, text, columns, false);
    CHECK(used <= columns);
    CHECK_EQ_INT(used, hasten_text_width(out.data == NULL ? "" : out.data, out.size));
    return taken();
}

static void test_cut(void) {
    CHECK_EQ_STR(cut(hasten_text_cut_end, "abcdef", 6), "abcdef");
    CHECK_EQ_STR(cut(hasten_text_cut_end, "abcdef", 5), "abcd~");
    CHECK_EQ_STR(cut(hasten_text_cut_end, "abcdef", 0), "");
    CHECK_EQ_STR(cut(hasten_text_cut_end, "\xe4\xb8\xad\xe6\x96\x87", 3), "\xe4\xb8\xad~");
    CHECK_EQ_STR(cut(hasten_text_cut_start, "a/b/c.py:1", 10), "a/b/c.py:1");
    CHECK_EQ_STR(cut(hasten_text_cut_start, "folder/file.py:12", 14), "~/file.py:12");
    CHECK_EQ_STR(cut(hasten_text_cut_start, "averylongname.py:12", 9), "~me.py:12");
    CHECK_EQ_STR(cut(hasten_text_cut_start, "abc", 1), "~");
}

static void test_wrap(void) {
    hasten_text_wrap(&out, "one two three", "  ", 9);
    CHECK_EQ_STR(taken(), "  one two\n  three\n");
    hasten_text_wrap(&out, "a share of 50 % is", "", 13);
    CHECK_EQ_STR(taken(), "a share of\n50 % is\n");
    hasten_text_wrap(&out, "unbreakable", "  ", 5);
    CHECK_EQ_STR(taken(), "  unbreakable\n");
    hasten_text_wrap(&out, "", "  ", 5);
    CHECK_EQ_STR(taken(), "");
}

static const char *duration(int64_t duration_ns) {
    hasten_number_duration(&out, duration_ns);
    return taken();
}

static const char *percent(double share) {
    hasten_number_percent(&out, share);
    return taken();
}

static const char *share(double value) {
    hasten_number_share(&out, value);
    return taken();
}

static void test_numbers(void) {
    uint64_t value = 7;
    CHECK_EQ_STR(duration(0), "0");
    CHECK_EQ_STR(duration(1), "1 us");
    CHECK_EQ_STR(duration(740000), "740 us");
    CHECK_EQ_STR(duration(12345678), "12.3 ms");
    CHECK_EQ_STR(duration(123456789), "123 ms");
    CHECK_EQ_STR(duration(7700000000), "7.70 s");
    CHECK_EQ_STR(duration(48200000000), "48.2 s");
    CHECK_EQ_STR(duration(124000000000), "2 min 04 s");
    CHECK_EQ_STR(duration(12000000000000), "3 h 20 min");
    CHECK(strstr(duration(INT64_MAX), " h ") != NULL);
    CHECK_EQ_STR(percent(0.6214), "62.1");
    CHECK_EQ_STR(percent(0.0001), "<0.1");
    CHECK_EQ_STR(percent(0), "0.0");
    CHECK_EQ_STR(share(0.6214), "62 %");
    CHECK_EQ_STR(share(0.0421), "4.2 %");
    CHECK_EQ_STR(share(0.00001), "less than 0.1 %");
    hasten_number_count(&out, 1234567);
    CHECK_EQ_STR(taken(), "1 234 567");
    CHECK(hasten_number_parse("18446744073709551615", &value) && value == UINT64_MAX);
    CHECK(!hasten_number_parse("18446744073709551616", &value));
    CHECK(!hasten_number_parse("", &value));
    CHECK(!hasten_number_parse(NULL, &value));
    CHECK(!hasten_number_parse("-1", &value));
    CHECK(!hasten_number_parse("1x", &value));
    CHECK_EQ_INT(hasten_share(1, 0), 0);
    hasten_python_version_text(&out, 0x030f00a2);
    CHECK_EQ_STR(taken(), "3.15.0a2");
    hasten_python_version_text(&out, 0x030c01f0);
    CHECK_EQ_STR(taken(), "3.12.1");
    hasten_python_version_text(&out, 0x030e00c1);
    CHECK_EQ_STR(taken(), "3.14.0rc1");
}

static const char *shorten(const char *file, const char *directory) {
    hasten_path_shorten(&out, file, directory);
    return taken();
}

static void test_paths(void) {
    CHECK_EQ_STR(shorten("/home/me/app/views.py", "/home/me"), "app/views.py");
    CHECK_EQ_STR(shorten("/home/me/app/views.py", "/home/me/"), "app/views.py");
    CHECK_EQ_STR(shorten("/home/melissa/x.py", "/home/me"), "/home/melissa/x.py");
    CHECK_EQ_STR(shorten("/home/me", "/home/me"), "/home/me");
    CHECK_EQ_STR(shorten("./x.py", NULL), "x.py");
    CHECK_EQ_STR(shorten("/usr/lib/python3.13/json/decoder.py", "/usr"),
                 "<stdlib>/json/decoder.py");
    CHECK_EQ_STR(shorten("/opt/lib64/python3.14t/os.py", NULL), "<stdlib>/os.py");
    CHECK_EQ_STR(shorten("/v/lib/python3.13/site-packages/flask/app.py", "/v"),
                 "site-packages/flask/app.py");
    CHECK_EQ_STR(shorten("/usr/lib/python3/dist-packages/apt/cache.py", NULL),
                 "dist-packages/apt/cache.py");
    CHECK_EQ_STR(shorten("<frozen importlib._bootstrap>", NULL),
                 "<stdlib>/importlib/_bootstrap.py");
    CHECK_EQ_STR(shorten("<string>", "/x"), "<string>");
    CHECK_EQ_STR(shorten("<frozen ", NULL), "<frozen ");
    CHECK_EQ_STR(shorten("", "/x"), "");
    CHECK_EQ_INT(hasten_path_origin("/home/me/app.py"), HASTEN_ORIGIN_OWN);
    CHECK_EQ_INT(hasten_path_origin("<string>"), HASTEN_ORIGIN_OWN);
    CHECK_EQ_INT(hasten_path_origin("/home/python3.9/app.py"), HASTEN_ORIGIN_OWN);
    CHECK_EQ_INT(hasten_path_origin("<frozen os>"), HASTEN_ORIGIN_LIBRARY);
    CHECK_EQ_INT(hasten_path_origin("/usr/lib/python3.11/os.py"), HASTEN_ORIGIN_LIBRARY);
    CHECK_EQ_INT(hasten_path_origin("/v/lib/python3.11/site-packages/a.py"), HASTEN_ORIGIN_PACKAGE);
    CHECK_EQ_INT(hasten_path_origin("<attrs generated init x>"), HASTEN_ORIGIN_GENERATED);
}

static bool line_is(struct hasten_sources *sources, const char *file, int32_t line,
                    const char *expected) {
    size_t size = 0;
    const char *text = hasten_sources_line(sources, file, line, &size);
    if (text == NULL || expected == NULL) {
        return text == expected;
    }
    return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

static void test_sources(void) {
    char folder[] = "/tmp/hasten-sources-XXXXXX";
    char file[64], pipe_name[64];
    struct hasten_sources sources;
    if (!CHECK(mkdtemp(folder) != NULL)) {
        return;
    }
    snprintf(file, sizeof file, "%s/a.py", folder);
    snprintf(pipe_name, sizeof pipe_name, "%s/pipe.py", folder);
    FILE *stream = fopen(file, "w");
    fputs("first\n\n\t  second  \r\nlast", stream);
    fclose(stream);
    CHECK_EQ_INT(mkfifo(pipe_name, 0600), 0);
    hasten_sources_init(&sources, NULL, folder, 0);
    CHECK(line_is(&sources, file, 1, "first"));
    CHECK(line_is(&sources, file, 2, NULL)); /* blank */
    CHECK(line_is(&sources, file, 3, "second"));
    CHECK(line_is(&sources, file, 4, "last"));
    CHECK(line_is(&sources, file, 5, NULL));
    CHECK(line_is(&sources, file, 0, NULL));
    CHECK(line_is(&sources, file, -1, NULL));
    CHECK(line_is(&sources, "a.py", 1, "first")); /* below the directory */
    CHECK(line_is(&sources, "missing.py", 1, NULL));
    CHECK(line_is(&sources, "<string>", 1, NULL));
    CHECK(line_is(&sources, "", 1, NULL));
    CHECK(line_is(&sources, pipe_name, 1, NULL)); /* does not wait for a writer */
    CHECK(line_is(&sources, "/dev/zero", 1, NULL));
    CHECK(line_is(&sources, folder, 1, NULL));
    CHECK(!sources.any_changed);
    hasten_sources_done(&sources);
    hasten_sources_init(&sources, NULL, NULL, 1); /* everything changed since 1970 */
    CHECK(line_is(&sources, file, 1, NULL));
    CHECK(sources.any_changed);
    CHECK(line_is(&sources, "a.py", 1, NULL)); /* no directory is known */
    hasten_sources_done(&sources);
    unlink(file);
    unlink(pipe_name);
    rmdir(folder);
}

int main(void) {
    hasten_buffer_init(&out, NULL);
    test_safe();
    test_width();
    test_cut();
    test_wrap();
    test_numbers();
    test_paths();
    test_sources();
    hasten_buffer_done(&out);
    return check_done();
}
