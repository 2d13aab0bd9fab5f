"""What `coseal contract check` says of a contract: its form, its text, and what came of trying it.

Law: it finds mistakes, not malice; each line says what was looked at, and what could not be is called so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from coseal.contracts.installed import GROUP, imports, sources
from coseal.contracts.installed.loading import folder_of, load, package_of
from coseal.contracts.installed.sources import BadContract
from coseal.contracts.kernel.budget import TRANSACTION_STEPS
from coseal.contracts.kernel.contract import Contract
from coseal.errors import CosealError
from coseal.kit import static
from coseal.kit.drive import Tried, digest, drive
from coseal.kit.shown import Shown
from coseal.kit.trial import ChangedInPlace
from coseal.ledger import codec
from coseal.ledger.genesis import Sources

OK, WARN, BAD, UNSEEN = "ok", "warn", "bad", "not checked"
MANY_STEPS: Final = TRANSACTION_STEPS // 10
_PYTHONS: Final = ("python3.11", "python3.12", "python3.13", "python3.14")
_TIMEOUT_S: Final = 300


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at: ``ok``, ``warn``, ``bad`` or ``not checked``, and of what in words."""

    check: str
    verdict: str
    text: str


@dataclass(slots=True)
class Report:
    """What is known of one contract; ``sources`` is None if it cannot be loaded."""

    package: str
    folder: Path
    sources: Sources | None = None
    lines: list[Line] = field(default_factory=list)
    costs: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By action: the steps of its example, and of the costliest transaction that was tried."""
    contract: Contract | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is bad."""
        return all(line.verdict != BAD for line in self.lines)


@dataclass(frozen=True, slots=True)
class Offer:
    """A package that offers a contract under ``attribute``."""

    package: str
    attribute: str
    folder: Path


def offers(what: str) -> list[Offer]:
    """Return the contracts of a project's folder, or the installed ones of that name; raise ``CosealError``."""
    path = Path(what)
    try:
        found = list(_of_project(path) if path.is_dir() else _installed(what))
    except (BadContract, tomllib.TOMLDecodeError, OSError) as error:
        raise CosealError(f"{what}: {error}") from None
    if not found:
        hint = f'a project has [project.entry-points."{GROUP}"] in its pyproject.toml; `coseal contract new` makes one'
        raise CosealError(f"{what}: no folder of a contract, and no contract of that name is installed", hint)
    return found


def _of_project(path: Path) -> Iterator[Offer]:
    file = path / "pyproject.toml"
    if not file.is_file():
        return
    points = tomllib.loads(file.read_text("utf-8")).get("project", {}).get("entry-points", {}).get(GROUP, {})
    for value in points.values():
        package, attribute = package_of(value)
        places = [path / package, path / "src" / package]
        yield Offer(package, attribute, next((place for place in places if place.is_dir()), places[0]))


def _installed(name: str) -> Iterator[Offer]:
    for point in metadata.entry_points(group=GROUP):
        if name in (point.name, point.name.rpartition("-")[0]):
            package, attribute = package_of(point.value)
            yield Offer(package, attribute, folder_of(package))


def check_all(offers: Sequence[Offer], *, python: str | None = None) -> list[Report]:
    """Look at each offer, and at each version beside those before it that are offered too."""
    reports = [check(offer, python=python) for offer in offers]
    for report in reports:
        report.lines += _beside(report, [other for other in reports if other is not report])
    return reports


def _beside(report: Report, others: Sequence[Report]) -> Iterator[Line]:
    """See that a version keeps the tables of those before it, and is a version of its own."""
    if report.sources is None or report.contract is None:
        return
    tables = {table.name: table.structure for table in report.contract.tables}
    for other in others:
        if other.sources is None or other.contract is None or other.sources.name != report.sources.name:
            continue
        if other.sources.version == report.sources.version:
            yield Line("successor", BAD, f"{other.package} is version {other.sources.version} as well")
        for table in other.contract.tables if other.sources.version < report.sources.version else ():
            if tables.get(table.name, table.structure) != table.structure:  # W13
                text = f"the table {table.name} is another than in {other.package}: give it another name"
                yield Line("successor", BAD, text)


def check(offer: Offer, *, python: str | None = None) -> Report:
    """Look at everything; ``python`` is another interpreter to replay with, besides those on the path."""
    report = Report(offer.package, offer.folder)
    say = report.lines.append
    try:
        files = sources.read(offer.folder)
    except BadContract as error:
        say(Line("sources", BAD, str(error)))
        return report
    wrong = imports.check(offer.package, files)
    report.lines += [Line("imports", BAD, str(each)) for each in wrong]
    found = static.check(files)
    report.lines += [Line("text", BAD if each.severe else WARN, str(each)) for each in found]
    if not wrong:
        say(Line("imports", OK, "the pure standard library, coseal.contracts.kernel and .rules alone"))
    if not found:
        say(Line("text", OK, "no float, hash(), order of a set, state of its own or open loop that a text shows"))
    if wrong:
        return report
    if str(offer.folder.parent) not in sys.path:
        sys.path.insert(0, str(offer.folder.parent))
    try:
        report.sources, contract = load(offer.package, offer.attribute, offer.folder)
        report.contract = contract
    except BadContract as error:
        say(Line("form", BAD, str(error)))
        return report
    say(Line("form", OK, f"{contract.name} version {contract.version}, {len(contract.actions)} actions"))
    report.lines += _fields(contract)
    try:
        tried, shown = drive(contract)
    except ChangedInPlace as error:
        say(Line("trial", BAD, str(error)))
    except Exception as error:
        say(Line("trial", BAD, f"the frame could not hold it: {type(error).__name__}: {error}"))
    else:
        report.lines += _trial(tried)
        report.lines += _shown(contract, shown)
        report.lines += _costs(report, tried)
        report.lines += _replays(offer, digest(tried), python)
    return report


