/* SPDX-License-Identifier: MIT
 *
 * What the kernel says of threads that are known to wait for something: each kind of
 * wait is a child of ours that does nothing else. */
#include "core/os/activity.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

/* Shared with the children. */
static struct {
    volatile uint32_t word; /* a futex that nobody wakes */
    volatile uint64_t spins;
} * shared;
static int pipes[2], sockets[2], locked_file;
static char lock_path[] = "/tmp/hasten-test-XXXXXX";

static void sleep_long(void) {
    sleep(1000);
}

static void spin(void) {
    for (;;)
        shared->spins++;
}

static void wait_for_futex(void) {
    (void)syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void read_pipe(void) {
    char byte;
    (void)!read(pipes[0], &byte, 1);
}

static void receive(void) {
    char byte;
    (void)!recv(sockets[0], &byte, 1, 0);
}

static void read_socket(void) {
    char byte;
    (void)!read(sockets[0], &byte, 1);
}

static void poll_socket(void) {
    struct pollfd waited = {.fd = sockets[0], .events = POLLIN};
    (void)poll(&waited, 1, -1);
}

static void poll_pipe(void) {
    struct pollfd waited = {.fd = pipes[0], .events = POLLIN};
    (void)poll(&waited, 1, -1);
}

static void poll_nothing(void) {
    (void)poll(NULL, 0, 1000000);
}

static void select_nothing(void) {
    struct timeval time = {.tv_sec = 1000};
    (void)select(0, NULL, NULL, NULL, &time);
}

static void wait_for_events(void) {
    struct epoll_event event = {.events = EPOLLIN};
    int events = epoll_create1(0);
    (void)epoll_ctl(events, EPOLL_CTL_ADD, sockets[0], &event);
    (void)epoll_wait(events, &event, 1, -1);
}

static void lock_file(void) {
    int file = open(lock_path, O_RDWR);
    (void)flock(file, LOCK_EX);
}

static void wait_for_signal(void) {
    pause();
}

static void wait_for_child(void) {
    pid_t child = fork();
    if (child == 0) {
        (void)close(pipes[0]);
        for (;;)
            pause();
    }
    (void)waitpid(child, NULL, 0);
}

static pid_t start(void (*wait)(void)) {
    pid_t child = fork();
    if (child == 0) {
        (void)setpgid(0, 0);
        wait();
        _exit(0);
    }
    (void)setpgid(child, child);
    return child;
}

static void end(pid_t child) {
    (void)kill(-child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

static void pass_time(void) {
    struct timespec time = {.tv_nsec = 2000000};
    (void)nanosleep(&time, NULL);
}

/* It takes a while until the child waits; in the end it does. */
static struct hasten_activity await(struct hasten_activity_probe *probe,
                                    enum hasten_activity_kind kind) {
    struct hasten_activity activity = {HASTEN_ACTIVITY_UNKNOWN, 0};
    for (int i = 0; i < 5000; i++) {
        CHECK_STATUS(hasten_activity_look(probe, &activity), HASTEN_OK);
        if (activity.kind == kind)
            break;
        pass_time();
    }
    return activity;
}

static const struct {
    const char *name;
    void (*wait)(void);
    enum hasten_activity_kind kind;
} waits[] = {
    {"sleep", sleep_long, HASTEN_ACTIVITY_SLEEP},
    {"poll of nothing", poll_nothing, HASTEN_ACTIVITY_SLEEP},
    {"select of nothing", select_nothing, HASTEN_ACTIVITY_SLEEP},
    {"spin", spin, HASTEN_ACTIVITY_RUNNING},
    {"futex", wait_for_futex, HASTEN_ACTIVITY_LOCK},
    {"pipe", read_pipe, HASTEN_ACTIVITY_OTHER},
    {"poll of a pipe", poll_pipe, HASTEN_ACTIVITY_OTHER},
    {"recv", receive, HASTEN_ACTIVITY_NETWORK},
    {"read of a socket", read_socket, HASTEN_ACTIVITY_NETWORK},
    {"poll of a socket", poll_socket, HASTEN_ACTIVITY_NETWORK},
    {"epoll", wait_for_events, HASTEN_ACTIVITY_NETWORK},
    {"flock", lock_file, HASTEN_ACTIVITY_FILE},
    {"pause", wait_for_signal, HASTEN_ACTIVITY_OTHER},
    {"waitpid", wait_for_child, HASTEN_ACTIVITY_OTHER},
};

/* Where the kernel does not show system calls, only what the scheduler knows. */
static enum hasten_activity_kind coarse(enum hasten_activity_kind kind) {
    return kind == HASTEN_ACTIVITY_RUNNING ? kind : HASTEN_ACTIVITY_OTHER;
}

static void test_kinds(void) {
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        pid_t child = start(waits[i].wait);
        struct hasten_activity_probe probe;
        hasten_activity_open(&probe, (uint32_t)child, (uint32_t)child);
        enum hasten_activity_kind wanted =
            probe.syscall_descriptor >= 0 ? waits[i].kind : coarse(waits[i].kind);
        struct hasten_activity activity = await(&probe, wanted);
        if (!CHECK_EQ_INT(activity.kind, wanted))
            fprintf(stderr, "    of %s\n", waits[i].name);
        uint64_t word = activity.kind == HASTEN_ACTIVITY_LOCK ? (uintptr_t)&shared->word : 0;
        CHECK(activity.lock_address == word);
        hasten_activity_close(&probe);
        CHECK_EQ_INT(probe.syscall_descriptor, -1);
        CHECK_EQ_INT(probe.schedule_descriptor, -1);
        end(child);
    }
}

/* The same through `stat` alone, as where the kernel keeps system calls to itself. */
static void test_without_syscall(void) {
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        pid_t child = start(waits[i].wait);
        struct hasten_activity_probe probe;
        hasten_activity_open(&probe, (uint32_t)child, (uint32_t)child);
        if (probe.syscall_descriptor >= 0)
            (void)close(probe.syscall_descriptor);
        probe.syscall_descriptor = -1;
        CHECK_EQ_INT(await(&probe, coarse(waits[i].kind)).kind, coarse(waits[i].kind));
        hasten_activity_close(&probe);
        CHECK_EQ_INT(probe.status_descriptor, -1);
        end(child);
    }
}

/* It changes when the thread has run, and only then. */
static void test_stamp(void) {
    struct hasten_activity_probe probe;
    pid_t child = start(wait_for_futex);
    hasten_activity_open(&probe, (uint32_t)child, (uint32_t)child);
    (void)await(&probe, HASTEN_ACTIVITY_LOCK);
    uint64_t stamp = hasten_activity_stamp(&probe);
    if (stamp != 0) { /* the kernel tells */
        for (int i = 0; i < 10; i++) {
            pass_time();
            CHECK(hasten_activity_stamp(&probe) == stamp);
        }
        /* It wakes, finds the word unchanged, ends. */
        (void)syscall(SYS_futex, &shared->word, FUTEX_WAKE, 1, NULL, NULL, 0);
        siginfo_t info;
        (void)waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
        CHECK(hasten_activity_stamp(&probe) != stamp);
    }
    hasten_activity_close(&probe);
    end(child);
    CHECK(hasten_activity_stamp(&probe) == 0);
}

static void test_ended(void) {
    struct hasten_activity_probe probe;
    struct hasten_activity activity = {HASTEN_ACTIVITY_FILE, 17};
    pid_t child = start(wait_for_signal);
    hasten_activity_open(&probe, (uint32_t)child, (uint32_t)child);
    (void)await(&probe, HASTEN_ACTIVITY_OTHER);
    end(child);
    CHECK_STATUS(hasten_activity_look(&probe, &activity), HASTEN_GONE);
    CHECK_EQ_INT(activity.lock_address, 17);
    hasten_activity_close(&probe);
    hasten_activity_open(&probe, (uint32_t)child, (uint32_t)child);
    CHECK_STATUS(hasten_activity_look(&probe, &activity), HASTEN_GONE);
    CHECK(hasten_activity_stamp(&probe) == 0);
    hasten_activity_close(&probe);
}

/* A zombie is no thread that does something. */
static void test_zombie(void) {
    struct hasten_activity_probe probe;
    struct hasten_activity activity;
    siginfo_t info;
    pid_t child = start(wait_for_signal);
    hasten_activity_open(&probe, (uint32_t)child, (uint32_t)child);
    (void)kill(child, SIGKILL);
    (void)waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    hasten_status status = hasten_activity_look(&probe, &activity);
    CHECK(status == HASTEN_GONE || activity.kind == HASTEN_ACTIVITY_OTHER);
    if (probe.syscall_descriptor >= 0)
        (void)close(probe.syscall_descriptor);
    probe.syscall_descriptor = -1;
    CHECK_STATUS(hasten_activity_look(&probe, &activity), HASTEN_GONE);
    hasten_activity_close(&probe);
    end(child);
}

int main(void) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    locked_file = mkstemp(lock_path);
    if (!CHECK(shared != MAP_FAILED) || !CHECK(locked_file >= 0) || !CHECK(pipe(pipes) == 0) ||
        !CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0) ||
        !CHECK(flock(locked_file, LOCK_EX) == 0))
        return check_done();
    test_kinds();
    test_without_syscall();
    test_stamp();
    test_ended();
    test_zombie();
    (void)unlink(lock_path);
    return check_done();
}
