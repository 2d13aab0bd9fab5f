"""Rule files checked as a proposal is: by the ledger's own functions, over a proven state or what is known of one.

Law: what is not known is assumed to be as the rules need it, and said to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.kernel.action import Rejected
from coseal.contracts.kernel.overlay import Overlay
from coseal.contracts.membership.state import member_key
from coseal.contracts.policy.state import instrument_key
from coseal.contracts.process.state import type_key
from coseal.contracts.process.types import definition_hash
from coseal.contracts.rules.facts import Definition
from coseal.contracts.rules.rule_tests import Checked, check_rules
from coseal.contracts.supervision import CONTRACT
from coseal.contracts.supervision.checks import check_set
from coseal.contracts.supervision.sets_in_force import ADOPTED
from coseal.contracts.supervision.state import head_key
from coseal.ledger import codec

Read = Callable[[str], Any]
"""Returns the value of a state key, None if it is absent."""

_PLACE: Final = re.compile(r"args\.rules\[([0-9]+)\]")
_ALL: Final = "that the process type fits, versions follow, and the rules have room beside those in force"


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """What a proposal of these rules would meet: ``rules`` each by itself, ``refused`` what else is wrong.

    ``unchecked`` says in words what was not known; ``typed``: whether the process type was.
    """

    rules: tuple[Checked, ...]
    refused: tuple[Rejected, ...]
    unchecked: tuple[str, ...]
    typed: bool = True

    @property
    def named(self) -> frozenset[int]:
        """The places of the rules that ``refused`` is about; what is about all of them names none."""
        found = (_PLACE.match(refusal.detail) for refusal in self.refused)
        return frozenset(int(match[1]) for match in found if match is not None)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong as far as it was checked."""
        return not self.refused and not any(entry.errors for entry in self.rules)


def check(data: Any, definition: Definition | None, read: Read | None = None) -> RuleCheck:
    """Return what is wrong with rules; ``read`` gives the state of a network, else what there is is assumed.

    Raises ``RuleError`` if ``data`` is no list of rules at all.
    """
    checked = check_rules(data, definition)
    refused = list(CONTRACT.actions["propose_rules"].arguments.refusals({"rules": data}))
    if definition is None:
        return RuleCheck(checked, (*refused, *_without_basis(checked)), (_ALL,), typed=False)
    if refused or any(entry.errors for entry in checked):
        return RuleCheck(checked, tuple(refused), (f"{_ALL}: first correct what is wrong",))
    assumed: list[str] = []
    known = _assuming(data, definition, assumed) if read is None else read
    for index, entry in enumerate(data):
        refused += [_at(index, refusal) for refusal in _proposed([entry], known)]
    refused += [] if refused else _proposed(data, known)
    return RuleCheck(checked, tuple(refused), tuple(dict.fromkeys(assumed)))


def _proposed(data: list[Any], read: Read) -> list[Rejected]:
    def raw(key: bytes) -> bytes | None:
        value = read(key.decode())
        return None if value is None else codec.encode(value)

    found = check_set(Overlay(raw), data, "", ADOPTED)
    return [found] if isinstance(found, Rejected) else []


def _at(index: int, refusal: Rejected) -> Rejected:
    """Return what was said of a rule alone as said of it in its place."""
    return Rejected(refusal.code, refusal.detail.replace("args.rules[0]", f"args.rules[{index}]", 1))


def _without_basis(checked: tuple[Checked, ...]) -> Iterator[Rejected]:
    for entry in checked:
        if entry.rule is not None and not entry.rule.legal_basis:
            detail = f"args.rules[{entry.index}].legal_basis: {entry.id} rests on nothing; name a policy"
            yield Rejected("unknown_policy", detail)


def _assuming(data: list[Any], definition: Definition, assumed: list[str]) -> Read:
    """Return a state in which everything is as the rules need it; what is assumed is noted."""
    stored = {**definition, "definition": definition_hash(definition).hex()}
    versions = {head_key(entry["id"]): entry["version"] - 1 for entry in data}

    def read(key: str) -> Any:
        if key == type_key(definition["id"]):
            return stored
        if key.startswith(instrument_key("")):
            assumed.append(f"that {key.removeprefix(instrument_key(''))} is in the register of policies")
            return {}
        if key.startswith(member_key("")):
            assumed.append(f"that {key.removeprefix(member_key(''))} is a member")
            return {}
        if key in versions:
            assumed.append("that the versions follow those on the ledger, and what is in force leaves room")
            return {"latest": versions[key], "active": 0}
        return None

    return read
