/* SPDX-License-Identifier: MIT
 *
 * Which counts there are, and what each needs. */
#include "cli/bench/counts.h"

#include "cli/bench/process.h"
#include "cli/bench/valgrind.h"
#include "cli/message.h"

bool bench_counts_possible(unsigned wanted, enum bench_kind kind) {
    if (wanted & BENCH_COUNT(BENCH_INSTRUCTIONS) && !bench_valgrind_is_there()) {
        cli_say("bench: instructions are counted by Valgrind, which is not on PATH; install the "
                "package valgrind (such as by apt install valgrind)");
        return false;
    }
    if (wanted & BENCH_COUNT(BENCH_BYTECODES) && kind == BENCH_COMMAND) {
        cli_say("bench: bytecodes of statements and functions can be counted, not of commands");
        return false;
    }
    return true;
}

static bool count_bytecodes(const struct bench_side *side, double patience_s,
                            struct bench_amount *ret_amount) {
    const struct bench_instrument instrument = {.is_fixed = true};
    const struct bench_chance chance = {.hash_seed = 0, .instrument = &instrument};
    struct bench_process process = {.errors = -1};
    int64_t bytecodes = -1;
    /* Each instruction is a call meanwhile. */
    bool done = bench_process_start(&process, side, &chance, 20 * patience_s) &&
                bench_process_ready(&process) &&
                bench_process_count(&process, "bytecodes", &bytecodes);
    bench_process_end(&process);
    if (done && bytecodes < 0) {
        cli_say(bytecodes == -1
                    ? "bench: %s: bytecodes can be counted by CPython 3.12 and later only; "
                      "--python names another interpreter"
                    : "bench: %s: its bytecodes cannot be counted, because other tools use all "
                      "that sys.monitoring has",
                side->label);
        return false;
    }
    *ret_amount = (struct bench_amount){done, (double)bytecodes};
    return done;
}

bool bench_counts_take(const struct bench_side *side, unsigned wanted, uint64_t loops,
                       double patience_s, struct bench_amount *amounts) {
    if (wanted & BENCH_COUNT(BENCH_BYTECODES) &&
        !count_bytecodes(side, patience_s, &amounts[BENCH_BYTECODES])) {
        return false;
    }
    if (wanted & BENCH_COUNT(BENCH_INSTRUCTIONS)) {
        struct bench_amount *amount = &amounts[BENCH_INSTRUCTIONS];
        amount->is_known = bench_valgrind_count(side, loops, patience_s, &amount->value);
        return amount->is_known;
    }
    return true;
}
