"""What the product runs on: the distributions that its dependencies come to, and what the lock says of them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
BUILD_LOCK = ROOT / "requirements-build.lock"


@dataclass(frozen=True, slots=True)
class Locked:
    """One entry of a lock: the distribution's name, its version, and the SHA-256 of the files it may come as."""

    name: str
    version: str
    hashes: tuple[str, ...]


def read_lock(path: Path = LOCK) -> dict[str, Locked]:
    """Return the entries of a lock by name; raise ``ValueError`` for a line that is not a version with its hashes."""
    found = {}
    for entry in path.read_text("utf-8").replace("\\\n", " ").splitlines():
        if not entry.strip():
            continue
        match = re.fullmatch(
            r"([a-z0-9-]+)==([A-Za-z0-9.!+-]+)(?: ; [^#@]+?)?((?:\s+--hash=sha256:[0-9a-f]{64})+)\s*", entry
        )
        if match is None:
            raise ValueError(f"{path.name}: {entry[:80]!r}")
        name, version, hashes = match.groups()
        found[name] = Locked(name, version, tuple(re.findall("[0-9a-f]{64}", hashes)))
    return found


def declared(table: str = "dependencies") -> list[Requirement]:
    """Return the requirements of pyproject.toml: of the product, or of its build (``requires``)."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    section = document["build-system"] if table == "requires" else document["project"]
    return [Requirement(text) for text in section[table]]


def needs_of(found: Distribution) -> list[Requirement]:
    """Return what a distribution needs here, extras aside."""
    requirements = [Requirement(text) for text in found.requires or ()]
    return [each for each in requirements if each.marker is None or each.marker.evaluate({"extra": ""})]


def runtime_closure() -> dict[str, Distribution]:
    """Return the installed distributions that the product's dependencies come to on this platform, by name."""
    found: dict[str, Distribution] = {}
    pending = [canonicalize_name(requirement.name) for requirement in declared()]
    while pending:
        name = pending.pop()
        if name not in found:
            found[name] = distribution(name)
            pending += [canonicalize_name(requirement.name) for requirement in needs_of(found[name])]
    return dict(sorted(found.items()))


def licence_of(found: Distribution) -> str:
    """Return what a distribution says of its licence: the SPDX expression, else classifiers, else its own words."""
    metadata = found.metadata
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [text.rpartition(" :: ")[2] for text in metadata.get_all("Classifier") or () if "License ::" in text]
    return " AND ".join(classifiers) or str(metadata.get("License") or "").strip().partition("\n")[0]


def is_copyleft(licence: str) -> bool:
    """Say whether a licence is of the GPL or AGPL family; the LGPL is not."""
    strong = r"\bA?GPL\b|\bA?GPL-?v?\d|GNU (Affero )?General Public|Affero"
    return re.search(strong, licence, re.IGNORECASE) is not None
