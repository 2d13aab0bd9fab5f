"""Claims about sealed attributes: evaluated before sealing, and again by whoever opened the values.

Law: both sides run the ledger's own evaluator over the same event, so what the owner stated and what an opening finds
differ only if the owner stated what is not so.

docs/spec/rules.md, section Claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.client.exchange import Exchange
from coseal.client.session import Session
from coseal.contracts.process.items import MAX_CLAIMS
from coseal.contracts.rules.claims import Claim
from coseal.contracts.rules.facts import Definition
from coseal.contracts.rules.rule import parse_rule
from coseal.contracts.supervision.state import active_key, rule_key, set_key

HOLDS: Final = "holds"
REFUTED: Final = "refuted"
"""The owner stated that the condition holds, and it does not."""
FALSE: Final = "false"
"""The condition does not hold, as its owner stated."""
UNDERSTATED: Final = "understated"
"""The owner stated that the condition does not hold, and it does."""
UNDETERMINED: Final = "undetermined"


@dataclass(frozen=True, slots=True)
class EvaluatedClaim:
    """What an opening finds of one claim: ``outcome`` is ``holds``, ``refuted``, ``false``, ``understated`` or
    ``undetermined``; ``says`` why it is undetermined.
    """

    source: str
    sequence: int
    rule: str
    version: int
    stated: bool
    outcome: str
    says: str = ""


def judging_claims(session: Session, definition: Definition) -> Exchange[tuple[Claim, ...]]:
    """Return the claims that judge the events of a process type now, those on trial included."""
    entries: Any = yield from session.value(active_key(definition["id"]))
    claims: list[Claim] = []
    for entry in entries or ():
        adopted: Any = yield from session.value(set_key(entry["set"]))
        for rule, version in adopted["rules"]:
            if rule not in entry["off"]:
                claim = yield from required_claim(session, definition, rule, version)
                claims += [] if claim is None else [claim]
    return tuple(claims)


def required_claim(session: Session, definition: Definition, rule: str, version: int) -> Exchange[Claim | None]:
    """Return a version of a rule as a claim; None if there is none, or it is of another kind."""
    record: Any = yield from session.value(rule_key(rule, version))
    if record is None or record["rule"]["kind"] != "claim":
        return None
    body = parse_rule(record["rule"], definition).body
    return body if isinstance(body, Claim) else None


def stated(
    claims: Sequence[Claim], item: Mapping[str, Any], definition: Definition, source: str, zone_minutes: int | None
) -> list[list[Any]]:
    """Return what the owner of an event has to state of it: ``[rule, version, holds]`` of each claim that has a value.

    The sealed attributes of ``item`` are in the clear; ``source`` is ``member/source``.
    """
    found: list[list[Any]] = []
    if "event" not in item:
        return found
    for claim in claims:
        if item["type"] in claim.reach.symbols:
            value = claim.evaluate(item, definition, source, zone_minutes)
            found += [[claim.rule, claim.version, value]] if type(value) is bool else []
    return found[:MAX_CLAIMS]


def evaluated(
    claim: Claim,
    said: bool,
    item: Mapping[str, Any],
    definition: Definition,
    source: str,
    sequence: int,
    zone_minutes: int | None,
) -> EvaluatedClaim:
    """Return what opened values say of a claim; ``item`` has those of its sealed attributes that are known."""
    value = claim.evaluate(item, definition, source, zone_minutes)
    names = (source, sequence, claim.rule, claim.version, said)
    if type(value) is not bool:
        return EvaluatedClaim(*names, UNDETERMINED, value.reason)
    return EvaluatedClaim(
        *names, {(True, True): HOLDS, (True, False): REFUTED, (False, False): FALSE}.get((said, value), UNDERSTATED)
    )
