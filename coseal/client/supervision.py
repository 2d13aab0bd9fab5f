"""Supervision from a member's side: rules by ballot, findings with their trail, all of it verified here.

Law: what a finding or rule is comes from the certified state, what was said in a step from the signed transaction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from coseal.client.blocking import Client
from coseal.client.governance import ballot_state
from coseal.client.transactions import Committed
from coseal.contracts.governance import described
from coseal.contracts.governance.ballot import shown
from coseal.contracts.supervision.actions import ballot_of
from coseal.contracts.supervision.state import (
    NAME,
    finding_key,
    head_key,
    rule_key,
    rule_statistics_key,
    set_key,
    subject_key,
    trial_key,
)
from coseal.errors import BadAnswer, CosealError
from coseal.ledger.render import plain, time_text

_FINDING: Final = re.compile("F[1-9][0-9]{0,17}")
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_DURATION: Final = re.compile(r"([1-9][0-9]{0,8})\s*(ms|s|min|m|h|d)")
_UNITS_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_SAID: Final = ("note", "question", "response", "outcome", "reason", "measure", "evidence")


def is_finding(text: str) -> bool:
    """Say whether a text is the id of a finding."""
    return _FINDING.fullmatch(text) is not None


def duration_ms(text: str) -> int:
    """Return the ms of ``90s``, ``15min``, ``24h`` or ``10d``; raise ``CosealError``."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise CosealError(f"{text!r}: expected a time such as 90s, 15min, 24h or 10d")
    return int(found[1]) * _UNITS_MS[found[2]]


def evidence_of(given: Sequence[str]) -> dict[str, list[str]]:
    """Return the argument ``evidence``: SHA-256 of each file, or the digest itself; empty if nothing is given."""
    digests = []
    for text in given:
        if _DIGEST.fullmatch(text):
            digests.append(text)
            continue
        try:
            digests.append(sha256(Path(text).read_bytes()).hexdigest())
        except OSError as error:
            hint = "give a file, or the SHA-256 of one in 64 hexadecimal digits"
            raise CosealError(f"{text}: {error.strerror}", hint) from None
    return {"evidence": digests} if digests else {}


def propose(client: Client, rules: list[Any], **more: Any) -> Committed:
    """Propose a set of rules, with ``title``, ``reason``, ``trial_ms``, ``open_ms``; the receipt names the ballot."""
    return client.submit_any("supervision", "propose_rules", {"rules": rules, **more})


def vote(client: Client, ballot: str, choice: str, reason: str | None = None) -> Committed:
    """Vote ``yes``, ``no`` or ``abstain`` for the client's member."""
    because = {} if reason is None else {"reason": reason}
    return client.submit_any("supervision", "vote", {"ballot": ballot, "choice": choice, **because})


def step(client: Client, action: str, finding: str, **args: Any) -> Committed:
    """Take a step of a finding: acknowledge, inquire, respond, decide, appeal, decide_appeal, hold, ..."""
    return client.submit_any("supervision", action, {"finding": finding, **args})


def finding(client: Client, identifier: str) -> dict[str, Any]:
    """Return a finding with its rule and all that was said about it, everything proven."""
    if not is_finding(identifier):
        raise CosealError(f"{identifier!r} is no finding", "they are called F1, F2, ...; see `coseal findings list`")
    value = client.value(finding_key(identifier))
    if value is None:
        raise BadAnswer(f"there is no finding {identifier}", "see `coseal findings list`")
    adopted = client.value(rule_key(value["rule"], value["version"]))
    steps = [_step(client, row) for row in value["steps"]]
    late = [
        {"step": "overdue", "awaited": step, "of": side, "deadline": time_text(deadline_ms), "height": height}
        for step, side, deadline_ms, height in value["overdue"]
    ]
    return {
        "finding": plain({name: field for name, field in value.items() if name not in ("steps", "overdue")}),
        "rule": None if adopted is None else plain(adopted["rule"]),
        "trail": sorted([*steps, *late], key=lambda row: row["height"]),
    }


def _step(client: Client, row: Sequence[Any]) -> dict[str, Any]:
    """Return one step with its texts, from the proven transaction that took it."""
    name, sender, height, time_ms, tx, _ = row
    args: Mapping[str, Any] = client.receipt(bytes.fromhex(tx)).transaction.args
    said = {field: plain(args[field]) for field in _SAID if field in args}
    return {"step": name, "by": sender, "time": time_text(time_ms), **said, "height": height, "tx": tx}


def rule(client: Client, identifier: str) -> dict[str, Any]:
    """Return a version of a rule with its status and counts, proven; ``ID`` is the one in force, else the newest.

    ``ID@2`` is a version. ``trial`` is what it found on trial (None without one), ``findings`` what became of those of
    all versions.
    """
    name, _, version = identifier.partition("@")
    if version and not (version.isascii() and version.isdigit()):
        raise CosealError(f"{identifier!r}: expected ID or ID@VERSION")
    head = client.value(head_key(name))
    chosen = int(version) if version else head and (head["active"] or head["latest"])
    found = client.value(rule_key(name, chosen)) if chosen else None
    if found is None:
        raise BadAnswer(f"there is no rule {identifier}", "see `coseal rules list`")
    tried = client.value(trial_key(found["set"]))
    counted = client.value(rule_statistics_key(found["process_type"], name)) or {}
    return {
        "id": name,
        **{key: head[key] for key in ("latest", "active")},
        **plain(found),
        "trial": None if tried is None else plain(tried.get(name, {})),
        "findings": plain(counted),
    }


def ballot(client: Client, identifier: str) -> dict[str, Any]:
    """Return a ballot with its votes, how it stands, the ``rule`` of its track and the ``set`` it is about; proven."""
    state = ballot_state(client, NAME, identifier, subject_key(identifier))
    found: Any = ballot_of(state, identifier)
    if found is None:
        raise BadAnswer(f"there is no ballot {identifier}", "see `coseal rules ballots`")
    about = client.value(set_key(found["subject"]["set"])) if "set" in found["subject"] else None
    more = {"rule": described.rule(state, NAME, found), "set": None if about is None else plain(about)}
    return {"id": identifier, **plain(found), **shown(state, NAME, identifier, found), **more}
