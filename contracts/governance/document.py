"""A constitution as a document: its form, and the tracks that it makes.

Law: a document is data; nothing in it is run. What has the form can be compared and checked for every voting
(``governance.safety``); what is not named in ``kinds`` is decided on the track ``ordinary``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.governance.resolution import CONSTITUENCIES, TWO_THIRDS, Opening, Override, Quota, Track
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.fields import (
    Boolean,
    Integer,
    Label,
    Many,
    Name,
    OneOf,
    Record,
    Short,
    Special,
    Table,
    Text,
)
from coseal.ledger import codec

MAX_TRACKS: Final = 16
MAX_KINDS: Final = 64
MAX_DOCUMENT_BYTES: Final = 32 * 1024
MAX_DENOMINATOR: Final = 1_000
HOUR_MS: Final = 3_600_000
MAX_OPENING_MS: Final = 90 * DAY_MS
MAX_TERM_MS: Final = 366 * DAY_MS
ORDINARY: Final = "ordinary"
AMENDMENT: Final = "constitution"
"""The track of ``amend_constitution``, whatever a document says."""
VALIDATORS: Final = "validators"
MEMBERS: Final = "members"
ELECTORATES: Final = (VALIDATORS, MEMBERS)
GIVERS: Final = ("proposer", "no", "all")
"""Who must give a reason."""


def _quota_faults(value: Any) -> Iterator[str]:
    if not isinstance(value, list) or len(value) != 2 or not all(type(part) is int for part in value):
        yield ": a quota is two integers, [numerator, denominator]"
    elif not 0 <= value[0] < value[1] <= MAX_DENOMINATOR:
        yield f": a quota is below 1, with a denominator of at most {MAX_DENOMINATOR}"


_quota: Final = Special(
    _quota_faults,
    f"[numerator, denominator] of the share to be exceeded, below 1; denominator at most {MAX_DENOMINATOR}",
    {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": MAX_DENOMINATOR},
        "minItems": 2,
        "maxItems": 2,
    },
    refused=([], [1], [1, 1], [-1, 2], [1, MAX_DENOMINATOR + 1], [1, 2, 3], [True, 2], ["1", 2], "1/2"),
    passed=([0, 1], [1, 2], [2, 3], [MAX_DENOMINATOR - 1, MAX_DENOMINATOR]),
)


def _opening_faults(value: Any) -> Iterator[str]:
    if not isinstance(value, list) or len(value) != 3 or not all(type(part) is int for part in value):
        yield ": how long it is open is three integers, [least, default, most] in ms"
    elif not HOUR_MS <= value[0] <= value[1] <= value[2] <= MAX_OPENING_MS:
        yield ": [least, default, most] rise, from an hour at least to 90 days at most"


GAINED: Final = (1, 2)
LOST: Final = (2, 5)
"""The means of shares with which a standard becomes de facto, and below which it no longer is, unless said."""
_opening: Final = Special(
    _opening_faults,
    "[least, default, most] in ms, rising, from an hour to 90 days",
    {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 3},
    refused=(
        [],
        [HOUR_MS - 1, HOUR_MS, HOUR_MS],
        [HOUR_MS, HOUR_MS, MAX_OPENING_MS + 1],
        [2 * HOUR_MS, HOUR_MS, HOUR_MS],
    ),
    passed=([HOUR_MS, HOUR_MS, HOUR_MS], [HOUR_MS, DAY_MS, MAX_OPENING_MS]),
)
_constituency: Final = OneOf(*CONSTITUENCIES)
_pass: Final = Record(
    {"total": _quota},
    {
        "classes": Table(_quota, high=len(CONSTITUENCIES), key=_constituency),
        "at_least": Short(OneOf("all"), Integer(2, len(CONSTITUENCIES))),
        "own": Boolean(),
    },
)
_track: Final = Record(
    {"electorate": OneOf(*ELECTORATES), "pass": _pass, "open_ms": _opening},
    {
        "override": Record({"after_ms": Integer(0, MAX_OPENING_MS), "floor": _quota}),
        "veto": Many(_constituency, high=len(CONSTITUENCIES), unique=True),
        "not_before_ms": Integer(0, MAX_OPENING_MS),
        "delay_ms": Integer(0, MAX_TERM_MS),
        "reason": Many(OneOf(*GIVERS), high=len(GIVERS), unique=True),
    },
)
_de_facto: Final = Record(
    {},
    {
        "use_min": Integer(1, 1_000_000),
        **dict.fromkeys(("of_items", "of_judged", "gained", "lost", "carried", "of_members"), _quota),
        "carried_by": Integer(2, len(CONSTITUENCIES)),
        "users_min": Integer(3, 1_000),
    },
)
FIELD: Final = Record(
    {
        "title": Text(),
        "central_bank_counts_as": OneOf("bank", "government"),
        "present_ms": Integer(HOUR_MS, MAX_TERM_MS),
        "tracks": Table(_track, high=MAX_TRACKS, key=Name()),
        "kinds": Table(Name(), high=MAX_KINDS, key=Label()),
    },
    {"de_facto": _de_facto},
)
"""The form of a document; what its parts must be together is ``faults_of``."""


def faults_of(document: Any) -> Iterator[str]:
    """Yield what is wrong with a document's form: its fields, its size, and the names that it refers to."""
    faults = list(FIELD.faults(document))
    if faults:
        yield from faults
        return
    size = len(codec.encode(document))
    if size > MAX_DOCUMENT_BYTES:  # Q11
        yield f": the document is {size} bytes, at most {MAX_DOCUMENT_BYTES}"
    tracks: Mapping[str, Any] = document["tracks"]
    for name in (ORDINARY, AMENDMENT):
        if name not in tracks:  # Q12
            yield f".tracks: there has to be a track {name}"
    for kind, name in sorted(document["kinds"].items()):
        if name not in tracks:
            yield f".kinds.{kind}: there is no track {name}"
    if document["kinds"].get("amend_constitution", AMENDMENT) != AMENDMENT:  # Q12
        yield f".kinds.amend_constitution: it is on the track {AMENDMENT}"
    yield from _de_facto_faults(document.get("de_facto", {}))
    for name, track in sorted(tracks.items()):
        yield from _track_faults(f".tracks.{name}", track)


