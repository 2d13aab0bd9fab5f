"""Every event that node or signer log is in the tables of docs/observability.md, with its levels and fields."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from coseal.node.core.journal import Verdict
from coseal.node.core.journal_writer import _ABOUT
from coseal.node.fault_injection import FaultInjection
from coseal.node.telemetry.logs import _Output

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "observability.md").read_text("utf-8")
Said = tuple[str, str, frozenset[str]]


def documented(first_column: str) -> dict[str, tuple[set[str], set[str]]]:
    """Return levels and fields by event, from the table whose first column has this head."""
    rows = PAGE.partition(f"| {first_column} | level | fields | meaning |\n")[2].splitlines()[1:]
    found = {}
    for row in rows:
        if not row.startswith("|"):
            break
        events, levels, fields, _ = (cell.strip() for cell in row.strip("|").split("|", 3))
        for event in re.findall(r"`(\w+)`", events):
            found[event] = (set(levels.split(", ")), set(re.findall(r"`(\w+)`", fields)))
    return found


def said(path: Path) -> Iterator[Said]:
    """Yield (event, level, fields) of every call of a logger, and every ``Noticed``, in a source file."""
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func)
        fields = frozenset("exception" if one.arg == "exc_info" else one.arg for one in call.keywords if one.arg)
        first = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if name.rpartition(".")[2] == "Noticed":
            severe = any(one.arg == "severe" for one in call.keywords)
            yield str(first), "error" if severe else "warning", frozenset({"text"})
        elif name == "self._tell":
            yield str(first), "warning", fields
        elif "log" in name:
            yield from ((str(first), level, fields) for level in re.findall(r"\.(debug|info|warning|error)\b", name))


def collected(paths: list[Path]) -> dict[str, tuple[set[str], set[str]]]:
    found: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for path in paths:
        for event, level, fields in said(path):
            found[event][0].add(level)
            found[event][1].update(fields)
    # Three are not written out where they are said: the journal's verdict, the signer's `_tell`, the injected faults.
    found.pop("None")
    return dict(found)


def test_every_event_of_the_node_is_in_the_table_with_its_levels_and_fields() -> None:
    paths = [path for path in (ROOT / "node").rglob("*.py") if path.name != "signer.py"]
    found = collected(paths)
    assert len(found) > 35
    for verdict, (_, severe) in _ABOUT.items():
        found[f"journal_{verdict.value}"] = ({"error" if severe else "warning"}, {"text"})
    found["fault_injection"][1].update(FaultInjection.model_fields)
    table = documented("event")
    joint = {"loop", "library"}  # one row
    assert {event: row for event, row in found.items() if event not in joint} == {
        event: row for event, row in table.items() if event not in joint
    }
    assert set.union(*(found[event][1] for event in joint)) == table["loop"][1] == table["library"][1]


def test_every_verdict_on_a_journal_but_good_ones_has_an_event() -> None:
    assert set(_ABOUT) == set(Verdict) - {Verdict.INTACT}


def test_every_event_of_the_signer_is_in_its_table_with_its_levels_and_fields() -> None:
    assert collected([ROOT / "node" / "signing" / "signer.py"]) == documented("event of the signer")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('_log.info("a", height=1, **more)', ("a", "info", {"height"})),
        ('_log.error("a", exc_info=error)', ("a", "error", {"exception"})),
        ('structlog.get_logger("x").error("a", text=text)', ("a", "error", {"text"})),
        ('shell.Noticed("a", text, severe=True)', ("a", "error", {"text"})),
        ('self._tell("a", pid=1)', ("a", "warning", {"pid"})),
        ('(_log.error if severe else _log.warning)("a", text=text)', ("a", "error warning", {"text"})),
        ('print("a")', None),
    ],
)
def test_the_reader_of_the_sources_sees_what_is_logged(
    tmp_path: Path, source: str, expected: tuple[str, str, set[str]] | None
) -> None:
    (tmp_path / "one.py").write_text(source)
    found = list(said(tmp_path / "one.py"))
    levels = [] if expected is None else expected[1].split()
    assert found == [(expected[0], level, frozenset(expected[2])) for level in levels if expected is not None]


def test_a_log_that_cannot_be_written_ends_nothing_and_counts_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk takes a part of a line, then nothing; when there is room again, the log says what it lacks."""
    written, room = bytearray(), 20

    def write(descriptor: int, data: memoryview) -> int:
        nonlocal room
        taken = min(room, len(data), 10)
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        room -= taken
        written.extend(data[:taken])
        return taken

    monkeypatch.setattr(os, "write", write)
    output = _Output(2)

    def log(event: str) -> None:
        output.write(json.dumps(output.count(None, "info", {"event": event})) + "\n")

    log("a")
    log("b")
    log("c")
    room = 1_000
    log("d")
    log("e")
    whole = [json.loads(line) for line in written.decode().splitlines() if line.endswith("}")]
    assert whole == [{"event": "a"}, {"event": "d", "lines_lost": 2}, {"event": "e"}]
