# SPDX-License-Identifier: MIT
"""What a recording costs: size, time to record and to finish, memory.

recording.c, built here, records what a program of 4 threads, 29 calls deep, on some
20 000 different stacks gives; 1000 samples a flush, as 4 threads at 1 kHz and 4
flushes a second. "scattered" has a random stack at every sample: no program does,
and nothing can be larger.
"""

import argparse
import json
import shlex
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bench" / "recording"
MILLION = 1_000_000


def build():
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    sources = [ROOT / "benchmarks" / "recording.c"]
    for folder in ("base", "profile", "recording"):
        sources += sorted((ROOT / "src" / "core" / folder).glob("*.c"))
    libraries = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "sqlite3", "libzstd"],
        check=True,
        capture_output=True,
        text=True,
    )
    flags = ["-std=c17", "-D_GNU_SOURCE", "-O2", f"-I{ROOT / 'src'}", f"-I{ROOT / 'include'}"]
    command = ["cc", *flags, *sources, *shlex.split(libraries.stdout), "-o", PROGRAM]
    subprocess.run(command, check=True)


def run(*arguments):
    answer = subprocess.run(
        [PROGRAM, *map(str, arguments)], check=True, capture_output=True, text=True
    )
    return json.loads(answer.stdout)


def measure(path, kind, samples, rounds):
    """Medians of a few rounds; memory is the largest seen."""
    results = []
    for _ in range(rounds):
        path.unlink(missing_ok=True)
        recorded = run(kind, path, samples, 1000)
        log_bytes = path.stat().st_size
        log_load = run("load", path)
        finished = run("finalize", path)
        loaded = run("load", path)
        results.append(
            {
                "record_ns": 1e9 * recorded["cpu_s"] / samples,
                "record_rss": recorded["rss_bytes"],
                "log_bytes": log_bytes,
                "log_load_s": log_load["wall_s"],
                "finish_s": finished["wall_s"],
                "finish_cpu_s": finished["cpu_s"],
                "finish_rss": finished["rss_bytes"],
                "bytes": path.stat().st_size,
                "load_s": loaded["wall_s"],
                "repeated": recorded["repeated"],
                "depth": recorded["depth"],
            }
        )
    return {
        key: (max if key.endswith("rss") else statistics.median)(r[key] for r in results)
        for key in results[0]
    }


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--samples", type=float, default=10, help="millions (default: 10)")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    options.add_argument("--quick", action="store_true", help="one million samples, one round")
    options.add_argument("--python", help="accepted and not needed: no interpreter runs")
    options = options.parse_args()
    if options.quick:
        options.samples, options.rounds = 1, 1
    samples = int(options.samples * MILLION)
    build()
    summary = {"samples": samples}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.hasten"
        for name, kind in (("as a program", "record"), ("scattered", "scatter")):
            summary[name] = measure(path, kind, samples, options.rounds)
        path.unlink()
        hour = run("record", path, 3_600_000, 1000) if not options.quick else None
    print(
        f"\n{samples / MILLION:g} million samples, medians of {options.rounds} (memory: largest)\n"
    )
    rows = [
        ("samples that repeat the last", "repeated", lambda v: f"{100 * v:.0f} %", ""),
        ("mean depth", "depth", lambda v: f"{v:.0f}", ""),
        ("recording, CPU a sample", "record_ns", lambda v: f"{v:.0f} ns", ""),
        ("recording, memory", "record_rss", lambda v: f"{v / 1e6:.1f} MB", "30 MB"),
        ("log", "log_bytes", lambda v: f"{v / 1e6:.1f} MB", ""),
        ("reading the log", "log_load_s", lambda v: f"{v:.2f} s", ""),
        ("finishing", "finish_s", lambda v: f"{v:.2f} s", "3 s"),
        ("finishing, CPU", "finish_cpu_s", lambda v: f"{v:.2f} s", ""),
        ("finishing, memory", "finish_rss", lambda v: f"{v / 1e6:.1f} MB", ""),
        ("finished recording", "bytes", lambda v: f"{v / 1e6:.1f} MB", "40 MB"),
        ("reading it", "load_s", lambda v: f"{v:.2f} s", ""),
    ]
    print(f"{'':32}{'as a program':>16}{'scattered':>16}{'at most':>12}")
    for title, key, text, limit in rows:
        values = [text(summary[name][key]) for name in ("as a program", "scattered")]
        print(f"{title:32}{values[0]:>16}{values[1]:>16}{limit:>12}")
    if hour is not None:
        summary["hour"] = hour
        print(f"\nan hour at 1 kHz (3.6 million): {hour['rss_bytes'] / 1e6:.1f} MB of memory")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
