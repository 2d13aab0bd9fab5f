"""Governance from a member's side: proposals and votes, shown as the certified state has them.

Law: how a proposal stands is computed here from proven values of the state; only the list is as a node says.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from coseal.client.blocking import Client
from coseal.client.transactions import Committed
from coseal.contracts.governance import actions as governance
from coseal.contracts.governance import described
from coseal.contracts.governance.ballot import ACCEPTED, OPEN, PASSED
from coseal.contracts.governance.state import (
    CONSTITUTION_KEY,
    NAME,
    SIZES_KEY,
    ballot_key,
    constitution_key,
    proposal_key,
    seat_key,
    subject_key,
    vote_key,
)
from coseal.contracts.membership.state import MEMBERS_KEY
from coseal.contracts.registry import KINDS
from coseal.errors import BadAnswer, CosealError, Refused, Waiting
from coseal.ledger import codec
from coseal.ledger.codec import Value
from coseal.ledger.render import time_text

_RETRY_S: Final = 0.5


class ProvenState:
    """A ``Reader`` over the state that a node proves, for queries of the contracts; remembers what it read."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, Value] = {}

    def read(self, *keys: str) -> None:
        """Read several keys at once, all of one block."""
        found = self._client.values(keys)
        for key, one in zip(keys, found, strict=True):
            self._known[key] = None if one.value is None else codec.decode(one.value)

    def get(self, key: str) -> Value:
        """See ``Reader``."""
        if key not in self._known:
            self._known[key] = self._client.value(key)
        return self._known[key]


def ballot_state(client: Client, contract: str, ballot_id: str, *more: str) -> ProvenState:
    """Return the proven state in which what shows a ballot has been read, and ``more`` keys, in a few requests."""
    state = ProvenState(client)
    state.read(ballot_key(contract, ballot_id), MEMBERS_KEY, SIZES_KEY, CONSTITUTION_KEY, *more)
    record: Any = state.get(ballot_key(contract, ballot_id))
    if record is None:
        return state
    members: Any = state.get(MEMBERS_KEY)
    current: Any = state.get(CONSTITUTION_KEY) or [0]
    versions = sorted({current[0], record.get("constitution", 0)} - {0})
    votes = (vote_key(contract, ballot_id, record["round"], member) for member in members)
    state.read(*map(constitution_key, versions), *map(seat_key, members), *votes)
    return state


def proposal(client: Client, proposal_id: str) -> dict[str, Any]:
    """Return a proposal with its votes and the ``rule`` of its track, proven; raise ``BadAnswer`` if there is none."""
    state = ballot_state(client, NAME, proposal_id, subject_key(proposal_id))
    record: Any = state.get(proposal_key(proposal_id))
    found = None if record is None else governance.proposal(state, proposal_id, KINDS)
    if found is None:
        raise BadAnswer(f"there is no proposal {proposal_id}", "see `coseal governance list`")
    return {**found, "rule": described.rule(state, NAME, record)}


def proposals(client: Client, status: str | None = None, *, limit: int = 1_000) -> list[dict[str, Any]]:
    """Return proposals, newest first, as the node says."""
    found: list[dict[str, Any]] = []
    cursor = None
    while len(found) < limit:
        page = client.get(
            "/v1/governance/proposals", status=status, limit=min(1_000, limit - len(found)), cursor=cursor
        )
        found += page["proposals"]
        cursor = page["next"]
        if cursor is None:
            break
    return found


def propose(client: Client, proposal_id: str, kind: str, subject: Mapping[str, Any], **more: Any) -> Committed:
    """Propose; ``more`` are ``reason`` and ``closes_ms``. A refusal is in the receipt."""
    return client.submit_any(
        "governance", "propose", {"id": proposal_id, "kind": kind, "subject": dict(subject), **more}
    )


def propose_soon(
    client: Client, proposal_id: str, kind: str, subject: Mapping[str, Any], *, timeout_s: float, **more: Any
) -> Committed:
    """Propose, and again while another change of the validators waits for its block."""
    deadline = time.monotonic() + timeout_s
    while True:
        committed = propose(client, proposal_id, kind, subject, **more)
        if committed.receipt.code != "change_pending" or time.monotonic() > deadline:
            return committed.require_ok()
        time.sleep(_RETRY_S)


