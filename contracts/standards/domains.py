"""Domains: what standards compete in, which process types count in each, and who records in it.

Law: a process type counts in one domain; what nobody calls a standard counts as well, so a share has its true base.

A domain is reviewed for each period while it has standards (``standards.reviews``).
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Reader, Rejected, View
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.standards import series
from coseal.contracts.standards.records import head_of
from coseal.contracts.standards.state import (
    NAME,
    PERIOD_KEY,
    domain_key,
    head_key,
    items_key,
    members_key,
    type_key,
)
from coseal.contracts.standards.status import PERIOD_MS, opens_ms, period_of
from coseal.ledger.genesis import Genesis
from coseal.ledger.validators import ROLES

MAX_STANDARDS: Final = 64
"""Versions of standards that compete in one domain."""
NEXT_BLOCK_MS: Final = 0
"""When something is due that the next block begins with."""
_EMPTY: Final = {"members": 0, "period": -1, "items": 0, "reviewing": False}

Domain = dict[str, Any]


def install(view: View, genesis: Genesis) -> None:
    """Write how long the periods of this chain are, unless they are of the usual length."""
    if genesis.parameters.standard_period_ms != PERIOD_MS:
        view.put(PERIOD_KEY, genesis.parameters.standard_period_ms)


def period_at(reader: Reader, time_ms: int) -> int:
    """Return the number of the period of a block time."""
    return period_of(time_ms, _period_ms(reader))


def next_period_ms(reader: Reader, time_ms: int) -> int:
    """Return the block time at which the period after that of ``time_ms`` begins."""
    return opens_ms(period_at(reader, time_ms) + 1, _period_ms(reader))


def closed_ms(reader: Reader, period: int) -> int:
    """Return the block time at which a period is closed."""
    return opens_ms(period + 1, _period_ms(reader))


def _period_ms(reader: Reader) -> int:
    found: Any = reader.get(PERIOD_KEY)
    return found or PERIOD_MS


def domain_of(reader: Reader, name: str) -> Domain:
    """Return a domain; one that nothing is in is empty."""
    found: Any = reader.get(domain_key(name))
    return found or {**_EMPTY, "standards": [], "active": [0] * len(ROLES)}


def check_room(reader: Reader, domain: str, more: int = 1) -> Rejected | None:
    """Refuse more standards in a domain than compete in one."""
    if len(domain_of(reader, domain)["standards"]) + more <= MAX_STANDARDS:  # E11
        return None
    return Rejected("limit", f"{MAX_STANDARDS} standards compete in {domain}, the most; wait until one lapses or ends")


def enter(view: View, domain: str, names: list[list[Any]], review_ms: int) -> None:
    """Have versions of standards compete in a domain, which is reviewed first at ``review_ms`` if it is not yet."""
    record = domain_of(view, domain)
    if not record["reviewing"]:
        deadlines.add(view, NAME, BLOCK_CLOCK, review_ms, ["domain", domain])
    view.put(domain_key(domain), {**record, "standards": [*record["standards"], *names], "reviewing": True})


def leave(view: View, domain: str, names: list[list[Any]]) -> None:
    """Have versions of standards give up their places in a domain."""
    record = domain_of(view, domain)
    view.put(domain_key(domain), {**record, "standards": [row for row in record["standards"] if row not in names]})


def count(view: View, domain: str, member: str, period: int, items: int) -> None:
    """Count items that a member recorded in a domain."""
    before: Any = view.get(items_key(domain, member))
    if before is None:
        record = domain_of(view, domain)
        series.append(view, lambda page: members_key(domain, page), record["members"], member)
        view.put(domain_key(domain), {**record, "members": record["members"] + 1})
    view.put(items_key(domain, member), series.counted(before, period, items))


# Process types


def entry_of(reader: Reader, process_type: str) -> dict[str, Any]:
    """Return where a process type counts: its ``domain``, and the ``standard`` that it is with its ``definition``."""
    found: Any = reader.get(type_key(process_type))
    return found or {"domain": ""}


def check_type(reader: Reader, process_type: str, domain: str) -> Rejected | None:
    """Refuse a process type that counts in another domain."""
    entry = entry_of(reader, process_type)
    if entry["domain"] in ("", domain):  # E9
        return None
    detail = f"{process_type} counts in the domain {entry['domain']}; a ballot of settle_dispute can move it"
    return Rejected("classified", detail)


def classify(view: View, process_type: str, domain: str) -> None:
    """Have a process type count in a domain from now on; what was recorded before stays where it counted."""
    view.put(type_key(process_type), {**entry_of(view, process_type), "domain": domain})


def name_standard(view: View, process_type: str, domain: str, name: list[Any], definition: str) -> None:
    """Have what is recorded under a definition of a process type count as under a version of a standard."""
    view.put(type_key(process_type), {"domain": domain, "standard": name, "definition": definition})


def forget_standard(view: View, process_type: str, name: list[Any]) -> None:
    """Have a process type be that version of a standard no longer."""
    entry = entry_of(view, process_type)
    if entry.get("standard") == name:
        view.put(type_key(process_type), {"domain": entry["domain"]})


def check_move(reader: Reader, process_type: str, domain: str) -> Rejected | None:
    """Refuse to move a process type where it is, or its standard where there is no room."""
    entry = entry_of(reader, process_type)
    if entry["domain"] == domain:
        return Rejected("classified", f"{process_type} counts in the domain {domain} already")
    if "standard" not in entry:
        return None
    return check_room(reader, domain, len(_places(reader, entry["standard"][0], entry["domain"])))


def move(view: View, process_type: str, domain: str) -> list[list[Any]]:
    """Have a process type, and the standard that it is, count in another domain; return its versions."""
    entry = entry_of(view, process_type)
    names: list[list[Any]] = []
    if "standard" in entry:
        standard = entry["standard"][0]
        names = _places(view, standard, entry["domain"])  # it is one as long as it competes
        leave(view, entry["domain"], names)
        enter(view, domain, names, NEXT_BLOCK_MS)
        view.put(head_key(standard), {**head_of(view, standard), "domain": domain})
    classify(view, process_type, domain)
    return names


def _places(reader: Reader, standard: str, domain: str) -> list[list[Any]]:
    """Return the versions of a standard that compete in a domain."""
    return [row for row in domain_of(reader, domain)["standards"] if row[0] == standard]
