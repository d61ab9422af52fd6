/* SPDX-License-Identifier: MIT
 *
 * For making golden files and looking at them: finishes a recording, or prints
 * all that it says.
 *
 *   recording_tool finalize FILE
 *   recording_tool dump FILE */
#include <stdio.h>
#include <string.h>

#include "recording_dump.h"

int main(int count, char **arguments) {
    struct hasten_error error = {0};
    hasten_status status = HASTEN_OK;
    if (count != 3) {
        fputs("usage: recording_tool (finalize|dump) FILE\n", stderr);
        return 2;
    }
    if (strcmp(arguments[1], "finalize") == 0) {
        status = hasten_recording_finalize(arguments[2], NULL, &error);
    } else {
        struct hasten_buffer text;
        hasten_buffer_init(&text, NULL);
        status = dump_recording(&text, arguments[2], &error);
        fputs(hasten_buffer_cstring(&text), stdout);
        hasten_buffer_done(&text);
    }
    if (status != HASTEN_OK) {
        fprintf(stderr, "%s %lld %s\n", hasten_status_name(status), (long long)error.position,
                error.message);
    }
    return status == HASTEN_OK ? 0 : 1;
}
