"""Checking without believing: one document, or a whole chain.

Law: only the genesis is trusted; the answer is the auditor's (``audit``), unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coseal.audit.audit import Progress, audit, parse_pin
from coseal.audit.report import AuditReport, Level
from coseal.audit.sources import Source, UrlSource, sources_in
from coseal.audit.verify import Verification, verify_bytes, verify_document, verify_file
from coseal.client.connection import trusted_genesis
from coseal.client.transactions import Committed
from coseal.errors import CosealError
from coseal.formats.exporters.chain import read_process
from coseal.formats.exporters.export import FORMATS, Export
from coseal.formats.exporters.export import export as export_record
from coseal.ledger.genesis import Genesis


def verify(
    document: Committed | Mapping[str, Any] | bytes | str | Path, *, genesis: Genesis | Path | str | bytes | None = None
) -> Verification:
    """Verify a receipt, or any document that proves something, offline; see docs/spec/audit.md, One document.

    ``document``: what ``submit`` returned, a parsed document, its bytes, or the path of its file. ``genesis``: as
    for ``coseal.connect``, but not a chain id. Look at ``ok`` of what it returns, ``reason`` in words, ``facts``
    that are proven. Raises ``CosealError`` for a genesis that cannot be used, never for what a document holds.

    >>> committed = client.submit("membership", "set_profile", {"name": "Regulator"})
    >>> coseal.verify(committed, genesis=genesis).ok
    True
    >>> document = committed.document()
    >>> document["receipt"]["ok"] = False
    >>> coseal.verify(document, genesis=genesis).ok
    False
    """
    path = Path(document) if isinstance(document, (str, Path)) else None
    trusted = trusted_genesis(genesis)
    if path is not None:
        return verify_file(path, trusted)
    if isinstance(document, bytes):
        return verify_bytes(document, trusted)
    if isinstance(document, Committed):
        return verify_document(document.document(), trusted)
    if isinstance(document, Mapping):
        return verify_document(dict(document), trusted)
    raise CosealError(f"a {type(document).__name__} is no document", "give a receipt, a mapping, bytes or a path")


def audit_chain(
    places: str | Path | Sequence[str | Path],
    *,
    genesis: Genesis | Path | str | bytes | None = None,
    level: str | None = None,
    first: int = 1,
    last: int | None = None,
    pin: str | None = None,
    token: str | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Audit the chain without trusting any node, and say what was found and what must still be believed.

    ``places``: URLs of nodes, folders of nodes or networks, or archives; several are compared. ``level``: ``headers``,
    ``certificates``, ``merkle`` or ``replay`` (default, unless ``first`` is above 1). ``first``, ``last``: heights.
    ``pin``: HEIGHT:HASH known to be right. ``progress(height, goal)`` is called on the way. Raises ``CosealError``
    for a question that makes no sense, never for what a node does: that is in the report.

    >>> report = coseal.audit_chain(url, genesis=genesis, level="replay")
    >>> report.ok, report.verdict.value
    (True, 'ok')
    """
    given = [places] if isinstance(places, (str, Path)) else list(places)
    folders = [Path(place) for place in given if not _is_url(place)]
    trusted = trusted_genesis(genesis, folders[0] / "genesis.json" if folders else None)
    chosen = level or ("replay" if first == 1 else "merkle")
    try:
        sources: list[Source] = [UrlSource(str(place), token=token) for place in given if _is_url(place)]
        for folder in folders:
            if not folder.exists():
                raise CosealError(f"{folder}: no such folder", "give a network's or node's folder, or a URL")
            sources += sources_in(folder)
        at = None if pin is None else parse_pin(pin)
        return audit(sources, trusted, Level.of(chosen), first=first, last=last, pin=at, progress=progress)
    except ValueError as error:
        raise CosealError(str(error)) from None


def export(
    url: str,
    format: str,
    *,
    genesis: Genesis | Path | str | bytes | None = None,
    process_type: str | None = None,
    object_type: str | None = None,
    height: int | None = None,
    recorded: bool = False,
    token: str | None = None,
    progress: Progress | None = None,
) -> Export:
    """Return all that is recorded of a process, read from a node's blocks and verified from the genesis on.

    ``format``: ``ocel-json``, ``ocel-sqlite``, ``ocel-xml``, ``xes``, ``csv`` or ``parquet``; XES and CSV hold the
    cases of one ``object_type``. ``process_type`` and ``object_type`` may be left out if there is only one.
    ``height``: up to this block, the tip by default; the same height gives the same ``data``. Corrections stand in the
    place of what they correct; ``recorded``: they are items of their own.
    ``facts["leaves_out"]`` counts what the format cannot hold. Raises ``BadAnswer`` for blocks that do not hold,
    ``Unreachable``, ``CosealError`` for an unknown process or format.

    >>> made = coseal.export(url, "csv", genesis=genesis, process_type="orders")
    >>> made.facts["items"]
    1
    """
    if format not in FORMATS:
        raise CosealError(f"no format {format!r}", f"choose one of {', '.join(FORMATS)}")
    try:
        source = UrlSource(url, token=token)
    except ValueError as error:
        raise CosealError(str(error)) from None
    record = read_process(source, trusted_genesis(genesis), process_type, height, progress)
    return export_record(record, format, object_type, recorded=recorded)


def _is_url(place: str | Path) -> bool:
    return isinstance(place, str) and place.startswith(("http://", "https://"))
