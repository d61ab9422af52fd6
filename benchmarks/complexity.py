# SPDX-License-Identifier: MIT
"""Is the class of functions found whose class is known? Forty of them, from len() to fib().

38 should be named rightly, and none wrongly: of the others it should say that it can't tell."""

import json
import subprocess
import sys

from environment import PROGRAMS, ROOT
from measuring import parser, table

HASTEN = ROOT / ".venv" / "bin" / "hasten"
RIGHT_AT_LEAST = 38
# Function and what makes its input (None: the size itself), by class.
FUNCTIONS = {
    "O(1)": {
        "length": "integers",
        "lookup": "table_and_key",
        "absent_in_set": "set_and_absent",
        "swap_ends": "integers",
        "popleft": "queue",
    },
    "O(log n)": {
        "bisected": "ascending",
        "binary_search": "ascending",
        "heappop": "heap",
        "euclid_halving": None,
    },
    "O(n)": {
        "total": "numbers",
        "python_loop": "numbers",
        "absent_in_list": "list_and_absent",
        "build_dict": "shuffled_integers",
        "build_set": "words",
        "copy_dict": "table",
        "join_words": "words",
        "reverse": "integers",
        "pop_first": "integers",
        "count_words": "words",
        "merge_sorted": "two_sorted",
        "sort_sorted": "integers",
        "heapify": "numbers",
        "walk_linked": "linked",
        "to_json": "integers",
        "squares_generator": None,
        "deep_copy": "integers",
    },
    "O(n log n)": {
        "sort_random": "numbers",
        "merge_sort": "numbers",
        "heap_sort": "numbers",
    },
    "O(n^2)": {
        "nested_loops": "numbers",
        "bubble_sort": "numbers",
        "insert_first": None,
        "unique_by_list": "shuffled_integers",
        "prefix_sums_by_slices": "numbers",
    },
    "O(n^3)": {"multiply": "matrices", "triples": None},
    "O(2^n)": {"fib": None, "subsets": None, "hanoi": None, "regex": None},
}


def measure(options, function, generate):
    program = PROGRAMS / "growing.py"
    command = [HASTEN, "complexity", "--json", "--python", options.interpreter]
    command += ["--budget", "3s" if options.quick else options.budget]
    command += ["--generate", f"{program}:{generate}"] if generate else []
    answer = subprocess.run(
        [*command, f"{program}:{function}"], check=False, capture_output=True, text=True
    )
    if answer.returncode != 0:
        return {"time": {"class": None, "words": answer.stderr.strip()}, "spent_s": 0}
    return json.loads(answer.stdout)


def main():
    options = parser(__doc__)
    options.add_argument("--budget", default="10s", help="for each function (default: 10s)")
    options.set_defaults(python=sys.executable)
    options = options.parse_args()
    options.interpreter = options.python
    found, rows, right, wrong = {}, [], 0, 0
    for truth, functions in FUNCTIONS.items():
        for function, generate in functions.items():
            if options.only and function not in options.only:
                continue
            result = measure(options, function, generate)
            said = result["time"]["class"]
            right += said == truth
            wrong += said not in (truth, None)
            mark = "" if said == truth else "can't tell" if said is None else "WRONG"
            rows.append(
                (function, truth, result["time"]["words"], f"{result['spent_s']:.1f} s", mark)
            )
            print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
            found[function] = {"truth": truth, **result}
    table("Classes of growth", ("function", "class", "said", "in", ""), rows)
    print(f"\n{right} of {len(rows)} right, {wrong} wrong; wanted: {RIGHT_AT_LEAST} right, 0 wrong")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1))
    return 0 if options.only or (right >= RIGHT_AT_LEAST and wrong == 0) else 1


if __name__ == "__main__":
    sys.exit(main())
