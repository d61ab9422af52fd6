/* SPDX-License-Identifier: MIT
 *
 * The input is a finished recording: an SQLite file from anywhere. */
#include "recording_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_recording(input_file(data, size));
    return 0;
}
