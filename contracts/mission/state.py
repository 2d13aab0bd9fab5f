"""Where the mission contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel import deadlines

NAME: Final = "mission"
COUNT_KEY: Final = "mission/count"

KEYS: Final = {
    COUNT_KEY: "how many missions there are",
    "mission/mission/<mission>": "a mission in its present version, with how many there are of all that belongs to it",
    "mission/number/<n>": "the mission that was the n-th",
    "mission/version/<mission>/<n>": "a version: goals, dates of evaluations, targets that it set, and why",
    "mission/indicator/<mission>/<indicator>": "an indicator: what it measures, its targets, its last value",
    "mission/value/<mission>/<indicator>/<n>": "a reported value: date, value, who, evidence, what it corrects",
    "mission/instrument/<mission>/<n>": "an instrument: a policy that serves a goal, and in what role",
    "mission/linked/<mission>/<goal>/<policy>": "the roles in which a policy serves a goal",
    "mission/actor/<mission>/<member>": "what part a member takes, from when until when",
    "mission/actors/<mission>/page/<n>": "the members that ever took part, in order, in pages of 64",
    "mission/evaluation/<mission>/<n>": "an evaluation: verdicts, recommendations, and how they were answered",
    "mission/evaluated/<mission>/<date>": "the members that evaluated a mission at a date",
    "mission/overdue/<mission>/<n>": "what was overdue: an evaluation, a report or an answer",
    **deadlines.keys(NAME),
}
OPEN_KEYS: Final = (
    *(f"mission/{family}/" for family in ("mission", "version", "indicator", "actors", "evaluation", "evaluated")),
    *deadlines.open_keys(NAME),
)


def mission_key(mission: str) -> str:
    """Return the state key of a mission."""
    return f"mission/mission/{mission}"


def number_key(number: int) -> str:
    """Return the state key of the id of the n-th mission."""
    return f"mission/number/{number}"


def version_key(mission: str, number: int) -> str:
    """Return the state key of a version of a mission."""
    return f"mission/version/{mission}/{number}"


def indicator_key(mission: str, indicator: str) -> str:
    """Return the state key of an indicator."""
    return f"mission/indicator/{mission}/{indicator}"


def value_key(mission: str, indicator: str, number: int) -> str:
    """Return the state key of a reported value."""
    return f"mission/value/{mission}/{indicator}/{number}"


def instrument_key(mission: str, number: int) -> str:
    """Return the state key of an instrument of a mission."""
    return f"mission/instrument/{mission}/{number}"


def linked_key(mission: str, goal: str, policy: str) -> str:
    """Return the state key of the roles in which a policy serves a goal."""
    return f"mission/linked/{mission}/{goal}/{policy}"


def actor_key(mission: str, member: str) -> str:
    """Return the state key of what part a member takes."""
    return f"mission/actor/{mission}/{member}"


def actors_key(mission: str, page: int) -> str:
    """Return the state key of a page of the members that ever took part."""
    return f"mission/actors/{mission}/page/{page}"


def evaluation_key(mission: str, number: int) -> str:
    """Return the state key of an evaluation."""
    return f"mission/evaluation/{mission}/{number}"


def evaluated_key(mission: str, date: str) -> str:
    """Return the state key of the members that evaluated a mission at a date."""
    return f"mission/evaluated/{mission}/{date}"


def overdue_key(mission: str, number: int) -> str:
    """Return the state key of something that was overdue."""
    return f"mission/overdue/{mission}/{number}"
