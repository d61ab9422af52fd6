# SPDX-License-Identifier: MIT
"""Programs written for the standard cProfile and pstats, and programs that open its files:
they run with only the import changed, and open what hasten writes."""

import pstats
import re
import subprocess
import sys

import hasten.pstats
import pytest
from hasten import cProfile
from snakeviz.stats import json_stats, table_rows

HASTEN = [sys.executable, "-m", "hasten"]
# A tutorial's way: profile a workload, keep the text, sort by time with callees.
TUTORIAL = """
import io
{imports}

def sum_in_a_loop():
    total = 0
    for number in range(20000):
        total += number
    return total

def sum_in_c():
    return sum(range(20000))

def workload():
    for _ in range(40):
        assert sum_in_a_loop() == sum_in_c()

profiler = cProfile.Profile()
profiler.enable()
workload()
profiler.disable()

text = io.StringIO()
stats = pstats.Stats(profiler, stream=text).sort_stats(SortKey.CUMULATIVE)
stats.print_stats({restrictions})
print(text.getvalue())
"""
STANDARD = "import cProfile, pstats\nfrom pstats import SortKey"
OURS = "from hasten import cProfile, pstats\nfrom hasten.pstats import SortKey"
TIME = re.compile(r"\d+\.\d{3}")


@pytest.mark.parametrize("restrictions", ["10", "", "'sum_in', .5"])
def test_tutorial_with_the_import_changed(tmp_path, restrictions):
    script = tmp_path / "tutorial.py"

    def printed(imports):
        script.write_text(TUTORIAL.format(imports=imports, restrictions=restrictions))
        done = subprocess.run(
            [sys.executable, script], capture_output=True, text=True, timeout=60, check=True
        )
        return TIME.sub("#.###", done.stdout).splitlines()

    lines = printed(OURS)
    assert lines == printed(STANDARD)
    if not restrictions.startswith("'"):
        # The loop takes the most: what was asked, and how the text answers it.
        functions = [line.split()[-1] for line in lines if "tutorial.py" in line]
        names = [name.partition("(")[2] for name in functions]
        assert names == ["workload)", "sum_in_a_loop)", "sum_in_c)"]
        assert lines[0].split()[1:3] == ["function", "calls"]


PROGRAM = """
import json

def parse(text):
    return json.loads(text)

def read(depth):
    return parse("[1, 2]") if depth == 0 else read(depth - 1)

def main():
    for _ in range(7):
        read(3)

main()
"""


@pytest.fixture(params=["dump_stats", "export"])
def dump(request, tmp_path):
    """A file of statistics of the program, as each of the two that write such files does."""
    script = tmp_path / "app.py"
    script.write_text(PROGRAM)
    path = tmp_path / "app.pstats"
    if request.param == "dump_stats":
        profile = cProfile.Profile()
        profile.runctx(compile(PROGRAM, str(script), "exec"), {"__name__": "__main__"}, None)
        profile.dump_stats(path)
        return path
    recording = tmp_path / "app.hasten"
    for command in (
        ["run", "--trace", "--no-report", "--python", sys.executable, "-o", recording, script],
        ["export", "--format", "pstats", "-o", path, recording],
    ):
        words = [*HASTEN, *map(str, command)]
        subprocess.run(words, check=True, timeout=60, capture_output=True)
    return path


@pytest.mark.parametrize("module", [pstats, hasten.pstats], ids=["pstats", "hasten.pstats"])
def test_snakeviz(dump, module):
    """What its page is made of, from the file as it loads it."""
    stats = module.Stats(str(dump))
    rows = {row[5]: row for row in table_rows(stats)}
    assert rows["app.py:7(read)"][0] == ["28/7", 28]
    assert rows["app.py:4(parse)"][0] == ["7", 7]
    tree = json_stats(stats)
    (main,) = (node for name, node in tree.items() if name.endswith("(main)"))
    (read,) = (name for name in main["children"] if name.endswith("(read)"))
    assert main["children"][read][:2] == [7, 7]
    (itself,) = (name for name in tree[read]["children"] if name.endswith("(read)"))
    assert tree[itself]["callers"][read][0] == 21
    assert main["stats"][3] >= tree[read]["stats"][3] > 0


def test_gprof2dot(dump):
    done = subprocess.run(
        [sys.executable, "-m", "gprof2dot", "-f", "pstats", "-n0", "-e0", str(dump)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    nodes = dict(re.findall(r'^\t(\d+) \[.*label="([^"]*)"', done.stdout, re.MULTILINE))
    numbers = {
        name: number
        for number, label in nodes.items()
        for name in ("main", "read", "parse")
        if label.startswith("app:") and f":{name}\\n" in label
    }
    assert set(numbers) == {"main", "read", "parse"}
    assert "\\n7\u00d7" in nodes[numbers["parse"]]
    edges = {
        (caller, callee): label
        for caller, callee, label in re.findall(
            r'^\t(\d+) -> (\d+) \[.*label="([^"]*)"', done.stdout, re.MULTILINE
        )
    }
    assert edges[numbers["main"], numbers["read"]].endswith("7\u00d7")
    assert edges[numbers["read"], numbers["parse"]].endswith("7\u00d7")
    assert (numbers["read"], numbers["read"]) in edges
