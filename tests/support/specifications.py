"""The specifications of the contracts, as tests read them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docs" / "spec"


def specification(name: str) -> str:
    """Return the text of a contract's specification."""
    return (ROOT / "contracts" / name / "README.md").read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """Return the section of a title, which may have more in parentheses."""
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return next(part for part in parts if part.partition("\n")[0].partition(" (")[0] == title)


def codes_in(text: str, column: int = 1) -> set[str]:
    """Return the codes in the first column of the tables of a text, or in the second, beside the ids of rules."""
    begin = r"\| `" if column == 1 else r"\| [A-Z]+\d+ \| `"
    cells = [line.split("|")[column] for line in text.splitlines() if re.match(begin, line)]
    return {code for cell in cells for code in re.findall(r"`([a-z_]+)`", cell)}
