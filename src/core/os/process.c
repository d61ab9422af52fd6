/* SPDX-License-Identifier: MIT
 *
 * Executable, command line and state of a process. */
#include "core/os/process.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/os/procfs.h"

#define HASTEN_NS_PER_S UINT64_C(1000000000)
#define HASTEN_FLAG_KERNEL_THREAD 0x00200000u /* PF_KTHREAD of linux/sched.h */

hasten_status hasten_process_executable(uint32_t pid, char *ret_path, size_t size) {
    static const char suffix[] = " (deleted)";
    char path[4096 + sizeof suffix];

    hasten_status status = hasten_procfs_link(pid, "exe", path, sizeof path);
    if (status != HASTEN_OK)
        return status;
    size_t length = strlen(path);
    if (length >= sizeof suffix && strcmp(path + length - (sizeof suffix - 1), suffix) == 0)
        length -= sizeof suffix - 1;
    if (length >= size)
        return HASTEN_LIMIT;
    memcpy(ret_path, path, length);
    ret_path[length] = '\0';
    return HASTEN_OK;
}

/* A fixed-size text that ends in "..." when it was too short. */
struct text {
    char *data;
    size_t size;
    size_t length;
    bool full;
};

static void put(struct text *text, const char *data, size_t size) {
    if (text->full || size >= text->size - text->length) {
        text->full = true;
        return;
    }
    memcpy(text->data + text->length, data, size);
    text->length += size;
    text->data[text->length] = '\0';
}

static bool is_plain(char byte) {
    return isalnum((unsigned char)byte) || (byte != '\0' && strchr("_@%+=:,./-", byte) != NULL);
}

static void put_quoted(struct text *text, const char *argument) {
    size_t plain = 0;

    while (is_plain(argument[plain]))
        plain++;
    if (plain > 0 && argument[plain] == '\0') {
        put(text, argument, plain);
        return;
    }
    put(text, "'", 1);
    for (; *argument != '\0'; argument++) {
        if (*argument == '\'')
            put(text, "'\\''", 4);
        else
            put(text, argument, 1);
    }
    put(text, "'", 1);
}

/* The kernel's name for a process without a command line, in brackets as ps
 * shows it. */
static hasten_status command_from_name(uint32_t pid, struct text *text) {
    char name[64];
    size_t length;

    hasten_status status = hasten_procfs_read(pid, "comm", name, sizeof name, &length);
    if (status != HASTEN_OK)
        return status;
    if (length > 0 && name[length - 1] == '\n')
        length--;
    put(text, "[", 1);
    put(text, name, length);
    put(text, "]", 1);
    return HASTEN_OK;
}

hasten_status hasten_process_command(uint32_t pid, char *ret_text, size_t size) {
    char arguments[16384];
    struct text text = {ret_text, size, 0, false};
    size_t length;

    if (size < 4)
        return HASTEN_INVALID;
    hasten_status status = hasten_procfs_read(pid, "cmdline", arguments, sizeof arguments, &length);
    if (status != HASTEN_OK)
        return status;
    ret_text[0] = '\0';
    if (length == 0)
        return command_from_name(pid, &text);
    for (size_t start = 0; start < length; start += strlen(arguments + start) + 1) {
        if (start > 0)
            put(&text, " ", 1);
        put_quoted(&text, arguments + start);
    }
    if (text.full || length == sizeof arguments - 1) {
        size_t at = text.length < size - 4 ? text.length : size - 4;
        memcpy(ret_text + at, "...", 4);
    }
    return HASTEN_OK;
}

/* The kernel's own clock of the process, where it has one; else from ticks. */
static uint64_t cpu_ns(uint32_t pid, uint64_t ticks) {
    clockid_t clock;
    struct timespec now;

    if (clock_getcpuclockid((pid_t)pid, &clock) == 0 && clock_gettime(clock, &now) == 0)
        return (uint64_t)now.tv_sec * HASTEN_NS_PER_S + (uint64_t)now.tv_nsec;
    long per_second = sysconf(_SC_CLK_TCK);
    return per_second > 0 ? ticks * (HASTEN_NS_PER_S / (uint64_t)per_second) : 0;
}

hasten_status hasten_process_stat(uint32_t pid, struct hasten_process_stat *ret_stat) {
    struct hasten_process_stat stat = {0};
    char text[2048];
    uint64_t user_ticks, system_ticks;
    uint32_t flags;

    hasten_status status = hasten_procfs_read(pid, "stat", text, sizeof text, NULL);
    if (status != HASTEN_OK)
        return status == HASTEN_NOT_FOUND ? HASTEN_NO_PROCESS : status;
    /* The name, in parentheses, may itself contain parentheses. */
    const char *rest = strrchr(text, ')');
    if (rest == NULL)
        return HASTEN_IO;
    /* Fields 3, 4, 9, 14, 15, 20, 22 and 28 of proc(5). */
    int fields =
        sscanf(rest + 1,
               " %c %" SCNu32 " %*s %*s %*s %*s %" SCNu32 " %*s %*s %*s %*s %" SCNu64 " %" SCNu64
               " %*s %*s %*s %*s %" SCNu32 " %*s %" SCNu64 " %*s %*s %*s %*s %*s %" SCNu64,
               &stat.state, &stat.parent_pid, &flags, &user_ticks, &system_ticks, &stat.threads,
               &stat.start_ticks, &stat.stack_start);
    if (fields != 8)
        return HASTEN_IO;
    stat.is_kernel = (flags & HASTEN_FLAG_KERNEL_THREAD) != 0;
    if (stat.stack_start == 1) /* what the kernel shows to those who may not know */
        stat.stack_start = 0;
    stat.cpu_ns = cpu_ns(pid, user_ticks + system_ticks);
    *ret_stat = stat;
    return HASTEN_OK;
}
