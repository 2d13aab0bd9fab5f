"""The chapter of the demo about standards: two compete, one becomes de facto by use, and only that is recognised.

Law: as ``coseal.demo.story``: the status is computed by the chain, from what members record in three whole periods. The
periods of this chain are short, as its genesis says; nothing else differs from one whose periods have 30 days.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from coseal.client.blocking import Client
from coseal.contracts.standards.records import DE_FACTO
from coseal.contracts.standards.status import TERMS
from coseal.demo.examples import example
from coseal.demo.progress import Narrator, Summary
from coseal.errors import BadAnswer, Unreachable

PERIOD_MS: Final = 5_000
"""How long a period is on the demo's chain."""
_TYPE: Final = "rules/lending.type.json"
_STANDARD: Final = str(Path("standards", "lending.json"))
_SHORT: Final = "loan-notes"
_MAIN: Final = "lending-events"
_USERS: Final = {"bank-a": "lending", "central-bank": "lending", "enterprise-a": "lending", "regulator": _SHORT}
_MOST_PERIODS: Final = 16
_WAIT_S: Final = 40.0
_POLL_S: Final = 0.1


def short_type() -> dict[str, Any]:
    """Return the process type that competes: it says of a loan that it was granted, and no more."""
    return {
        "id": _SHORT,
        "version": 1,
        "title": {"en": "Short notes on loans", "zh": "贷款简记"},
        "object_types": {"loan": {}},
        "event_types": {"Loan granted": {}},
    }


class Competition:
    """Plays the chapter over clients of the members' own nodes."""

    def __init__(self, client: Callable[[str], Client], narrator: Narrator, summary: Summary) -> None:
        self._client, self._tell, self._summary = client, narrator, summary
        self._clients: dict[str, Client] = {}

    def play(self, policy: str) -> None:
        """Propose, adopt and use two standards until one is de facto; recognise it by a ``policy``, not the other."""
        self._clients = {member: self._client(member) for member in _USERS}
        try:
            self._propose()
            self._adopt()
            periods = self._use()
            self._recognise(policy)
        finally:
            for client in self._clients.values():
                client.close()
        self._summary.figures |= {"standard": _MAIN, "standard_periods": periods}

    def _propose(self) -> None:
        given = json.loads(example(_STANDARD).read_text(encoding="utf-8"))
        definition = json.loads(example(_TYPE).read_text(encoding="utf-8"))
        bank, regulator = self._clients["bank-a"], self._clients["regulator"]
        bank.submit_any("process", "define_type", definition).require_ok()
        bank.submit_any("standards", "propose", given).require_ok()
        made = regulator.submit_any("process", "define_type", short_type()).require_ok().receipt.data
        content = {"process_type": _SHORT, "definition": made["definition"]}
        same = {"kind": given["kind"], "domain": given["domain"], "title": short_type()["title"], "content": content}
        regulator.standards.propose(_SHORT, 1, **same).require_ok()
        self._tell.say(
            f"bank-a proposes {_MAIN}, the events of a loan, and the regulator {_SHORT}, a shorter form: two "
            f"standards compete in {given['domain']}; a proposal obliges nobody"
        )

    def _adopt(self) -> None:
        for member, process_type in _USERS.items():
            client = self._clients[member]
            source = {"id": "loans", "process_type": process_type, "mode": "live"}
            client.submit_any("process", "register_source", source).require_ok()
            client.standards.adopt(_standard(process_type), 1).require_ok()
        self._clients["enterprise-a"].standards.try_(_SHORT, 1).require_ok()
        users = ", ".join(member for member, process_type in _USERS.items() if process_type != _SHORT)
        self._tell.say(
            f"{users} adopt {_MAIN}, the regulator {_SHORT} for its own loans, each for itself; enterprise-a tries "
            f"{_SHORT} as well, and records nothing under it"
        )

    def _use(self) -> int:
        """Record loans in period after period until the first standard is de facto; return how many it took."""
        regulator = self._clients["regulator"]
        self._tell.say(
            f"a member uses a standard if nearly all its items of {TERMS.periods} periods fall under it; here a period "
            f"has {PERIOD_MS // 1_000} s, as the genesis of this chain says, elsewhere 30 days"
        )
        self._await_review(regulator.standards.show(_MAIN)["next_review_ms"])
        for number in range(1, _MOST_PERIODS + 1):
            closes_ms = regulator.standards.show(_MAIN)["next_review_ms"]
            for member, process_type in _USERS.items():
                self._record(member, process_type, number)
            found = self._await_review(closes_ms)
            users, active = (sum(found["review"][figure].values()) for figure in ("users", "active"))
            self._tell.say(
                f"period {number}, closed in block {found['height']}: {users} of {active} active members use {_MAIN}; "
                f"it is {found['status'].replace('_', ' ')}"
            )
            if found["status"] == DE_FACTO:
                return number
        raise BadAnswer(f"{_MAIN} is not de facto after {_MOST_PERIODS} periods", "is this machine very busy?")

    def _record(self, member: str, process_type: str, number: int) -> None:
        """Record as many loans as make a member active in a period."""
        first = (number - 1) * TERMS.use_min + 1
        items = [_loan(process_type, member, at) for at in range(first, first + TERMS.use_min)]
        self._clients[member].submit_any(
            "process", "record", {"source": "loans", "sequence": first, "items": items}
        ).require_ok()

    def _await_review(self, closes_ms: int) -> dict[str, Any]:
        """Return the standard once the period that closes then was reviewed."""
        end = time.monotonic() + _WAIT_S
        while time.monotonic() < end:
            found = self._clients["regulator"].standards.show(_MAIN)
            if found["review"] is not None and found["review"]["closed_ms"] >= closes_ms:
                return found
            time.sleep(_POLL_S)
        raise Unreachable(f"waited {_WAIT_S:.0f} s for a review of {_MAIN}", "see `coseal status`")

    def _recognise(self, policy: str) -> None:
        standards = self._clients["regulator"].standards
        committed = standards.recognise(_MAIN, 1, level="recommended", instrument=policy).require_ok()
        self._tell.say(f"only now the regulator recognises {_MAIN}, by {policy}, in block {committed.height}")
        refused = standards.recognise(_SHORT, 1, level="recommended", instrument=policy)
        if refused.ok:
            raise BadAnswer(f"{_SHORT} was recognised, which is not de facto")
        self._tell.say(f"its own {_SHORT} it cannot: {refused.receipt.code}: {refused.receipt.detail}")
        self._summary.figures["standard_refused"] = refused.receipt.code
        self._tell.say(
            "no loans are recorded any more, so reviews to come take the status back; recognition stays, shown beside"
        )


def _standard(process_type: str) -> str:
    return _SHORT if process_type == _SHORT else _MAIN


def _loan(process_type: str, member: str, number: int) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    event = {"event": f"{member}-{number}", "time": now, "objects": [["loan", f"{member}-{number}"]]}
    if process_type == _SHORT:
        return {**event, "type": "Loan granted"}
    return {**event, "type": "Loan applied for", "attributes": {"amount": 100_000 * number}}
