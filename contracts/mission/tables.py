"""The tables of missions: goals, indicators and values, instruments, actors, evaluations, what was overdue."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, WRITTEN, Table, document, integer, text

MISSIONS: Final = Table(
    "missions",
    "one row a mission, in its present version",
    ("mission",),
    (
        text("mission", "its id"),
        integer("number", "how many there were with it"),
        text("title", "its title, in English if it has one"),
        text("member", "the owner"),
        text("type", "`framework`, `challenge`, `thematic` or `ecosystem`"),
        text("basis", "the policy that it rests on, or empty"),
        text("from_date", "the first day of its period"),
        text("to_date", "the last day of its period"),
        integer("version", "its present version"),
        text("ballot", "the proposal that opened it, or empty"),
        integer("instruments", "how many instruments were linked"),
        integer("evaluated", "how many evaluations there are"),
        integer("overdue", "how often an evaluation, a report or an answer was overdue"),
        *MADE,
        document("`orientation`, dates of `evaluations`, `reason` of the last revision, titles by language"),
    ),
    indexes=(("missions_by_member", "(member, mission)"),),
)
GOALS: Final = Table(
    "goals",
    "one row a goal of a mission, as its last version with it has it",
    ("mission", "goal"),
    (
        text("mission", "the mission"),
        text("goal", "its id"),
        text("title", "its title, in English if it has one"),
        integer("version", "the last version that has it"),
        text("verdict", "`met`, `partly` or `not_met` by the last evaluation, or empty"),
        *WRITTEN,
        document("`indicators`, with the direction that the goal wants; titles by language"),
    ),
)
INDICATORS: Final = Table(
    "indicators",
    "one row an indicator of a mission, in its present state",
    ("mission", "indicator"),
    (
        text("mission", "the mission"),
        text("indicator", "its name"),
        text("title", "its title, in English if it has one"),
        text("unit", "what a value counts"),
        integer("scale", "how many digits of a value stand after the point"),
        text("direction", "`up` or `down`: where its targets lead"),
        text("kind", "what a computed one counts, or `reported`"),
        integer("value", "the last reported value; null for none", null=True),
        text("date", "the day of that value, or empty"),
        integer("number", "how many values were reported"),
        integer("every_ms", "how often a value is due"),
        *WRITTEN,
        document("`baseline`, `targets`, `source` or `reporters`, titles by language"),
    ),
)
INDICATOR_VALUES: Final = Table(
    "indicator_values",
    "one row a reported value of an indicator",
    ("mission", "indicator", "number"),
    (
        text("mission", "the mission"),
        text("indicator", "the indicator"),
        integer("number", "which of its values, from 1 on"),
        text("date", "the day that it is of"),
        integer("value", "the value, in units of its scale"),
        text("member", "who reported it"),
        integer("corrects", "the value that it corrects, 0 for none"),
        *WRITTEN,
        document("`evidence`: SHA-256 digests"),
    ),
)
MISSION_INSTRUMENTS: Final = Table(
    "mission_instruments",
    "one row a policy that was linked to a goal of a mission, in one role",
    ("mission", "number"),
    (
        text("mission", "the mission"),
        integer("number", "which of its instruments, from 1 on"),
        text("policy", "the policy"),
        text("goal", "the goal"),
        text("role", "`direction`, `funding`, `regulation`, `standard`, `procurement`, `infrastructure` or `skills`"),
        text("member", "who linked it"),
        *WRITTEN,
    ),
    indexes=(("mission_instruments_by_policy", "(policy, mission, number)"),),
)
MISSION_ACTORS: Final = Table(
    "mission_actors",
    "one row a member that takes part in a mission, or did",
    ("mission", "member"),
    (
        text("mission", "the mission"),
        text("member", "the member"),
        text("status", "`joined` or `left`"),
        *WRITTEN,
        document("`goals`, `part`"),
    ),
    indexes=(("mission_actors_by_member", "(member, mission)"),),
)
EVALUATIONS: Final = Table(
    "evaluations",
    "one row an evaluation of a mission",
    ("mission", "number"),
    (
        text("mission", "the mission"),
        integer("number", "which of its evaluations, from 1 on"),
        text("date", "the date that it is for"),
        text("member", "who evaluated"),
        text("status", "`open`: recommendations wait for an answer; `answered`; `closed`: there are none"),
        integer("recommendations", "how many there are"),
        integer("due_ms", "when the answer was due at first, 0 for none"),
        *WRITTEN,
        document("`goals` with verdicts and reasons, the texts of `recommendations`, the `answers`"),
    ),
    indexes=(("evaluations_by_member", "(member, mission, number)"),),
)
MISSION_OVERDUE: Final = Table(
    "mission_overdue",
    "one row an evaluation, a report or an answer that was overdue, each time",
    ("mission", "number"),
    (
        text("mission", "the mission"),
        integer("number", "how many there were with it"),
        text("what", "`evaluation`, `report` or `answer`"),
        text("name", "the date, the indicator, or the number of the evaluation"),
        text("side", "`evaluator`, `reporter` or `owner`: whose turn it was"),
        text("member", "the member, empty if it is not one alone"),
        integer("due_ms", "when it was due"),
        *WRITTEN,
    ),
    indexes=(("mission_overdue_by_member", "(member, mission, number)"),),
)

TABLES: Final = (
    MISSIONS,
    GOALS,
    INDICATORS,
    INDICATOR_VALUES,
    MISSION_INSTRUMENTS,
    MISSION_ACTORS,
    EVALUATIONS,
    MISSION_OVERDUE,
)
