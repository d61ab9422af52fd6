# SPDX-License-Identifier: MIT
"""Finds the interpreter wherever it is in a process, and says what it is not."""

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from elf_edit import has_symbols, hide_exported, hide_symbols, remove_sections
from finding import BECOME, WAIT, compiler, copy_of, facts_of, probe, probe_path, running
from hasten_program import PATIENCE_S, Interpreter

IS_ROOT = os.geteuid() == 0
NOBODY = 65534
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root can do that")

# Begins, recurses over the ends of stack chunks in threads, makes short threads, ends.
BUSY = """
import threading, time
def deep(n):
    return deep(n - 1) + 1 if n else 0
def work():
    end = time.monotonic() + 0.2
    while time.monotonic() < end:
        deep(300)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for _ in range(50):
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
"""


def test_plain(interpreter: Interpreter) -> None:
    facts = facts_of(interpreter)
    with running([interpreter.path, "-c", WAIT]) as program:
        found = probe(program.pid)
    assert found["status"] == "OK", found
    assert int(found["version"], 16) == int(facts.version, 16)
    assert found["found_by"] == "dynamic symbol"
    assert found["is_shared"] == str(int(facts.shared))
    binary = facts.library if facts.shared else facts.executable
    assert found["binary"].endswith(binary)


def test_through_links(interpreter: Interpreter, tmp_path: Path) -> None:
    """As in a virtual environment: a symbolic link of another name."""
    facts = facts_of(interpreter)
    link = tmp_path / "app"
    link.symlink_to(facts.executable)
    with running([interpreter.path, "-c", BECOME, str(link), "-c", WAIT]) as program:
        assert probe(program.pid)["status"] == "OK"


def test_deleted_binary(interpreter: Interpreter, tmp_path: Path) -> None:
    copy = copy_of(interpreter, tmp_path)
    with running([*copy.command, WAIT]) as program:
        copy.binary.unlink()
        found = probe(program.pid)
        assert found["status"] == "OK", found
        assert found["binary"].endswith(str(copy.binary))


def test_replaced_binary(interpreter: Interpreter, tmp_path: Path) -> None:
    copy = copy_of(interpreter, tmp_path)
    other = tmp_path / "other"
    other.write_bytes(b"\x7fELF and then nothing that one could use" * 1000)
    with running([*copy.command, WAIT]) as program:
        other.rename(copy.binary)
        found = probe(program.pid)
        assert found["status"] == "OK", found


def test_without_exported_symbol(interpreter: Interpreter, tmp_path: Path) -> None:
    copy = copy_of(interpreter, tmp_path)
    hide_exported(copy.binary)
    by = "symbol table" if has_symbols(copy.binary) else "section"
    with running([*copy.command, WAIT]) as program:
        found = probe(program.pid)
        assert found["status"] == "OK", found
        assert found["found_by"] == by


def test_by_section(interpreter: Interpreter, tmp_path: Path) -> None:
    copy = copy_of(interpreter, tmp_path)
    hide_symbols(copy.binary)
    hide_exported(copy.binary)
    with running([*copy.command, WAIT]) as program:
        found = probe(program.pid)
        assert found["status"] == "OK", found
        assert found["found_by"] == "section"


@as_root
def test_by_section_of_deleted_binary(interpreter: Interpreter, tmp_path: Path) -> None:
    """Only the kernel still knows the file."""
    copy = copy_of(interpreter, tmp_path)
    hide_symbols(copy.binary)
    hide_exported(copy.binary)
    with running([*copy.command, WAIT]) as program:
        copy.binary.unlink()
        found = probe(program.pid)
        assert found["status"] == "OK", found
        assert found["found_by"] == "section"


def test_by_cookie(interpreter: Interpreter, tmp_path: Path) -> None:
    """Nothing is left of names: 3.13 and later still describe themselves."""
    copy = copy_of(interpreter, tmp_path)
    hide_symbols(copy.binary)
    hide_exported(copy.binary)
    remove_sections(copy.binary)
    with running([*copy.command, WAIT]) as program:
        found = probe(program.pid)
    if interpreter.version >= (3, 13):
        assert found["status"] == "OK", found
        assert found["found_by"] == "cookie"
    else:
        assert found["status"] != "OK", found


@as_root
def test_other_mount_and_pid_namespace(interpreter: Interpreter, tmp_path: Path) -> None:
    """As in a container: files that we do not have, a process number that is another."""
    facts = facts_of(interpreter)
    copy = copy_of(interpreter, tmp_path)
    inside = tmp_path / "inside"
    inside.mkdir()
    words = [word.replace(str(copy.binary), str(inside / copy.binary.name)) for word in copy.words]
    # Nothing that is mounted here may be seen outside. In a chroot that is so already.
    script = """
        mount --make-rprivate / 2>/dev/null || :
        mount -t tmpfs none "$1"
        cp "$2" "$1/"
        shift 2
        exec env "$@"
    """
    arguments = [str(inside), str(copy.binary), *words, "-c", WAIT]
    spaces = ["/usr/bin/unshare", "--mount", "--propagation", "unchanged"]
    spaces += ["--pid", "--fork", "--kill-child"]
    with running([*copy.enter, *spaces, "sh", "-ec", script, "sh", *arguments]) as program:
        children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
        found = probe(int(children[0]))
        assert found["status"] == "OK", found
        assert int(found["version"], 16) == int(facts.version, 16)
        assert not (inside / copy.binary.name).exists()


