/* SPDX-License-Identifier: MIT
 *
 * The verdicts of a check: for a person, for programs, for JUnit's and GitHub's readers. */
#ifndef HASTEN_CLI_CHECK_SHOW_H
#define HASTEN_CLI_CHECK_SHOW_H

#include "cli/check/list.h"
#include "hasten/report.h"

/* All append to `out`. */
void check_show(struct hasten_buffer *out, const struct check_list *list,
                const struct hasten_report_options *screen);
/* docs/check.md has the fields. */
void check_json(struct hasten_buffer *out, const struct check_list *list);
void check_junit(struct hasten_buffer *out, const struct check_list *list);
/* Lines that GitHub Actions shows beside the files. */
void check_annotations(struct hasten_buffer *out, const struct check_list *list);
/* Markdown for $GITHUB_STEP_SUMMARY. */
void check_markdown(struct hasten_buffer *out, const struct check_list *list);

/* A sentence on all. */
void check_conclusion(struct hasten_buffer *out, const struct check_list *list);

#endif
