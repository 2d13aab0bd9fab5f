"""How a ballot stands, for people: its votes by constituency, what its track asks for, its times, who voted what.

Law: only prints what ``client.governance.proposal`` or ``client.supervision.ballot`` returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import typer

from coseal.cli.shared import plain_table

_WHO: Final = {"validators": "the members that run a validator", "members": "the members that are present"}


class Choice(StrEnum):
    """A vote."""

    yes = "yes"
    no = "no"
    abstain = "abstain"


def moment(time_ms: int) -> str:
    """Return a block time to the minute."""
    from coseal.ledger.render import time_text

    return time_text(time_ms)[:16].replace("T", " ")


def because(reason: str | None) -> str:
    """Return a reason to be put behind what it is the reason of."""
    return f": {reason}" if reason else ""


def figures(found: Mapping[str, Any]) -> str:
    """Return the counts of a ballot, in a receipt or as it is shown."""
    abstained = f", {found['abstain']} abstain" if found["abstain"] else ""
    return f"{found['yes']} yes, {found['no']} no{abstained}; {found['needed']} of {found['of']} needed"


def stands(found: Mapping[str, Any]) -> str:
    """Return the status of a ballot with its counts, and who was overridden."""
    over = f", overriding {found['overridden']}" if "overridden" in found else ""
    return f"{found['status']}{over}, {figures(found)}"


def print_standing(found: Mapping[str, Any]) -> None:
    """Print by what track a ballot is decided, its times, and its votes by constituency and member."""
    rule = found["rule"]
    numerator, denominator = rule["pass"]["total"]
    who = f"more than {numerator}/{denominator} of {_WHO[rule['electorate']]}"
    typer.echo(f"  track {rule['name']}: {who}{_classes(found)}")
    for line in _times(found):
        typer.echo(f"  {line}")
    table = plain_table("  constituency", "members", "yes", "no", "abstain", "needed")
    for name, count in found["constituencies"].items():
        votes = (str(count[each]) for each in ("members", "yes", "no", "abstain"))
        table.add_row(f"  {name}", *votes, str(rule["needed"].get(name, "")))
    table.print()
    for vote in found["votes"]:
        typer.echo(f"  {vote['choice']:<7} {vote['member']} in block {vote['height']}{because(vote['reason'])}")
    voted = {vote["member"] for vote in found["votes"]}
    silent = [member for member in found["electorate"] if member not in voted]
    if silent and found["status"] == "open":
        typer.echo(f"  not yet {', '.join(silent)}")


def _classes(found: Mapping[str, Any]) -> str:
    """Return how many of the constituencies that have members have to reach what they need."""
    rule, there = found["rule"]["pass"], len(found["rule"]["needed"])
    if "classes" not in rule:
        return ""
    wanted = rule["at_least"]
    if wanted >= there or there < 2:  # Q3, Q4
        return ", and each constituency"
    newcomer = ", and that of the newcomer" if rule.get("own") and found["kind"] == "add_member" else ""
    return f", and {wanted} of {there} constituencies{newcomer}"


def _times(found: Mapping[str, Any]) -> list[str]:
    rule, lines = found["rule"], []
    if found["round"] > 1:
        lines.append(f"round {found['round']}, after an appeal")
    if found["status"] == "open":
        if "heard_until_ms" in rule:
            lines.append(f"decided not before {moment(rule['heard_until_ms'])} UTC")
        if rule.get("override_from_ms", found["closes_ms"]) < found["closes_ms"]:
            lines.append(f"one constituency can be overridden from {moment(rule['override_from_ms'])} UTC on")
        lines.append(f"open until {moment(found['closes_ms'])} UTC")
        outlook = rule["outlook"]
        over = f", overriding {outlook['overridden']}" if "overridden" in outlook else ""
        lines.append(f"by the votes so far {outlook['status']} at {moment(outlook['at_ms'])} UTC{over}")
    elif "effect_ms" in found:
        lines.append(f"takes effect at {moment(found['effect_ms'])} UTC")
    return lines
