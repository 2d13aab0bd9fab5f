"""Moves of supervision: the steps of findings, holds, questions and guidance, each side in its turn.

Law: as ``simulation.walk.walker``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.supervision.state import finding_key, guidance_key, hold_key, question_key
from simulation.walk.walker import Make, Move, Walker

NEWEST: Final = 40


def _finding(walk: Walker) -> Any:
    """Return a finding of late, or None."""
    numbers = walk.newest("finding", NEWEST)
    return walk.get(finding_key(f"F{walk.pick(numbers)}")) if numbers else None


def _supervisor(walk: Walker, finding: Mapping[str, Any], but: str = "") -> str | None:
    governments = [member for member in walk.members("government") if member != finding["subject"]]
    own = finding["supervisor"] if finding["supervisor"] and not walk.chance(8) else ""
    member = own or (walk.pick(governments) if governments else "")
    return walk.operator(member, "supervise", but) if member else None


def _step(walk: Walker) -> Move | None:
    """Take the next step of a finding."""
    found = _finding(walk)
    if found is None:
        return None
    args: dict[str, Any] = {"finding": found["id"]}
    match found["status"]:
        case "raised":
            return _by(_supervisor(walk, found), "acknowledge", args)
        case "acknowledged" if walk.chance(4):
            return _by(_supervisor(walk, found), "decide", {**args, "outcome": "dismissed", "reason": "It is nothing"})
        case "acknowledged":
            return _by(_supervisor(walk, found), "inquire", {**args, "question": "Why?"})
        case "inquiry" if walk.chance(6):
            return _by(_supervisor(walk, found), "decide", _decision(walk, args))
        case "inquiry":
            return _by(
                walk.operator(found["subject"]), "respond", {**args, "response": "Because", "evidence": ["ab" * 32]}
            )
        case "response" if walk.chance(6):
            return _by(_supervisor(walk, found), "inquire", {**args, "question": "And?", "within_ms": 366 * DAY_MS})
        case "response":
            return _by(_supervisor(walk, found), "decide", _decision(walk, args))
        case "rectified" | "sanctioned":
            return _by(walk.operator(found["subject"]), "appeal", {**args, "reason": "It is wrong"})
        case "appeal":
            sender = _supervisor(walk, {**found, "supervisor": ""}, found["decider"])
            return _by(
                sender, "decide_appeal", {**args, "outcome": walk.pick(("upheld", "overturned")), "reason": "So"}
            )
        case _:
            return None


def _decision(walk: Walker, args: dict[str, Any]) -> dict[str, Any]:
    outcome = walk.pick(("rectified", "dismissed", "sanctioned"))
    measure = {"measure": "A fine"} if outcome == "sanctioned" else {}
    return {**args, "outcome": outcome, "reason": "So it is", **measure}


def _by(sender: str | None, action: str, args: dict[str, Any]) -> Move | None:
    return None if sender is None else Move(sender, f"supervision.{action}", args)


def _open_case(walk: Walker) -> Move | None:
    """Open a case about an object that something was found on, or that nobody recorded."""
    found = _finding(walk)
    subject = walk.member()
    governments = [member for member in walk.members("government") if member != subject]
    if found is None or not governments:
        return None
    args = {name: found[name] for name in ("process_type", "object_type", "object", "subject")}
    if walk.chance(3):
        args["subject"] = subject
    if walk.chance(12):
        args["object"] = "nobody recorded it"
    args |= {"severity": walk.pick(("notice", "warning", "violation")), "reason": "The file says so"}
    args |= {"legal_basis": ["external: the law"], **({"evidence": ["ab" * 32]} if walk.chance(2) else {})}
    return _by(walk.operator(walk.pick(governments), "supervise"), "open_case", args)


def _hold(walk: Walker) -> Move | None:
    """Put an object on hold, or take the next step of the hold that there is."""
    found = _finding(walk)
    if found is None:
        return None
    args = {"finding": found["id"], "reason": "It may be so"}
    place = (found["process_type"], found["object_type"], found["object"])
    hold = walk.get(hold_key(*place))
    if hold is None or hold["status"] != "held":
        hold_ms = walk.pick((1_000, DAY_MS, 30 * DAY_MS))
        args |= {"hold_ms": hold_ms, **({"amount": walk.pick((1, 3_500, 2**62))} if walk.chance(2) else {})}
        return _by(_supervisor(walk, found), "hold", args) if found["due"] else None
    finding = walk.get(finding_key(hold["finding"]))
    args["finding"] = hold["finding"]
    match walk.rng.randrange(3):
        case 0 if not hold["contested"]:
            return _by(walk.operator(hold["subject"]), "contest_hold", args)
        case 1 if hold["contested"] and not hold["confirmed"]:
            return _by(_supervisor(walk, {**finding, "supervisor": ""}), "confirm_hold", args)
        case 2:
            return _by(_supervisor(walk, finding), "lift_hold", args)
        case _:
            return None


def _ask(walk: Walker) -> Move | None:
    args = {"topic": "Terms", "question": "From when?", "about": ["R-loans-1"]}
    return _by(walk.operator(walk.member()), "ask", args)


def _answer(walk: Walker) -> Move | None:
    numbers = walk.newest("question", 8)
    if not numbers:
        return None
    name = f"Q{walk.pick(numbers)}"
    record = walk.get(question_key(name))
    governments = [member for member in walk.members("government") if member != record["member"]]
    if record["status"] != "open" or not governments:
        return None
    return _by(walk.operator(walk.pick(governments), "supervise"), "answer", {"question": name, "answer": "From issue"})


def _guide(walk: Walker) -> Move | None:
    args = {"title": "Terms", "text": "They count from issue."}
    member = walk.member("government")
    for number in walk.newest("guidance", 4):
        before = walk.get(guidance_key(f"G{number}"))
        if before["member"] == member and "replaced_by" not in before and walk.chance(2):
            args["replaces"] = f"G{number}"
    return _by(walk.operator(member, "supervise"), "guide", args)


KINDS: Final[dict[str, tuple[int, Make]]] = {
    "step of a finding": (16, _step),
    "open a case": (2, _open_case),
    "hold": (6, _hold),
    "ask": (1, _ask),
    "answer": (2, _answer),
    "guide": (1, _guide),
}
