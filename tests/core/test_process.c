/* SPDX-License-Identifier: MIT
 *
 * What the kernel tells: mappings with awkward names, deleted and replaced
 * files, command lines that need quoting, states, refusals. */
#include "core/os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "core/base/clock.h"

#define PAGE 4096u

static char folder[] = "/tmp/hasten-test-XXXXXX";

struct wanted {
    uint64_t start;
    struct hasten_mapping mapping;
    bool found;
    uint64_t previous_end;
    bool in_order;
};

static int look_for(void *context, const struct hasten_mapping *mapping) {
    struct wanted *wanted = context;

    wanted->in_order = wanted->in_order && mapping->start >= wanted->previous_end;
    wanted->previous_end = mapping->end;
    if (mapping->start == wanted->start) {
        wanted->mapping = *mapping;
        wanted->found = true;
    }
    return 0;
}

static bool find_mapping(const void *address, struct hasten_mapping *ret_mapping) {
    static struct wanted wanted;

    wanted = (struct wanted){.start = (uint64_t)(uintptr_t)address, .in_order = true};
    hasten_status status = hasten_process_mappings((uint32_t)getpid(), look_for, &wanted, NULL);
    if (!CHECK_STATUS(status, HASTEN_OK) || !CHECK(wanted.found))
        return false;
    CHECK(wanted.in_order);
    *ret_mapping = wanted.mapping;
    return true;
}

/* Maps a new file of two pages that begin with `content`, from the second. */
static void *map_file(const char *path, char content) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (descriptor < 0 || ftruncate(descriptor, 2 * PAGE) != 0 ||
        pwrite(descriptor, &content, 1, 0) != 1)
        return MAP_FAILED;
    void *address = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, descriptor, PAGE);
    (void)close(descriptor);
    return address;
}

static char first_byte(int descriptor) {
    char byte = '\0';

    return pread(descriptor, &byte, 1, 0) == 1 ? byte : '?';
}

static void test_mapping_names(void) {
    static const char *const names[] = {"plain", "with space", "new\nline", "x (deleted)y",
                                        "back\\slash"};
    static struct hasten_mapping mapping;
    char path[256];
    struct stat facts;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        void *address = map_file(path, 'a');
        if (!CHECK(address != MAP_FAILED) || !find_mapping(address, &mapping))
            continue;
        CHECK_EQ_STR(mapping.path, path);
        CHECK_EQ_INT(mapping.file_offset, PAGE);
        CHECK_EQ_INT(mapping.end - mapping.start, PAGE);
        CHECK(mapping.readable && !mapping.writable && !mapping.executable && mapping.private_);
        CHECK(!mapping.deleted);
        CHECK(stat(path, &facts) == 0);
        CHECK_EQ_INT(mapping.inode, facts.st_ino);
        (void)munmap(address, PAGE);
        (void)unlink(path);
    }
}

/* The file behind a mapping is opened although another has its name. */
static void test_replaced_file(void) {
    static struct hasten_mapping mapping;
    char path[256], other[256];
    int descriptor;

    (void)snprintf(path, sizeof path, "%s/library", folder);
    (void)snprintf(other, sizeof other, "%s/new", folder);
    void *address = map_file(path, 'o');
    void *newer = map_file(other, 'n');
    if (!CHECK(address != MAP_FAILED) || !CHECK(newer != MAP_FAILED))
        return;
    if (find_mapping(address, &mapping) &&
        CHECK_STATUS(hasten_process_open_mapping((uint32_t)getpid(), &mapping, &descriptor, NULL),
                     HASTEN_OK)) {
        CHECK_EQ_INT(first_byte(descriptor), 'o');
        (void)close(descriptor);
    }
    CHECK(rename(other, path) == 0);
    if (find_mapping(address, &mapping)) {
        CHECK(mapping.deleted);
        CHECK_EQ_STR(mapping.path, path);
        struct hasten_error error = {0};
        hasten_status status =
            hasten_process_open_mapping((uint32_t)getpid(), &mapping, &descriptor, &error);
        /* Without the capability for map_files there is no way to it: then it is
         * refused, but the wrong file is never opened. */
        if (status == HASTEN_OK) {
            CHECK_EQ_INT(first_byte(descriptor), 'o');
            (void)close(descriptor);
        } else {
            CHECK_STATUS(status, HASTEN_NOT_FOUND);
            CHECK_HAS_STR(error.message, "deleted or replaced");
        }
    }
    (void)munmap(address, PAGE);
    (void)munmap(newer, PAGE);
    (void)unlink(path);
}

