"""Lies about an answer, made from its structure: every place of a JSON or MessagePack document, altered in every way.

Law: the lies of an answer follow from the answer, what else is at hand, and the seed; each names its kind and place, so
that it can be made again. Nothing here knows who reads the answer: clients, verifiers and pages are all lied to by it.

    for lie in sampled(answer, Random(7), 200, old=[answer_of_yesterday], other=[answer_of_another_key]):
        serve(lie.status, lie.content)
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import msgpack

OPENED: Final = "<raw>"
"""The step of a path into bytes, or base64, that hold MessagePack themselves."""
_DROP: Final = object()
_MEMBER: Final = "certified_by_all"
_DEPTH_MAX: Final = 24

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Answer:
    """What a node answers: the status and the body. What the body's form is, is seen by trying."""

    content: bytes
    status: int = 200


@dataclass(frozen=True)
class Lie:
    """An altered answer; ``kind`` is one of ``KINDS``, ``place`` the path of what was altered."""

    kind: str
    place: str
    content: bytes
    status: int = 200

    def __str__(self) -> str:
        return f"{self.kind} at {self.place or 'the whole answer'}"


# Documents


def parsed(content: bytes) -> tuple[str, Any]:
    """Return ("json" | "msgpack" | "bytes", the value)."""
    if content[:1] in (b"{", b"["):
        try:
            return "json", json.loads(content)
        except (ValueError, RecursionError):
            pass
    value = _unpacked(content)
    return ("msgpack", value) if value is not None else ("bytes", content)


def written(form: str, value: Any) -> bytes:
    """Return the body that a value makes in a form."""
    if form == "json":
        return json.dumps(value, ensure_ascii=False, default=lambda raw: raw.hex()).encode("utf-8", "surrogatepass")
    return _packed(value) if form == "msgpack" else bytes(value)


def places(value: Any, *, into_raw: bool = True) -> list[Path]:
    """Return the path of every member of a document, containers before what they hold; the document itself is ()."""
    found: list[Path] = []
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, one = waiting.pop()
        found.append(path)
        if len(path) < _DEPTH_MAX:
            waiting += [((*path, step), child) for step, child in _children(one, into_raw=into_raw)]
    return found


def at(value: Any, path: Path) -> Any:
    """Return what stands at a path; raise ``LookupError``."""
    for step in path:
        value = _opened(value) if step == OPENED else value[step]
        if value is None and step == OPENED:
            raise LookupError(path)
    return value