def test_from_first_breath_to_last(interpreter: Interpreter, tmp_path: Path) -> None:
    """Looked at all the time: never mistaken for something else on the way."""
    script = tmp_path / "busy.py"
    script.write_text(BUSY)
    for _ in range(3):
        program = subprocess.Popen([interpreter.path, str(script)])
        ended = threading.Thread(target=program.wait)
        ended.start()
        watched = subprocess.run(
            [probe_path(), str(program.pid), "--watch"],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        ended.join()
        seen = re.findall(r"^status (\w+)", watched.stdout, re.MULTILINE)
        assert "OK" in seen
        assert set(seen) <= {"NOT_PYTHON", "NOT_READY", "OK", "NO_PROCESS"}, watched.stdout
        # A shell may start it; once it is Python, it is nothing else.
        assert "NOT_PYTHON" not in seen[seen.index("OK") :], watched.stdout
        assert seen[-1] == "NO_PROCESS"


def test_embedded(interpreter: Interpreter, tmp_path: Path) -> None:
    """A program that is not Python loads libpython: first mapped only, then running."""
    facts = facts_of(interpreter)
    if not facts.shared or compiler() is None:
        pytest.skip("needs a shared libpython and a C compiler")
    source = tmp_path / "embed.c"
    source.write_text(EMBED)
    program = tmp_path / "embed"
    subprocess.run([str(compiler()), "-o", program, source, "-ldl"], check=True)
    environment = os.environ | {"PYTHONHOME": facts.prefix}
    with running([str(program), facts.library, WAIT], env=environment) as embedding:
        found = probe(embedding.pid)
        assert found["status"] == "NOT_READY", found
        embedding.send_signal(10)
        assert embedding.stdout is not None
        assert embedding.stdout.readline() == "ready\n"
        found = probe(embedding.pid)
        assert found["status"] == "OK", found
        assert found["is_shared"] == "1"
        assert found["binary"].endswith(facts.library)


EMBED = """
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
static void go(int number) { (void)number; }
int main(int count, char **arguments) {
    sigset_t set;
    int number;
    (void)count;
    signal(SIGUSR1, go);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, 0);
    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL);
    if (!library) { puts(dlerror()); return 1; }
    puts("ready");
    fflush(stdout);
    sigwait(&set, &number);
    ((void (*)(void))dlsym(library, "Py_Initialize"))();
    return ((int (*)(const char *))dlsym(library, "PyRun_SimpleString"))(arguments[2]);
}
"""


@as_root
def test_other_user(interpreter: Interpreter) -> None:
    with running([interpreter.path, "-c", WAIT]) as program:
        # The probe lies where another user may not look: it is opened before.
        descriptor = os.open(probe_path(), os.O_RDONLY)
        answer = subprocess.run(
            [f"/proc/self/fd/{descriptor}", str(program.pid)],
            pass_fds=[descriptor],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
        os.close(descriptor)
    assert "status NO_PERMISSION" in answer.stdout, answer
    assert f"sudo hasten attach {program.pid}" in answer.stdout


def test_not_python() -> None:
    sleeper = subprocess.Popen(["sleep", "600"])
    try:
        found = probe(sleeper.pid)
        assert found["status"] == "NOT_PYTHON"
        assert "/sleep" in found["message"]
        assert "hasten run -- COMMAND" in found["message"]
    finally:
        sleeper.kill()
        # Not waited for yet: it is a zombie when the kill has come.
        os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
        found = probe(sleeper.pid)
        sleeper.wait()
    assert found["status"] == "NO_PROCESS"
    assert f"its parent, {os.getpid()}," in found["message"]
    found = probe(sleeper.pid)
    assert found["status"] == "NO_PROCESS"


def test_thread_and_kernel() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, daemon=True)
    thread.start()
    found = probe(thread.native_id or 0)
    stop.set()
    thread.join()
    assert found["status"] == "NO_PROCESS"
    assert f"a thread of process {os.getpid()}" in found["message"]
    kernel = Path("/proc/2/comm")
    if kernel.exists() and kernel.read_text() == "kthreadd\n":
        found = probe(2)
        assert found["status"] == "NOT_PYTHON"
        assert "kernel" in found["message"]


@pytest.mark.parametrize("version", ["3.10", "3.9", "3.6", "2.7"])
def test_too_old(version: str) -> None:
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    path = str(installed[0]) if installed else shutil.which(f"python{version}")
    if path is None:
        pytest.skip(f"no Python {version} here")
    code = "import sys, time; print('ready'); sys.stdout.flush(); time.sleep(600)"
    with running([path, "-c", code]) as program:
        found = probe(program.pid)
    assert found["status"] == "UNSUPPORTED"
    assert f"Python {version}" in found["message"]
    assert "3.11 to 3.15" in found["message"]
