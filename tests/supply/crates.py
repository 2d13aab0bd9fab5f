"""``python -m tests.supply.crates``: ask the advisory service about every crate that the native half is built of.

Exit 0: all were checked and nothing is known; 1: something is known; 2: not checked. Which licences are permitted is
here as well; ``native/NOTICE`` has those of the crates.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parents[2] / "native" / "Cargo.lock"
SERVICE = "https://api.osv.dev/v1/querybatch"
PERMITTED = {
    *("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "Zlib", "Unlicense", "Unicode-3.0"),
    "Apache-2.0 WITH LLVM-exception",
}


@dataclass(frozen=True, slots=True)
class Crate:
    """A crate of the lock and the SHA-256 of its file."""

    name: str
    version: str
    checksum: str


def locked(lock: Path = LOCK) -> list[Crate]:
    """Return the crates of a lock, all but the one that it is the lock of."""
    packages = tomllib.loads(lock.read_text("utf-8"))["package"]
    return [Crate(one["name"], one["version"], one.get("checksum", "")) for one in packages if "source" in one]


def is_permitted(licence: str) -> bool:
    """Say whether an SPDX expression lets us choose licences that are all permitted."""
    terms = re.sub(r"[()]", " ", licence)
    if re.search(r"\([^)]*\bAND\b", licence):
        return False  # of a form that no crate has so far
    return all(
        any(choice.strip() in PERMITTED for choice in re.split(r"\bOR\b|/", part)) for part in terms.split(" AND ")
    )


def judge(crates: list[Crate], answer: dict[str, Any] | None) -> tuple[int, list[str]]:
    """Return the exit status and the lines to print for what the service answered, None for nothing."""
    results = (answer or {}).get("results")
    if not isinstance(results, list) or len(results) != len(crates):
        return 2, ["native/Cargo.lock: NOT CHECKED, the service did not answer"]
    known = [
        f"native/Cargo.lock: {crate.name} {crate.version}: {found['id']}"
        for crate, result in zip(crates, results, strict=True)
        for found in result.get("vulns", ())
    ]
    return (1, known) if known else (0, [f"native/Cargo.lock: {len(crates)} checked, no known vulnerability"])


def ask(crates: list[Crate]) -> dict[str, Any] | None:
    """Ask the service; None if it does not answer."""
    queries = [{"version": one.version, "package": {"name": one.name, "ecosystem": "crates.io"}} for one in crates]
    body = json.dumps({"queries": queries}).encode()
    request = urllib.request.Request(SERVICE, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            found = json.load(response)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


if __name__ == "__main__":
    crates = locked()
    status, lines = judge(crates, ask(crates))
    print("\n".join(lines))
    sys.exit(status)
