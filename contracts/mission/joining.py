"""Who and what serves a mission: policies as instruments of goals, members as actors.

Law: owners of policies have places of their own, so none of them crowds out the mission's owner; an actor that left
stays listed.

contracts/mission/README.md, L1 to L5.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.fields import Identifier, Many, OneOf
from coseal.contracts.mission.fields import MAX_GOALS, NAME
from coseal.contracts.mission.opening import Mission, mission_of
from coseal.contracts.mission.state import actor_key, actors_key, instrument_key, linked_key, mission_key
from coseal.contracts.policy.instrument import instrument
from coseal.contracts.supervision.terms import long_text

ROLES: Final = ("direction", "funding", "regulation", "standard", "procurement", "infrastructure", "skills")
MAX_INSTRUMENTS: Final = 256
MAX_OTHERS: Final = 128
"""Instruments that issuers of policies link, of all; as many are the owner's."""
MAX_ACTORS: Final = 256
PAGE_ACTORS: Final = 64
JOINED: Final = "joined"
LEFT: Final = "left"


def _link(view: View, context: Context, args: Args) -> Result | Rejected:
    name, goal, policy = args["mission"], args["goal"], args["policy"]
    record = mission_of(view, name)
    if isinstance(record, Rejected):
        return record
    found = instrument(view, policy)
    if found is None:
        return Rejected("unknown_policy", f"there is no policy {policy}")
    owner = record["member"] == context.member
    if not owner and context.member not in found.get("passed_by", ()):  # L1
        return Rejected("not_owner", f"{record['member']} links policies to {name}, and who issued them")
    wrong = _unknown_goal(record, [goal])
    if wrong is not None:
        return wrong
    roles: Any = view.get(linked_key(name, goal, policy)) or []
    if args["role"] in roles:  # L2
        return Rejected("exists", f"{policy} serves {goal} as {args['role']} already")
    others, number = record["others"] + (not owner), record["instruments"] + 1
    if others > MAX_OTHERS or number - others > MAX_INSTRUMENTS - MAX_OTHERS:  # L3
        return Rejected("limit", f"{name} has {MAX_OTHERS} instruments of {'its owner' if owner else 'issuers'}")
    kept = {"policy": policy, "goal": goal, "role": args["role"], "member": context.member}
    view.put(instrument_key(name, number), {**kept, "height": context.height})
    view.put(linked_key(name, goal, policy), [*roles, args["role"]])
    view.put(mission_key(name), {**record, "instruments": number, "others": others})
    return {"mission": name, "number": number}


def _join(view: View, context: Context, args: Args) -> Result | Rejected:
    name = args["mission"]
    record = mission_of(view, name)
    if isinstance(record, Rejected):
        return record
    wrong = _unknown_goal(record, args["goals"])
    if wrong is not None:
        return wrong
    before: Any = view.get(actor_key(name, context.member))
    if before is None:
        count = record["actors"]
        if count >= MAX_ACTORS:  # L4
            return Rejected("limit", f"{count} members took part in {name}, at most {MAX_ACTORS}")
        page: Any = view.get(actors_key(name, count // PAGE_ACTORS)) or []
        view.put(actors_key(name, count // PAGE_ACTORS), [*page, context.member])
        view.put(mission_key(name), {**record, "actors": count + 1})
    kept = {"goals": args["goals"], "part": args["part"], "status": JOINED}
    view.put(actor_key(name, context.member), {**kept, "height": context.height, "time_ms": context.time_ms})
    return {"mission": name, "status": JOINED}


def _leave(view: View, context: Context, args: Args) -> Result | Rejected:
    name = args["mission"]
    record = mission_of(view, name)
    if isinstance(record, Rejected):
        return record
    before: Any = view.get(actor_key(name, context.member))
    if before is None or before["status"] == LEFT:
        return Rejected("not_actor", f"{context.member} takes no part in {name}")
    changed = {"status": LEFT, "height": context.height, "time_ms": context.time_ms}  # L5
    view.put(actor_key(name, context.member), {**before, **changed})
    return {"mission": name, "status": LEFT}


def _unknown_goal(record: Mission, goals: list[str]) -> Rejected | None:
    known = [goal["id"] for goal in record["goals"]]
    unknown = next((goal for goal in goals if goal not in known), None)
    return None if unknown is None else Rejected("unknown_goal", f"there is no goal {unknown}: {', '.join(known)}")


_GOALS: Final = Many(NAME, low=1, high=MAX_GOALS, unique=True)
ACTIONS: Final[dict[str, Action]] = {
    "link": Action(
        arguments=Arguments({"mission": NAME, "policy": Identifier(), "goal": NAME, "role": OneOf(*ROLES)}),
        apply=_link,
        title="Link a policy to a goal of a mission, with the role in which it serves it",
        example={
            "mission": "legal-digital-currency",
            "policy": "cn/2021/237",
            "goal": "use",
            "role": "regulation",
        },
        capability="operate",
    ),
    "join": Action(
        arguments=Arguments({"mission": NAME, "goals": _GOALS, "part": long_text}),
        apply=_join,
        title="Take part in a mission, or change what part that is",
        example={"mission": "legal-digital-currency", "goals": ["use"], "part": "Opens wallets for merchants"},
        capability="operate",
    ),
    "leave": Action(
        arguments=Arguments({"mission": NAME}),
        apply=_leave,
        title="Take part in a mission no longer",
        example={"mission": "legal-digital-currency"},
        capability="operate",
    ),
}
