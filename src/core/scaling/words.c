/* SPDX-License-Identifier: MIT
 *
 * Sentences. */
#include "core/scaling/words.h"

#include <inttypes.h>
#include <math.h>

#include "core/report/numbers.h"

void hasten_scaling_amount(struct hasten_buffer *out, double value, bool is_bytes) {
    if (is_bytes) {
        hasten_number_bytes(out, (int64_t)fmin(value, 9e18));
    } else {
        hasten_number_time(out, value);
    }
}

/* The likely ones, the likeliest first. */
static void write_candidates(struct hasten_buffer *out, const struct hasten_verdict *verdict) {
    bool is_written[HASTEN_GROWTH_COUNT] = {false};
    for (int turn = 0; turn < 3; turn++) {
        int next = -1;
        for (int i = 0; i < HASTEN_GROWTH_COUNT; i++) {
            double most = next < 0 ? 0.05 : verdict->fits[next].weight;
            if (!is_written[i] && verdict->fits[i].weight > most) {
                next = i;
            }
        }
        if (next < 0) {
            return;
        }
        is_written[next] = true;
        hasten_buffer_format(out, "%s%s (%.0f %%)", turn == 0 ? "" : " or ",
                             hasten_growth_name((enum hasten_growth)next),
                             100 * verdict->fits[next].weight);
    }
}

void hasten_scaling_verdict(struct hasten_buffer *out, const struct hasten_verdict *verdict) {
    const char *name = hasten_growth_name(verdict->growth);
    if (verdict->doubt != HASTEN_DOUBT_NONE) {
        hasten_buffer_text(out, "can't tell: ");
    }
    switch (verdict->doubt) {
    case HASTEN_DOUBT_NONE:
        hasten_buffer_format(out, "%s, %.4g %% sure", name, floor(1000 * verdict->confidence) / 10);
        break;
    case HASTEN_DOUBT_TOO_FEW:
        hasten_buffer_text(out, "too few sizes could be measured");
        break;
    case HASTEN_DOUBT_NARROW:
        hasten_buffer_text(out, "the sizes are too near to each other");
        break;
    case HASTEN_DOUBT_NOISE:
        hasten_buffer_text(out, "noise hides the curve");
        break;
    case HASTEN_DOUBT_BETWEEN:
        write_candidates(out, verdict);
        break;
    case HASTEN_DOUBT_BEGINNING:
        hasten_buffer_format(
            out, "it looks like %s, but something larger begins; larger sizes would show it", name);
        break;
    case HASTEN_DOUBT_POWER:
        hasten_buffer_format(out, "none of the classes; it grows like n^%.2f", verdict->power);
        break;
    default:
        hasten_buffer_format(out, "no class follows it; %s comes nearest", name);
        break;
    }
}

static const struct hasten_verdict *verdict_of(const struct hasten_scaling_result *result,
                                               bool of_memory) {
    return of_memory ? &result->memory : &result->time;
}

double hasten_scaling_doubling(const struct hasten_scaling_result *result, bool of_memory) {
    const struct hasten_verdict *verdict = verdict_of(result, of_memory);
    const struct hasten_fit *fit = &verdict->fits[verdict->growth];
    if (result->row_count == 0 || !fit->exists) {
        return 0;
    }
    if (verdict->growth == HASTEN_GROWTH_CONSTANT) {
        return 1; /* also of nothing: what allocates nothing has a constant of 0 */
    }
    double size = (double)result->rows[result->row_count - 1].size;
    double before = hasten_fit_value(fit, verdict->growth, size / 2);
    return hasten_fit_value(fit, verdict->growth, size) / before;
}

void hasten_scaling_cost(struct hasten_buffer *out, const struct hasten_scaling_result *result,
                         bool of_memory) {
    const struct hasten_verdict *verdict = verdict_of(result, of_memory);
    const struct hasten_fit *fit = &verdict->fits[verdict->growth];
    const char *worse = of_memory ? "larger" : "slower";
    bool is_vague = verdict->doubt != HASTEN_DOUBT_NONE && verdict->doubt != HASTEN_DOUBT_BETWEEN;
    if (!fit->exists || is_vague) {
        return;
    }
    if (verdict->growth == HASTEN_GROWTH_CONSTANT) {
        hasten_buffer_text(out, "the size does not matter");
    } else if (verdict->growth == HASTEN_GROWTH_EXPONENTIAL) {
        hasten_buffer_format(out, "each 1 more makes it %.2f times %s", fit->base, worse);
    } else {
        hasten_buffer_format(out, "doubling n makes it %.2g times %s",
                             hasten_scaling_doubling(result, of_memory), worse);
    }
}

/* "1.20 ms at n = 4 096, 293 ns for each of them": of the largest size. */
static void write_largest(struct hasten_buffer *out, const struct hasten_scaling_result *result,
                          bool of_memory) {
    size_t last = result->row_count - 1;
    while (of_memory && last > 0 && !result->rows[last].has_memory) {
        last--;
    }
    const struct hasten_scaling_row *row = &result->rows[last];
    if (of_memory && !row->has_memory) {
        return;
    }
    double value = of_memory ? row->memory_bytes : row->time_ns;
    hasten_scaling_amount(out, value, of_memory);
    hasten_buffer_format(out, " at n = %" PRIu64, row->size);
    enum hasten_growth growth = verdict_of(result, of_memory)->growth;
    if (growth == HASTEN_GROWTH_LINEAR || growth == HASTEN_GROWTH_LINEARITHMIC) {
        hasten_buffer_text(out, ", ");
        hasten_scaling_amount(out, value / (double)row->size, of_memory);
        hasten_buffer_text(out, " for each");
    }
}

static void write_part(struct hasten_buffer *out, const struct hasten_scaling_result *result,
                       bool of_memory) {
    hasten_buffer_text(out, of_memory ? "memory  " : "time    ");
    hasten_scaling_verdict(out, verdict_of(result, of_memory));
    hasten_buffer_text(out, "\n        ");
    size_t before = out->size;
    hasten_scaling_cost(out, result, of_memory);
    hasten_buffer_text(out, out->size > before ? "; " : "");
    write_largest(out, result, of_memory);
    hasten_buffer_text(out, "\n");
}

static void write_end(struct hasten_buffer *out, const struct hasten_scaling_result *result) {
    switch (result->end) {
    case HASTEN_END_RAISED:
        hasten_buffer_format(out, "; it raised an exception at n = %" PRIu64, result->end_size);
        break;
    case HASTEN_END_HUNG:
        hasten_buffer_format(out, "; n = %" PRIu64 " did not come to an end in time",
                             result->end_size);
        break;
    case HASTEN_END_BUDGET:
        if (result->end_size > 0) {
            hasten_buffer_format(out, "; n = %" PRIu64 " would take too long", result->end_size);
        }
        break;
    default:
        break;
    }
}

void hasten_scaling_text(struct hasten_buffer *out, const struct hasten_scaling_result *result,
                         unsigned columns, bool unicode) {
    if (result->row_count == 0) {
        hasten_buffer_text(out, "nothing could be measured\n");
        return;
    }
    write_part(out, result, false);
    hasten_scaling_plot(out, result, false, columns, unicode);
    if (result->has_memory) {
        hasten_buffer_text(out, "\n");
        write_part(out, result, true);
        hasten_scaling_plot(out, result, true, columns, unicode);
    }
    hasten_buffer_format(out, "\n%zu sizes, %u round%s in %.1f s", result->row_count,
                         (unsigned)result->rounds, result->rounds == 1 ? "" : "s", result->spent_s);
    write_end(out, result);
    hasten_buffer_text(out, "\n");
}
