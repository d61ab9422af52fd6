/* SPDX-License-Identifier: MIT
 *
 * The terminal report: its sections in order. What the numbers mean is decided in
 * aggregate.h, how they look in page.h and table.h. */
#include <string.h>

#include "core/base/allocator.h"
#include "core/report/facts.h"
#include "core/report/numbers.h"
#include "core/report/page.h"
#include "core/report/sections.h"
#include "core/report/text.h"
#include "core/report/verdict.h"

#define DEFAULT_COLUMNS 80
#define LEAST_COLUMNS 40
#define MOST_COLUMNS 200

/* Below this many samples shares are rough, and the report says how rough. */
#define FEW_SAMPLES 200
/* Shares of all samples or slots from which a loss is a warning. */
#define MANY_FAILED 0.01
#define MANY_MISSED 0.05

static void write_title(struct hasten_page *page, const struct hasten_facts *facts) {
    hasten_page_style(page, HASTEN_STYLE_HEADING);
    hasten_buffer_text(&page->out, "hasten");
    hasten_page_style(page, HASTEN_STYLE_PLAIN);
    hasten_buffer_text(&page->out, "  ");
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    hasten_page_safe(page, text, facts->command == NULL ? "(command not known)" : facts->command);
    hasten_page_cut(page, hasten_buffer_cstring(text), page->columns - strlen("hasten  "));
    hasten_buffer_byte(&page->out, '\n');
}

/* "12.4 s wall, 11.9 s CPU, Python 3.13.0, exit status 0". */
static void write_run(struct hasten_page *page, const struct hasten_facts *facts) {
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    hasten_number_duration(text, (int64_t)facts->duration_ns);
    hasten_buffer_text(text, " wall");
    if (facts->has_target_cpu) {
        hasten_buffer_text(text, ", ");
        hasten_number_duration(text, (int64_t)facts->target_cpu_ns);
        hasten_buffer_text(text, " CPU");
    }
    if (facts->python_version != 0) {
        hasten_buffer_text(text, ", Python ");
        hasten_python_version_text(text, facts->python_version);
    }
    if (facts->exit_status != NULL) {
        bool is_signal = strncmp(facts->exit_status, "signal", 6) == 0;
        hasten_buffer_text(text, is_signal ? ", ended by " : ", exit status ");
        hasten_page_safe(page, text, facts->exit_status);
    }
    hasten_page_paragraph(page, HASTEN_STYLE_PLAIN, hasten_buffer_cstring(text));
}

