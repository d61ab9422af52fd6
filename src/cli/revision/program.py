# SPDX-License-Identifier: MIT
"""Makes the environment of a revision, run by the interpreter of the present one.

`hasten` carries this text in itself and starts it with `python -c`.

    argv: describe PROJECT              prints "install TEXT", "signature TEXT"
          build ENTRY ROOT HOME TOP INSTALL   writes what it does to standard error

An environment is `ENTRY/env`. Behind its own packages it finds those of the present
environment, by links in `ENTRY/linked`: all but the project itself, of which only the
revision's code must be found.
"""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

PACKAGES = ("site-packages", "dist-packages")
SIGNS = ("setup.py", "setup.cfg")


def say(text):
    print(text, file=sys.stderr, flush=True)


def own_paths():
    """What is on the path besides the standard library, the current directory and PYTHONPATH."""
    given = {os.path.abspath(p) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p}
    standard = {os.path.dirname(os.__file__)}
    found = []
    for path in sys.path:
        if not path or not os.path.isdir(path) or os.path.abspath(path) in given:
            continue
        if path in standard or os.path.basename(path) == "lib-dynload":
            continue
        found.append(os.path.abspath(path))
    return found


def package_folders():
    return [path for path in own_paths() if os.path.basename(path) in PACKAGES]


def settings(project):
    """What pyproject.toml says to hasten."""
    import tomllib

    path = Path(project, "pyproject.toml")
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return {}, {}
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SystemExit(f"{path}: {error}") from None
    tool = table.get("tool", {})
    hasten = tool.get("hasten", {}) if isinstance(tool, dict) else {}
    return table, hasten if isinstance(hasten, dict) else {}


def describe(project):
    install = settings(project)[1].get("install", "")
    if not isinstance(install, str) or "\n" in install:
        raise SystemExit("pyproject.toml: tool.hasten.install shall be a line of text")
    print(f"install {install}")
    names = [sys.executable, sys.version.replace("\n", " ")]
    for folder in package_folders():
        names.append(folder)
        # The name has the version; of a package installed anew the time differs.
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.endswith((".dist-info", ".egg-info")):
                names.append(f"{entry.name}@{entry.stat().st_mtime_ns}")
    import zlib

    text = "|".join(names).encode("utf-8", "backslashreplace")
    print(f"signature {len(names)}-{zlib.crc32(text):08x}-{zlib.adler32(text):08x}")


def link_packages(linked):
    """Links to everything in the present environment."""
    os.mkdir(linked)
    for folder in package_folders():
        for name in os.listdir(folder):
            if name.endswith((".pth", ".egg-link", ".pyc")) or name.startswith("__editable__"):
                continue
            if name != "__pycache__" and not os.path.lexists(os.path.join(linked, name)):
                os.symlink(os.path.join(folder, name), os.path.join(linked, name))


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def unlink_installed(packages, linked):
    """Of what the environment has itself, nothing of the present one's shall be found."""
    own = {normal(d.name) for d in importlib.metadata.distributions(path=[packages]) if d.name}
    for distribution in list(importlib.metadata.distributions(path=[linked])):
        if not distribution.name or normal(distribution.name) not in own:
            continue
        for name in {file.parts[0] for file in distribution.files or () if file.parts}:
            path = os.path.join(linked, name)
            # A folder without __init__.py may be several distributions' together.
            is_shared = os.path.isdir(path) and not os.path.exists(f"{path}/__init__.py")
            if os.path.islink(path) and (not is_shared or name.endswith(".dist-info")):
                os.unlink(path)


def is_packaged(home, table):
    if "build-system" in table or "project" in table:
        return True
    return any(os.path.exists(os.path.join(home, sign)) for sign in SIGNS)


def has_all(requirements):
    """Whether what a build needs is here: it needs no environment of its own then."""
    try:
        from pip._vendor.packaging.requirements import Requirement
    except ImportError:
        return False
    for text in requirements:
        try:
            wanted = Requirement(text)
            if wanted.marker is not None and not wanted.marker.evaluate():
                continue
            version = importlib.metadata.version(wanted.name)
        except Exception:  # not installed, or not understood
            return False
        if wanted.extras or not wanted.specifier.contains(version, prereleases=True):
            return False
    return True


def run(command, directory, environment):
    shown = command if isinstance(command, str) else " ".join(command)
    say(f"$ {shown}")
    status = subprocess.run(
        command, shell=isinstance(command, str), cwd=directory, env=environment,
        stdin=subprocess.DEVNULL, stdout=2, check=False,
    ).returncode  # fmt: skip
    say(f"exit status {status}")
    return status


def pip_install(python, home, table, environment):
    system = table.get("build-system", {})
    needed = system.get("requires", ["setuptools>=70.1"]) if isinstance(system, dict) else []
    pip = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    if subprocess.run([python, "-c", "import pip"], env=environment, check=False).returncode != 0:
        run([python, "-m", "ensurepip", "--default-pip"], home, environment)
    if has_all(needed) and run([*pip, "--no-build-isolation", "."], home, environment) == 0:
        return 0
    return run([*pip, "."], home, environment)


def build(entry, root, inside, top, install):
    import venv

    home = os.path.join(root, inside)
    env, linked = os.path.join(entry, "env"), os.path.join(entry, "linked")
    venv.EnvBuilder(symlinks=True, with_pip=False).create(env)
    python = os.path.join(env, "bin", "python")
    packages = subprocess.run(
        [python, "-I", "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    link_packages(linked)
    table = settings(home)[0]
    packaged = is_packaged(home, table)
    lines = []
    if not packaged:
        # Nothing says what is to be imported from where: the usual places.
        for path in (home, os.path.join(home, "src"), root):
            if os.path.isdir(path) and path not in lines:
                lines.append(path)
    lines.append(linked)
    top = os.path.join(top, "")
    lines += [p for p in own_paths() if p not in package_folders() and not f"{p}/".startswith(top)]
    Path(packages, "hasten-revision.pth").write_text("".join(f"{line}\n" for line in lines))
    environment = dict(os.environ, VIRTUAL_ENV=env)
    places = [os.path.join(env, "bin"), os.path.dirname(os.path.abspath(sys.executable))]
    environment["PATH"] = os.pathsep.join([*places, os.environ.get("PATH", os.defpath)])
    for name in ("PYTHONPATH", "PYTHONHOME"):
        environment.pop(name, None)
    status = 0
    if install:
        status = run(install, home, environment)
    elif packaged:
        status = pip_install(python, home, table, environment)
    if status == 0:
        unlink_installed(packages, linked)
    return status != 0


if sys.version_info < (3, 11):  # noqa: UP036 - any interpreter may be given
    sys.exit("revisions need Python 3.11 or newer")
if sys.argv[1] == "describe":
    describe(*sys.argv[2:])
else:
    sys.exit(build(*sys.argv[2:]))
