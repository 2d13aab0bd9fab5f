"""Reading a log file of any known format, and checking it as the ledger will.

Law: what this returns, the process contract accepts; so a bad file is refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from contracts.process_items import Unfit, schema_of
from contracts.process_types import DEFINE_TYPE, definition_hash, normalised
from coseal.errors import CosealError
from coseal.importers import mapping as maps
from coseal.importers.csv_log import read_csv
from coseal.importers.log import Findings, Log
from coseal.importers.ocel_json import read_ocel_json

FORMATS: Final[Mapping[str, Callable[[Path, maps.Mapping], Log]]] = {"csv": read_csv, "ocel-json": read_ocel_json}
_ENDINGS: Final = {".csv": "csv", ".json": "ocel-json", ".jsonocel": "ocel-json"}


def read_log(path: Path, mapping: maps.Mapping, format: str | None = None) -> Log:
    """Read a file; ``format`` is told by its name if None. Raises ``BadLog`` with everything that is wrong."""
    name = format or _ENDINGS.get(path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix)
    if name is None or name not in FORMATS:
        raise CosealError(f"{path}: which format is it?", f"say --format {' or '.join(FORMATS)}")
    log = FORMATS[name](path, mapping)
    _check(path, log)
    return log


def _check(path: Path, log: Log) -> None:
    findings = Findings()
    refused = DEFINE_TYPE.validate(log.definition)
    if refused is not None:
        findings.add(refused.code, "process type", refused.detail)
        findings.require_none(path)
    definition = normalised(log.definition)
    schema = schema_of({**definition, "definition": definition_hash(definition).hex()}, log.source.get("zone_minutes"))
    for item in log.items:
        try:
            schema.read(item)
        except Unfit as error:
            kind = next(key for key in ("event", "object", "change", "relation") if key in item)
            findings.add("does_not_fit", f"{kind} {item[kind]}{str(error).partition(':')[0]}", str(error))
    findings.require_none(path)