/* Starts a program that lives until it is killed. */
static pid_t start_program(char *const arguments[]) {
    int ready[2];
    char byte;

    if (pipe2(ready, O_CLOEXEC) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        (void)execv("/bin/sleep", arguments);
        _exit(127);
    }
    (void)close(ready[1]);
    (void)!read(ready[0], &byte, 1); /* ends when exec closes the pipe */
    (void)close(ready[0]);
    return child;
}

static void end(pid_t child) {
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

static void test_command(void) {
    char name[] = "slow one", minute[] = "60", quote[] = "0.1", unit[] = "1m";
    char *arguments[] = {name, minute, quote, unit, NULL};
    char text[256], small[8], path[4096];

    pid_t child = start_program(arguments);
    if (!CHECK(child > 0))
        return;
    CHECK_STATUS(hasten_process_command((uint32_t)child, text, sizeof text), HASTEN_OK);
    CHECK_EQ_STR(text, "'slow one' 60 0.1 1m");
    CHECK_STATUS(hasten_process_command((uint32_t)child, small, sizeof small), HASTEN_OK);
    CHECK_EQ_STR(small, "'slo...");
    CHECK_STATUS(hasten_process_executable((uint32_t)child, path, sizeof path), HASTEN_OK);
    CHECK_HAS_STR(path, "/sleep");
    CHECK_STATUS(hasten_process_executable((uint32_t)child, path, 4), HASTEN_LIMIT);
    end(child);
    CHECK_STATUS(hasten_process_command((uint32_t)child, text, sizeof text), HASTEN_NO_PROCESS);
    CHECK_STATUS(hasten_process_executable((uint32_t)child, path, sizeof path), HASTEN_NO_PROCESS);
}

/* Arguments that a shell would take apart. `sh -c 'read x' ARGUMENTS` ignores
 * them and waits for its input. */
static void test_quoting(void) {
    char shell[] = "sh", option[] = "-c", program[] = "read line", hostile[] = "it's $HOME;*",
         empty[] = "";
    char text[256];
    int input[2];

    if (!CHECK(pipe2(input, O_CLOEXEC) == 0))
        return;
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(input[0], STDIN_FILENO);
        (void)execv("/bin/sh", (char *[]){shell, option, program, hostile, empty, NULL});
        _exit(127);
    }
    /* Until exec the command line is still this test's. */
    do {
        if (hasten_process_command((uint32_t)child, text, sizeof text) != HASTEN_OK)
            break;
    } while (strncmp(text, "sh ", 3) != 0 && waitpid(child, NULL, WNOHANG) == 0);
    CHECK_EQ_STR(text, "sh -c 'read line' 'it'\\''s $HOME;*' ''");
    end(child);
    (void)close(input[0]);
    (void)close(input[1]);
}

static void test_stat(void) {
    char name[] = "sleep", minute[] = "60";
    char *arguments[] = {name, minute, NULL};
    struct hasten_process_stat stat;
    siginfo_t info;

    pid_t child = start_program(arguments);
    if (!CHECK(child > 0))
        return;
    CHECK_STATUS(hasten_process_stat((uint32_t)child, &stat), HASTEN_OK);
    CHECK_EQ_INT(stat.parent_pid, getpid());
    CHECK_EQ_INT(stat.threads, 1);
    CHECK(stat.start_ticks > 0);
    CHECK(stat.cpu_ns < UINT64_C(60000000000));
    (void)kill(child, SIGKILL);
    (void)waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    CHECK_STATUS(hasten_process_stat((uint32_t)child, &stat), HASTEN_OK);
    CHECK_EQ_INT(stat.state, 'Z');
    (void)waitpid(child, NULL, 0);
    CHECK_STATUS(hasten_process_stat((uint32_t)child, &stat), HASTEN_NO_PROCESS);

    /* The kernel counts in ticks: work for more than one. */
    while (hasten_clock_process_cpu_ns() < UINT64_C(50000000))
        continue;
    CHECK_STATUS(hasten_process_stat((uint32_t)getpid(), &stat), HASTEN_OK);
    CHECK(stat.cpu_ns > 0 && stat.cpu_ns < UINT64_C(60000000000));
}

