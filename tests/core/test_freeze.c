/* SPDX-License-Identifier: MIT
 *
 * Stopping a child of three threads that count: what stands still, what goes on, and
 * what its parent and its signals notice. */
#include "core/os/freeze.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "core/os/process.h"
#include "failing_allocator.h"

#define THREADS 3
#define EXIT_CODE 42
/* A wait that is given up: far longer than anything takes. */
#define PATIENCE 10000

static struct {
    volatile uint64_t counts[THREADS];
    volatile uint32_t signals;
    volatile uint32_t exit;  /* the child is to end */
    volatile uint32_t leave; /* its last thread is to */
} * shared;

static void pass_time(void) {
    struct timespec time = {.tv_nsec = 1000000};
    (void)nanosleep(&time, NULL);
}

static void *count(void *argument) {
    volatile uint64_t *own = argument;
    while (!shared->exit && !(shared->leave && own == &shared->counts[THREADS - 1]))
        ++*own;
    return NULL;
}

static void note_signal(int number) {
    (void)number;
    shared->signals++;
}

/* `leaderless`: the first thread ends at once, the process does not. */
static pid_t start_with(bool leaderless) {
    memset((void *)shared, 0, sizeof *shared);
    pid_t child = fork();
    if (child == 0) {
        pthread_t threads[THREADS];
        (void)signal(SIGUSR1, note_signal);
        for (int i = 1; i < THREADS; i++)
            (void)pthread_create(&threads[i], NULL, count, (void *)&shared->counts[i]);
        if (leaderless)
            pthread_exit(NULL);
        (void)count((void *)&shared->counts[0]);
        _exit(EXIT_CODE);
    }
    for (int i = leaderless; i < THREADS; i++)
        while (shared->counts[i] == 0)
            pass_time();
    return child;
}

static pid_t start(void) {
    return start_with(false);
}

static void end(pid_t child) {
    int ending = 0;
    shared->exit = 1;
    CHECK(waitpid(child, &ending, 0) == child);
    CHECK(WIFEXITED(ending));
    CHECK_EQ_INT(WEXITSTATUS(ending), EXIT_CODE);
}

static void expect_still(void) {
    uint64_t before[THREADS];
    for (int i = 0; i < THREADS; i++)
        before[i] = shared->counts[i];
    for (int k = 0; k < 5; k++)
        pass_time();
    for (int i = 0; i < THREADS; i++)
        CHECK(shared->counts[i] == before[i]);
}

/* The first `threads` of them count on. */
static void expect_going(int threads) {
    for (int i = 0; i < threads; i++) {
        uint64_t before = shared->counts[i];
        for (int k = 0; k < PATIENCE && shared->counts[i] == before; k++)
            pass_time();
        CHECK(shared->counts[i] != before);
    }
}

static void test_stop_and_resume(void) {
    pid_t child = start();
    struct hasten_freeze freeze;
    hasten_freeze_init(&freeze, (uint32_t)child, NULL);
    for (int i = 0; i < 20; i++) {
        CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
        CHECK_EQ_INT(freeze.count, THREADS);
        expect_still();
        hasten_freeze_resume(&freeze);
        expect_going(THREADS);
    }
    CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
    hasten_freeze_done(&freeze); /* of a stopped one */
    expect_going(THREADS);
    hasten_freeze_done(&freeze);
    end(child);
}

/* Signals are delivered, each once, and the process goes on between looks. */
static void test_signals(void) {
    pid_t child = start();
    struct hasten_freeze freeze;
    hasten_freeze_init(&freeze, (uint32_t)child, NULL);
    for (uint32_t i = 1; i <= 10; i++) {
        CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
        if (i % 2 == 0)
            (void)kill(child, SIGUSR1); /* while it stands still */
        expect_still();
        hasten_freeze_resume(&freeze);
        if (i % 2 == 1) {
            (void)kill(child, SIGUSR1); /* while it runs */
            pass_time();
        }
        for (int k = 0; k < PATIENCE && shared->signals < i; k++)
            pass_time(); /* without another look */
        CHECK_EQ_INT(shared->signals, i);
        expect_going(THREADS);
        CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
        hasten_freeze_resume(&freeze);
        expect_going(THREADS);
        CHECK_EQ_INT(shared->signals, i);
    }
    hasten_freeze_done(&freeze);
    expect_going(THREADS);
    end(child);
}

