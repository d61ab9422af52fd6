# SPDX-License-Identifier: MIT
"""Finds a CPython of each supported minor version, and makes those that can be made.

A version that this machine lacks but a Debian suite has is put into a root of its own
under .cache/roots/. A small script under .cache/pythons/ then runs it there: with its own
file system, but this project, /tmp and /proc at the same paths, and as the same process.
That needs root; without, such versions are left out, and said to be.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
# The Debian suite that has each version, for those found nowhere else.
SUITES = {"3.13": "trixie", "3.14": "sid", "3.15": "sid"}
# What must be there of each version: CPython's own tests too, what building takes, and the
# server of the tests of shared caches.
WANTED_IN_ROOT = (
    "usr/bin/python{0}",
    "usr/lib/python{0}/test/test_pstats.py",
    "usr/include/lzma.h",
    "usr/include/bzlib.h",
    "usr/bin/redis-server",
)
# What building the extension modules and their tests take inside a root.
ROOT_PACKAGES = [
    "ca-certificates",
    "gcc",
    "libc6-dev",
    "libelf-dev",
    "libsqlite3-dev",
    "libzstd-dev",
    "zlib1g-dev",
    "liblzma-dev",
    "libbz2-dev",
    "pkg-config",
    "redis-server",
]

RUN_IN_ROOT = """#!/bin/sh
# Made by tools/interpreters.py. Runs a program inside a Debian root; the mounts
# are this process's own and end with it, so that nothing is left mounted.
root={root}
project={project}
mkdir -p "$root$project"
exec unshare --mount --propagation private /bin/sh -ec '
    root=$1; project=$2; shift 2
    mount --rbind /proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --bind /tmp "$root/tmp"
    mkdir -p "$root$project"
    mount --bind "$project" "$root$project"
    for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
        if [ -e "$file" ] && [ -e "$root$file" ]; then
            mount --bind "$file" "$root$file"
        fi
    done
    exec chroot "$root" /usr/bin/env -C "$PWD" "$@"
' sh "$root" "$project" "$@"
"""


@dataclass(frozen=True)
class Interpreter:
    version: str
    command: str
    """Runs the interpreter like python itself, the same process throughout."""
    enter: tuple[str, ...] = ()
    """What to put before other commands that are to run where the interpreter is."""


def say(text: str) -> None:
    print(f"interpreters: {text}", file=sys.stderr, flush=True)


def is_version(command: Path, version: str) -> bool:
    code = (
        "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2], sys.executable)"
    )
    try:
        answer = subprocess.run(
            [command, "-c", code], check=False, capture_output=True, text=True, timeout=60
        )
    except OSError:
        return False
    return answer.stdout.split()[:2] == ["cpython", version]


def installed(version: str) -> Path | None:
    """A CPython `version` of this machine. Shims are passed over: they are shell scripts
    in front of an interpreter, and tests want the interpreter's own file."""
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [Path(folder) / name for folder in os.get_exec_path()]
    places += sorted(pyenv.glob(f"{version}.*/bin/{name}"), reverse=True)
    for place in places:
        if "shims" not in place.parts and os.access(place, os.X_OK) and is_version(place, version):
            return place
    return None


def is_complete(root: Path, version: str) -> bool:
    return all((root / name.format(version)).exists() for name in WANTED_IN_ROOT)


def make_root(suite: str) -> Path | None:
    """The Debian root of `suite`, made when missing; None where that cannot be."""
    root = CACHE / "roots" / suite
    versions = [version for version, of in SUITES.items() if of == suite]
    if all(is_complete(root, version) for version in versions):
        return root
    packages = [f"python{v}{part}" for v in versions for part in ("", "-venv", "-dev")]
    packages += [f"libpython{v}-testsuite" for v in versions]
    packages += ROOT_PACKAGES
    if (root / "usr/bin/apt-get").exists() and install_in_root(suite, packages):
        return root
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        return None
    say(f"making a Debian {suite} root with {', '.join(f'python{v}' for v in versions)}")
    root.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite, root]
    log = CACHE / f"debootstrap-{suite}.log"
    with log.open("w") as output:
        answer = subprocess.run(command, check=False, stdout=output, stderr=subprocess.STDOUT)
    if answer.returncode != 0:
        say(f"debootstrap failed: see {log.relative_to(ROOT)}")
        return None
    return root


def write_script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        path.chmod(0o755)


def enter_root(suite: str) -> Path:
    """The script that runs a command inside the root."""
    enter = CACHE / "pythons" / f"in-{suite}"
    write_script(enter, RUN_IN_ROOT.format(root=CACHE / "roots" / suite, project=ROOT))
    return enter


def install_in_root(suite: str, packages: list[str]) -> bool:
    """Adds packages to a root that an earlier version of this file made."""
    if os.geteuid() != 0:
        return False
    say(f"adding to the Debian {suite} root: {', '.join(packages)}")
    # What is known of the packages may do where the list cannot be renewed.
    install = "apt-get -qq update; exec apt-get -qq install -y --no-install-recommends "
    command = [enter_root(suite), "/bin/sh", "-c", install + " ".join(packages)]
    log = CACHE / f"apt-{suite}.log"
    with log.open("w") as output:
        answer = subprocess.run(
            command,
            check=False,
            cwd=ROOT,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if answer.returncode != 0:
        say(f"apt-get failed: see {log.relative_to(ROOT)}")
    return answer.returncode == 0


def rooted(version: str) -> Interpreter | None:
    suite = SUITES.get(version)
    root = make_root(suite) if suite and os.geteuid() == 0 else None
    if root is None:
        return None
    enter = enter_root(suite)
    script = CACHE / "pythons" / f"python{version}"
    write_script(script, f'#!/bin/sh\nexec {enter} /usr/bin/python{version} "$@"\n')
    if not is_version(script, version):
        say(f"{script.relative_to(ROOT)} does not run (may this user mount?)")
        return None
    return Interpreter(version, str(script), (str(enter),))


def find_all() -> list[Interpreter]:
    found = []
    for version in VERSIONS:
        place = installed(version)
        interpreter = Interpreter(version, str(place)) if place else rooted(version)
        if interpreter is None:
            say(f"no CPython {version} here: left out")
        else:
            found.append(interpreter)
    return found


if __name__ == "__main__":
    for interpreter in find_all():
        print(interpreter.version, interpreter.command)
