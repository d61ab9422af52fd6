/* SPDX-License-Identifier: MIT
 *
 * Which interpreters there are, and whether they can be sampled here. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/doctor/candidates.h"
#include "cli/doctor/checks.h"
#include "cli/doctor/trial.h"
#include "cli/message.h"

/* The versions that hasten knows, and the word for them. */
#define FIRST_MINOR 11
#define LAST_MINOR 15
#define SUPPORTED "CPython 3.11 to 3.15"

static bool is_supported(const char *version) {
    unsigned major = 0, minor = 0;
    return sscanf(version, "%u.%u", &major, &minor) == 2 && major == 3 && minor >= FIRST_MINOR &&
           minor <= LAST_MINOR;
}

/* Says in `check` how sampling went; true where it worked. */
static bool try_sampling(struct check *check, const char *path) {
    struct trial_result result;
    struct hasten_error error = {.status = HASTEN_OK};
    size_t used = 0;
    while (used + 1 < sizeof check->found && check->found[used] != '\0') {
        used++;
    }
    hasten_status status = cli_trial(path, &result, &error);
    if (status != HASTEN_OK) {
        error.status = status;
        snprintf(check->found + used, sizeof check->found - used, ": sampling fails");
        snprintf(check->advice, sizeof check->advice, "%s", cli_error_text(&error));
    } else if (!result.found_function) {
        snprintf(check->found + used, sizeof check->found - used,
                 ": sampling sees nothing (%llu samples)", (unsigned long long)result.samples);
    } else {
        snprintf(check->found + used, sizeof check->found - used,
                 ": sampling works (%llu samples, %llu failed)", (unsigned long long)result.samples,
                 (unsigned long long)result.failed);
        check->verdict = CHECK_GOOD;
        return true;
    }
    check->verdict = CHECK_BAD;
    return false;
}

size_t checks_interpreters(struct checks *checks) {
    struct candidates *candidates = malloc(sizeof *candidates);
    size_t working = 0;
    if (candidates == NULL) {
        return 0;
    }
    candidates_find(candidates);
    for (size_t i = 0; i < candidates->count; i++) {
        const char *path = candidates->rows[i].path;
        char version[64];
        if (!cli_trial_version(path, version, sizeof version)) {
            checks_add(checks, "Python", CHECK_NOTE, "%.200s does not answer", path);
            continue;
        }
        struct check *check = checks_add(checks, "Python", CHECK_NOTE, "%s %.160s", version, path);
        if (is_supported(version)) {
            working += try_sampling(check, path);
        } else {
            snprintf(check->advice, sizeof check->advice, "not supported: %s is", SUPPORTED);
        }
    }
    free(candidates);
    if (working == 0) {
        struct check *check =
            checks_add(checks, "Python", CHECK_BAD, "no interpreter can be sampled");
        snprintf(check->advice, sizeof check->advice,
                 "install one of " SUPPORTED " (apt install python3, uv python install 3.13), "
                 "and see above for what forbids reading it");
    }
    return working;
}
