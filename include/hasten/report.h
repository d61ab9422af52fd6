/* SPDX-License-Identifier: MIT
 *
 * What a person or a program reads of a profile. */
#ifndef HASTEN_REPORT_H
#define HASTEN_REPORT_H

#include <stdbool.h>

#include "hasten/profile.h"

enum hasten_report_sort {
    HASTEN_SORT_SELF,
    HASTEN_SORT_TOTAL,
    HASTEN_SORT_NAME,
    HASTEN_SORT_FILE,
    HASTEN_SORT_CALLS, /* where calls were counted; else as SELF */
};

struct hasten_report_options {
    enum hasten_report_sort sort;
    uint32_t limit;      /* rows a table; 0: all */
    const char *filter;  /* keep functions and lines whose "file:qualname" contains it; NULL: all */
    const char *callers; /* who called functions whose name contains it; NULL: not shown */
    const char *callees; /* whom they called */
    bool memory;         /* the chapter on memory alone, with all its rows */
    double least_share;  /* rows of the terminal's tables with less are summed up; 0: shown */
    uint32_t columns;    /* width to fill; 0: 80 */
    bool colour;
    bool unicode; /* bars and rules from Unicode's block elements, else ASCII */
};

/* Renders the terminal report as text. `*ret_text` is NUL-terminated; release it
 * with hasten_report_free_text. */
HASTEN_CHECKED hasten_status hasten_report_terminal(const struct hasten_profile *profile,
                                                    const struct hasten_report_options *options,
                                                    char **ret_text, struct hasten_error *error);
/* The JSON report (docs/formats/report-json.md). */
HASTEN_CHECKED hasten_status hasten_report_json(const struct hasten_profile *profile,
                                                const struct hasten_report_options *options,
                                                char **ret_text, struct hasten_error *error);
void hasten_report_free_text(const struct hasten_profile *profile, char *text);

#endif
