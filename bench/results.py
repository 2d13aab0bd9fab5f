"""The file of results: what was measured is kept at once, and a run that was interrupted goes on.

Law: figures are continued only for the same commit on the same machine; another one begins a new file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "results"


class Results:
    """Measurements by key in one JSON file, saved after each.

    ``identity`` says what they belong to; a file of something else is moved to ``NAME.before.json``.
    """

    def __init__(self, path: Path, about: dict[str, str], identity: str) -> None:
        self.path = path
        self.document: dict[str, Any] = {"identity": identity, "about": about, "measured": {}}
        if path.exists():
            found = json.loads(path.read_text("utf-8"))
            if found.get("identity") == identity:
                self.document["measured"] = found["measured"]
            else:
                path.replace(path.with_suffix(".before.json"))

    def __contains__(self, key: str) -> bool:
        return key in self.document["measured"]

    def __getitem__(self, key: str) -> Any:
        return self.document["measured"][key]

    def add(self, key: str, value: Any) -> None:
        """Keep a measurement, on the disk too."""
        self.document["measured"][key] = value
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.document, indent=1) + "\n", "utf-8")
        new.replace(self.path)
