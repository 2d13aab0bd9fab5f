"""The arguments of an action: from the words and the JSON file of a command line, and checked before they are signed.

Law: what is sent is what was written: a value is JSON where the action takes it as that, else the text itself. What
the chain would refuse whatever its state is refused here, with everything that is wrong, by the chain's own checks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

from coseal.client.contracts import contracts, versions_of
from coseal.contracts.kernel.action import Rejected
from coseal.contracts.registry import CONTRACTS
from coseal.errors import BadArguments, CosealError
from coseal.ledger.errors import LedgerError
from coseal.ledger.strict_json import strict_json

Check: TypeAlias = Callable[[Mapping[str, Any]], Rejected | None]

MAX_FAULTS: Final = 50
"""How many faults are named; more are one mistake made many times."""
_MAX_BYTES: Final = 1 << 20


def require_valid(contract: str, action: str, args: Mapping[str, Any]) -> None:
    """Raise ``BadArguments`` with all faults of an action's arguments.

    An action that this software does not know is left to the chain, which may run newer rules.
    """
    found: list[Rejected] = []
    for known in versions_of(contract, action):
        found = list(islice(known.arguments.refusals(args), MAX_FAULTS + 1))
        if not found:
            return
    if not found:
        return
    details = [refusal.detail for refusal in found[:MAX_FAULTS]]
    if found[MAX_FAULTS:]:
        details.append(f"and more: only the first {MAX_FAULTS} faults are shown")
    hint = f"nothing was signed; `coseal actions {contract}.{action}` says what it takes"
    raise BadArguments(found[0].code, details, hint)


def parse_action(text: str) -> tuple[str, str]:
    """Return (contract, action) of CONTRACT.ACTION; raise ``CosealError`` listing what there is."""
    contract, dot, action = text.partition(".")
    known = contracts()
    if not dot or not contract or not action:
        raise CosealError(f"{text!r}: expected CONTRACT.ACTION", f"contracts: {', '.join(known)}")
    if contract not in known:
        raise CosealError(f"no contract {contract!r}", f"choose one of {', '.join(known)}")
    if action not in known[contract].actions:
        raise CosealError(f"{contract} has no action {action!r}", f"it has {', '.join(known[contract].actions)}")
    return contract, action


def parse_arguments(contract: str, action: str, words: Sequence[str], data: Path | None) -> dict[str, Any]:
    """Return the arguments: the JSON object of ``data`` (``-``: stdin), over it every ``key=value``.

    ``key:=value`` is always JSON. ``key=value`` is text, unless the action takes only the JSON it may be read as
    (``version=1``, ``object_types={...}``).
    """
    args, texts = _given(words, data)
    return _typed(contracts()[contract].actions[action].arguments.check, "args", args, texts)


def parse_subject(kind: str, words: Sequence[str], data: Path | None) -> dict[str, Any]:
    """Return the subject of a proposal of this kind, written as arguments are."""
    subject, texts = _given(words, data)

    def check(given: Mapping[str, Any]) -> Rejected | None:
        proposal = {"id": "any", "kind": kind, "subject": given}
        return CONTRACTS["governance"].actions["propose"].arguments.check(proposal)

    return _typed(check, "args.subject", subject, texts)


def _given(words: Sequence[str], data: Path | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what is given, and of it the texts that words gave."""
    args = {} if data is None else _read(data)
    texts: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key.strip(":"):
            raise CosealError(f"{word!r}: expected key=value, or key:=JSON")
        if key.endswith(":"):
            args[key[:-1]] = _json(value, key[:-1])
        else:
            args[key] = texts[key] = value
    return args, texts


def _typed(check: Check, where: str, args: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    """Turn the texts that the action refuses into the JSON they spell, one at a time."""
    for _ in texts:
        refused = check(args)
        if refused is None:
            break
        named = [key for key in texts if f"{where}.{key}:" in refused.detail and type(args[key]) is str]
        for key in named:
            try:
                args[key] = strict_json(texts[key])
            except LedgerError:
                return args  # the chain's own refusal says it best
    return args


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = sys.stdin.buffer.read(_MAX_BYTES + 1) if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise CosealError(f"{path}: {error.strerror}", "--data wants a JSON file, or - for standard input") from None
    if len(raw) > _MAX_BYTES:
        raise CosealError(f"{path}: more than {_MAX_BYTES} bytes", "a transaction holds at most 256 KiB")
    value = _json(raw, str(path))
    if type(value) is not dict:
        raise CosealError(f"{path}: expected a JSON object of arguments")
    return value


def _json(raw: str | bytes, what: str) -> Any:
    try:
        return strict_json(raw, what)
    except LedgerError as error:
        raise CosealError(error.reason) from None
