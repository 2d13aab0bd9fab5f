"""The document that shows a certificate with all that it follows from: which values of the state it has.

Law: pure. Everything is read through one reader, in one order, so who makes the document and who verifies it read the
same keys; what is missing is noticed, and nothing else is in it.

docs/spec/audit.md, section Certificate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.certification.certificates import IN_FORCE, is_suspended
from coseal.contracts.certification.kept import Data, ids_of, nodes_in
from coseal.contracts.certification.panel import Reviewer
from coseal.contracts.certification.reviewers import get_eligible
from coseal.contracts.certification.state import certificate_key, project_key, review_key, round_key, scheme_key
from coseal.contracts.kernel.action import Reader
from coseal.contracts.kernel.recording import Recording
from coseal.contracts.kernel.wording import moment_text
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import certified_header_json, proven_value_json

KIND: Final = "certificate"
MAX_VALUES: Final = 1_100
"""Values of the greatest document: nodes and their pages, reviewers, rounds, reviews, and three more."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A certificate and what it follows from, as the state has it.

    ``number`` is the round of the verdict, ``round`` what the state has of it; ``reviews`` has of each reviewer of its
    panel what the state has of its review, None for nothing.
    """

    name: str
    certificate: Mapping[str, Any]
    project: Mapping[str, Any]
    scheme: Mapping[str, Any]
    number: int
    round: Mapping[str, Any]
    eligible: Sequence[Reviewer]
    nodes: Mapping[str, Data]
    reviews: Mapping[str, Mapping[str, Any] | None]


def not_in_force(name: str, certificate: Mapping[str, Any] | None, time_ms: int) -> str | None:
    """Say why nothing rests on a certificate at a time, or return None."""
    if certificate is None:
        return f"there is no certificate {name}"
    if certificate["status"] not in IN_FORCE:
        return f"{name} is {certificate['status']}"
    if certificate["until_ms"] <= time_ms:
        return f"the time of {name} was over at {moment_text(certificate['until_ms'])}"
    if is_suspended(certificate, time_ms):
        return f"{name} is suspended until {moment_text(certificate['suspended'][1])}"
    return None


def certificate_in(reader: Reader, name: str) -> Mapping[str, Any] | None:
    """Return a certificate, or None."""
    found: Any = reader.get(certificate_key(name))
    return found  # type: ignore[no-any-return]


def ground_of(reader: Reader, name: str, certificate: Mapping[str, Any]) -> Ground:
    """Return what a certificate in force follows from: the last round that has a verdict, and what that rests on."""
    project_name = certificate["project"]
    project: Any = reader.get(project_key(project_name))
    scheme: Any = reader.get(scheme_key(certificate["scheme"]))
    number, found = project["round"], _round(reader, project_name, project["round"])
    while "verdict" not in found and number > 1:  # those after it are of an appeal that is not decided
        number -= 1
        found = _round(reader, project_name, number)
    panel = [Reviewer(*each) for each in found["panel"]]
    return Ground(
        name,
        certificate,
        project,
        scheme,
        number,
        found,
        get_eligible(reader, project_name, project["eligible"]),
        nodes_in(reader, project_name, ids_of(reader, project_name, project["nodes"])),
        {each.name: _review(reader, project_name, number, each.name) for each in panel},
    )


def _round(reader: Reader, project: str, number: int) -> Mapping[str, Any]:
    found: Any = reader.get(round_key(project, number))
    return found  # type: ignore[no-any-return]


def _review(reader: Reader, project: str, number: int, reviewer: str) -> Mapping[str, Any] | None:
    found: Any = reader.get(review_key(project, number, reviewer))
    return found  # type: ignore[no-any-return]


def keys(reader: Reader, name: str) -> list[str]:
    """Return the keys of the document about a certificate in force, in order."""
    recording = Recording(reader)
    certificate = certificate_in(recording, name)
    if certificate is not None and certificate["status"] in IN_FORCE:
        ground_of(recording, name, certificate)
    return list(recording.keys)


def document(name: str, proven: Sequence[CertifiedValue]) -> dict[str, Any]:
    """Return the document; ``proven`` are the values of its keys, in order, all of one block."""
    return {
        "coseal": KIND,
        "version": 1,
        "certificate": name,
        "block": certified_header_json(proven[0].header, proven[0].certificate),
        "values": list(map(proven_value_json, proven)),
    }
