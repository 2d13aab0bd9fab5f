"""Why a rule found something, as a code with values, and the sentence that says it.

Law: a finding keeps the code and the values, and its English text is made from them here, so the two never part;
another language needs a table of its own and nothing else.

Of the values, ``DURATIONS`` are lengths of time and ``MOMENTS`` times since the epoch, both in ms; ``matching`` says
whether the rule has a correlation. The others are texts and numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from coseal.contracts.kernel.wording import ENGLISH as ENGLISH_UNITS
from coseal.contracts.kernel.wording import Units, duration_text, moment_text

Values: TypeAlias = "dict[str, str | int | bool]"
MAX_VALUE_CHARACTERS: Final = 300
DURATIONS: Final = frozenset(("within_ms", "lag_ms"))
MOMENTS: Final = frozenset(("from_ms", "until_ms"))


class Reason(NamedTuple):
    """A code of ``Language.sentences`` and what its placeholders stand for."""

    code: str
    values: Values

    def __str__(self) -> str:
        return sentence(self.code, self.values)


class Language(NamedTuple):
    """What a language writes: its units, what stands for ``matching`` (without and with), a sentence for every code."""

    units: Units
    matching: tuple[str, str]
    sentences: Mapping[str, str]


NOTHING: Final = Reason("", {})

ENGLISH: Final = Language(
    ENGLISH_UNITS,
    ("", "a matching "),
    {
        # DECLARE
        "occurred": "{a} occurred, which the rule does not allow",
        "too_often": "{a} occurred {count} times; {most} allowed",
        "not_first": "the first event is not {a}",
        "both": "both {a} and {matching}{b} occurred",
        "both_within": "{a} and {matching}{b} occurred within {within_ms} of each other",
        "not_before": "{b} without {matching}{a} before it",
        "not_before_within": "{b} without {matching}{a} in the {within_ms} before it",
        "not_after_within": "{a} without {matching}{b} in the {within_ms} after it",
        "not_near_within": "{a} without {matching}{b} in the {within_ms} before or after it",
        "again": "{a} again before {matching}{b}",
        "again_within": "{a} again before {matching}{b} within {within_ms}",
        "not_since": "{b} without {matching}{a} since the last {b}",
        "not_since_within": "{b} without {matching}{a} since the last {b} and in the {within_ms} before it",
        "not_alternating": "{a} and {matching}{b} do not alternate",
        "not_alternating_within": "{a} and {matching}{b} do not alternate within {within_ms}",
        "not_next": "{a} is not followed at once by {matching}{b}",
        "not_next_within": "{a} is not followed at once by {matching}{b} within {within_ms}",
        "not_previous": "{b} does not follow at once upon {matching}{a}",
        "not_previous_within": "{b} does not follow at once, and within {within_ms}, upon {matching}{a}",
        "not_adjacent": "{a} and {matching}{b} do not follow at once upon each other",
        "not_adjacent_within": "{a} and {matching}{b} do not follow at once upon each other within {within_ms}",
        "too_many_waiting": "more than {most} events wait for the correlation",
        "too_much_read": "the correlation reads more than {most} characters of one event",
        # The other kinds
        "condition": "the rule's condition is false",
        "no_value": "an expression has no value: {problem}",
        "shape": "{problem}",
        "claim_false": "its owner states that the condition is false",
        "claim_missing": "its owner does not state whether the condition holds",
        "claim_version": "its owner states it of version {stated}, and version {version} judges",
        "late": "recorded {lag_ms} after it happened; {within_ms} is allowed",
        "item_missing": "item {first} is missing",
        "items_missing": "items {first} to {last} are missing",
        "too_many_missing": "items {first} to {last} are missing; {most} may be",
        "same_actor": "{a} and {b} by the same {actor}: {who}",
        "same_actor_again": "{a} again by the same {actor}: {who}",
        "no_actor": "no {actor}: who acted cannot be determined",
        "too_many_actors": "more than {most} actors on one object",
        "too_few": "{done} of {n} {activities} in the period from {from_ms} to {until_ms}",
        # Related objects
        "had_not": "{b} while {count} of {n} objects of type {object_type} had no {a} before it: {objects}",
        "had_few": "{b} while {count} of {n} objects of type {object_type} had {a} before it; {least} needed:"
        " {objects}",
        "had_many": "{b} while {count} of {n} objects of type {object_type} had {a} before it; {most} allowed:"
        " {objects}",
        "had_not_together": "{b} without one {a} before it that names all of {n} objects of type {object_type}:"
        " {objects}",
        "met_not": "{b} while {count} of {n} objects of type {object_type} do not meet the condition: {objects}",
        "met_few": "{b} while {count} of {n} objects of type {object_type} meet the condition; {least} needed:"
        " {objects}",
        "met_many": "{b} while {count} of {n} objects of type {object_type} meet the condition; {most} allowed:"
        " {objects}",
        "too_many_related": "more than {most} objects of type {object_type} are related",
        "too_many_together": "{object_type} {object} had more than {most} {a}",
        "related_unseen": "{object_type} {object} was recorded before the rule looked at it",
        "related_no_target": "whether {object_type} {object} had {a} cannot be determined: its condition has no value",
        "related_no_value": "the condition has no value for {object_type} {object}: {problem}",
        "related_order": "whether {object_type} {object} had {a} before is not proven",
        "related_changed": "{object_type} {object} was changed since",
        "related_again": "{object_type} {object} is corrected in the same batch",
        "related_unproven": "something of {object_type} {object} is corrected, and it was not judged again",
        "related_corrected": "item {item} of {source} is corrected, by which {object_type} {object} counted",
        "related_beyond": "item {item} of {source} is corrected, by which more than {most} objects of type"
        " {object_type} were judged",
        # Corrections
        "history_missing": "item {item} of {source} is corrected, and the history of the object was not shown",
        "history_unseen": "item {item} of {source} is corrected, and was recorded before the rule looked at the object",
        "history_long": "item {item} of {source} is corrected; judging the object again takes more than {most} steps",
        "recording_unproven": "item {item} of {source} is corrected or disputed, and when what met the deadline was"
        " recorded is not proven",
        "period_corrected": "an event of the period from {from_ms} to {until_ms} is corrected, and that period is over",
        # Disputes
        "disputed": "item {item} of {source} is disputed",
        "dispute_missing": "item {item} of {source} is or was disputed, and the history of the object was not shown",
        "dispute_long": "item {item} of {source} is or was disputed; judging the object again takes more than {most}"
        " steps",
        # Holds
        "on_hold": "on hold until {until_ms} by finding {finding}",
        # Cases
        "opened": "opened by {by}: {text}",
        # Emergency requests for openings
        "unjustified": "the emergency request {request} was found unjustified: {text}",
    },
)


def reason(code: str, **values: str | int | bool) -> Reason:
    """Return a reason; texts are cut to ``MAX_VALUE_CHARACTERS``."""
    return Reason(
        # M8
        code,
        {name: value[:MAX_VALUE_CHARACTERS] if type(value) is str else value for name, value in values.items()},
    )


def sentence(code: str, values: Mapping[str, str | int | bool], language: Language = ENGLISH) -> str:
    """Return a reason in words; raises ``KeyError`` for a code or value that the language does not know."""
    words = {name: _word(name, value, language) for name, value in values.items()}
    return language.sentences[code].format(**words).strip(" ")


def _word(name: str, value: str | int | bool, language: Language) -> str:
    if name == "matching":
        return language.matching[bool(value)]
    if type(value) is int:
        if name in DURATIONS:
            return duration_text(value, language.units)
        if name in MOMENTS:
            return moment_text(value)
    return str(value)
