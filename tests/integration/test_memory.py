# SPDX-License-Identifier: MIT
"""What `hasten run` says of memory, against programs that know what they allocate."""

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hasten_program import Hasten, Interpreter, Outcome, target

PROGRAM = target("memory.py")
EXACT = ("--memory=exact",)
needs_compiler = pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")


SOURCE = Path(PROGRAM).read_text().splitlines()
FUNCTIONS = {text.removeprefix("def ").split("(")[0] for text in SOURCE if text.startswith("def ")}


def function_of(line: int) -> str:
    """The function of memory.py that a line belongs to, "" where it is not a counted line."""
    if "# counted" not in SOURCE[line - 1]:
        return ""
    above = (text.split("(")[0] for text in reversed(SOURCE[:line]) if text.startswith("def "))
    return next(above).removeprefix("def ")


def functions(outcome: Outcome, metric: str) -> Counter[str]:
    """A metric's amount in the counted lines, by function; "native NAME" is what C functions
    asked for that were called there."""
    sums: Counter[str] = Counter()
    for stack, amount in outcome.recording.stacks(metric).items():
        if not stack:
            continue
        file, _, line = stack[-1]
        is_native = not file.endswith(".py") and line == 0
        if is_native and len(stack) > 1:
            file, _, line = stack[-2]
        if file.endswith("memory.py") and function_of(line):
            sums["native " * is_native + function_of(line)] += amount
    return sums


def check_exactly(outcome: Outcome) -> None:
    """All amounts of the functions that told theirs, to the byte and the block."""
    metrics = ("allocated.bytes", "live.bytes", "allocated.blocks")
    found = [functions(outcome, f"heap.{metric}") for metric in metrics]
    told = {
        name: amounts for name, amounts in outcome.told.items() if name.split()[-1] in FUNCTIONS
    }
    assert told
    assert {name: [counts[name] for counts in found] for name in told} == told


def check(outcome: Outcome, code: int = 0) -> Outcome:
    assert (outcome.code, outcome.err) == (code, "")
    outcome.recording.check_consistency()
    left = [path.name for path in outcome.path.parent.iterdir() if ".hasten." in path.name]
    assert left == [], "parts are removed"
    return outcome


@pytest.fixture
def memory(hasten: Hasten, interpreter: Interpreter) -> Any:
    def run(
        kind: str,
        *arguments: object,
        options: tuple[object, ...] = EXACT,
        code: int = 0,
        **more: Any,
    ) -> Outcome:
        return check(
            hasten.run(interpreter, PROGRAM, kind, *arguments, options=options, **more), code
        )

    return run


def test_estimates(memory: Any) -> None:
    """Sampled: a line that allocates a quarter of a gigabyte in blocks of one size is known
    within 5 %. The standard deviation is the root of interval / amount, 1.1 %."""
    outcome = memory("sizes", 1 << 28, options=("--memory-interval=32K",))
    for metric, index in (("heap.allocated.bytes", 0), ("heap.allocated.blocks", 2)):
        found = functions(outcome, metric)
        for name, amounts in outcome.told.items():
            assert found[name] == pytest.approx(amounts[index], rel=0.05), (name, metric)
    assert outcome.recording.facts["memory.mode"] == "sampled"
    assert outcome.recording.facts["memory.interval_bytes"] == "32768"


def test_sampled_by_default(memory: Any) -> None:
    outcome = memory("sizes", 1 << 28, options=())
    found = functions(outcome, "heap.allocated.bytes")
    assert found["of_65536_bytes"] == pytest.approx(1 << 28, rel=0.25)
    assert outcome.recording.facts["memory.interval_bytes"] == str(512 << 10)


def test_lives(memory: Any) -> None:
    """Exactly what was allocated, is alive, was at the peak, was temporary."""
    outcome = memory("lives")
    check_exactly(outcome)
    peak = functions(outcome, "heap.peak.bytes")
    assert peak["is_there_at_the_peak"] == 500 * 100_000
    assert peak["keeps"] == 1_000_000
    assert peak["throws_away"] == 0
    temporary = functions(outcome, "heap.temporary.blocks")
    assert temporary["throws_away"] == 5000
    assert temporary["keeps"] == 0
    assert outcome.recording.facts["memory.mode"] == "exact"


def test_native_memory(memory: Any) -> None:
    outcome = memory("native")
    check_exactly(outcome)
    leaves = {
        stack[-1][1]
        for stack in outcome.recording.stacks("heap.live.bytes")
        if len(stack) > 1 and stack[-2][1] == "maps" and stack[-1][2] == 0
    }
    assert leaves <= {"new_mmap_object", "?"}  # "?": the library is stripped


