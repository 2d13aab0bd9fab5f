"""Commands that a node's own software carries out on its folder: snapshot, restore, prune.

Law: nothing of the node is imported here; its software runs as a process of its own, which says how far it is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from coseal.errors import CosealError

Report = Callable[[str, int, int], None]
"""``report(what, done, total)``."""


def run(arguments: Sequence[str], report: Report | None = None) -> dict[str, Any]:
    """Run ``python -m coseal.node ARGUMENTS``; return the JSON of its last line; raise ``CosealError`` as it fails."""
    command = [sys.executable, "-m", "coseal.node", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    result: dict[str, Any] = {}
    try:
        if process.stdout is not None:
            for line in process.stdout:
                document = json.loads(line)
                if "progress" not in document:
                    result = document
                elif report is not None:
                    report(document["progress"], document["done"], document["total"])
        said = "" if process.stderr is None else process.stderr.read()
        if process.wait() != 0:
            raise CosealError(said.strip() or f"the node's software ended with {process.returncode}")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    return result


def snapshot(folder: Path, out: Path, report: Report | None = None) -> dict[str, Any]:
    """Write the state of the node in ``folder``, running or not, to the archive ``out``."""
    return run(["snapshot", "--data", str(folder), "--out", str(out)], report)


def restore(archive: Path, folder: Path, report: Report | None = None) -> dict[str, Any]:
    """Make the state of an archive that of the stopped node in ``folder``."""
    return run(["restore", str(archive), "--data", str(folder)], report)


def prune(folder: Path, keep: int, report: Report | None = None) -> dict[str, Any]:
    """Remove the bodies of all but the last ``keep`` blocks of the stopped node in ``folder``."""
    return run(["prune", "--data", str(folder), "--keep", str(keep)], report)
