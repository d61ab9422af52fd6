/* SPDX-License-Identifier: MIT
 *
 * Thread activity from Linux's procfs: `schedstat` tells whether a thread has run
 * (one cheap read), `syscall` in which system call it waits and with which
 * arguments, and the descriptor's link what kind of thing it waits for. */
#include "core/os/activity.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/os/memory.h"

static int open_task_file(uint32_t pid, uint32_t tid, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/task/%u/%s", pid, tid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

void hasten_activity_open(struct hasten_activity_probe *probe, uint32_t pid, uint32_t tid) {
    probe->pid = pid;
    probe->tid = tid;
    probe->schedule_descriptor = open_task_file(pid, tid, "schedstat");
    probe->syscall_descriptor = open_task_file(pid, tid, "syscall");
    probe->status_descriptor = -1;
}

void hasten_activity_close(struct hasten_activity_probe *probe) {
    int *descriptors[] = {&probe->schedule_descriptor, &probe->syscall_descriptor,
                          &probe->status_descriptor};
    for (int i = 0; i < 3; i++) {
        if (*descriptors[i] >= 0)
            close(*descriptors[i]);
        *descriptors[i] = -1;
    }
}

uint64_t hasten_activity_stamp(const struct hasten_activity_probe *probe) {
    char text[96];
    if (probe->schedule_descriptor < 0)
        return 0;
    ssize_t size = pread(probe->schedule_descriptor, text, sizeof text - 1, 0);
    if (size <= 0)
        return 0;
    text[size] = 0;
    /* "run_ns wait_ns switches": the first and last change when it runs. */
    char *at = text;
    uint64_t run_ns = strtoull(at, &at, 10);
    uint64_t wait_ns = strtoull(at, &at, 10);
    uint64_t switches = strtoull(at, &at, 10);
    return (run_ns + wait_ns) * 1000003u + switches + 1;
}

static enum hasten_activity_kind kind_of_descriptor(uint32_t pid, uint64_t descriptor) {
    char path[64], target[64];
    snprintf(path, sizeof path, "/proc/%u/fd/%u", pid, (unsigned)descriptor);
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size <= 0)
        return HASTEN_ACTIVITY_OTHER;
    target[size] = 0;
    if (strncmp(target, "socket:", 7) == 0)
        return HASTEN_ACTIVITY_NETWORK;
    if (strncmp(target, "pipe:", 5) == 0 || strncmp(target, "anon_inode:", 11) == 0 ||
        strncmp(target, "/dev/pts/", 9) == 0 || strcmp(target, "/dev/tty") == 0)
        return HASTEN_ACTIVITY_OTHER;
    return HASTEN_ACTIVITY_FILE;
}

/* poll() of nothing is a sleep; of sockets, the network; of pipes, other. */
static enum hasten_activity_kind kind_of_poll(uint32_t pid, const uint64_t *arguments) {
    struct pollfd first;
    if (arguments[1] == 0)
        return HASTEN_ACTIVITY_SLEEP;
    if (hasten_memory_read(pid, hasten_raddr_at(arguments[0]), &first, sizeof first) != HASTEN_OK)
        return HASTEN_ACTIVITY_OTHER;
    return kind_of_descriptor(pid, (uint32_t)first.fd);
}