def test_threads(memory: Any) -> None:
    outcome = memory("threads")
    check_exactly(outcome)
    rows = outcome.recording.rows(
        "SELECT s.text AS name, sum(v.amount) AS bytes FROM value v "
        "JOIN metric m ON m.id = v.metric AND m.name = 'heap.allocated.bytes' "
        "JOIN thread t ON t.id = v.thread JOIN string s ON s.id = t.name GROUP BY t.id"
    )
    by_thread = {row["name"]: row["bytes"] for row in rows}
    for number in range(4):
        if f"worker-{number}" in by_thread:  # a short thread may end before its name is read
            assert by_thread[f"worker-{number}"] >= 500 * 5000


def test_threads_with_small_stacks(memory: Any) -> None:
    check_exactly(memory("small_stacks"))


def test_fork(memory: Any) -> None:
    """A forked process counts what it allocates itself."""
    outcome = memory("forks")
    check_exactly(outcome)
    assert {row["pid"] for row in outcome.recording.processes} >= set(outcome.told["pids"])


def test_fork_with_threads(memory: Any) -> None:
    outcome = memory("forks_with_threads", options=("--memory-interval=4K",))
    assert outcome.told["codes"] == [5] * 20


def test_programs_that_it_runs(memory: Any) -> None:
    """Python children are followed, with an empty environment too, and see nothing of it;
    others are left alone."""
    outcome = memory("runs_programs")
    assert outcome.told["sh"] == [4, ""]
    assert outcome.told["sees"] == []
    assert functions(outcome, "heap.allocated.bytes")["before_fork"] == 3_000_000
    child = sum(
        amount
        for stack, amount in outcome.recording.stacks("heap.live.bytes").items()
        if len(stack) > 0 and stack[0][0] == "<string>"
    )
    assert child >= 4_000_000


def test_exec(memory: Any) -> None:
    outcome = memory("becomes_another")
    check_exactly(outcome)


@pytest.mark.parametrize(
    ("how", "code"), [("exit_now", 3), ("kill", -9), ("daemon", 0), ("return", 0)]
)
def test_ends(memory: Any, how: str, code: int) -> None:
    outcome = memory("ends", how, code=code)
    check_exactly(outcome)
    cut = outcome.recording.facts.get("memory.cut")
    assert cut == ("1" if how == "kill" else None)


def test_an_exception_ends_it(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, PROGRAM, "ends", "exception", options=EXACT)
    assert outcome.code == 1
    assert outcome.err.endswith("ValueError: the end\n")
    check_exactly(outcome)