static char state_of(pid_t child) {
    struct hasten_process_stat stat = {0};
    CHECK_STATUS(hasten_process_stat((uint32_t)child, &stat), HASTEN_OK);
    return stat.state;
}

/* A process that was stopped by a signal stays so, and SIGCONT ends that. */
static void test_stopped_process(void) {
    pid_t child = start();
    struct hasten_freeze freeze;
    int ending = 0;
    (void)kill(child, SIGSTOP);
    CHECK(waitpid(child, &ending, WUNTRACED) == child && WIFSTOPPED(ending));
    hasten_freeze_init(&freeze, (uint32_t)child, NULL);
    for (int i = 0; i < 5; i++) {
        CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
        expect_still();
        hasten_freeze_resume(&freeze);
        expect_still();
    }
    (void)kill(child, SIGCONT);
    expect_going(THREADS);
    hasten_freeze_done(&freeze);
    expect_going(THREADS);
    end(child);

    child = start();
    (void)kill(child, SIGSTOP);
    CHECK(waitpid(child, &ending, WUNTRACED) == child && WIFSTOPPED(ending));
    hasten_freeze_init(&freeze, (uint32_t)child, NULL);
    CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
    hasten_freeze_done(&freeze);
    for (int k = 0; k < PATIENCE && state_of(child) != 'T'; k++)
        pass_time();
    CHECK_EQ_INT(state_of(child), 'T');
    expect_still();
    (void)kill(child, SIGCONT);
    expect_going(THREADS);
    end(child);
}

/* A thread that ends and a process that ends are noticed by those they belong to. */
static void test_endings(void) {
    pid_t child = start();
    struct hasten_freeze freeze;
    int ending = 0;
    hasten_freeze_init(&freeze, (uint32_t)child, NULL);
    CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
    shared->leave = 1;
    hasten_freeze_resume(&freeze);
    size_t threads = THREADS;
    for (int k = 0; k < PATIENCE && threads == THREADS; k++) {
        CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
        threads = freeze.count;
        hasten_freeze_resume(&freeze);
        pass_time();
    }
    CHECK_EQ_INT(threads, THREADS - 1);
    expect_going(THREADS - 1);
    end(child); /* while it is traced */
    CHECK(hasten_freeze_stop(&freeze) != HASTEN_OK);
    hasten_freeze_resume(&freeze);
    hasten_freeze_done(&freeze);

    /* Killed while it stands still. */
    child = start();
    hasten_freeze_init(&freeze, (uint32_t)child, NULL);
    CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
    (void)kill(child, SIGKILL);
    hasten_freeze_resume(&freeze);
    siginfo_t info = {0};
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_GONE);
    hasten_freeze_done(&freeze);
    CHECK(waitpid(child, &ending, 0) == child);
    CHECK(WIFSIGNALED(ending) && WTERMSIG(ending) == SIGKILL);
}

/* The parent is somebody else, who waits: what ends is not kept from it, whether it
 * was killed while it stood still or ended by itself. */
