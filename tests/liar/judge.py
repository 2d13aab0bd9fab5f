"""Lying to clients and verifiers, and judging what they make of it.

Law: whatever a node answers, a client says no more than what holds: what it shows as verified is what an honest node
would have shown, or it refuses by one of its own errors; in bounded time and memory, and no honest node is blamed.
"""

from __future__ import annotations

import io
import json
import logging
import re
import time
import tracemalloc
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from random import Random
from typing import Any, Final, TypeAlias

import httpx

from coseal.audit.audit import audit
from coseal.audit.report import Level
from coseal.audit.sources import UrlSource
from coseal.audit.verify import Verification, verify_bytes
from coseal.client import blocking, bundle, reads, session, stream
from coseal.client.blocking import Client
from coseal.client.history import object_history
from coseal.errors import CosealError
from coseal.formats.exporters.chain import read_process
from coseal.formats.exporters.export import export
from tests.liar.lies import OPENED, Answer, Lie, every, places, sampled
from tests.liar.questions import Question
from tests.liar.scene import CASE, DEBTOR, SOURCE, WALLET, Key, Scene
from tests.support.keys import operator

LIAR: Final = "http://127.0.0.1:1"
HONEST: Final = "http://127.0.0.1:2"
SECONDS_MAX: Final = 5.0
_LATER: Final = 75
"""A height of the second epoch, from which an audit may begin."""
_MEMORY_MAX: Final = 64 * 1024 * 1024
_MEASURED_EVERY: Final = 64


@dataclass
class Score:
    """What came of the lies: how many there were by kind and endpoint, and which broke the law."""

    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: int = 0
    harmless: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.told.total()

    def add(self, other: Score) -> None:
        self.told += other.told
        self.refused += other.refused
        self.harmless += other.harmless
        self.broken += other.broken


Document: TypeAlias = tuple[bytes, bytes | None]
"""A document, and the file beside it, if it has one."""


@dataclass(frozen=True)
class Truth:
    """What is proven by honest documents, and which fields each kind of them shows."""

    facts: list[Any]
    fields: dict[str, set[str]]


