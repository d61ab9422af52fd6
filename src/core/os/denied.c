/* SPDX-License-Identifier: MIT
 *
 * Why the kernel lets us not read a process, and what to do about it. Follows
 * the kernel's own order of checks (ptrace(2), "Ptrace access mode checking"). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/os/memory.h"
#include "core/os/process.h"
#include "core/os/procfs.h"

#define HASTEN_CAPABILITY_PTRACE (UINT64_C(1) << 19) /* CAP_SYS_PTRACE */

struct identity {
    uint32_t user; /* real user id */
    uint32_t effective_user;
    uint64_t permitted; /* capabilities */
    uint64_t effective;
    uint32_t seccomp; /* 0: no filter */
};

/* The number behind "\nNAME:" in /proc/PID/status; 0 where it is missing. */
static uint64_t status_field(const char *text, const char *name, int base) {
    char key[32];

    (void)snprintf(key, sizeof key, "\n%s:", name);
    const char *at = strstr(text, key);
    return at == NULL ? 0 : strtoull(at + strlen(key), NULL, base);
}

static hasten_status read_identity(uint32_t pid, struct identity *ret_identity) {
    char text[8192];

    hasten_status status = hasten_procfs_read(pid, "status", text, sizeof text, NULL);
    if (status != HASTEN_OK)
        return status;
    ret_identity->user = (uint32_t)status_field(text, "Uid", 10);
    const char *users = strstr(text, "\nUid:");
    if (users == NULL || sscanf(users, "\nUid: %*u %" SCNu32, &ret_identity->effective_user) != 1)
        ret_identity->effective_user = ret_identity->user;
    ret_identity->permitted = status_field(text, "CapPrm", 16);
    ret_identity->effective = status_field(text, "CapEff", 16);
    ret_identity->seccomp = (uint32_t)status_field(text, "Seccomp", 10);
    return HASTEN_OK;
}

/* The value of kernel.yama.ptrace_scope; 0 where the kernel has no Yama. */
static int ptrace_scope(void) {
    char text[8];

    int descriptor = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return 0;
    ssize_t length = read(descriptor, text, sizeof text - 1);
    (void)close(descriptor);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    return atoi(text);
}

/* Whether the system call is refused even on ourselves, which no ptrace rule
 * does: then it is a seccomp filter, or a kernel without it. */
static bool call_is_blocked(void) {
    uint32_t value = 0, copy = 0;

    hasten_raddr address = hasten_raddr_at((uint64_t)(uintptr_t)&value);
    return hasten_memory_read((uint32_t)getpid(), address, &copy, sizeof copy) != HASTEN_OK;
}

static bool in_container(void) {
    return access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0 ||
           getenv("KUBERNETES_SERVICE_HOST") != NULL || getenv("container") != NULL;
}

/* We live in a user namespace that is not the machine's own: its identities do
 * not span all. */
static bool in_user_namespace(void) {
    char map[256];
    unsigned long inside, outside, count;
    size_t length;

    return hasten_procfs_read((uint32_t)getpid(), "uid_map", map, sizeof map, &length) ==
               HASTEN_OK &&
           (sscanf(map, "%lu %lu %lu", &inside, &outside, &count) != 3 || inside != 0 ||
            outside != 0 || count != UINT32_MAX);
}

/* Both are known and differ. */
static bool other_user_namespace(uint32_t pid) {
    char ours[64], theirs[64];

    return hasten_procfs_link((uint32_t)getpid(), "ns/user", ours, sizeof ours) == HASTEN_OK &&
           hasten_procfs_link(pid, "ns/user", theirs, sizeof theirs) == HASTEN_OK &&
           strcmp(ours, theirs) != 0;
}

/* A process that is not dumpable has its /proc folder owned by root. */
static bool not_dumpable(uint32_t pid, const struct identity *target) {
    char path[HASTEN_PROCFS_PATH_MAX];
    struct stat facts;

    (void)snprintf(path, sizeof path, "/proc/%u/maps", pid);
    return target->effective_user != 0 && stat(path, &facts) == 0 && facts.st_uid == 0;
}

static hasten_status say(uint32_t pid, struct hasten_error *error, const char *why,
                         const char *fix) {
    return hasten_error_set(error, HASTEN_NO_PERMISSION, -1, "process %u may not be read: %s; %s",
                            pid, why, fix);
}

