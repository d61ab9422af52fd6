/* SPDX-License-Identifier: MIT
 *
 * What the kernel permits. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/doctor/checks.h"

/* Numbers of capabilities (linux/capability.h). */
#define CAPABILITY_SYS_PTRACE 19
#define CAPABILITY_PERFMON 38

struct check *checks_add(struct checks *checks, const char *name, enum check_verdict verdict,
                         const char *format, ...) {
    if (checks->count < CHECKS_MOST) {
        checks->count++;
    }
    struct check *check = &checks->rows[checks->count - 1];
    *check = (struct check){.verdict = verdict};
    snprintf(check->name, sizeof check->name, "%s", name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->found, sizeof check->found, format, arguments);
    va_end(arguments);
    return check;
}

static void advise(struct check *check, const char *advice) {
    snprintf(check->advice, sizeof check->advice, "%s", advice);
}

/* The first bytes of a small file; false where it cannot be read. */
static bool read_file(const char *path, char *text, size_t size) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return false;
    }
    ssize_t got = read(descriptor, text, size - 1);
    close(descriptor);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* The value of "Name:\tvalue" in /proc/self/status, -1 where there is none. */
static long long status_value(const char *name, int base) {
    char text[8192], key[64];
    if (!read_file("/proc/self/status", text, sizeof text)) {
        return -1;
    }
    snprintf(key, sizeof key, "\n%s:", name);
    const char *line = strstr(text, key);
    return line == NULL ? -1 : (long long)strtoull(line + strlen(key), NULL, base);
}

static bool has_capability(unsigned number) {
    long long effective = status_value("CapEff", 16);
    return effective >= 0 && ((unsigned long long)effective >> number & 1) != 0;
}

static void check_system(struct checks *checks) {
    struct utsname name;
    if (uname(&name) == 0) {
        checks_add(checks, "system", CHECK_GOOD, "%s %s, %s", name.sysname, name.release,
                   name.machine);
    }
}

static void check_ptrace_scope(struct checks *checks) {
    char text[32];
    bool may_anyway = has_capability(CAPABILITY_SYS_PTRACE);
    if (!read_file("/proc/sys/kernel/yama/ptrace_scope", text, sizeof text)) {
        checks_add(checks, "ptrace scope", CHECK_GOOD, "not restricted (no Yama)");
        return;
    }
    int scope = atoi(text);
    static const char *const meanings[] = {
        "0: every process of yours can be watched",
        "1: only programs started by `hasten run` can be watched",
        "2: only root (CAP_SYS_PTRACE) can watch processes",
        "3: no process can be watched",
    };
    const char *meaning = meanings[scope < 0 ? 0 : scope > 3 ? 3 : scope];
    if (scope == 0 || (scope < 3 && may_anyway)) {
        checks_add(checks, "ptrace scope", CHECK_GOOD, "%s%s", meaning,
                   scope > 0 ? "; you have the capability" : "");
    } else if (scope == 1) {
        advise(checks_add(checks, "ptrace scope", CHECK_NOTE, "%s", meaning),
               "for `hasten attach`: use sudo, or: sudo sysctl kernel.yama.ptrace_scope=0");
    } else if (scope == 2) {
        advise(checks_add(checks, "ptrace scope", CHECK_BAD, "%s", meaning),
               "use sudo, or: sudo sysctl kernel.yama.ptrace_scope=1");
    } else {
        advise(checks_add(checks, "ptrace scope", CHECK_BAD, "%s", meaning),
               "it can only be lowered in the kernel's boot settings, then a restart");
    }
}

static void check_capabilities(struct checks *checks) {
    bool ptrace = has_capability(CAPABILITY_SYS_PTRACE);
    bool perfmon = has_capability(CAPABILITY_PERFMON);
    struct check *check = checks_add(checks, "capabilities", ptrace ? CHECK_GOOD : CHECK_NOTE,
                                     "CAP_SYS_PTRACE %s, CAP_PERFMON %s", ptrace ? "yes" : "no",
                                     perfmon ? "yes" : "no");
    if (!ptrace) {
        advise(check, "without CAP_SYS_PTRACE only your own user's processes can be watched; "
                      "sudo gives it, in a container --cap-add=SYS_PTRACE");
    }
}

