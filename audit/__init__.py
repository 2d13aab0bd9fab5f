"""Whether to believe it: light client, offline verifier, replay.

Law: imports the ledger and, for replay, the contracts; never the node. Trusts the genesis and nothing else.
"""

from audit.audit import audit, parse_pin
from audit.report import AuditReport, Finding, Level, SourceReport, Verdict
from audit.sources import FileSource, Source, UrlSource, open_source, sources_in

__all__ = [
    "AuditReport",
    "FileSource",
    "Finding",
    "Level",
    "Source",
    "SourceReport",
    "UrlSource",
    "Verdict",
    "audit",
    "open_source",
    "parse_pin",
    "sources_in",
]
