/* SPDX-License-Identifier: MIT
 *
 * Files that tests read, damage and write back. */
#ifndef HASTEN_TESTS_DAMAGE_H
#define HASTEN_TESTS_DAMAGE_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hasten/status.h"

struct bytes {
    uint8_t *data;
    size_t size;
};

__attribute__((unused)) static struct bytes read_bytes(const char *path) {
    struct bytes bytes = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        abort();
    }
    bytes.size = (size_t)ftell(file);
    rewind(file);
    bytes.data = malloc(bytes.size + 1);
    if (fread(bytes.data, 1, bytes.size, file) != bytes.size) {
        abort();
    }
    fclose(file);
    return bytes;
}

__attribute__((unused)) static void write_bytes(const char *path, const uint8_t *data,
                                                size_t size) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (descriptor < 0 || write(descriptor, data, size) != (ssize_t)size) {
        abort();
    }
    close(descriptor);
}

/* Statuses that a damaged file may give. */
__attribute__((unused)) static int is_verdict(hasten_status status) {
    return status == HASTEN_CORRUPT || status == HASTEN_TRUNCATED ||
           status == HASTEN_NOT_RECORDING || status == HASTEN_NEWER;
}

#endif
