# SPDX-License-Identifier: MIT
"""Source distributions of other projects, whose tests ours has to pass: fetched by pip when
they are needed first, compared with their digest, and kept in .cache/sdists."""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

KEPT = Path(__file__).resolve().parents[2] / ".cache" / "sdists"
# pip builds a package's metadata even when it is only to be fetched.
TIME_LIMIT_S = 300


class NotFetched(Exception):
    """There is no network, or nobody answers."""


def fetch(name, version, sha256):
    """The folder of what is in it."""
    folder = KEPT / f"{name}-{version}"
    if folder.exists():
        return folder
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEPT) as name_of_it:
        temporary = Path(name_of_it)
        wanted = temporary / "wanted.txt"
        wanted.write_text(f"{name}=={version} --hash=sha256:{sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--no-binary", name, "--require-hashes"]
        try:
            answer = subprocess.run(
                [*command, "--dest", temporary / "fetched", "-r", wanted],
                check=False,
                timeout=TIME_LIMIT_S,
                capture_output=True,
                text=True,
            )
        except subprocess.TimeoutExpired as error:
            raise NotFetched(str(error)) from error
        if "HASHES" in answer.stderr:
            raise ValueError(answer.stderr)
        archives = list((temporary / "fetched").glob("*.tar.gz"))
        if answer.returncode != 0 or len(archives) != 1:
            raise NotFetched(answer.stderr)
        with tarfile.open(archives[0]) as archive:
            # Which the first patch releases of 3.11 do not have.
            safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            archive.extractall(temporary / "all", **safely)
        (inner,) = (temporary / "all").iterdir()
        # Another run may have been faster.
        if not folder.exists():
            inner.rename(folder)
    return folder