def vote(client: Client, proposal_id: str, choice: str, reason: str | None = None) -> Committed:
    """Vote ``yes``, ``no`` or ``abstain`` for the client's member. A refusal is in the receipt."""
    because = {} if reason is None else {"reason": reason}
    return client.submit_any("governance", "vote", {"ballot": proposal_id, "choice": choice, **because})


def withdraw(client: Client, proposal_id: str, reason: str | None = None) -> Committed:
    """Withdraw an open proposal of the client's member. A refusal is in the receipt."""
    because = {} if reason is None else {"reason": reason}
    return client.submit_any("governance", "withdraw", {"proposal": proposal_id, **because})


def appeal(client: Client, proposal_id: str, reason: str, evidence: Sequence[str] = ()) -> Committed:
    """Appeal against what passed about the client's member: all vote again. A refusal is in the receipt.

    ``evidence`` are SHA-256 digests.
    """
    more = {"evidence": list(evidence)} if evidence else {}
    return client.submit_any("governance", "appeal", {"proposal": proposal_id, "reason": reason, **more})


def decide(
    reader: Client, as_member: Callable[[str], Client | None], proposal_id: str, reason: str | None = None
) -> dict[str, Any]:
    """Vote yes for every member of the electorate that ``as_member`` has a client of, until the ballot is decided.

    Returns the proposal. Raises ``Refused`` unless it was accepted, ``Waiting`` while it is heard or waits for its
    delay, ``BadAnswer`` if votes are missing.
    """
    found = proposal(reader, proposal_id)
    voted = {row["member"] for row in found["votes"]}
    missing = []
    for member in found["electorate"]:
        if found["status"] != OPEN or member in voted:
            continue
        client = as_member(member)
        if client is None:
            missing.append(member)
            continue
        committed = vote(client, proposal_id, "yes", reason)
        if not committed.ok and committed.receipt.code not in ("ballot_closed", "already_voted"):
            committed.require_ok()
        found = proposal(reader, proposal_id)
    if found["status"] in (OPEN, PASSED):
        raise _undecided(found, missing)
    if found["status"] != ACCEPTED:
        outcome = found["outcome"]
        raise Refused(
            str(outcome.get("code", found["status"])),
            str(outcome.get("detail", f"{proposal_id} was {found['status']}")),
        )
    return found


def _undecided(found: Mapping[str, Any], missing: Sequence[str]) -> CosealError:
    """Return why a proposal is not accepted yet, and until when it waits."""
    name, again = found["id"], "nothing is left to do until then; run the same command again then, and it continues"
    if found["status"] == PASSED:
        effect_ms = found["effect_ms"]
        return Waiting(f"{name} passed, and takes effect at {time_text(effect_ms)}", again, until_ms=effect_ms)
    outlook = found["rule"]["outlook"]
    if outlook["status"] == PASSED:
        over = f", overriding {outlook['overridden']}" if "overridden" in outlook else ", when it has been heard"
        until_ms = outlook["at_ms"] + found["rule"].get("delay_ms", 0)
        words = f"{name} passes at {time_text(outlook['at_ms'])} by the votes so far{over}"
        return Waiting(f"{words}, and takes effect at {time_text(until_ms)}", again, until_ms=until_ms)
    if missing:
        hint = f"they vote with `coseal governance vote {name} yes --as MEMBER`; then run this again"
        return BadAnswer(f"{name} lacks votes, of {', '.join(missing)}", hint)
    until = f"; it is {outlook['status']} at {time_text(outlook['at_ms'])}"
    return BadAnswer(f"{name} does not pass by these votes{until}", f"see `coseal governance show {name}`")


def new_id(kind: str, subject: str) -> str:
    """Return an id for a proposal that no other has: what it is about and a few random characters."""
    return f"{kind.replace('_', '-')}.{subject}"[:53] + f".{secrets.token_hex(4)}"


def find_open(client: Client, kind: str, subject: Mapping[str, Any]) -> str | None:
    """Return the id of the undecided proposal of this kind and subject, with which an interrupted command continues."""
    found = (row for status in (OPEN, PASSED) for row in proposals(client, status))
    return next((row["id"] for row in found if is_about(row, kind, subject)), None)


def is_about(row: Mapping[str, Any], kind: str, subject: Mapping[str, Any]) -> bool:
    """Say whether a proposal is of this kind and has these fields of its subject."""
    return row["kind"] == kind and all(row["subject"].get(name) == value for name, value in subject.items())