/* A process whose name looks like the end of its own stat line. */
static void test_hostile_name(void) {
    struct hasten_process_stat before, after;

    CHECK_STATUS(hasten_process_stat((uint32_t)getpid(), &before), HASTEN_OK);
    CHECK(prctl(PR_SET_NAME, "x) Z 1 (y", 0, 0, 0) == 0);
    CHECK_STATUS(hasten_process_stat((uint32_t)getpid(), &after), HASTEN_OK);
    CHECK_EQ_INT(after.state, 'R');
    CHECK_EQ_INT(after.parent_pid, before.parent_pid);
    CHECK_EQ_INT(after.start_ticks, before.start_ticks);
}

static bool become_nobody(void) {
    return setgid(65534) == 0 && setuid(65534) == 0;
}

/* As container engines do that do not allow the call. */
static bool block_the_call(void) {
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof steps / sizeof *steps, steps};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Runs the explanation in a child that first changed itself, and takes it back. */
static bool explain_after(bool (*change)(void), uint32_t pid, struct hasten_error *ret_error) {
    int pipes[2];

    if (pipe(pipes) != 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        struct hasten_error error = {0};
        if (!change())
            _exit(1);
        (void)hasten_process_explain_denied(pid, &error);
        _exit(write(pipes[1], &error, sizeof error) == sizeof error ? 0 : 1);
    }
    (void)close(pipes[1]);
    ssize_t got = read(pipes[0], ret_error, sizeof *ret_error);
    (void)close(pipes[0]);
    (void)waitpid(child, NULL, 0);
    return got == sizeof *ret_error;
}

static void test_explanations(void) {
    struct hasten_error error = {0};
    char expected[64];

    CHECK_STATUS(hasten_process_explain_denied(4194304 + 5, &error), HASTEN_NO_PROCESS);
    CHECK(explain_after(block_the_call, (uint32_t)getpid(), &error));
    CHECK_STATUS(error.status, HASTEN_NO_PERMISSION);
    CHECK_HAS_STR(error.message, "seccomp filter");
    CHECK_HAS_STR(error.message, "--cap-add SYS_PTRACE");
    if (geteuid() != 0)
        return;
    CHECK(explain_after(become_nobody, (uint32_t)getpid(), &error));
    CHECK_STATUS(error.status, HASTEN_NO_PERMISSION);
    CHECK_HAS_STR(error.message, "runs as user 0");
    (void)snprintf(expected, sizeof expected, "sudo hasten attach %d", getpid());
    CHECK_HAS_STR(error.message, expected);

    /* The same user, but the process has made itself unreadable. */
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!become_nobody() || prctl(PR_SET_DUMPABLE, 0) != 0)
            _exit(1);
        (void)kill(getpid(), SIGSTOP);
        _exit(0);
    }
    (void)waitpid(child, NULL, WUNTRACED);
    CHECK(explain_after(become_nobody, (uint32_t)child, &error));
    CHECK_STATUS(error.status, HASTEN_NO_PERMISSION);
    CHECK_HAS_STR(error.message, "not dumpable");
    end(child);
}

int main(void) {
    if (!CHECK(mkdtemp(folder) != NULL))
        return check_done();
    test_mapping_names();
    test_replaced_file();
    test_command();
    test_quoting();
    test_stat();
    test_hostile_name();
    test_explanations();
    (void)rmdir(folder);
    return check_done();
}