static void test_grandchild(bool killed) {
    int numbers[2];
    pid_t grandchild = 0;
    if (!CHECK(pipe(numbers) == 0))
        return;
    pid_t parent = fork();
    if (parent == 0) {
        int ending = 0;
        pid_t child = start();
        (void)!write(numbers[1], &child, sizeof child);
        _exit(waitpid(child, &ending, 0) == child &&
                      (killed ? WIFSIGNALED(ending) : WEXITSTATUS(ending) == EXIT_CODE)
                  ? 0
                  : 1);
    }
    CHECK(read(numbers[0], &grandchild, sizeof grandchild) == sizeof grandchild);
    struct hasten_freeze freeze;
    hasten_freeze_init(&freeze, (uint32_t)grandchild, NULL);
    CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
    shared->exit = 1;
    if (killed)
        (void)kill(grandchild, SIGKILL);
    hasten_freeze_resume(&freeze);
    int ending = 0;
    CHECK(waitpid(parent, &ending, 0) == parent);
    CHECK(WIFEXITED(ending));
    CHECK_EQ_INT(WEXITSTATUS(ending), 0);
    hasten_freeze_done(&freeze);
    (void)close(numbers[0]);
    (void)close(numbers[1]);
}

/* One that ends at any moment of a look: no look waits for it for ever. */
static void test_ending_process(void) {
    for (int i = 0; i < 20; i++) {
        pid_t child = start();
        struct hasten_freeze freeze;
        hasten_freeze_init(&freeze, (uint32_t)child, NULL);
        hasten_status status = hasten_freeze_stop(&freeze);
        CHECK_STATUS(status, HASTEN_OK);
        hasten_freeze_resume(&freeze);
        shared->exit = 1;
        for (int k = 0; k < PATIENCE && status == HASTEN_OK; k++) {
            status = hasten_freeze_stop(&freeze);
            hasten_freeze_resume(&freeze);
        }
        CHECK(status != HASTEN_OK);
        hasten_freeze_done(&freeze);
        end(child);
    }
}

static void test_leaderless(void) {
    pid_t child = start_with(true);
    struct hasten_freeze freeze;
    int ending = 0;
    hasten_freeze_init(&freeze, (uint32_t)child, NULL);
    for (int i = 0; i < 20; i++) { /* its first thread is about to end, or has */
        CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
        expect_still();
        hasten_freeze_resume(&freeze);
    }
    hasten_freeze_done(&freeze);
    shared->exit = 1;
    CHECK(waitpid(child, &ending, 0) == child);
    CHECK(WIFEXITED(ending) && WEXITSTATUS(ending) == 0);
}

static void test_no_process(void) {
    struct hasten_freeze freeze;
    pid_t child = start();
    end(child);
    hasten_freeze_init(&freeze, (uint32_t)child, NULL);
    CHECK(hasten_freeze_stop(&freeze) != HASTEN_OK);
    hasten_freeze_done(&freeze);
}

/* It is traced already. */
static void test_refused(void) {
    shared->signals = 0;
    pid_t child = fork();
    if (child == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        shared->signals = 1;
        for (;;)
            pause();
    }
    while (shared->signals == 0)
        pass_time();
    struct hasten_freeze freeze;
    hasten_freeze_init(&freeze, (uint32_t)child, NULL);
    CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_NO_PERMISSION);
    hasten_freeze_resume(&freeze);
    hasten_freeze_done(&freeze);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

static void test_no_memory(void) {
    struct failing_allocator memory;
    struct hasten_freeze freeze;
    pid_t child = start();
    failing_allocator_init(&memory, 1, false);
    hasten_freeze_init(&freeze, (uint32_t)child, &memory.allocator);
    CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_NO_MEMORY);
    hasten_freeze_resume(&freeze);
    expect_going(THREADS);
    CHECK_STATUS(hasten_freeze_stop(&freeze), HASTEN_OK);
    expect_still();
    hasten_freeze_done(&freeze);
    CHECK_EQ_INT(memory.live_blocks, 0);
    expect_going(THREADS);
    end(child);
}

int main(void) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!CHECK(shared != MAP_FAILED))
        return check_done();
    alarm(100); /* what hangs is ended with a message by the test's runner */
    test_stop_and_resume();
    test_signals();
    test_stopped_process();
    test_endings();
    test_grandchild(false);
    test_grandchild(true);
    test_ending_process();
    test_leaderless();
    test_no_process();
    test_refused();
    test_no_memory();
    return check_done();
}
