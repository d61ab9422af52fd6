/* SPDX-License-Identifier: MIT
 *
 * Recordings cut at every byte and with every bit of every byte turned: a cut log
 * reads up to its last whole block, damage is told with its place, and nothing
 * crashes (the sanitizers watch). */
#include "check.h"
#include "damage.h"
#include "recording_fixture.h"

#define ROUNDS 4

static char path[256];

static struct bytes read_file(void) {
    return read_bytes(path);
}

static void write_file(const uint8_t *data, size_t size) {
    write_bytes(path, data, size);
}

static void record(int rounds) {
    struct hasten_error error;
    struct hasten_recorder *recorder = NULL;
    struct fixture fixture;
    CHECK_STATUS(hasten_recorder_open(path, FIXTURE_INTERVAL_NS, NULL, &recorder, &error),
                 HASTEN_OK);
    CHECK_STATUS(fixture_record(recorder, rounds, &fixture), HASTEN_OK);
    CHECK_STATUS(hasten_recorder_close(recorder, &error), HASTEN_OK);
}

static int count_visit(void *context, const struct hasten_sample *sample) {
    (void)sample;
    ++*(uint64_t *)context;
    return 0;
}

/* What reading the file gave. */
struct outcome {
    hasten_status status;
    struct hasten_error error;
    uint64_t samples; /* of threads, in the profile */
    uint64_t series;  /* of the time series */
    hasten_status series_status;
    bool incomplete;
};

static struct outcome read_recording(void) {
    struct outcome outcome = {0};
    struct hasten_profile *profile = NULL;
    outcome.error.position = -2;
    outcome.status = hasten_recording_load(path, NULL, &profile, &outcome.error);
    if (outcome.status == HASTEN_OK) {
        for (size_t i = 0; i < profile->thread_count; i++) {
            outcome.samples += profile->threads[i].samples;
        }
        outcome.incomplete = hasten_profile_fact(profile, "recording.incomplete") != NULL;
    }
    hasten_profile_free(profile);
    outcome.series_status =
        hasten_recording_samples(path, NULL, count_visit, &outcome.series, NULL);
    return outcome;
}

static void test_cut_log(void) {
    record(ROUNDS);
    struct bytes bytes = read_file();
    uint64_t before = 0;
    unsigned wrong = 0;
    unsigned rises = 0;
    for (size_t size = 0; size <= bytes.size; size++) {
        write_file(bytes.data, size);
        struct outcome outcome = read_recording();
        if (size < 40) { /* the header */
            hasten_status expected = size == 0 ? HASTEN_NOT_RECORDING : HASTEN_TRUNCATED;
            wrong += outcome.status != expected || outcome.error.position != (int64_t)size;
            continue;
        }
        wrong += outcome.status != HASTEN_OK || outcome.series_status != HASTEN_OK;
        wrong += outcome.incomplete != (size < bytes.size);
        wrong += outcome.series != outcome.samples || outcome.samples < before;
        rises += outcome.samples > before;
        before = outcome.samples;
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK_EQ_INT(rises, ROUNDS); /* each flush came through on its own */
    CHECK_EQ_INT(before, ROUNDS * FIXTURE_SAMPLES_PER_ROUND);
    free(bytes.data);
}

/* A disk that lost the end leaves zeros: the same as a cut. */
static void test_zeroed_log(void) {
    record(ROUNDS);
    struct bytes bytes = read_file();
    uint8_t *zeroed = calloc(1, bytes.size + 5000);
    unsigned wrong = 0;
    for (size_t size = 40; size < bytes.size; size += 7) {
        memcpy(zeroed, bytes.data, size);
        memset(zeroed + size, 0, bytes.size - size);
        write_file(bytes.data, size);
        struct outcome cut = read_recording();
        write_file(zeroed, bytes.size + 5000);
        struct outcome outcome = read_recording();
        /* Inside a block its checksum tells. */
        wrong += outcome.status == HASTEN_OK ? outcome.samples != cut.samples || !outcome.incomplete
                                             : outcome.status != HASTEN_CORRUPT;
    }
    CHECK_EQ_INT(wrong, 0);
    free(zeroed);
    free(bytes.data);
}

static void test_turned_bits_of_log(void) {
    record(1);
    struct bytes bytes = read_file();
    unsigned wrong = 0;
    for (size_t at = 0; at < bytes.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.data[at] ^= (uint8_t)(1u << bit);
            write_file(bytes.data, bytes.size);
            bytes.data[at] ^= (uint8_t)(1u << bit);
            struct outcome outcome = read_recording();
            /* Every bit is under a checksum. */
            bool told = is_verdict(outcome.status) && is_verdict(outcome.series_status) &&
                        outcome.error.message[0] != '\0' && outcome.error.position >= 0 &&
                        outcome.error.position <= (int64_t)at;
            if (!told && wrong++ == 0) {
                fprintf(stderr, "byte %zu bit %u: %s, %s\n", at, bit,
                        hasten_status_name(outcome.status), outcome.error.message);
            }
        }
    }
    CHECK_EQ_INT(wrong, 0);
    free(bytes.data);
}

static void test_cut_sqlite(void) {
    record(ROUNDS);
    struct hasten_error error;
    CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_OK);
    struct bytes bytes = read_file();
    unsigned wrong = 0;
    for (size_t size = 0; size < bytes.size; size += size < 200 ? 1 : 509) {
        write_file(bytes.data, size);
        struct outcome outcome = read_recording();
        hasten_status expected = size == 0 ? HASTEN_NOT_RECORDING : HASTEN_TRUNCATED;
        wrong += outcome.status != expected || outcome.error.position != (int64_t)size;
    }
    CHECK_EQ_INT(wrong, 0);
    free(bytes.data);
}

/* SQLite has no checksums: a turned bit may go unnoticed in a number, but what is
 * read stays in bounds, and what is told is told exactly. */
static void test_turned_bits_of_sqlite(void) {
    record(ROUNDS);
    struct hasten_error error;
    CHECK_STATUS(hasten_recording_finalize(path, NULL, &error), HASTEN_OK);
    struct bytes bytes = read_file();
    unsigned wrong = 0;
    unsigned noticed = 0;
    for (size_t at = 0; at < bytes.size; at++) {
        /* Most of a small file is empty; of the rest some bytes are enough: the
         * fuzzer does more of this. */
        if (bytes.data[at] == 0 || (at > 100 && at % 5 != 0)) {
            continue;
        }
        unsigned bit = (unsigned)(at % 8);
        bytes.data[at] ^= (uint8_t)(1u << bit);
        write_file(bytes.data, bytes.size);
        bytes.data[at] ^= (uint8_t)(1u << bit);
        struct outcome outcome = read_recording();
        noticed += outcome.status != HASTEN_OK || outcome.series_status != HASTEN_OK;
        bool good = (outcome.status == HASTEN_OK || is_verdict(outcome.status)) &&
                    (outcome.series_status == HASTEN_OK || is_verdict(outcome.series_status));
        if (!good && wrong++ == 0) {
            fprintf(stderr, "byte %zu bit %u: %s, %s; %s\n", at, bit,
                    hasten_status_name(outcome.status), outcome.error.message,
                    hasten_status_name(outcome.series_status));
        }
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK(noticed > 100);
    free(bytes.data);
}

int main(void) {
    fixture_path(path, sizeof path);
    test_cut_log();
    test_zeroed_log();
    test_turned_bits_of_log();
    test_cut_sqlite();
    test_turned_bits_of_sqlite();
    fixture_remove(path);
    return check_done();
}