static hasten_status explain_with_capability(uint32_t pid, int scope, struct hasten_error *error) {
    if (scope >= 3)
        return say(pid, error, "kernel.yama.ptrace_scope is 3, which forbids it to everybody",
                   "set it to 1 at boot and restart the machine");
    if (other_user_namespace(pid))
        return say(pid, error,
                   "it lives in another user namespace, where our CAP_SYS_PTRACE does not count",
                   "run hasten as root on the host, or inside the container that has the process");
    if (in_user_namespace())
        return say(pid, error,
                   "hasten runs in a user namespace (a rootless container), whose CAP_SYS_PTRACE "
                   "does not reach it",
                   "run hasten outside of it, or inside the container that has the process");
    return say(pid, error,
               "a security module (AppArmor, SELinux) forbids it although we have CAP_SYS_PTRACE",
               "look at the kernel's log, or run hasten outside the container");
}

static hasten_status explain_as_root(uint32_t pid, struct hasten_error *error) {
    return say(pid, error,
               in_container() ? "this container's root lacks CAP_SYS_PTRACE"
                              : "root lacks CAP_SYS_PTRACE here, as in a container",
               "start the container with `docker run --cap-add SYS_PTRACE` (Kubernetes: "
               "securityContext.capabilities.add: [SYS_PTRACE])");
}

static hasten_status explain_as_user(uint32_t pid, int scope, const struct identity *us,
                                     const struct identity *target, struct hasten_error *error) {
    char fix[160], why[160];

    (void)snprintf(fix, sizeof fix, "use `sudo hasten attach %u`", pid);
    if (target->user != us->effective_user || target->effective_user != us->effective_user) {
        (void)snprintf(why, sizeof why, "it runs as user %u and hasten as user %u",
                       target->effective_user, us->effective_user);
        return say(pid, error, why, fix);
    }
    if ((target->permitted & ~us->permitted) != 0)
        return say(pid, error, "it has capabilities that hasten lacks", fix);
    if (not_dumpable(pid, target))
        return say(pid, error,
                   "it is marked as not dumpable (it changed its user, or asked for it with "
                   "prctl)",
                   fix);
    if (scope == 1) {
        (void)snprintf(fix, sizeof fix,
                       "start the program with `hasten run`, use `sudo hasten attach %u`, or `sudo "
                       "sysctl kernel.yama.ptrace_scope=0`",
                       pid);
        return say(pid, error, "kernel.yama.ptrace_scope is 1: only a program's parent may read it",
                   fix);
    }
    if (scope == 2)
        return say(pid, error,
                   "kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may read processes", fix);
    if (other_user_namespace(pid))
        return say(pid, error, "it lives in another user namespace", fix);
    return say(pid, error, "the kernel or a security module (AppArmor, SELinux) forbids it", fix);
}

hasten_status hasten_process_explain_denied(uint32_t pid, struct hasten_error *error) {
    struct identity us = {0}, target = {0};

    hasten_status status = read_identity(pid, &target);
    if (status == HASTEN_NO_PROCESS || status == HASTEN_NOT_FOUND)
        return hasten_error_set(error, HASTEN_NO_PROCESS, -1, "there is no process %u", pid);
    if (read_identity((uint32_t)getpid(), &us) != HASTEN_OK)
        return say(pid, error, "/proc is not mounted as usual",
                   "mount it: mount -t proc proc /proc");
    if (call_is_blocked())
        return say(pid, error,
                   us.seccomp != 0 ? "a seccomp filter blocks process_vm_readv"
                                   : "this kernel lacks process_vm_readv",
                   "start the container with `docker run --cap-add SYS_PTRACE` or "
                   "`--security-opt seccomp=unconfined`");
    if (status != HASTEN_OK)
        return say(pid, error, "/proc hides it (mounted with hidepid)", "run hasten with sudo");
    int scope = ptrace_scope();
    if (scope >= 3 || (us.effective & HASTEN_CAPABILITY_PTRACE) != 0)
        return explain_with_capability(pid, scope, error);
    if (us.effective_user == 0)
        return explain_as_root(pid, error);
    return explain_as_user(pid, scope, &us, &target, error);
}
