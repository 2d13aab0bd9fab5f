"""``python -m bench.decoding``: microseconds that a transaction takes to be decoded, by the Python and the native half.

Both are taken in turn, so that what others do on the machine strikes both; the quickest of nine counts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

from coseal.ledger import codec
from coseal.ledger.native import NATIVE, CoreProblem, choose
from coseal.node.start import software_version

ROUNDS: Final = 9
SIZES: Final = {"1 event": (1, 10_000), "a batch of 100": (100, 400)}


def main() -> int:
    """Print a line for each size."""
    try:
        core = choose(NATIVE, software_version())
    except CoreProblem as problem:
        print(problem.reason, file=sys.stderr)
        return 1
    for name, (events, times) in SIZES.items():
        data = codec.encode(_transaction(events))
        pairs = [(_us(codec.decode_plain, data, times), _us(core.decode, data, times)) for _ in range(ROUNDS)]
        python, native = (min(each) for each in zip(*pairs, strict=True))
        ratio = sorted(native / python for python, native in pairs)[ROUNDS // 2]
        print(f"{name:16} {len(data):6} bytes  Python {python:6.1f} us  native {native:6.1f} us  ratio {ratio:.2f}")
    return 0


def _us(decode: Callable[[bytes], Any], data: bytes, times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        decode(data)
    return (time.process_time() - began) / times * 1e6


def _transaction(events: int) -> list[Any]:
    items = [
        {
            "attributes": {"amount": number * 100, "article": 7, "paymentAmount": 365},
            "id": f"event-{number}",
            "objects": [["fine", f"A{number}", ""]],
            "time": "2006-08-02T00:00:00.000Z",
            "type": "Payment",
        }
        for number in range(events)
    ]
    args = {"items": items, "sequence": 1, "source": "bank-a/fines"}
    return ["transaction", 1, bytes(32), "bank-a/admin", "process", "record", 1, 2, bytes(32), args, bytes(64)]


if __name__ == "__main__":
    sys.exit(main())
