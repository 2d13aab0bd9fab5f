"""Where the example data is: in the installed package, or in the repository when the package runs from there.

Law: there is one copy of each file; a wheel carries ``examples/`` as ``coseal/data/``.
"""

from __future__ import annotations

from pathlib import Path

from coseal.errors import CosealError


def example(name: str) -> Path:
    """Return the path of an example file, e.g. ``policies/table1.json``."""
    package = Path(__file__).parent.parent
    for folder in (package / "data", package.parent / "examples"):
        if (folder / name).is_file():
            return folder / name
    raise CosealError(f"the example file {name} is missing", "install the package again, or run from the repository")
