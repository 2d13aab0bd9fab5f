"""``python tests/supply/vulnerabilities.py PIP-AUDIT``: ask the advisory service about every entry of the lock.

Exit 0: all were checked and nothing is known; 1: something is known; 2: not checked, or not all of it. pip-audit
itself calls a list of which it could check nothing free of known vulnerabilities; here that is never called passed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCKS = ("requirements.lock", "requirements-build.lock")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of it: an exit status and the lines to print."""

    status: int
    lines: tuple[str, ...]


def judge(lock: str, output: str, errors: str) -> Verdict:
    """Return the verdict on what pip-audit printed for a lock: its JSON, and its standard error."""
    try:
        rows = json.loads(output)["dependencies"]
        skipped = [row["name"] for row in rows if "skip_reason" in row]
        known = [_line(row, found) for row in rows for found in row.get("vulns", ())]
    except (ValueError, KeyError, TypeError):
        last = (errors.strip().splitlines() or ["pip-audit said nothing"])[-1]
        return Verdict(2, (f"{lock}: NOT CHECKED, the service did not answer: {last[:200]}",))
    checked = len(rows) - len(skipped)
    lines = [f"{lock}: {line}" for line in known]
    if skipped or not rows:
        names = ", ".join(skipped[:5]) + (", ..." if len(skipped) > 5 else "")
        what = "NOT CHECKED" if not checked else "NOT CHECKED IN PART"
        lines.append(f"{lock}: {what}, the service knows nothing of {len(skipped)} of {len(rows)}: {names}")
    elif not known:
        lines.append(f"{lock}: {checked} checked, no known vulnerability")
    return Verdict(1 if known else 2 if skipped or not rows else 0, tuple(lines))


def _line(row: dict[str, Any], found: dict[str, Any]) -> str:
    fixed = ", ".join(found["fix_versions"]) or "no version"
    return f"{row['name']} {row['version']}: {found['id']}, fixed in {fixed}"


def main(pip_audit: str) -> int:
    """Check every lock and return the exit status: a known vulnerability outweighs what could not be checked."""
    verdicts = []
    for lock in LOCKS:
        arguments = ["-r", lock, "--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
        done = subprocess.run([pip_audit, *arguments], capture_output=True, text=True, timeout=300, check=False)
        verdicts.append(judge(lock, done.stdout, done.stderr))
    for verdict in verdicts:
        print("\n".join(verdict.lines))
    statuses = {verdict.status for verdict in verdicts}
    return 1 if 1 in statuses else max(statuses)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).exists():
        sys.exit(f"usage: {sys.argv[0]} PATH-OF-PIP-AUDIT, in the repository's folder")
    sys.exit(main(sys.argv[1]))