def put(value: Any, path: Path, new: Any) -> Any:
    """Return a copy of ``value`` with ``new`` at a path (left out, if that is what ``new`` says)."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if step == OPENED:
        inside = put(_opened(value), rest, new)
        return _closed(value, inside)
    if isinstance(value, dict):
        copy: Any = dict(value)
    else:
        copy = list(value)
    if rest:
        copy[step] = put(copy[step], rest, new)
    elif new is _DROP:
        del copy[step]
    else:
        copy[step] = new
    return copy


# Alterations: each takes (random, document, path) and returns the altered document, or None if it does not apply.

Alter = Callable[[Random, Any, Path], Any]


def _delete(random: Random, document: Any, path: Path) -> Any:
    return put(document, path, _DROP) if path and path[-1] != OPENED else None


def _null(random: Random, document: Any, path: Path) -> Any:
    return put(document, path, None) if path and at(document, path) is not None else None


def _other_type(random: Random, document: Any, path: Path) -> Any:
    value = at(document, path)
    choices: list[Any] = [0, 1, "x", "", True, [], {}, [value], {"x": value}, -1, 2**63, 1.5]
    if type(value) is int:
        choices += [str(value), float(value), bool(value)]
    if type(value) is str:
        choices += [len(value), [*value[:3]]]
    return put(document, path, random.choice([one for one in choices if type(one) is not type(value)]))


def _other_value(random: Random, document: Any, path: Path) -> Any:
    value = at(document, path)
    if type(value) is bool:
        return put(document, path, not value)
    if type(value) is int:
        others = (value + 1, value - 1, 0, -value, 2**63 - 1, value * 2, 1)
        return put(document, path, random.choice([one for one in others if one != value and one < 2**63]))
    if type(value) in (str, bytes):
        return put(document, path, _another_text(random, value))
    if type(value) in (list, dict) and value:
        return put(document, path, type(value)())
    return None


def _another_text(random: Random, value: Any) -> Any:
    if not value:
        return "x" if type(value) is str else b"x"
    at_, end = random.randrange(len(value)), value[:0]
    piece = value[at_ : at_ + 1]
    if type(value) is bytes:
        flipped = bytes([piece[0] ^ (1 << random.randrange(8))])
        return random.choice((value[:at_] + flipped + value[at_ + 1 :], value + b"\0", value[:-1]))
    flipped_text = ("1" if piece == "0" else "0") if piece in "0123456789abcdef" else piece.swapcase()
    if flipped_text == piece:
        flipped_text = "~"
    others = (
        value[:at_] + flipped_text + value[at_ + 1 :],
        value + "x",
        value.upper() if value.upper() != value else value + " ",
        "../" + value,
        value + "\u2028\x1b[31m<b>",
        value + "\ud800",
        value * (1 + 4_000 // len(value)),
        end,
    )
    return random.choice(others)


def _neighbour(random: Random, document: Any, path: Path) -> Any:
    """Exchange a member with another of its container, one of the same type if there is one."""
    if not path or path[-1] == OPENED:
        return None
    around, step = at(document, path[:-1]), path[-1]
    steps = list(around) if isinstance(around, dict) else list(range(len(around)))
    others = [other for other in steps if other != step and around[other] != around[step]]
    alike = [other for other in others if type(around[other]) is type(around[step])]
    if not others:
        return None
    other = random.choice(alike or others)
    exchanged = around.copy()
    exchanged[step], exchanged[other] = around[other], around[step]
    return put(document, path[:-1], exchanged)


def _truncate(random: Random, document: Any, path: Path) -> Any:
    value = at(document, path)
    if type(value) not in (list, str, bytes) or not value:
        return None
    return put(document, path, value[: random.randrange(len(value))])


def _duplicate(random: Random, document: Any, path: Path) -> Any:
    value = at(document, path)
    if type(value) is not list or not value:
        return None
    one = random.randrange(len(value))
    return put(document, path, [*value[: one + 1], *value[one:]])


def _reorder(random: Random, document: Any, path: Path) -> Any:
    value = at(document, path)
    if type(value) is not list or len(value) < 2:
        return None
    shuffled = list(reversed(value)) if random.random() < 0.5 else random.sample(value, len(value))
    return put(document, path, shuffled) if shuffled != value else None


def _unknown(random: Random, document: Any, path: Path) -> Any:
    """Add a member that nobody asked for."""
    value = at(document, path)
    extra: Any = random.choice((1, "x", None, True, [], {"x": 1}))
    if isinstance(value, dict):
        return put(document, path, {**value, _MEMBER: extra})
    if isinstance(value, list):
        return put(document, path, [*value, random.choice([extra, *value[-1:]])])
    return None


_ALTERATIONS: Final[dict[str, Alter]] = {
    "delete": _delete,
    "null": _null,
    "type": _other_type,
    "value": _other_value,
    "swap": _neighbour,
    "truncate": _truncate,
    "duplicate": _duplicate,
    "reorder": _reorder,
    "unknown": _unknown,
}
KINDS: Final = (*_ALTERATIONS, "forge", "replay", "substitute", "bytes", "status")
"""The kinds of lies. ``forge`` alters what ``raw`` holds and leaves out what shows it; ``replay`` takes an older
answer, or a part of one; ``substitute`` an answer about something else; ``bytes`` and ``status`` alter the body as
bytes and the status of the answer."""
_OF_A_DOCUMENT: Final = ("coseal", "version", "raw", "handovers")
_PLACED: Final = (*_ALTERATIONS, "forge", "replay")
_STATUSES: Final = (200, 201, 204, 301, 400, 401, 404, 409, 410, 422, 429, 500, 502, 503)


def sampled(
    answer: Answer, random: Random, count: int, *, old: Sequence[Answer] = (), other: Sequence[Answer] = ()
) -> Iterator[Lie]:
    """Yield ``count`` lies about an answer, all kinds in turn; fewer if its structure does not give as many.

    ``old``: valid answers of the same question from before; ``other``: valid answers of other questions.
    """
    form, document = parsed(answer.content)
    found = places(document) if form != "bytes" else []
    paths = {kind: _by_depth(path for path in found if _may(kind, document, path)) for kind in _PLACED}
    made, tries = 0, 0
    kinds = [
        kind for kind in KINDS if kind not in ("replay", "substitute") or {"replay": old, "substitute": other}[kind]
    ]
    while made < count and tries < 8 * count:
        kind = kinds[tries % len(kinds)]
        tries += 1
        where = paths.get(kind, paths["replay"])
        lie = _lie(kind, answer, form, document, where, random, old if kind == "replay" else other)
        if lie is not None and (lie.content, lie.status) != (answer.content, answer.status):
            made += 1
            yield lie


def every(
    answer: Answer, random: Random, depth: int, *, old: Sequence[Answer] = (), other: Sequence[Answer] = ()
) -> Iterator[Lie]:
    """Yield a lie of each kind for every place of an answer down to ``depth``, with each of the other answers."""
    form, document = parsed(answer.content)
    if form == "bytes":
        return
    paths = [path for path in places(document, into_raw=False) if len(path) <= depth]
    for kind in (*_ALTERATIONS, "replay", "substitute"):
        pool = {"replay": old, "substitute": other}.get(kind, ())
        for path in paths:
            made = [_part_of(kind, answer, form, document, path, source) for source in pool]
            if kind in _ALTERATIONS:
                made.append(_altered(kind, form, document, path, random))
            for lie in made:
                if lie is not None and lie.content != answer.content:
                    yield replace(lie, status=answer.status)


def _may(kind: str, document: Any, path: Path) -> bool:
    """Say whether an alteration of this kind can make anything else of what stands at a path."""
    if kind in ("duplicate", "reorder"):
        value = at(document, path)
        return type(value) is list and len(value) > (kind == "reorder")
    if kind == "forge":
        return path[-1:] == ("raw",) and _opened(at(document, path)) is not None
    return kind != "unknown" or type(at(document, path)) in (list, dict)


def _by_depth(paths: Iterable[Path]) -> list[list[Path]]:
    """Return places by how deep they stand: a document has few on top, which say the most, and many below."""
    groups: dict[int, list[Path]] = {}
    for path in paths:
        groups.setdefault(len(path), []).append(path)
    return list(groups.values())


def _lie(
    kind: str,
    answer: Answer,
    form: str,
    document: Any,
    paths: Sequence[Sequence[Path]],
    random: Random,
    pool: Sequence[Answer],
) -> Lie | None:
    if kind == "status":
        status = random.choice([one for one in _STATUSES if one != answer.status])
        return Lie(kind, str(status), random.choice((answer.content, b"", b"{}", b'{"code": 7}')), status)
    if kind == "bytes":
        return Lie(kind, "", _spoilt(random, answer.content), answer.status)
    if kind in ("replay", "substitute"):
        return _from_elsewhere(kind, answer, form, document, paths, random, random.choice(pool))
    if not paths:
        return None
    path = random.choice(random.choice(paths))
    lie = _forged(form, document, path, random) if kind == "forge" else _altered(kind, form, document, path, random)
    return None if lie is None else replace(lie, status=answer.status)


def _altered(kind: str, form: str, document: Any, path: Path, random: Random) -> Lie | None:
    altered = _ALTERATIONS[kind](random, document, path)
    return None if altered is None else Lie(kind, place_text(path), written(form, altered))


def _forged(form: str, document: Any, path: Path, random: Random) -> Lie | None:
    """Alter a place inside of a ``raw``, and leave the fields out that would show what it held."""
    around = at(document, path[:-1])
    inside = _opened(around["raw"])
    where = random.choice(random.choice(_by_depth(places(inside)[1:])))
    changed = random.choice((_other_value, _neighbour, _delete, _duplicate))(random, inside, where)
    if changed is None:
        return None
    kept = {name: around[name] for name in _OF_A_DOCUMENT if name in around}
    bare = {**(kept if "coseal" in kept else around), "raw": _closed(around["raw"], changed)}
    return Lie("forge", place_text((*path, OPENED, *where)), written(form, put(document, path[:-1], bare)))


def _from_elsewhere(
    kind: str, answer: Answer, form: str, document: Any, paths: Sequence[Sequence[Path]], random: Random, source: Answer
) -> Lie | None:
    """Give another answer as this one, or a part of it in the place of the same part."""
    if random.random() < 0.25 or not paths:
        return Lie(kind, "", source.content, source.status)
    return _part_of(kind, answer, form, document, random.choice(random.choice(paths)), source)


def _part_of(kind: str, answer: Answer, form: str, document: Any, path: Path, source: Answer) -> Lie | None:
    try:
        part = at(parsed(source.content)[1], path)
    except (LookupError, TypeError):
        return None
    return Lie(kind, place_text(path), written(form, put(document, path, part)), answer.status)


def _spoilt(random: Random, content: bytes) -> bytes:
    position = random.randrange(len(content) + 1)
    spoilt = (
        content[:position],
        content[:position] + bytes([random.randrange(256)]) + content[position + 1 :],
        content + b" x",
        b"",
        b"<html>not a node</html>",
        b"[" * 100_000,
        b'{"a":' * 5_000,
        b"\xdd\xff\xff\xff\xff",
        b"null",
        b"[]",
        b"{}",
        b"1e400",
        b"9" * 5_000,
        b"\xff\xfe",
    )
    return random.choice(spoilt)


def place_text(path: Path) -> str:
    """Return a path as text: ``items[3].item.event``."""
    text = "".join(f"[{step}]" if type(step) is int else f".{step}" for step in path)
    return text.removeprefix(".")


# Encodings inside encodings


def _children(value: Any, *, into_raw: bool) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
    elif into_raw and (inside := _opened(value)) is not None:
        yield OPENED, inside


def _opened(value: Any) -> Any:
    """Return the list or map that bytes, or base64 text, hold as MessagePack; None if they hold none."""
    if type(value) is str and len(value) > 40:
        try:
            value = base64.b64decode(value, validate=True)
        except (ValueError, binascii.Error):
            return None
    if type(value) is not bytes or not value:
        return None
    inside = _unpacked(value)
    return inside if isinstance(inside, list | dict) and inside else None


def _closed(outside: Any, inside: Any) -> Any:
    raw = _packed(inside)
    return base64.b64encode(raw).decode() if type(outside) is str else raw


def _unpacked(data: bytes) -> Any:
    if data[:1] < b"\x80":
        return None  # a small number or text is no document
    try:
        return msgpack.unpackb(data, raw=False, strict_map_key=False)
    except Exception:
        return None


def _packed(value: Any) -> bytes:
    """Return MessagePack as ``ledger.codec`` writes it, map keys in order; what it cannot hold, as MessagePack can."""
    try:
        return bytes(msgpack.packb(_ordered(value), use_bin_type=True))
    except (ValueError, OverflowError, TypeError):
        return b"\xc1"


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=str)}
    return [_ordered(one) for one in value] if isinstance(value, list) else value
