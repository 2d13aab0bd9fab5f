"""Evidence that is on the ledger: whether it is there.

Law: what is found here was there when the argument was sealed; nothing of it is looked into.

contracts/certification/README.md, P5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.certification.state import certificate_key
from coseal.contracts.kernel.action import Reader
from coseal.contracts.policy.state import instrument_key
from coseal.contracts.process.state import object_key, source_key
from coseal.contracts.standards.state import standard_key
from coseal.contracts.supervision.state import finding_key

_DIGITS: Final = frozenset("0123456789")
_MAX_DIGITS: Final = 15


def is_known(reader: Reader, reference: Sequence[str]) -> bool:
    """Say whether the ledger has what a reference names."""
    match list(reference):
        case ["object", process_type, object_type, name]:
            return reader.get(object_key(process_type, object_type, name)) is not None
        case ["item", member, source, number]:
            record: Any = reader.get(source_key(f"{member}/{source}"))
            return record is not None and 0 < _number(number) <= record["sequence"]
        case ["finding", name]:
            return reader.get(finding_key(name)) is not None
        case ["certificate", name]:
            return reader.get(certificate_key(name)) is not None
        case ["policy", name]:
            return reader.get(instrument_key(name)) is not None
        case ["standard", name, version]:
            return _number(version) > 0 and reader.get(standard_key(name, _number(version))) is not None
        case _:
            return False


def _number(text: str) -> int:
    """Return a number without leading zeros, 0 for any other text."""
    written = 0 < len(text) <= _MAX_DIGITS and _DIGITS.issuperset(text) and text[0] != "0"
    return sum((ord(digit) - ord("0")) * 10**place for place, digit in enumerate(reversed(text))) if written else 0
