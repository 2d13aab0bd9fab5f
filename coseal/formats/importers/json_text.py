"""JSON as the importers read it: strict, and without losing a digit.

Law: a key that stands twice, NaN, bad UTF-8 and bad syntax are findings; a number that is no integer keeps its text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from coseal.contracts.process.cloudevents import Number
from coseal.formats.importers.log import BadLog, Findings, read_text


def parse(text: str, findings: Findings, path: str = "") -> Any:
    """Return the value of a JSON text, None with a finding if it is none; ``path`` begins the findings' paths."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            findings.add("duplicate_key", path + twice[:64], "one JSON object has this key twice")
        return result

    def constant(literal: str) -> Any:
        findings.add("bad_value", path + literal, "not a JSON number")

    def integer(digits: str) -> int | Number:
        return Number(digits) if digits == "-0" else int(digits)

    try:
        return json.loads(
            text, parse_float=Number, parse_int=integer, parse_constant=constant, object_pairs_hook=unique
        )
    except (ValueError, RecursionError) as error:
        findings.add("not_json", path, str(error))
        return None


def parse_object(path: Path, findings: Findings, expected: str) -> dict[str, Any]:
    """Return a file's one JSON object; raise ``BadLog`` if it holds something else."""
    document = parse(read_text(path), findings)
    if type(document) is not dict:
        if not findings.all():
            findings.add("not_ocel", "", expected)
        raise BadLog(path, findings.all())
    return document
