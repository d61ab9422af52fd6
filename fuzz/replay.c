/* SPDX-License-Identifier: MIT
 *
 * Runs a fuzz target over files, without a fuzzer: every file of the folders named
 * as arguments, and of each its first halves, quarters and so on, so that a few
 * seeds also show what cut input does. Prints "N passed, 0 failed"; a fault ends
 * the program as it would end the fuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* More than any seed has. */
#define FILE_SIZE_MAX (16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The copy has no slack, so that a sanitizer sees a read past its end. */
static int run_file(const char *path, uint8_t *bytes) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    const size_t size = fread(bytes, 1, FILE_SIZE_MAX, file);
    (void)fclose(file);
    int runs = 0;
    for (size_t part = size;; part /= 2) {
        uint8_t *exact = malloc(part + (part == 0));
        if (exact == NULL) {
            return -1;
        }
        for (size_t i = 0; i < part; i++) {
            exact[i] = bytes[i];
        }
        (void)LLVMFuzzerTestOneInput(exact, part);
        free(exact);
        runs++;
        if (part == 0) {
            return runs;
        }
    }
}

static int run_folder(const char *folder, uint8_t *bytes) {
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        perror(folder);
        return -1;
    }
    int runs = 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        const int done = run_file(path, bytes);
        if (done < 0) {
            runs = -1;
            break;
        }
        runs += done;
    }
    (void)closedir(entries);
    return runs;
}

int main(int count, char **arguments) {
    uint8_t *bytes = malloc(FILE_SIZE_MAX);
    int total = 0;
    for (int i = 1; bytes != NULL && i < count; i++) {
        const int runs = run_folder(arguments[i], bytes);
        if (runs <= 0) {
            (void)fprintf(stderr, "%s: nothing was replayed\n", arguments[i]);
            free(bytes);
            return 1;
        }
        total += runs;
    }
    free(bytes);
    (void)printf("%d passed, 0 failed\n", total);
    return total > 0 ? 0 : 1;
}
