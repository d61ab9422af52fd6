/* SPDX-License-Identifier: MIT
 *
 * Verdicts as JUnit XML, which continuous integration shows as tests: a regression is a
 * failure, what could not be measured an error, what was not judged skipped. */
#include <string.h>

#include "cli/check/judge.h"
#include "cli/check/show.h"
#include "core/report/text.h"

/* Text of an attribute. What XML cannot hold was made visible by hasten_text_safe. */
static void write_text(struct hasten_buffer *out, const char *text) {
    struct hasten_buffer safe;
    hasten_buffer_init(&safe, NULL);
    hasten_text_safe(&safe, text, strlen(text), true);
    for (size_t i = 0; i < safe.size; i++) {
        const char *escape = safe.data[i] == '&'   ? "&amp;"
                             : safe.data[i] == '<' ? "&lt;"
                             : safe.data[i] == '>' ? "&gt;"
                             : safe.data[i] == '"' ? "&quot;"
                                                   : NULL;
        if (escape != NULL) {
            hasten_buffer_text(out, escape);
        } else {
            hasten_buffer_byte(out, (uint8_t)safe.data[i]);
        }
    }
    out->failed = out->failed || safe.failed;
    hasten_buffer_done(&safe);
}

static bool is_skipped(const struct check_entry *entry) {
    return entry->verdict == CHECK_NEW || entry->verdict == CHECK_UNCLEAR ||
           (!entry->is_measured && entry->verdict < CHECK_SLOWER);
}

static const char *element_of(const struct check_list *list, const struct check_entry *entry) {
    return check_is_unjudged(list, entry)   ? "error"
           : entry->verdict >= CHECK_SLOWER ? "failure"
           : is_skipped(entry)              ? "skipped"
                                            : NULL;
}

static void write_case(struct hasten_buffer *out, const struct check_list *list,
                       const struct check_entry *entry) {
    const char *function = strstr(entry->name, "::");
    const char *element = element_of(list, entry);
    hasten_buffer_text(out, "  <testcase classname=\"");
    write_text(out, entry->file->name);
    hasten_buffer_text(out, "\" name=\"");
    write_text(out, function == NULL ? entry->name : function + 2);
    hasten_buffer_format(out, "\" time=\"%.3f\"", entry->result.spent_s);
    if (element == NULL) {
        hasten_buffer_text(out, "/>\n");
        return;
    }
    hasten_buffer_format(out, ">\n    <%s message=\"", element);
    write_text(out, entry->reason);
    hasten_buffer_text(out, "\"/>\n  </testcase>\n");
}

void check_junit(struct hasten_buffer *out, const struct check_list *list) {
    size_t failures = 0, errors = 0, skipped = 0;
    double spent_s = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct check_entry *entry = list->entries[i];
        errors += check_is_unjudged(list, entry);
        failures += entry->verdict >= CHECK_SLOWER && entry->verdict < CHECK_DIFFERENT;
        skipped += is_skipped(entry) && !check_is_unjudged(list, entry);
        spent_s += entry->result.spent_s;
    }
    hasten_buffer_format(out,
                         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<testsuites>\n"
                         "<testsuite name=\"hasten check\" tests=\"%zu\" failures=\"%zu\" "
                         "errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n",
                         list->count, failures, errors, skipped, spent_s);
    for (size_t i = 0; i < list->count; i++) {
        write_case(out, list, list->entries[i]);
    }
    hasten_buffer_text(out, "</testsuite>\n</testsuites>\n");
}
