"""A log against a process model: which cases the model has, and in what the others differ.

Law: no network is needed and none is asked; a case is judged by its activities in the log's order alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from coseal.client.alignment import Aligner, Alignment, Deviation
from coseal.contracts.process.chain import objects_of
from coseal.contracts.supervision.findings import CASE_RULE
from coseal.errors import BadAnswer, CosealError
from coseal.formats.importers.log import Log, read_bytes
from coseal.formats.importers.model import Net
from coseal.ledger.errors import LedgerError
from coseal.ledger.strict_json import strict_json

if TYPE_CHECKING:
    from coseal.client.blocking import Client

FORMAT: Final = "coseal-conformance/1"
MAX_REASON: Final = 4_000


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case and its best alignment; None if that took too many states."""

    case: str
    events: tuple[str, ...]
    alignment: Alignment | None

    @property
    def deviations(self) -> list[str]:
        """What is extra and what is missing, in words."""
        return [] if self.alignment is None else [said(each, self.events) for each in self.alignment.deviations]


@dataclass(frozen=True, slots=True)
class Conformance:
    """What a model says of the objects of one type in a log.

    ``shortest`` is how many activities the shortest run of the model has; ``unknown`` are activities of the log that
    the model does not have.
    """

    object_type: str
    cases: tuple[CaseResult, ...]
    shortest: int | None
    unknown: tuple[str, ...]

    @property
    def deviating(self) -> tuple[CaseResult, ...]:
        """The cases that the model does not have."""
        return tuple(one for one in self.cases if one.alignment is not None and one.alignment.cost)

    @property
    def undetermined(self) -> tuple[CaseResult, ...]:
        """The cases that took too many states."""
        return tuple(one for one in self.cases if one.alignment is None)

    @property
    def fitness(self) -> tuple[int, int] | None:
        """Deviations, and the most that there could be: none of 0 to all of the events and of the shortest runs.

        The fitness of the log is 1 - the first by the second (van der Aalst 2012).
        """
        if self.shortest is None:
            return None
        judged = [one for one in self.cases if one.alignment is not None]
        return (
            sum(one.alignment.cost for one in judged if one.alignment is not None),
            sum(len(one.events) + self.shortest for one in judged),
        )


def traces(items: Iterable[Mapping[str, Any]], object_type: str) -> dict[str, list[str]]:
    """Return the activities of each object of a type, in the order of the items; objects without events have none."""
    found: dict[str, list[str]] = {}
    for item in items:
        if "event" in item:
            for kind, name in objects_of(item):
                if kind == object_type:
                    found.setdefault(name, []).append(str(item["type"]))
    return found


def conform(net: Net, log: Log, object_type: str, note: Callable[[int, int], None]) -> Conformance:
    """Align every object of a type with a model; each way through the process once. ``note(done, all)``: progress."""
    by_object = traces(log.items, object_type)
    variants = sorted({tuple(events) for events in by_object.values()})
    aligner = Aligner(net)
    found: dict[tuple[str, ...], Alignment | None] = {}
    for done, variant in enumerate(variants, 1):
        found[variant] = aligner.align(variant)
        note(done, len(variants))
    shortest = aligner.align(())
    known = set(net.activities)
    return Conformance(
        object_type,
        tuple(CaseResult(name, tuple(events), found[tuple(events)]) for name, events in by_object.items()),
        None if shortest is None else shortest.cost,
        tuple(sorted({event for variant in variants for event in variant} - known)),
    )


def said(deviation: Deviation, events: tuple[str, ...]) -> str:
    """Return a deviation in words."""
    if deviation.kind == "extra":
        return f"event {deviation.at + 1}, {deviation.activity}: the model does not have it here"
    if deviation.at < len(events):
        return f"before event {deviation.at + 1}, {events[deviation.at]}: {deviation.activity} is missing"
    return f"at the end: {deviation.activity} is missing"


def only_type(log: Log, named: str | None) -> str:
    """Return the object type to align: the one named, or the only one of the log that events name."""
    counted = {kind for item in log.items if "event" in item for kind, _ in objects_of(item)}
    if named is None and len(counted) == 1:
        return next(iter(counted))
    if named not in counted:
        raise CosealError(
            "the log has events of several object types"
            if named is None
            else f"no event names an object of type {named}",
            f"--object-type: one of {', '.join(sorted(counted))}",
        )
    return named


# Reports


def report(found: Conformance, model: Path, log: Path) -> dict[str, Any]:
    """Return what was found as a document that names the model, the log and the release it was made with."""
    fitness = found.fitness
    return {
        "format": FORMAT,
        "tool": f"coseal {version('coseal')}",
        "model": {"file": model.name, "sha256": _digest(model)},
        "log": {"file": log.name, "sha256": _digest(log)},
        "object_type": found.object_type,
        "cases": len(found.cases),
        "fitness": None if fitness is None else {"deviations": fitness[0], "of": fitness[1]},
        "unknown_activities": list(found.unknown),
        "undetermined": [one.case for one in found.undetermined],
        "deviating": [{"case": one.case, "deviations": one.deviations} for one in found.deviating],
    }


@dataclass(frozen=True, slots=True)
class ReportedCase:
    """A case that deviates, and in what."""

    case: str
    deviations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A report that was read from a file; ``sha256`` is of the file."""

    sha256: str
    tool: str
    model_sha256: str
    object_type: str
    cases: tuple[ReportedCase, ...]

    def arguments(
        self, case: ReportedCase, process_type: str, subject: str, severity: str, basis: Sequence[str]
    ) -> dict[str, Any]:
        """Return the arguments of ``supervision.open_case`` about a case."""
        text = f"{self.tool}, model {self.model_sha256}: {'; '.join(case.deviations)}"
        return {
            "process_type": process_type,
            "object_type": self.object_type,
            "object": case.case,
            "subject": subject,
            "severity": severity,
            "reason": text if len(text) <= MAX_REASON else f"{text[: MAX_REASON - 1]}…",
            "legal_basis": list(basis),
            "evidence": [self.sha256],
        }


def read_report(path: Path) -> Report:
    """Return the report in a file; raise ``BadAnswer`` if it is none."""
    raw = read_bytes(path)
    try:
        document = strict_json(raw)
        if document["format"] != FORMAT:
            raise ValueError(document["format"])
        cases = tuple(
            ReportedCase(str(row["case"]), tuple(map(str, row["deviations"]))) for row in document["deviating"]
        )
        tool, model, kind = document["tool"], document["model"]["sha256"], document["object_type"]
        return Report(sha256(raw).hexdigest(), str(tool), str(model), str(kind), cases)
    except (LedgerError, ValueError, KeyError, TypeError):
        raise BadAnswer(f"{path}: no report of `coseal rules conform --report`", "make it again") from None


def opened_by(client: Client, read: Report, process_type: str, case: str) -> bool:
    """Return whether a finding about a case is open that has this report as its evidence."""
    named = {"process_type": process_type, "object_type": read.object_type, "object": case, "rule": CASE_RULE}
    for finding in client.get("/v1/findings", **named)["findings"]:
        if finding["status"] != "closed":
            steps = client.get(f"/v1/findings/{finding['id']}")["finding"]["steps"]
            if any(read.sha256 in part for step in steps for part in step if isinstance(part, list)):
                return True
    return False


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
