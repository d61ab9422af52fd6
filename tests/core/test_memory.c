/* SPDX-License-Identifier: MIT
 *
 * Reading another process: a child with known memory, of which one page is
 * missing. */
#include "core/os/memory.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define PAGE 4096u
/* More pieces than one system call takes, and not a multiple of it. */
#define PIECES (2 * HASTEN_READ_BATCH + 7)

/* Three pages of known bytes, the middle one to be unmapped in the child. */
static uint8_t *pages;

static uint8_t expected_at(size_t offset) {
    return (uint8_t)(offset * 7 + offset / 251);
}

static hasten_raddr at(size_t offset) {
    return hasten_raddr_at((uint64_t)(uintptr_t)(pages + offset));
}

/* A child that holds the pages and waits to be killed. */
static pid_t start_child(void) {
    int ready[2];
    char byte;

    if (pipe(ready) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        (void)munmap(pages + PAGE, PAGE);
        (void)!write(ready[1], "", 1);
        for (;;)
            pause();
    }
    (void)!read(ready[0], &byte, 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return child;
}

static void test_single(uint32_t pid) {
    uint8_t bytes[PAGE];

    CHECK_STATUS(hasten_memory_read(pid, at(0), bytes, PAGE), HASTEN_OK);
    bool same = true;
    for (size_t i = 0; i < PAGE; i++)
        same = same && bytes[i] == expected_at(i);
    CHECK(same);
    CHECK_STATUS(hasten_memory_read(pid, at(2 * PAGE + 17), bytes, 1), HASTEN_OK);
    CHECK_EQ_INT(bytes[0], expected_at(2 * PAGE + 17));
    /* Up to the edge, over it, behind it. */
    CHECK_STATUS(hasten_memory_read(pid, at(PAGE - 8), bytes, 8), HASTEN_OK);
    CHECK_STATUS(hasten_memory_read(pid, at(PAGE - 8), bytes, 9), HASTEN_GONE);
    CHECK_STATUS(hasten_memory_read(pid, at(PAGE), bytes, 1), HASTEN_GONE);
    CHECK_STATUS(hasten_memory_read(pid, at(2 * PAGE - 1), bytes, 2), HASTEN_GONE);
    CHECK_STATUS(hasten_memory_read(pid, at(PAGE), bytes, 0), HASTEN_OK);
}

static void test_wild_addresses(uint32_t pid) {
    static const uint64_t addresses[] = {0,
                                         1,
                                         UINT64_C(0x7fffffffffff),
                                         UINT64_C(0x800000000000),
                                         UINT64_C(0xffff800000000000),
                                         UINT64_MAX - 7,
                                         UINT64_MAX};
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        CHECK_STATUS(hasten_memory_read(pid, hasten_raddr_at(addresses[i]), bytes, sizeof bytes),
                     HASTEN_GONE);
}

static void test_batch(uint32_t pid) {
    static struct hasten_read reads[PIECES];
    static uint16_t pieces[PIECES];
    size_t bytes = 0;

    for (size_t i = 0; i < PIECES; i++)
        reads[i] = (struct hasten_read){at(i), &pieces[i], 2};
    CHECK_STATUS(hasten_memory_read_batch(pid, reads, PIECES, &bytes), HASTEN_OK);
    CHECK_EQ_INT(bytes, 2 * PIECES);
    bool same = true;
    for (size_t i = 0; i < PIECES; i++) {
        const uint8_t *piece = (const uint8_t *)&pieces[i];
        same = same && piece[0] == expected_at(i) && piece[1] == expected_at(i + 1);
    }
    CHECK(same);

    /* One piece in the second call's part is not mapped: all before it arrive. */
    size_t bad = HASTEN_READ_BATCH + 3;
    reads[bad].address = at(PAGE);
    pieces[bad - 1] = pieces[bad] = 0;
    CHECK_STATUS(hasten_memory_read_batch(pid, reads, PIECES, &bytes), HASTEN_GONE);
    CHECK_EQ_INT(bytes, 2 * bad);
    CHECK_EQ_INT((uint8_t)pieces[bad - 1], expected_at(bad - 1));
    CHECK_EQ_INT(pieces[bad], 0);

    reads[0].address = hasten_raddr_at(0);
    CHECK_STATUS(hasten_memory_read_batch(pid, reads, PIECES, &bytes), HASTEN_GONE);
    CHECK_EQ_INT(bytes, 0);
    CHECK_STATUS(hasten_memory_read_batch(pid, reads, 0, &bytes), HASTEN_OK);
    CHECK_EQ_INT(bytes, 0);
}

static void test_ended(pid_t child) {
    uint8_t byte = 0;
    siginfo_t info;

    (void)kill(child, SIGKILL);
    (void)waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    CHECK_STATUS(hasten_memory_read((uint32_t)child, at(0), &byte, 1), HASTEN_NO_PROCESS);
    (void)waitpid(child, NULL, 0);
    CHECK_STATUS(hasten_memory_read((uint32_t)child, at(0), &byte, 1), HASTEN_NO_PROCESS);
}

/* Another user reads us; only root can become one. */
static void test_refused(void) {
    if (geteuid() != 0)
        return;
    pid_t child = fork();
    if (child == 0) {
        uint8_t byte;
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(100);
        _exit((int)hasten_memory_read((uint32_t)getppid(), at(0), &byte, 1));
    }
    int ending = 0;
    (void)waitpid(child, &ending, 0);
    CHECK(WIFEXITED(ending));
    CHECK_STATUS((hasten_status)WEXITSTATUS(ending), HASTEN_NO_PERMISSION);
}

int main(void) {
    pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!CHECK(pages != MAP_FAILED))
        return check_done();
    for (size_t i = 0; i < 3 * PAGE; i++)
        pages[i] = expected_at(i);
    pid_t child = start_child();
    if (CHECK(child > 0)) {
        test_single((uint32_t)child);
        test_wild_addresses((uint32_t)child);
        test_batch((uint32_t)child);
        test_ended(child);
    }
    test_refused();
    return check_done();
}