class Lying(httpx.BaseTransport):
    """Answers as the node does, but for one question, to which the liar gives its lie."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.lie: tuple[Key, Lie] | None = None
        self.asked: dict[Key, None] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        key, answer = self._scene.answer(request)
        self.asked.setdefault(key)
        if self.lie is not None and key == self.lie[0] and str(request.url).startswith(LIAR):
            return httpx.Response(self.lie[1].status, content=self.lie[1].content)
        return httpx.Response(answer.status, content=answer.content)


class Judge:
    """Knows what is true; lies as often as it is asked to, each time by the seed."""

    def __init__(self, scene: Scene, make: Callable[[Scene], dict[str, Question]], *, quick: bool = False) -> None:
        self.scene = scene
        self._quick = quick
        self.questions = make(scene)
        self._true_before = {name: self._outcome(one, Lying(scene)) for name, one in self.questions.items()}
        self._documents_before = self._honest_documents()
        scene.go_on()
        self.documents = self._honest_documents()
        """A document of every kind that ``coseal verify`` takes."""
        self._true: dict[str, Any] = {}
        self._asked: dict[str, tuple[Key, ...]] = {}
        self._read: dict[Key, None] = {}
        for name, question in self.questions.items():
            transport = Lying(scene)
            self._true[name] = self._outcome(question, transport)
            self._asked[name] = tuple(transport.asked)
            if self._true[name][0] != "says":
                raise AssertionError(f"{name}: {self._true[name]}")

    def lie_about(self, name: str, count: int, seed: int = 0) -> Score:
        """Lie ``count`` times in answer to a question of the SDK."""
        score, keys = Score(), self._asked[name]
        for number, key in enumerate(keys):
            share = count // len(keys) + (number < count % len(keys))
            old, other = self._others(key, Random(f"{name} {number}"))
            for lie in sampled(self.scene.now[key], Random(f"{seed} {name} {number}"), share, old=old, other=other):
                score.told[lie.kind, key.route] += 1
                self._judge(score, name, key, lie)
        return score

    def is_misled_about(self, name: str) -> bool:
        """Say whether any lie on top of any answer to a question breaks the law."""
        score = Score()
        for number, key in enumerate(self._asked[name]):
            random = Random(f"{name} {number}")
            old, other = self._others(key, random)
            for lie in every(self.scene.now[key], random, 1, old=old, other=other):
                score.told[lie.kind, key.route] += 1
                self._judge(score, name, key, lie)
                if score.broken:
                    return True
        return False

    def _judge(self, score: Score, name: str, key: Key, lie: Lie) -> None:
        turn = score.count % 4
        floor, two = (0, False) if turn == 0 else (self.scene.world.height, turn == 1)
        transport = Lying(self.scene)
        transport.lie = (key, lie)
        began, measured = time.process_time(), not self._quick and score.count % _MEASURED_EVERY == 0
        if measured:
            tracemalloc.start()
        outcome = self._outcome(self.questions[name], transport, floor=floor, two=two)
        peak = tracemalloc.get_traced_memory()[1] if measured else 0
        if measured:
            tracemalloc.stop()
        seconds = time.process_time() - began
        score.refused += outcome[0] == "refuses"
        score.harmless += outcome[0] == "says"
        what = ""
        if outcome[0] == "fails" or (outcome[0] == "says" and not self._holds(name, outcome[1], floor)):
            what = f"{outcome[0]} {str(outcome[1])[:300]}"
        elif outcome[2]:
            what = f"blames an honest node: {outcome[2]}"
        elif seconds > SECONDS_MAX * (5 if measured else 1):
            what = f"takes {seconds:.1f} s"
        elif peak > _MEMORY_MAX:
            what = f"takes {peak} bytes"
        if what:
            score.broken.append(f"{name}: {lie} in {key.method} {key.path} ({lie.status}): {what}")

    def _holds(self, name: str, said: Any, floor: int) -> bool:
        """Say whether it is true now, or of a client that has seen nothing yet, was true at the block it names."""
        if said == self._true[name][1]:
            return True
        if floor:
            return False
        blocks = self.scene.world.chain.blocks
        if name == "latest block":
            return any(said == one.encode() for one in blocks)
        if name.startswith("stream"):
            return bool(said == self._true[name][1][: len(said)])
        return bool(said == self._true_before[name][1])

    def _outcome(
        self, question: Question, transport: Lying, *, floor: int = 0, two: bool = False
    ) -> tuple[str, Any, str]:
        urls = [LIAR, HONEST] if two else [LIAR]
        who = "regulator/admin"
        with Client(urls, self.scene.genesis, signer=operator("regulator"), sender=who, transport=transport) as asking:
            asking.session.height = floor
            try:
                said: tuple[str, Any] = ("says", question(asking))
            except CosealError as error:
                said = ("refuses", type(error).__name__)
            except Exception as error:
                said = ("fails", repr(error))
            return (*said, asking.distrusted.get(HONEST, ""))

    def _others(self, key: Key, random: Random) -> tuple[list[Answer], list[Answer]]:
        """Return the answers of before to a question, and some to other questions."""
        now, before = self.scene.now, self.scene.before
        old = [before[key]] if key in before and before[key] != now[key] else []
        alike = [answer for other, answer in now.items() if other != key and other.route == key.route]
        others = alike + random.sample(list(now.values()), min(4, len(now)))
        return old, others

    # Documents

    def _honest_documents(self) -> dict[str, Document]:
        made = self.scene.documents()
        with Client([HONEST], self.scene.genesis, transport=Lying(self.scene)) as asking:
            made |= {"bundle": bundle.collect(asking, CASE), "bundle of a source": bundle.collect(asking, SOURCE)}
            made |= {"object-history": object_history(asking, *CASE)[0], "decision": asking.decision("B1").document}
            made |= {"decision, only raw": _only_raw(made["decision"])}
            made |= {"wallet-statement": asking.statement(WALLET).document}
            made |= {"wallet-statement of months": asking.statement(WALLET, first="2023-11").document}
            made |= {"trade-proof": asking.unpledged("R1").document}
            absent = asking.unregistered("city", "I-9", "2026-03-31", 100)
            made |= {"trade-proof of an invoice": absent.document}
            made |= {"dossier": asking.dossier(DEBTOR, formulas=("payment",), months=12).document}
            made |= {"dossier of a month": asking.dossier(DEBTOR, formulas=(), months=1).document}
        found: dict[str, Document] = {name: (json.dumps(document).encode(), None) for name, document in made.items()}
        shown, data = self.scene.exported()
        return found | {"export": (json.dumps(shown).encode(), data)}

    def lie_in(self, documents: Mapping[str, Document], count: int, seed: int = 0) -> Score:
        """Alter the documents, and the files beside them, ``count`` times in all."""
        score, true = Score(), self._truth()
        for number, (name, (raw, beside)) in enumerate(documents.items()):
            random = Random(f"{seed} {name}")
            share = count // len(documents) + (number < count % len(documents))
            old, other = self._other_documents(name)
            for lie in sampled(Answer(raw), random, share, old=old, other=other):
                if lie.kind == "status":
                    continue
                score.told[lie.kind, f"verify {name.partition(',')[0]}"] += 1
                self._judge_document(score, name, lie, (lie.content, beside), true)
            for lie in sampled(Answer(beside), random, share // 4) if beside is not None else ():
                score.told[lie.kind, f"file of {name}"] += 1
                self._judge_document(score, name, lie, (raw, lie.content), true)
        return score

    def is_misled_by(self, documents: Mapping[str, Document]) -> bool:
        """Say whether any lie on top of any of the documents breaks the law."""
        score, true = Score(), self._truth()
        for name, (raw, beside) in documents.items():
            old, other = self._other_documents(name)
            for lie in every(Answer(raw), Random(name), 2, old=old, other=other):
                self._judge_document(score, name, lie, (lie.content, beside), true)
                if score.broken:
                    return True
        return False

    def _other_documents(self, name: str) -> tuple[list[Answer], list[Answer]]:
        before = self._documents_before.get(name)
        kind = name.partition(" ")[0]
        known = self.documents
        alike = [raw for key, (raw, _) in known.items() if key != name and key.startswith(kind)]
        others = [raw for key, (raw, _) in known.items() if not key.startswith(kind)]
        other = [Answer(raw) for raw in alike + others[:1]]
        return ([] if before is None else [Answer(before[0])]), other

    def _truth(self) -> Truth:
        """Return what the documents prove, and show: also those of before, which a liar may give whole."""
        truth = Truth([], {})
        for raw, beside in (*self.documents.values(), *self._documents_before.values()):
            result = self._verified(raw, beside)
            if not result.ok:
                raise AssertionError(result.reason)
            truth.facts.append(_facts(result))
            truth.fields.setdefault(result.kind, set()).update(_fields(json.loads(raw)))
        return truth

    def _judge_document(self, score: Score, name: str, lie: Lie, document: Document, true: Truth) -> None:
        raw, beside = document
        began = time.process_time()
        try:
            result = self._verified(raw, beside)
            result.to_json()
        except Exception as error:
            score.broken.append(f"{name}: {lie}: fails {error!r}")
            return
        score.refused += not result.ok
        score.harmless += result.ok
        if result.ok and _facts(result) not in true.facts:
            score.broken.append(f"{name}: {lie}: proves {result.reason}")
        elif result.ok and (unknown := set(_fields(json.loads(raw))) - true.fields[result.kind]):
            score.broken.append(f"{name}: {lie}: takes unknown fields {sorted(unknown)}")
        elif not result.reason or result.exit_code not in (0, 1, 2):
            score.broken.append(f"{name}: {lie}: says nothing")
        elif time.process_time() - began > SECONDS_MAX:
            score.broken.append(f"{name}: {lie}: takes long")

    def _verified(self, raw: bytes, beside: bytes | None) -> Verification:
        return verify_bytes(raw, self.scene.genesis, None if beside is None else lambda name: beside)

    # Whole chains

    def lie_to_auditor(self, count: int, seed: int = 0) -> Score:
        """Lie to an audit over HTTP, alone and beside an honest node, and to an export."""
        score, random = Score(), Random(f"{seed} audit")
        for first in (1, _LATER):
            true = self._audited([self._source(LIAR, None)], first)
            if true.verdict.value != "ok":
                raise AssertionError(true)
        blocks = self.scene.world.chain.blocks
        data = export(read_process(self._source(LIAR, None), self.scene.genesis, "t"), "csv", "case").data
        keys = list(self._read)
        for number, key in enumerate(keys):
            share = count // len(keys) + (number < count % len(keys))
            old, other = self._others(key, random)
            for lie in sampled(self.scene.now[key], random, share, old=old, other=other):
                score.told[lie.kind, f"audit {key.route}"] += 1
                what = ""
                began = time.process_time()
                try:
                    what = self._audit_lied_to(key, lie, score.count, blocks, data)
                except Exception as error:
                    what = f"fails {error!r}"
                if not what and time.process_time() - began > SECONDS_MAX:
                    what = "takes long"
                if what:
                    score.broken.append(f"audit: {lie} in {key.path} ({lie.status}): {what}")
                else:
                    score.refused += 1
        return score

    def _audit_lied_to(self, key: Key, lie: Lie, turn: int, blocks: Sequence[Any], data: bytes) -> str:
        liar = self._source(LIAR, (key, lie))
        first = 1 if turn % 2 else _LATER
        if turn % 3 == 0:
            try:
                found = export(read_process(liar, self.scene.genesis, "t", len(blocks)), "csv", "case").data
            except CosealError:
                return ""
            return "" if found == data else "exports what is not on the chain"
        honest = [self._source(HONEST, None)] if turn % 3 == 1 else []
        report = self._audited([liar, *honest], first)
        at = blocks[report.last - 1].block.hash.hex() if report.last else None  # of no block it says so
        if report.verdict.value == "ok" and report.head_hash != at:
            return f"says ok of block {report.head_hash} at height {report.last}"
        if honest and report.verdict.value == "ok" and report.last != len(blocks):
            return f"says ok though an honest node has {len(blocks)} blocks and not {report.last}"
        blamed = [one for one in report.sources if one.name == HONEST and one.status not in ("ok", "behind")]
        return f"blames an honest node: {blamed}" if blamed else ""

    def _audited(self, sources: Sequence[UrlSource], first: int) -> Any:
        return audit(sources, self.scene.genesis, Level.MERKLE, first=first)

    def _source(self, url: str, lie: tuple[Key, Lie] | None) -> UrlSource:
        source = UrlSource(url)
        source._opener = _Opener(self.scene, lie, self._read)  # type: ignore[assignment]
        return source


class _Opener:
    """What ``urllib`` opens, answered by the scene."""

    def __init__(self, scene: Scene, lie: tuple[Key, Lie] | None, read: dict[Key, None]) -> None:
        self._scene, self._lie, self._read = scene, lie, read

    def open(self, request: Any, timeout: float) -> Any:
        asked = httpx.Request("GET", request.full_url, headers={"Accept": request.headers["Accept"]})
        key, answer = self._scene.answer(asked)
        self._read.setdefault(key)
        status, content = answer.status, answer.content
        if self._lie is not None and key == self._lie[0]:
            status, content = self._lie[1].status, self._lie[1].content
        if not 200 <= status < 300:
            raise urllib.error.HTTPError(request.full_url, status, "", Message(), io.BytesIO(content))
        return io.BytesIO(content)


def _facts(result: Verification) -> Any:
    """Return what a document proves, in an order of its own."""
    facts = json.loads(json.dumps(result.facts))
    for name in ("findings", "obligations"):
        if name in facts:
            facts[name] = sorted(facts[name], key=lambda one: json.dumps(one, sort_keys=True))
    facts |= {"rules_in_force": sorted(facts["rules_in_force"])} if "rules_in_force" in facts else {}
    words = [sorted(re.split("[,:;] ", step.detail)) for step in result.steps]
    return result.kind, json.dumps([facts, words], sort_keys=True)


def _only_raw(decision: Any) -> Any:
    """Return a decision whose values are shown by their raw form alone."""
    single = {name: {"raw": decision[name]["raw"]} for name in ("ballot", "subject", "next_constitution", "members")}
    return {**decision, **single, "votes": [{"raw": vote["raw"]} for vote in decision["votes"]]}


def _fields(document: Any) -> Iterator[str]:
    """Yield the path of every field of a document, whichever item of a list it is in."""
    for path in places(document, into_raw=False):
        if OPENED not in path:
            yield ".".join("[]" if type(step) is int else str(step) for step in path)


class Clock:
    """A clock that a pause puts forward: nobody waits, and every deadline comes."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._skipped += seconds

    def time_ns(self) -> int:
        return time.time_ns()


@contextmanager
def without_waiting() -> Iterator[None]:
    """Let clients not wait between two tries, and not log what each lie was."""
    modules, clock, log = (blocking, reads, session, stream), Clock(), logging.getLogger("coseal")
    was = log.disabled
    log.disabled = True
    for module in modules:
        vars(module)["time"] = clock
    try:
        yield
    finally:
        log.disabled = was
        for module in modules:
            vars(module)["time"] = time
