# SPDX-License-Identifier: MIT
"""How long `--version` takes: starting the program and nothing else.

The programs take turns; printed are the median and its 95 % interval.
"""

import subprocess
import sys
import time

from environment import hasten_command, make_peers
from measuring import interval, parser, table, write_json


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=200)
    options = options.parse_args()
    if options.quick:
        options.rounds = 30
    commands = {
        "hasten": [hasten_command(), "--version"],
        "/bin/true": ["/bin/true"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    if make_peers() is not None:
        commands["py-spy"] = [make_peers() / "py-spy", "--version"]
    times = {name: [] for name in commands}
    for _ in range(options.rounds):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            times[name].append(time.perf_counter() - start)
    first = interval(times["hasten"])[0]
    rows, summary = [], {}
    for name, values in times.items():
        middle, low, high = interval(values)
        summary[name] = {"median_s": middle, "low_s": low, "high_s": high}
        rows.append(
            [
                name,
                f"{1e3 * middle:.2f} ms",
                f"{1e3 * low:.2f} .. {1e3 * high:.2f} ms",
                f"{middle / first:.2f} x",
            ]
        )
    table("--version, median and 95 % interval", ["program", "time", "95 %", "to hasten"], rows)
    write_json(options, "version", None, summary)


if __name__ == "__main__":
    main()