static bool is_one_of(long number, const long *numbers, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

#define IS_ONE_OF(number, ...)                       \
    is_one_of((number), (const long[]){__VA_ARGS__}, \
              sizeof((const long[]){__VA_ARGS__}) / sizeof(long))

static enum hasten_activity_kind kind_of_call(uint32_t pid, long number,
                                              const uint64_t *arguments) {
    if (number == SYS_futex)
        return HASTEN_ACTIVITY_LOCK;
    if (IS_ONE_OF(number, SYS_nanosleep, SYS_clock_nanosleep))
        return HASTEN_ACTIVITY_SLEEP;
    if (IS_ONE_OF(number, SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64,
                  SYS_preadv, SYS_pwritev, SYS_sendfile, SYS_splice, SYS_ioctl, SYS_lseek))
        return kind_of_descriptor(pid, arguments[0]);
    if (IS_ONE_OF(number, SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg, SYS_recvmmsg,
                  SYS_sendmmsg, SYS_accept, SYS_accept4, SYS_connect, SYS_epoll_pwait))
        return HASTEN_ACTIVITY_NETWORK;
    if (number == SYS_ppoll)
        return kind_of_poll(pid, arguments);
    if (number == SYS_pselect6)
        return arguments[0] == 0 ? HASTEN_ACTIVITY_SLEEP : HASTEN_ACTIVITY_NETWORK;
#ifdef SYS_poll
    if (number == SYS_poll)
        return kind_of_poll(pid, arguments);
    if (number == SYS_select)
        return arguments[0] == 0 ? HASTEN_ACTIVITY_SLEEP : HASTEN_ACTIVITY_NETWORK;
    if (number == SYS_epoll_wait)
        return HASTEN_ACTIVITY_NETWORK;
    if (IS_ONE_OF(number, SYS_open, SYS_stat, SYS_lstat, SYS_rename, SYS_unlink, SYS_mkdir,
                  SYS_rmdir, SYS_readlink, SYS_access, SYS_getdents))
        return HASTEN_ACTIVITY_FILE;
#endif
    if (IS_ONE_OF(number, SYS_openat, SYS_close, SYS_fsync, SYS_fdatasync, SYS_sync_file_range,
                  SYS_getdents64, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_renameat, SYS_renameat2,
                  SYS_unlinkat, SYS_mkdirat, SYS_readlinkat, SYS_ftruncate, SYS_fallocate,
                  SYS_flock, SYS_msync, SYS_copy_file_range))
        return HASTEN_ACTIVITY_FILE;
    if (number == SYS_fcntl)
        return HASTEN_ACTIVITY_FILE; /* the one that blocks is a file lock */
    return HASTEN_ACTIVITY_OTHER;
}

/* "running", or "number a0 a1 ... sp pc"; number -1 when blocked outside a call
 * (a page fault, a stop). */
static void parse_syscall(uint32_t pid, const char *text, struct hasten_activity *activity) {
    uint64_t arguments[6] = {0};
    if (strncmp(text, "running", 7) == 0) {
        activity->kind = HASTEN_ACTIVITY_RUNNING;
        return;
    }
    char *at;
    long number = strtol(text, &at, 10);
    for (int i = 0; i < 6; i++)
        arguments[i] = strtoull(at, &at, 16);
    activity->kind = number < 0 ? HASTEN_ACTIVITY_OTHER : kind_of_call(pid, number, arguments);
    if (number == SYS_futex)
        activity->lock_address = arguments[0];
}

/* Only the scheduler's letter: R, S, D, ... after the last ')'. */
static hasten_status look_at_status(struct hasten_activity_probe *probe,
                                    struct hasten_activity *activity) {
    char text[256];
    if (probe->status_descriptor < 0)
        probe->status_descriptor = open_task_file(probe->pid, probe->tid, "stat");
    if (probe->status_descriptor < 0)
        return HASTEN_GONE;
    ssize_t size = pread(probe->status_descriptor, text, sizeof text - 1, 0);
    if (size <= 0)
        return HASTEN_GONE;
    text[size] = 0;
    const char *end = strrchr(text, ')');
    char letter = end && end[1] == ' ' ? end[2] : '?';
    activity->kind = letter == 'R'   ? HASTEN_ACTIVITY_RUNNING
                     : letter == 'D' ? HASTEN_ACTIVITY_FILE
                     : letter == 'S' ? HASTEN_ACTIVITY_OTHER
                                     : HASTEN_ACTIVITY_UNKNOWN;
    return letter == 'Z' || letter == 'X' ? HASTEN_GONE : HASTEN_OK;
}

hasten_status hasten_activity_look(struct hasten_activity_probe *probe,
                                   struct hasten_activity *ret_activity) {
    struct hasten_activity activity = {HASTEN_ACTIVITY_UNKNOWN, 0};
    char text[256];
    hasten_status status = HASTEN_OK;
    if (probe->syscall_descriptor >= 0) {
        ssize_t size = pread(probe->syscall_descriptor, text, sizeof text - 1, 0);
        if (size > 0) {
            text[size] = 0;
            parse_syscall(probe->pid, text, &activity);
            *ret_activity = activity;
            return HASTEN_OK;
        }
        if (size == 0 || errno == ESRCH)
            return HASTEN_GONE;
        close(probe->syscall_descriptor);
        probe->syscall_descriptor = -1;
    }
    status = look_at_status(probe, &activity);
    if (status == HASTEN_OK)
        *ret_activity = activity;
    return status;
}