def _de_facto_faults(given: Mapping[str, Any]) -> Iterator[str]:
    """A standard that was just gained is not lost by the same figures."""
    gained, lost = Quota(*given.get("gained", GAINED)), Quota(*given.get("lost", LOST))
    if lost[0] * gained[1] > gained[0] * lost[1]:
        yield ".de_facto: lost is at most gained"


def _track_faults(place: str, track: Mapping[str, Any]) -> Iterator[str]:
    classes, at_least = track["pass"].get("classes", {}), track["pass"].get("at_least")
    if bool(classes) != (at_least is not None):
        yield f"{place}.pass: classes and at_least go together"
    elif classes and len(classes) < 2:
        yield f"{place}.pass.classes: two constituencies at least, so that no single one decides"
    elif isinstance(at_least, int) and at_least > len(classes):
        yield f"{place}.pass.at_least: {at_least} of {len(classes)} constituencies"
    override = track.get("override")
    if override is not None and override["floor"][0] * 2 > override["floor"][1]:  # Q6
        yield f"{place}.override.floor: at most 1/2"


@dataclass(frozen=True, slots=True)
class Constitution:
    """A document that has the form, ready to decide by."""

    title: str
    central_bank_counts_as: str
    present_ms: int
    tracks: Mapping[str, Track]
    kinds: Mapping[str, str]
    de_facto: Mapping[str, Any] | None = None
    """What it says of standards in use, None for nothing."""

    def track_of(self, kind: str) -> Track:
        """Return the track on which a kind of proposal is decided."""
        if kind == "amend_constitution" and AMENDMENT in self.tracks:
            return self.tracks[AMENDMENT]  # Q12
        return self.tracks[self.kinds.get(kind, ORDINARY)]

    def constituency_of(self, role: str, central_bank: bool) -> str:
        """Return the constituency of a member."""
        return self.central_bank_counts_as if central_bank else role


def constitution_of(document: Mapping[str, Any]) -> Constitution:
    """Return what a document says. It has the form: ``faults_of`` yields nothing."""
    tracks = {name: _track_of(name, track) for name, track in sorted(document["tracks"].items())}
    same = {name: document[name] for name in ("title", "central_bank_counts_as", "present_ms")}
    return Constitution(**same, tracks=tracks, kinds=dict(document["kinds"]), de_facto=document.get("de_facto"))


def _track_of(name: str, document: Mapping[str, Any]) -> Track:
    rule, override = document["pass"], document.get("override")
    classes = {each: Quota(*rule["classes"][each]) for each in CONSTITUENCIES if each in rule.get("classes", {})}
    at_least = rule.get("at_least", 0)
    return Track(
        name=name,
        electorate=document["electorate"],
        total=Quota(*rule["total"]),
        opening=Opening(*document["open_ms"]),
        classes=classes,
        at_least=len(classes) if at_least == "all" else at_least,
        own=rule.get("own", False),
        override=None if override is None else Override(override["after_ms"], Quota(*override["floor"])),
        veto=tuple(document.get("veto", ())),
        not_before_ms=document.get("not_before_ms", 0),
        delay_ms=document.get("delay_ms", 0),
        reasons=tuple(document.get("reason", ())),
    )


FOUNDING: Final = Constitution(
    title="Founding constitution",
    central_bank_counts_as="bank",
    present_ms=180 * DAY_MS,
    tracks={
        ORDINARY: Track(
            name=ORDINARY,
            electorate=VALIDATORS,
            total=TWO_THIRDS,
            opening=Opening(1, 7 * DAY_MS, MAX_OPENING_MS),
            classes={},
        )
    },
    kinds={},
)
"""The rule of a chain whose genesis has no document: more than two thirds of the validators' members (A1, A2)."""