static void check_seccomp(struct checks *checks) {
    long long mode = status_value("Seccomp", 10);
    checks_add(checks, "seccomp", CHECK_GOOD, "%s",
               mode == 2   ? "a filter is active; the trial below says whether it matters"
               : mode == 1 ? "strict"
                           : "no filter");
}

static void check_container(struct checks *checks) {
    char text[4096];
    const char *kind = NULL;
    if (access("/run/.containerenv", F_OK) == 0) {
        kind = "Podman";
    } else if (access("/.dockerenv", F_OK) == 0) {
        kind = "Docker";
    } else if (getenv("KUBERNETES_SERVICE_HOST") != NULL) {
        kind = "Kubernetes";
    } else if (read_file("/proc/1/cgroup", text, sizeof text) &&
               (strstr(text, "docker") != NULL || strstr(text, "kubepods") != NULL ||
                strstr(text, "lxc") != NULL || strstr(text, "containerd") != NULL)) {
        kind = "yes";
    }
    if (kind == NULL) {
        checks_add(checks, "container", CHECK_GOOD, "none noticed");
    } else {
        advise(checks_add(checks, "container", CHECK_NOTE, "%s", kind),
               "only processes of this container can be seen; to watch them from the host, run "
               "hasten there with sudo");
    }
    unsigned long long inside = 0, outside = 0, length = 0;
    if (read_file("/proc/self/uid_map", text, sizeof text) &&
        sscanf(text, "%llu %llu %llu", &inside, &outside, &length) == 3 &&
        (inside != outside || length < 4294967295ULL)) {
        checks_add(checks, "user namespace", CHECK_NOTE,
                   "this is not the machine's first: capabilities count inside it only");
    } else {
        checks_add(checks, "user namespace", CHECK_GOOD, "the machine's first");
    }
}

static void check_children(struct checks *checks) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    if (access(path, R_OK) == 0) {
        checks_add(checks, "child processes", CHECK_GOOD, "found at once");
    } else {
        checks_add(checks, "child processes", CHECK_NOTE,
                   "found by looking through /proc (the kernel lacks CONFIG_PROC_CHILDREN)");
    }
}

/* Reads a word of a child's memory, as sampling does. */
static int read_child(void) {
    static volatile int word;
    int copy = 0;
    word = 0x5a17;
    pid_t pid = fork();
    if (pid < 0) {
        return errno;
    }
    if (pid == 0) {
        pause();
        _exit(0);
    }
    struct iovec local = {&copy, sizeof copy};
    struct iovec remote = {(void *)&word, sizeof word};
    ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    int reason = got == (ssize_t)sizeof copy && copy == word ? 0 : got < 0 ? errno : EFAULT;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return reason;
}

static void check_reading(struct checks *checks) {
    int reason = read_child();
    if (reason == 0) {
        checks_add(checks, "reading a child", CHECK_GOOD, "works");
        return;
    }
    struct check *check =
        checks_add(checks, "reading a child", CHECK_BAD, "fails: %s", strerror(reason));
    if (reason == ENOSYS) {
        advise(check, "the kernel lacks process_vm_readv (CONFIG_CROSS_MEMORY_ATTACH)");
    } else {
        advise(check, "ptrace scope, a seccomp filter or the container forbids it: see above; "
                      "in a container --cap-add=SYS_PTRACE helps");
    }
}

void checks_kernel(struct checks *checks) {
    check_system(checks);
    check_ptrace_scope(checks);
    check_capabilities(checks);
    check_seccomp(checks);
    check_container(checks);
    check_children(checks);
    check_reading(checks);
}