def _fields(contract: Contract) -> Iterator[Line]:
    """See that each action's example passes and comes back from the encoding and JSON, its schema from JSON."""
    wrong: list[str] = []
    for name, action in contract.actions.items():
        example: Any = dict(action.example)
        refused = action.arguments.check(example)
        if refused is not None:
            wrong.append(f"{name}: its example is refused: {refused.detail}")
        elif codec.decode_own(codec.encode(example)) != example or json.loads(json.dumps(example)) != example:
            wrong.append(f"{name}: its example is another after the encoding or JSON")
        schema = action.arguments.json_schema()
        if json.loads(json.dumps(schema)) != schema:
            wrong.append(f"{name}: its schema is another after JSON")
        if not action.title:
            wrong.append(f"{name}: has no title")
    if wrong:
        yield from (Line("schemas", BAD, text) for text in wrong)
    else:
        yield Line("schemas", OK, "every example passes; examples and schemas come back from the encoding and JSON")


def _trial(tried: list[Tried]) -> Iterator[Line]:
    wrong = [each for each in tried if each.wrong]
    for each in wrong[:20]:
        yield Line("trial", BAD, f"{each.action}, {each.field or 'its example'}: {each.wrong}")
    examples = [each for each in tried if not each.field and each.code != "ok"]
    for each in examples:
        yield Line(
            "trial", WARN, f"{each.action}: its example is refused on an empty state: {each.code}, {each.detail}"
        )
    if not wrong:
        yield Line("trial", OK, f"{len(tried)} transactions with every value at and beyond the bounds of every field")


def _shown(contract: Contract, shown: Shown) -> Iterator[Line]:
    """See that rows, events and lists came of the trial without a fault; nodes contain one, and show less."""
    if not (contract.rows or contract.events or contract.lists):
        return
    wrong = list(dict.fromkeys(shown.faults))
    yield from (Line("shown", BAD, text) for text in wrong[:20])
    rows = sum(len(shown.rows(table.name)) for table in contract.tables)
    if not wrong:
        counts = f"rows: {rows}, events: {len(shown.events)}, lists: {len(contract.lists)}"
        yield Line("shown", OK, f"{counts}; each is shown as index, stream and pages show it")


def _costs(report: Report, tried: list[Tried]) -> Iterator[Line]:
    for each in tried:
        if each.steps:
            first, most = report.costs.get(each.action, (each.steps, 0))
            report.costs[each.action] = (first, max(most, each.steps))
    many = {name: most for name, (_, most) in report.costs.items() if most > MANY_STEPS}
    for name, most in many.items():
        yield Line("cost", WARN, f"{name} took {most} of {TRANSACTION_STEPS} steps")
    if not many:
        most = max((most for _, most in report.costs.values()), default=0)
        yield Line("cost", OK, f"at most {most} of {TRANSACTION_STEPS} steps a transaction")


def _replays(offer: Offer, expected: str, python: str | None) -> Iterator[Line]:
    """Run the same in other processes: another PYTHONHASHSEED, and other releases of Python that have coseal."""
    for seed in ("1", "4242"):
        yield _replayed(offer, expected, sys.executable, seed, f"PYTHONHASHSEED={seed}", BAD)
    own = "python{}.{}".format(*sys.version_info[:2])
    others = [path for name in _PYTHONS if name != own and (path := shutil.which(name)) is not None]
    lines = [
        _replayed(offer, expected, path, "1", Path(path).name, UNSEEN if path != python else BAD)
        for path in [*([python] if python else []), *others]
    ]
    seen = [line for line in lines if line.verdict != UNSEEN]
    text = "another release of Python: none at hand that has coseal (--python)"
    yield from seen or [Line("replay", UNSEEN, text)]


def _replayed(offer: Offer, expected: str, python: str, seed: str, name: str, otherwise: str) -> Line:
    command = [python, "-m", "coseal.kit.drive", str(offer.folder.resolve()), offer.attribute]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Line("replay", otherwise, f"{name}: {error}")
    if done.returncode:
        return Line("replay", otherwise, f"{name}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    if done.stdout.strip() != expected:
        return Line("replay", BAD, f"{name}: receipts or state differ: something depends on the process")
    return Line("replay", OK, f"{name}: the same receipts and state")