/* "12 401 samples at 1000 Hz, 3 failed; sampler: 212 ms CPU, 1.7 % of a core". */
static void write_sampling(struct hasten_page *page, const struct hasten_facts *facts) {
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    hasten_number_count(text, facts->samples);
    hasten_buffer_text(text, facts->samples == 1 ? " sample" : " samples");
    if (facts->interval_ns > 0) {
        hasten_buffer_format(text, " at %.4g Hz", 1e9 / (double)facts->interval_ns);
    }
    if (facts->mode != NULL && strcmp(facts->mode, "wall") != 0) {
        hasten_buffer_text(text, " (mode ");
        hasten_page_safe(page, text, facts->mode);
        hasten_buffer_byte(text, ')');
    }
    hasten_buffer_text(text, ", ");
    hasten_number_count(text, facts->failed);
    hasten_buffer_text(text, " failed");
    if (facts->has_sampler_cpu) {
        hasten_buffer_text(text, "; sampler: ");
        hasten_number_duration(text, (int64_t)facts->sampler_cpu_ns);
        hasten_buffer_text(text, " CPU, ");
        hasten_number_share(
            text, hasten_share((int64_t)facts->sampler_cpu_ns, (int64_t)facts->duration_ns));
        hasten_buffer_text(text, " of a core");
    }
    hasten_page_paragraph(page, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

static void warn(struct hasten_page *page, const char *text) {
    hasten_page_paragraph(page, HASTEN_STYLE_WARNING, text);
}

static void write_warnings(struct hasten_page *page, const struct hasten_facts *facts) {
    struct hasten_buffer *text = &page->scratch;
    if (facts->incomplete) {
        warn(page, "! This recording was not finished (hasten or the machine was stopped): it "
                   "holds everything up to that moment.");
    }
    double failed = hasten_share((int64_t)facts->failed, (int64_t)(facts->samples + facts->failed));
    if (failed >= MANY_FAILED) {
        hasten_buffer_clear(text);
        hasten_buffer_text(text, "! ");
        hasten_number_share(text, failed);
        hasten_buffer_text(text, " of the samples failed: the stack changed at every try. They "
                                 "are in no number below; --blocking avoids them.");
        warn(page, hasten_buffer_cstring(text));
    }
    double missed =
        hasten_share((int64_t)facts->missed_slots, (int64_t)(facts->slots + facts->missed_slots));
    if (missed >= MANY_MISSED) {
        hasten_buffer_clear(text);
        hasten_buffer_text(text, "! Sampling fell behind in ");
        hasten_number_share(text, missed);
        hasten_buffer_text(text, " of its slots; the samples taken stand for them. A lower rate "
                                 "(-r) avoids it.");
        warn(page, hasten_buffer_cstring(text));
    }
    if (facts->samples > 0 && facts->samples < FEW_SAMPLES) {
        /* Two standard errors of a share of one half: 1 / sqrt(samples). */
        unsigned points = 1;
        while ((uint64_t)points * points * facts->samples < 100 * 100) {
            points++;
        }
        hasten_buffer_clear(text);
        hasten_buffer_format(text,
                             "! Few samples: a share is good to about %u points either way. Run "
                             "longer or raise the rate (-r).",
                             points);
        warn(page, hasten_buffer_cstring(text));
    }
}

static void write_nothing(struct hasten_page *page, const struct hasten_facts *facts) {
    const char *text = "No Python code was seen running.";
    if (facts->mode != NULL && strcmp(facts->mode, "wall") != 0) {
        text = "No thread was seen running: the program waited, or ended before Python started. "
               "--mode wall also shows where it waits.";
    } else if (facts->duration_ns < 100000000) {
        text = "The program ended before a sample could be taken: it ran for less than a tenth "
               "of a second. Give it more work to do.";
    } else {
        text = "No Python code was seen running: what was started is not Python, or a Python "
               "that cannot be sampled. `hasten doctor` says what this machine permits.";
    }
    hasten_buffer_byte(&page->out, '\n');
    hasten_page_paragraph(page, HASTEN_STYLE_STRONG, text);
}

/* "1 234 567 calls traced, 1 200 000 of them primitive, of 321 functions". */
static void write_tracing(struct hasten_page *page) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    struct hasten_buffer *text = &page->scratch;
    size_t functions = 0;
    for (size_t i = 0; i < aggregate->function_count; i++) {
        functions += aggregate->functions[i].calls > 0;
    }
    hasten_buffer_clear(text);
    hasten_number_count(text, (uint64_t)aggregate->calls);
    hasten_buffer_text(text, aggregate->calls == 1 ? " call traced" : " calls traced");
    if (aggregate->primitive_calls != aggregate->calls) {
        hasten_buffer_text(text, ", ");
        hasten_number_count(text, (uint64_t)aggregate->primitive_calls);
        hasten_buffer_text(text, " of them primitive");
    }
    hasten_buffer_text(text, ", of ");
    hasten_number_count(text, functions);
    hasten_buffer_text(text, functions == 1 ? " function" : " functions");
    hasten_page_paragraph(page, HASTEN_STYLE_FAINT, hasten_buffer_cstring(text));
}

static void warn_of_number(struct hasten_page *page, const char *before, uint64_t number,
                           const char *after) {
    struct hasten_buffer *text = &page->scratch;
    if (number > 0) {
        hasten_buffer_clear(text);
        hasten_buffer_text(text, before);
        hasten_number_count(text, number);
        hasten_buffer_text(text, after);
        warn(page, hasten_buffer_cstring(text));
    }
}

/* What of the calls is missing. */
static void write_traced_warnings(struct hasten_page *page, const struct hasten_facts *facts) {
    if (facts->cut_processes > 0) {
        struct hasten_buffer *text = &page->scratch;
        hasten_buffer_clear(text);
        hasten_buffer_format(text,
                             "! %zu of %zu processes were ended from outside: what they called in "
                             "their last second may be missing.",
                             (size_t)facts->cut_processes, page->aggregate->profile->process_count);
        warn(page, hasten_buffer_cstring(text));
    }
    warn_of_number(page, "! The disk was full, or a limit on the size of files reached: what ",
                   facts->full_processes,
                   " of the processes called from then on is missing. Free some space, raise the "
                   "limit (ulimit -f), or record elsewhere (-o).");
    warn_of_number(page, "! Of what ", facts->failed_processes,
                   " of the processes called, the end is missing: it could not be written.");
    warn_of_number(page, "! The calls of ", facts->subinterpreters,
                   " subinterpreters are not counted: this version of Python does not permit it. "
                   "Their time is that of the function that ran them.");
    if (facts->displaced > 0) {
        warn(page,
             "! The program set a profile function of its own (sys.setprofile, cProfile), and "
             "this version of Python has one only: later calls of that thread are missing.");
    }
    if (facts->folded) {
        warn(page, "! The program calls its functions in too many different orders to tell all "
                   "apart: numbers of calls and times in a function are exact, callers and times "
                   "with callees are not.");
    }
}

static void write_traced_page(struct hasten_page *page, const struct hasten_facts *facts) {
    write_tracing(page);
    write_warnings(page, facts);
    write_traced_warnings(page, facts);
    hasten_section_calls(page);
    hasten_section_traced_threads(page);
}

static void write_page(struct hasten_page *page, const struct hasten_facts *facts) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    bool asked = page->options->callers != NULL || page->options->callees != NULL;
    write_title(page, facts);
    write_run(page, facts);
    if (asked) {
        hasten_section_edges(page);
        return;
    }
    if (aggregate->is_traced) {
        write_traced_page(page, facts);
        return;
    }
    write_sampling(page, facts);
    write_warnings(page, facts);
    if (hasten_time_counted(&aggregate->sum) == 0 && aggregate->sum.idle_ns == 0) {
        write_nothing(page, facts);
        return;
    }
    struct hasten_buffer *text = &page->scratch;
    hasten_buffer_clear(text);
    hasten_verdict(page, text);
    hasten_buffer_byte(&page->out, '\n');
    hasten_page_paragraph(page, HASTEN_STYLE_STRONG, hasten_buffer_cstring(text));
    hasten_section_functions(page, facts);
    hasten_section_lines(page);
    hasten_section_waiting(page);
    hasten_section_threads(page);
    hasten_section_processes(page);
    hasten_section_collector(page);
}

