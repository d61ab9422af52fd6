# SPDX-License-Identifier: MIT
"""Says which stacks of oracle.py are impossible."""

import ast
import os

import oracle


class Judge:
    """Knows from the text of oracle.py which line of which function may call whom."""

    def __init__(self, source=None):
        if source is None:
            with open(oracle.__file__, encoding="utf-8") as file:
                source = file.read()
        self.call_lines = {}
        self.ranges = {}
        marks = [line.partition("# calls: ")[2] for line in source.splitlines()]
        for function in ast.walk(ast.parse(source)):
            if isinstance(function, ast.FunctionDef):
                first = min([function.lineno] + [d.lineno for d in function.decorator_list])
                self.ranges[function.name] = (first, function.end_lineno)
        for number, mark in enumerate(marks, 1):
            for callee in filter(None, mark.split(", ")):
                self.call_lines.setdefault((self.owner(number), callee), set()).add(number)

    def owner(self, line):
        """The innermost function around a line."""
        inside = [
            (last - first, name)
            for name, (first, last) in self.ranges.items()
            if first <= line <= last
        ]
        return min(inside)[1] if inside else "<module>"

    def judge(self, frames):
        """What is impossible in `frames`, or None: (file, function, line) from the root to
        the leaf; a line of None or 0 is not known."""
        ours = [os.path.basename(file) == "oracle.py" for file, _, _ in frames]
        names = [name.rpartition(".")[2] for _, name, _ in frames]
        start = next((i for i, name in enumerate(names) if ours[i] and name == "main"), None)
        if start is None:
            strays = [
                name for name, our in zip(names, ours) if our and name not in oracle.BEFORE_MAIN
            ]
            return f"{strays[0]} without main" if strays else None
        tree = oracle.TREE
        for i in range(start, len(frames)):
            if i > start:
                caller, callee = names[i - 1], names[i]
                if not ours[i]:
                    if caller != "main" or callee not in oracle.LIBRARY:
                        return f"{caller} -> {callee} of another file"
                    return "back from a library" if any(ours[i:]) else None
                if callee not in tree:
                    return f"{' > '.join(names[start:i])} -> {callee}"
                tree = tree[callee]
                problem = self.judge_line(caller, frames[i - 1][2], callee)
                if problem:
                    return problem
            line = frames[i][2]
            first, last = self.ranges.get(names[i], (1, 10**6))
            if line and not first <= line <= last:
                return f"{names[i]} at line {line}, outside {first}-{last}"
        return None

    def judge_line(self, caller, line, callee):
        if not line or caller.startswith("<"):
            return None
        allowed = self.call_lines.get((caller, callee), set())
        return None if line in allowed else f"{caller} -> {callee} from line {line}"
