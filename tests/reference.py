"""Where the reference data lies: public logs, schemas and figures of other programs, none of it part of the project."""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("COSEAL_REFERENCE_DATA", Path(__file__).resolve().parents[1] / "../shared/data"))


def reference(*parts: str) -> Path:
    """Return the path of a file or folder of the reference data; without it the test is skipped."""
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no reference data at {path}; name its folder in COSEAL_REFERENCE_DATA")
    return path