def test_descriptors_are_the_programs(memory: Any, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    outcome = memory("closes_descriptors", folder, options=("--memory-interval=4K",))
    assert outcome.told["sizes"] == [3]
    assert functions(outcome, "heap.allocated.blocks")["blocks_of"] > 8 * 10 * 200 * 0.9


def test_no_room_for_its_part(hasten: Hasten, interpreter: Interpreter) -> None:
    """Its part may not grow: the program goes on, and the recording says that it is cut."""
    outcome = hasten.run(interpreter, PROGRAM, "has_no_room", options=("--memory-interval=4K",))
    assert outcome.code == 0
    assert outcome.err == "" or "no room" in outcome.err  # it had begun to write, or not
    outcome.recording.check_consistency()
    assert outcome.recording.facts["memory.cut"] == "1"


def test_deep_stacks(memory: Any) -> None:
    outcome = memory("goes_deep")
    # Whatever else the interpreter wants there, once, so deep down.
    assert functions(outcome, "heap.live.bytes")["keeps"] == pytest.approx(1_000_000, abs=500)
    depth = max(len(stack) for stack in outcome.recording.stacks("heap.live.bytes"))
    assert depth > 3000


def test_generators(memory: Any) -> None:
    check_exactly(memory("generators"))


def test_subinterpreters(memory: Any) -> None:
    check_exactly(memory("subinterpreters"))


@pytest.mark.parametrize("allocator", ["malloc", "debug", "pymalloc_debug"])
def test_other_allocators(memory: Any, allocator: str) -> None:
    """Python replaces its allocators at its start: ours come in front of the new ones."""
    outcome = memory("lives", env={**os.environ, "PYTHONMALLOC": allocator})
    check_exactly(outcome)


def test_tracemalloc_beside_it(hasten: Hasten, interpreter: Interpreter) -> None:
    code = (
        "import tracemalloc; tracemalloc.start(); x = [bytes(1000) for _ in range(1000)]; "
        "print(tracemalloc.get_traced_memory()[0] > 1_000_000); tracemalloc.stop(); "
        "y = [bytes(1000) for _ in range(1000)]"
    )
    outcome = check(hasten.run(interpreter, "-c", code, options=EXACT))
    assert outcome.out == "True\n"
    assert sum(outcome.recording.amounts("heap.live.bytes").values()) >= 2_000_000


def test_off(memory: Any) -> None:
    outcome = memory("lives", options=("--memory=off",))
    assert outcome.recording.facts["memory.mode"] == "off"
    assert not outcome.recording.amounts("heap.allocated.bytes")
    assert not outcome.recording.rows("SELECT * FROM series")


def test_series(memory: Any) -> None:
    outcome = memory("lives", options=())
    rows = outcome.recording.rows(
        "SELECT s.name AS name, max(p.value) AS most FROM series s JOIN point p ON p.series = s.id "
        "GROUP BY s.id"
    )
    most = {row["name"]: row["most"] for row in rows}
    assert most["rss.bytes"] > 5_000_000
    assert 10_000_000 < most["heap.live.bytes"] < 90_000_000


@needs_compiler
def test_programs_that_are_not_python(hasten: Hasten, tmp_path: Path) -> None:
    """Nothing of them is recorded, and nothing changes for them."""
    source = tmp_path / "program.c"
    source.write_text(
        "#include <stdio.h>\n#include <stdlib.h>\n"
        "int main(void) {\n"
        "    for (int i = 0; i < 100000; i++) { char *volatile p = malloc(1000); free(p); }\n"
        '    printf("%d %d\\n", getenv("LD_PRELOAD") != NULL, getenv("HASTEN_MEMORY") != NULL);\n'
        "    return 6;\n}\n"
    )
    for options in ([], ["-static"]):
        program = tmp_path / f"program{len(options)}"
        done = subprocess.run(["cc", *options, "-o", program, source], check=False)
        if done.returncode != 0:
            continue
        path = hasten.new_path()
        process = hasten.start("run", "--", program, path=path)
        outcome = hasten.finish(process, path)
        assert (outcome.code, outcome.err) == (6, "")
        assert options or outcome.out == "0 0\n"
        assert outcome.recording.facts["memory.mode"] == "off"
        assert "no Python process" in outcome.recording.facts["memory.note"]


def build(folder: Path, source: str, name: str) -> Path:
    library = folder / name
    words = ["cc", "-O2", "-shared", "-fPIC", "-pthread", "-o", library, target(source)]
    subprocess.run(words, check=True)
    return library


STRESS = """
import ctypes, json, sys
counts = (ctypes.c_uint64 * 4)()
library = ctypes.CDLL(sys.argv[1])
library.stress(ctypes.c_uint64(int(sys.argv[2])), int(sys.argv[3]), counts)
print(json.dumps({"counts": list(counts)}))
"""


@needs_compiler
@pytest.mark.parametrize("options", [EXACT, ("--memory-interval=2K",)])
def test_stress(
    hasten: Hasten, interpreter: Interpreter, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Eight native threads, against their own count: no block is lost, and none is kept that
    was freed. Exactly, and with a sample that half of the blocks are not in."""
    library = build(tmp_path, "heap_stress.c", "libstress.so")
    is_exact = options == EXACT
    outcome = check(
        hasten.run(interpreter, "-c", STRESS, library, 60_000, int(not is_exact), options=options)
    )
    metrics = ("allocated.bytes", "allocated.blocks", "live.bytes", "live.blocks")
    found = [
        sum(
            amount
            for stack, amount in outcome.recording.stacks(f"heap.{metric}").items()
            if stack and stack[-1][0].endswith("libstress.so")
        )
        for metric in metrics
    ]
    told = outcome.told["counts"]
    assert told[1] > 8 * 60_000 * 0.4
    if is_exact:
        assert found == told
        assert told[3] > 1000
    else:
        assert found[2:] == [0, 0]
        assert found[:2] == pytest.approx(told[:2], rel=0.05)


NEW = """
extern "C" char *keeps(unsigned long size) { return new char[size]; }
extern "C" void throws_away(unsigned long size) { delete[] new char[size]; }
"""


@pytest.mark.skipif(not shutil.which("c++"), reason="no C++ compiler")
def test_new_of_another_language(hasten: Hasten, interpreter: Interpreter, tmp_path: Path) -> None:
    """What C++ allocates has the Python line that led there, and is alive until its delete."""
    (tmp_path / "new.cc").write_text(NEW)
    library = tmp_path / "libnew.so"
    words = ["c++", "-O0", "-shared", "-fPIC", "-o", library, tmp_path / "new.cc"]
    subprocess.run(words, check=True)
    code = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
for _ in range(100):
    library.keeps(ctypes.c_ulong(70_001))
    library.throws_away(ctypes.c_ulong(80_002))
"""
    (tmp_path / "app.py").write_text(code)
    outcome = check(hasten.run(interpreter, tmp_path / "app.py", library, options=EXACT))

    def amount(metric: str, line: int) -> float:
        return sum(
            amount
            for stack, amount in outcome.recording.stacks(f"heap.{metric}").items()
            if len(stack) > 1 and stack[-2][0].endswith("app.py") and stack[-2][2] == line
            if "libstdc++" in stack[-1][0]
        )

    assert amount("allocated.bytes", 5) == amount("live.bytes", 5) == 100 * 70_001
    assert amount("allocated.bytes", 6) == 100 * 80_002
    assert amount("live.bytes", 6) == 0


@needs_compiler
@pytest.mark.parametrize("time_us", [5000, 20000, 33000])
def test_a_handler_ends_it_in_a_hook(
    hasten: Hasten, interpreter: Interpreter, tmp_path: Path, time_us: int
) -> None:
    library = build(tmp_path, "heap_hostile.c", "libhostile.so")
    code = f"import ctypes; ctypes.CDLL({str(library)!r}).end_after({time_us})"
    outcome = hasten.run(interpreter, "-c", code, options=EXACT)
    # A slow machine has recorded nothing by then, and that is said.
    assert outcome.err == "" or "or ended at once" in outcome.err
    outcome.err = ""
    check(outcome, 42)


FORKS = """
import json, os, subprocess, sys
codes = []
for _ in range(10):
    pid = os.fork()
    if pid == 0:
        kept = [bytes(1000) for _ in range(1000)]
        os._exit(7)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
child = [sys.executable, "-c", "import os; print(os.environ.get('LD_PRELOAD'))"]
seen = subprocess.run(child, capture_output=True, text=True, check=True).stdout.strip()
print(json.dumps({"codes": codes, "seen": [os.environ.get("LD_PRELOAD"), seen]}))
"""


SHELLS = """
import ctypes, json, os, sys
inside = "import os, sys; kept = bytes(3_000_000); print(sys.argv[1:], os.environ.get('L'))"
inside = inside.replace("'L'", "'LD_PRELOAD'")
command = f"{sys.executable} -c \\"{inside}\\""
codes = [os.system(command + " 'it''s' > out.txt"), os.system("exit 3") >> 8]
codes.append(os.system("echo $((1 + 1)); exit 4 # not this") >> 8)
libc = ctypes.CDLL(None)
libc.popen.restype = ctypes.c_void_p
libc.fgets.argtypes = (ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p)
libc.pclose.argtypes = (ctypes.c_void_p,)
stream = libc.popen((command + " two").encode(), b"r")
line = ctypes.create_string_buffer(100)
libc.fgets(line, 100, stream)
codes.append(libc.pclose(stream))
codes.append(os.system("x" * 140_000) == 0)
codes.append(libc.system(None) != 0)
seen = os.environ.get("LD_PRELOAD")
told = {"codes": codes, "out": open("out.txt").read(), "line": line.value.decode(), "seen": seen}
print(json.dumps(told))
"""


@pytest.mark.parametrize("folder", ["plain", "it's a folder; with $(words)"])
def test_shells_of_the_c_library(
    hasten: Hasten, interpreter: Interpreter, tmp_path: Path, folder: str
) -> None:
    """What system and popen start is followed, and their answers are what they were."""
    hasten.folder = tmp_path / folder
    hasten.folder.mkdir()
    outcome = hasten.run(interpreter, "-c", SHELLS, options=EXACT, cwd=hasten.folder)
    # The command that is too long for an argument cannot be started: the shell's own message
    # where there is one.
    outcome.err = ""
    check(outcome)
    assert outcome.told == {
        "codes": [0, 3, 4, 0, False, True],
        "out": "['its'] None\n",
        "line": "['two'] None\n",
        "seen": None,
    }
    allocated = outcome.recording.stacks("heap.allocated.bytes")
    assert sum(amount for stack, amount in allocated.items() if stack) > 6_000_000


@needs_compiler
def test_another_preloaded_library(
    hasten: Hasten, interpreter: Interpreter, tmp_path: Path
) -> None:
    """It is loaded as before, the program and its children see it alone in their
    environment, and what it allocates while a process forks harms nobody."""
    library = str(build(tmp_path, "heap_hostile.c", "libhostile.so"))
    environment = {**os.environ, "LD_PRELOAD": library}
    outcome = check(hasten.run(interpreter, "-c", FORKS, options=EXACT, env=environment))
    assert outcome.told == {"codes": [7] * 10, "seen": [library, library]}
    # The last child may be seen twice, before and after it becomes another program.
    assert len(outcome.recording.processes) in (12, 13)
