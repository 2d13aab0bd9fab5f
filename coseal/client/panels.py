"""Seeds and reviews on this side of a network: made, committed to, kept in a file, and shown when that is due.

Law: what opens a commitment is in a file of its owner before the commitment is sent, and is never written over: called
again, the same is sent. What is shown is what the file has.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from coseal.client.certification import kept_nodes
from coseal.client.keys import create_private
from coseal.contracts.certification.kept import taken
from coseal.contracts.certification.panel import seed_commitment
from coseal.contracts.certification.proceedings import ADMITTED, REVEAL, REVIEW
from coseal.contracts.certification.reviewing import REVIEW_FORM, leaves_of, review_commitment
from coseal.contracts.certification.scheme import applying
from coseal.contracts.certification.state import project_key, round_key, scheme_key
from coseal.errors import BadAnswer, CosealError
from coseal.formats.importers.log import read_text
from coseal.ledger.errors import LedgerError
from coseal.ledger.strict_json import strict_json

if TYPE_CHECKING:
    from coseal.client.blocking import Client

UNSAID: Final = "?"
"""What stands in a form where the reviewer is to write."""
Act = tuple[str, dict[str, Any]]
"""An action and its arguments."""


def project_of(client: Client, project: str) -> dict[str, Any]:
    """Return a project, proven; raise ``BadAnswer`` if there is none."""
    record: Any = client.value(project_key(project))
    if record is None:
        raise BadAnswer(f"there is no project {project}", "`coseal list projects` names those that there are")
    return dict(record)


def round_of(client: Client, project: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the present round of a project, proven; empty before the first."""
    found: Any = client.value(round_key(project, record["round"])) if record.get("round") else None
    return dict(found or {})


def next_seed(client: Client, project: str, member: str, file: Path) -> Act:
    """Return what a member is to send for the draw of a panel: a commitment to a new seed, or the seed in the file."""
    record = project_of(client, project)
    found = round_of(client, project, record)
    if record["status"] != ADMITTED:
        raise CosealError(f"{project} is {record['status']}: no seeds are given now")
    number = record["round"]
    if member in found["seeds"]:
        kept = _read(file, project=project, round=number, member=member)
        return "reveal_seed", {"project": project, "seed": kept["seed"]}
    kept = _kept(file, {"seed": secrets.token_hex(32)}, project=project, round=number, member=member)
    commitment = seed_commitment(project, number, member, bytes.fromhex(kept["seed"]))
    return "commit_seed", {"project": project, "commitment": commitment}


def review_form(client: Client, project: str) -> dict[str, Any]:
    """Return a review of a project in which nothing is said yet."""
    record = project_of(client, project)
    scheme: Any = client.value(scheme_key(record["scheme"]))
    nodes = kept_nodes(client, project, record["nodes"])
    return {
        "leaves": {leaf: {"opinion": UNSAID, "reason": UNSAID} for leaf in leaves_of(taken(nodes))},
        "scores": {name: {"score": UNSAID, "reason": UNSAID} for name in applying(scheme, record["kind"])},
    }


def next_review(client: Client, project: str, reviewer: str, written: Path | None, file: Path) -> Act:
    """Return what a reviewer is to send: the commitment to the review that it wrote, or the one in the file."""
    record = project_of(client, project)
    number = record["round"]
    if record["status"] == REVEAL:
        kept = _read(file, project=project, round=number, reviewer=reviewer)
        return "reveal", {"project": project, "review": kept["review"], "salt": kept["salt"]}
    if record["status"] != REVIEW:
        raise CosealError(f"{project} is {record['status']}: nothing is reviewed now")
    if reviewer in round_of(client, project, record)["committed"]:
        raise CosealError(f"{reviewer} has committed to its review of {project}", "it is revealed once all have")
    if written is None:
        raise CosealError("there is no review to commit to", "name it with --review; --form FILE writes an empty one")
    review = _json(written)
    faults = [f"{written}{fault}" for fault in REVIEW_FORM.faults(review)]
    if faults:
        raise BadAnswer("\n".join(faults[:64]))
    fresh = {"salt": secrets.token_hex(32), "review": review}
    kept = _kept(file, fresh, project=project, round=number, reviewer=reviewer)
    if kept["review"] != review:
        raise CosealError(f"{file} keeps another review of {project}", "name another file to keep this one in")
    commitment = review_commitment(project, number, reviewer, review, kept["salt"])
    return "commit", {"project": project, "commitment": commitment}


def _kept(file: Path, fresh: Mapping[str, Any], **named: Any) -> dict[str, Any]:
    """Return what a file keeps of what is named; a new file keeps ``fresh``. It is never written over."""
    if not file.exists():
        content = json.dumps({**named, **fresh}, ensure_ascii=False, indent=2)
        create_private(file, content.encode(), "what opens a commitment is never overwritten; name another file")
    return _read(file, **named)


def _read(file: Path, **named: Any) -> dict[str, Any]:
    """Return what a file keeps, if it is of what is named."""
    found = _json(file)
    if type(found) is not dict or any(found.get(name) != value for name, value in named.items()):
        raise BadAnswer(f"{file} is not of {', '.join(f'{name} {value}' for name, value in named.items())}")
    return found


def _json(file: Path) -> Any:
    try:
        return strict_json(read_text(file), str(file))
    except LedgerError as error:
        raise BadAnswer(str(error)) from None