static size_t page_columns(const struct hasten_report_options *options) {
    size_t columns = options->columns == 0 ? DEFAULT_COLUMNS : options->columns;
    columns = columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns;
    return columns > MOST_COLUMNS ? MOST_COLUMNS : columns;
}

hasten_status hasten_report_terminal(const struct hasten_profile *profile,
                                     const struct hasten_report_options *options, char **ret_text,
                                     struct hasten_error *error) {
    struct hasten_aggregate *aggregate = NULL;
    hasten_status status =
        hasten_aggregate_new(profile, options, profile->allocator, &aggregate, error);
    if (status != HASTEN_OK) {
        return status;
    }
    struct hasten_facts facts = hasten_facts_of(profile);
    size_t columns = page_columns(options);
    struct hasten_page page = {
        .aggregate = aggregate,
        .options = options,
        .directory = facts.directory,
        .columns = columns,
        .bar_columns = columns < 70    ? 6
                       : columns < 100 ? 10
                       : columns < 130 ? 18
                                       : 24,
    };
    hasten_buffer_init(&page.out, profile->allocator);
    hasten_buffer_init(&page.scratch, profile->allocator);
    hasten_sources_init(&page.sources, profile->allocator, facts.directory, facts.start_time_ns);
    write_page(&page, &facts);
    page.out.failed = page.out.failed || page.scratch.failed;
    status = hasten_text_take(&page.out, ret_text, error);
    hasten_sources_done(&page.sources);
    hasten_buffer_done(&page.scratch);
    hasten_buffer_done(&page.out);
    hasten_aggregate_free(aggregate);
    return status;
}

void hasten_report_free_text(const struct hasten_profile *profile, char *text) {
    if (text != NULL) {
        hasten_release(profile->allocator, text, strlen(text) + 1);
    }
}
