/* SPDX-License-Identifier: MIT
 *
 * What `hasten complexity` can be asked for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

/* Beyond these a size is a slip of the hand. */
#define MOST_SIZE UINT64_C(1000000000000)
/* "A..B" with fewer doublings is filled up to about as many sizes. */
#define LEAST_LADDER 10

/* Examples in these texts are run by tests/cli/test_cli_examples.py. */
const char cli_complexity_usage[] = "hasten complexity [OPTIONS] MODULE:FUNCTION\n"
                                    "hasten complexity [OPTIONS] FILE.py:FUNCTION\n";

const char cli_complexity_details[] =
    "Runs the function on larger and larger inputs and says how its time grows: O(1),\n"
    "O(log n), O(n), O(n log n), O(n^2), O(n^3) or O(2^n), and how sure that is; or\n"
    "that it can't tell, and why. An input is made anew for each execution where the\n"
    "function changes it. What the function prints is thrown away.\n"
    "\n"
    "Examples:\n"
    "  hasten complexity --budget 1 sums.py:total --generate sums.py:numbers\n"
    "  hasten complexity --budget 1 --sizes 16..4096 --json math:isqrt\n"
    "  hasten complexity --budget 1 --memory sums.py:total --generate sums.py:numbers\n"
    "\n"
    "Exit status:\n"
    "  0  measured, also where it can't tell\n"
    "  2  wrong usage, or it could not be measured\n";

static const char complaint[] = "FROM..TO or sizes with commas between are expected, ascending, "
                                "like 100..100000 or 10,20,50";

static bool whole_number(const char *text, char **ret_end, uint64_t *ret_number) {
    errno = 0;
    *ret_number = strtoull(text, ret_end, 10);
    return *ret_end != text && text[0] >= '0' && text[0] <= '9' && errno == 0 && *ret_number >= 1 &&
           *ret_number <= MOST_SIZE;
}

/* Doubling from the first to the last; in smaller steps where those would be few. */
static void make_ladder(struct cli_complexity_options *options, uint64_t first, uint64_t last) {
    double factor = 2;
    while (factor > 1.1) {
        double reached = (double)first;
        size_t count = 1;
        for (; reached * factor <= (double)last; count++) {
            reached *= factor;
        }
        if (count >= LEAST_LADDER) {
            break;
        }
        factor = 1 + (factor - 1) * 0.8;
    }
    double size = (double)first;
    uint64_t next = first;
    options->size_count = 0;
    while (next < last && options->size_count < CLI_MOST_SIZES - 1) {
        options->sizes[options->size_count++] = next;
        size *= factor;
        next = (uint64_t)size > next ? (uint64_t)size : next + 1;
        size = size < (double)next ? (double)next : size;
    }
    /* The last one was asked for; what is nearly there gives way to it. */
    size_t count = options->size_count;
    if (count > 1 && (double)options->sizes[count - 1] * 1.05 > (double)last) {
        options->size_count--;
    }
    options->sizes[options->size_count++] = last;
}

const char *cli_store_sizes(struct cli_options *options, const char *value) {
    struct cli_complexity_options *complexity = &options->complexity;
    uint64_t first = 0, last = 0;
    char *end = NULL;
    complexity->size_count = 0;
    if (!whole_number(value, &end, &first)) {
        return complaint;
    }
    if (strncmp(end, "..", 2) == 0) {
        if (!whole_number(end + 2, &end, &last) || *end != '\0' || last <= first) {
            return complaint;
        }
        make_ladder(complexity, first, last);
        return NULL;
    }
    complexity->sizes[complexity->size_count++] = first;
    while (*end == ',') {
        if (!whole_number(end + 1, &end, &last) || last <= first) {
            return complaint;
        }
        if (complexity->size_count == CLI_MOST_SIZES) {
            return "64 sizes are the most";
        }
        complexity->sizes[complexity->size_count++] = first = last;
    }
    return *end == '\0' ? NULL : complaint;
}

static bool names_function(const char *value) {
    const char *colon = strrchr(value, ':');
    return colon != NULL && colon != value && colon[1] != '\0';
}

const char *cli_store_generate(struct cli_options *options, const char *value) {
    options->complexity.generate = value;
    return names_function(value) ? NULL
                                 : "MODULE:FUNCTION or FILE.py:FUNCTION is expected, like "
                                   "app.data:make";
}

const char *cli_store_complexity_memory(struct cli_options *options, const char *value) {
    (void)value;
    options->complexity.wants_memory = true;
    return NULL;
}
