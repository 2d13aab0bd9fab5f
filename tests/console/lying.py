"""A console before a node that lies: pages rendered in process from a real node's answers, one of which is altered.

Law: whatever one answer becomes, a page is shown; what it seals as verified is what it seals so when nobody lies; and
where another node is honest, the page loses nothing by the liar. ``python -m tests.console.lying COUNT [SEED]`` tells
so many lies and prints what is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import html.parser
import itertools
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final
from unittest import mock

import httpx

from coseal.console import page as console_page
from coseal.console.app import application
from coseal.console.console import Console
from coseal.console.nodes import Address
from coseal.console.page_data import PageData
from coseal.contracts.registry import CAPABILITIES
from coseal.demo import policies
from coseal.node.http.app import create_app
from coseal.node.http.context import Settings
from coseal.node.index.index import Index
from tests.console.forging import forged
from tests.liar.lies import KINDS, Answer, Lie, sampled
from tests.node.http.world import READER, READING, World
from tests.support.certification import Data
from tests.support.disclosure import OWNER, Custody
from tests.support.genesis import make_genesis
from tests.support.panelled import WHOLE, Panelled, review
from tests.support.supervised import Story

BASE: Final = "http://127.0.0.1"
NOW_NS: Final = 1_701_814_600_000_000_000
# "#together" ends the path of a page whose state is read in one question, as it is while blocks are committed.
PATHS: Final = (
    "/members#together",
    "/processes/t/cases/case/c2#together",
    "/supervision/findings/F2#together",
    "/policy/table1#together",
    "/",
    "/blocks",
    "/blocks/9",
    "/policies",
    "/policies/table1/01",
    "/policies/table1/02?height=54",
    "/policy/figures",
    "/policy/figures?proof=each",
    "/policy/coordination",
    "/policy/table1",
    "/processes",
    "/processes/t",
    "/processes/t?type=*&by=median",
    "/processes/t?activity=Check",
    "/processes/t/variants",
    "/processes/t/times",
    "/processes/t/cases",
    "/processes/t/cases?order=longest&before=Create&after=Check",
    "/processes/t/cases?case=c1",
    "/processes/t/cases/case/c1",
    "/processes/t/cases/case/c2",
    "/search?q=notice",
    "/search?q=c",
    "/lists/objects?sort=list.-0&type=case",
    "/supervision",
    "/supervision/figures?by=both",
    "/supervision/findings",
    "/supervision/findings/F2",
    "/supervision/findings/F3",
    "/supervision/findings/F6",
    "/supervision/rules",
    "/supervision/rules/R-ONCE",
    "/supervision/sources",
    "/supervision/sources/enterprise-a/live",
    "/supervision/duties",
    "/members",
    "/members/enterprise-a",
    "/governance",
    "/governance/second-protocol",
    "/constitution",
    "/ballots",
    "/ballots/B1",
    "/evidence",
    "/projects",
    "/projects#together",
    "/projects/clearing",
    "/projects/clearing#together",
    "/disclosure",
    "/disclosure/vaults/bank-a/loans",
    "/disclosure/vaults/bank-a/loans#together",
    "/processes/loans/cases/loan/L1",
    "/disclosure/requests",
    "/disclosure/requests/regulator/r1",
    "/disclosure/accesses/bank-a",
    "/trade/credit/enterprise-a",
    "/trade/credit/enterprise-a#together",
    "/lists",
    "/lists/questions",
    "/lists/findings?order=newest&severity=warning",
    "/lists/holds/record?process_type=t&object_type=case&object=c2",
)
REVIEWERS: Final = {
    **{f"{member}/admin": ["2.2"] for member in ("regulator", "city", "central-bank", "bank-a")},
    "institute-a/admin": ["6.3"],
}
RETAIN_MS: Final = 60_000
MILESTONE: Final = {"object": ["t", "case", "c1"], "event": "Decide", "members": ["city"]}
TRANCHE: Final = {"amount": 10_000, "funder": "public-a", "milestone": MILESTONE}
_FOLLOWING: Final = ("/v1/status", "/v1/headers", "/v1/validators")
_ALLOWED: Final = frozenset({200, 404, 502, 503})
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


# The honest node, and what it answers


@dataclass
class Told:
    """The answers of the honest node by question, those it gave some blocks earlier, and its pages."""

    world: World
    answers: dict[str, Answer] = field(default_factory=dict)
    older: dict[str, Answer] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=dict)
    older_height: int = 0
    pages: dict[str, Seen] = field(default_factory=dict)
    followed: Console | None = None


def question_of(request: httpx.Request) -> str:
    """Return what is asked, without how new the answer must be."""
    params = sorted((name, value) for name, value in request.url.params.multi_items() if name != "min_height")
    query = "&".join(f"{name}={value}" for name, value in params)
    return f"{request.url.raw_path.partition(b'?')[0].decode()}?{query} {request.headers.get('accept', '')}"


@contextlib.asynccontextmanager
async def told_world() -> AsyncIterator[Told]:
    """Make a node whose chain has something for every page, and record all that the console asks of it."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(console_page.time, "time_ns", return_value=NOW_NS):
        world = World(Path(folder), genesis=make_genesis("door", capabilities=CAPABILITIES))
        Story(world.chain).tell()
        world.index.stop()
        world.app.close()
        world.index = Index(Path(folder) / "told.sqlite", world.genesis.chain_id, world.read_block)
        world.index.start(world.height)
        world.app = create_app(world, Settings(tokens=(READER,)))
        try:
            await _more(world)
            _refuse(world)
            _seal(world)
            told = Told(world)
            await _record(told)
            told.older, told.answers, told.asked, told.older_height = told.answers, {}, {}, world.height
            await _latest(world)
            await _record(told)
            yield told
        finally:
            world.close()


async def _more(world: World) -> None:
    proposal = {"id": "second-protocol", "kind": "protocol_version", "subject": {"version": 2, "height": 2_000_000}}
    reading = {"member": "enterprise-a", "purpose": "A loan", "legal_basis": "external: consent of 3 March"}
    await world.commit(
        world.sign("credit.consult", reading, sender="city"),
        world.sign("policy.record", policies.table1(), sender="regulator"),
        world.sign("governance.propose", proposal, sender="bank-a"),
    )


def _refuse(world: World) -> None:
    """Have a panel refuse a project, since all but one of it hold a piece of evidence for refuted."""
    scene = Panelled(chain=world.chain, reviewers=REVIEWERS)
    about = {"title": "Clearing", "scheme": "rationality", "kind": "public_chain", "framework_sha256": "cd" * 32}
    scene.ok("enterprise-a", "apply", project="clearing", tranches=[TRANCHE], **about)
    scene.argue(WHOLE)
    assert scene.seal(WHOLE).ok
    scene.ok("regulator", "admit", project="clearing")
    scene.drawn().seated()
    first = scene.panel[0]

    def judge(name: str) -> Data:
        return {**review(), "dissent": "It held"} if name == first else review(Load_Test="refuted")

    scene.commit(judge).reveal(judge).decided("refused")
    _feed(world)


def _seal(world: World) -> None:
    """Have a vault armed, two batches sealed of which one is erased, and an opening of the other requested."""
    custody = Custody(world.chain, retentions={"loan": RETAIN_MS})
    custody.armed()
    custody.define()
    custody.ok(OWNER, "process.record", **custody.batch(1))
    custody.wait(RETAIN_MS)
    custody.ok(OWNER, "process.record", **custody.batch(3))
    custody.ok(OWNER, "define_audience", vault="loans", audience="readers", members=["city"])
    scope = [{"number": 2, "sequences": [3], "labels": ["price"]}]
    custody.ok("regulator", "request", **custody.asking(scope=scope))
    _feed(world)


def _feed(world: World) -> None:
    for committed in world.chain.blocks[world.index.height :]:
        world.index.feed(committed)


async def _latest(world: World) -> None:
    """Change something of all that pages show, so that older answers differ."""
    await world.commit(world.profile("changed"))
    await world.commit(world.sign("certification.pledge", {"project": "clearing", "tranche": 1}, sender="public-a"))
    await world.commit(world.sign("governance.vote", {"ballot": "second-protocol", "choice": "no"}, sender="regulator"))
    objection = {"by": "regulator", "request": "r1", "reason": "One would do"}
    await world.commit(world.sign("disclosure.object", objection, sender=OWNER))
    await world.commit(world.sign("supervision.acknowledge", {"finding": "F3", "note": "now"}, sender="regulator"))
    await world.commit()


async def _record(told: Told) -> None:
    transport = httpx.ASGITransport(app=told.world.app, client=("127.0.0.1", 4_000))
    for path in PATHS:
        asked: list[str] = []

        async def keep(request: httpx.Request, asked: list[str] = asked) -> httpx.Response:
            response = await transport.handle_async_request(request)
            content = await response.aread()
            question = question_of(request)
            asked.append(question)
            told.answers[question] = Answer(content, response.status_code)
            return httpx.Response(response.status_code, content=content)

        console = Console(
            told.world.genesis, [Address("liar", "http://liar", READING)], port=1, transport=httpx.MockTransport(keep)
        )
        await follow(console)
        told.followed = console
        told.pages[path] = await seen(console, path)
        assert told.pages[path].status == 200, (path, told.pages[path].status)
        told.asked[path] = list(dict.fromkeys(asked))
        await console.nodes.close()


async def follow(console: Console) -> None:
    """Poll, and follow as far as nodes lead."""
    await console.nodes.poll()
    while await console.light.advance():
        pass


# Pages


@dataclass(frozen=True)
class Seen:
    """What was rendered: the status, the texts of each section that is sealed as verified, and of each such figure."""

    status: int
    text: str
    sealed: Mapping[str, tuple[str, ...]]
    figures: frozenset[str]
    tags: frozenset[str]
    as_of: str


async def seen(console: Console, path: str) -> Seen:
    """Render a page as a browser would ask for it."""
    transport = httpx.ASGITransport(app=application(console))
    path, _, together = path.partition("#")
    settled = _settled_together if together else PageData.settled
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        with mock.patch.object(PageData, "settled", settled):
            response = await client.get(path)
    tree = _Tree()
    tree.feed(response.text)
    sections = {one.name: one for one in tree.root.all() if one.tag == "section" and one.is_sealed}
    return Seen(
        response.status_code,
        response.text,
        {name: tuple(one.texts()) for name, one in sections.items()},
        frozenset(one.beside() for one in tree.root.all() if one.tag == "details" and one.is_small),
        frozenset(one.tag for one in tree.root.all()),
        " ".join(" ".join(one.texts()) for one in tree.root.all() if one.kinds == {"as-of"}),
    )


async def _settled_together(data: PageData) -> bool:
    """Do as if the values that were read were of several blocks, once."""
    if data._fixed:
        return True
    data._fixed, data._read = await data._reader.together(sorted(data._read)), {}
    return False


@dataclass
class Element:
    """An element of a page."""

    tag: str
    attributes: Mapping[str, str]
    parent: Element | None
    inside: list[Element | str] = field(default_factory=list)

    @property
    def kinds(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    @property
    def name(self) -> str:
        return self.attributes.get("aria-labelledby", "")

    @property
    def is_sealed(self) -> bool:
        """Whether the seal in the head of this section says verified."""
        aside = [one for one in self.all() if "section-aside" in one.kinds]
        seals = [one for one in aside[0].inside if isinstance(one, Element)] if aside else []
        return any({"seal", "verified"} <= one.kinds for one in seals)

    @property
    def is_small(self) -> bool:
        """Whether this is a verified seal beside a value, and not one of a section or of the page."""
        around = set().union(*(one.kinds for one in self.around()))
        return {"seal", "verified"} <= self.kinds and not around & {"section-aside", "as-of", "top"}

    def around(self) -> Iterator[Element]:
        if self.parent is not None:
            yield self.parent
            yield from self.parent.around()

    def all(self) -> Iterator[Element]:
        yield self
        for one in self.inside:
            if isinstance(one, Element):
                yield from one.all()

    def texts(self) -> Iterator[str]:
        """Yield the texts inside, but of seals and of what is marked as a node's word."""
        for one in self.inside:
            if isinstance(one, str):
                if one.strip():
                    yield " ".join(one.split())
            elif not one.kinds & {"seal", "word", "section-aside"}:
                yield from one.texts()

    def beside(self) -> str:
        return "" if self.parent is None else " ".join(self.parent.texts())


class _Tree(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self._at = Element("", {}, None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, self._at)
        self._at.inside.append(made)
        if tag not in ("br", "hr", "img", "input", "link", "meta"):
            self._at = made

    def handle_endtag(self, tag: str) -> None:
        if self._at.parent is not None:
            self._at = self._at.parent

    def handle_data(self, data: str) -> None:
        self._at.inside.append(data)


# Lies


@dataclass(frozen=True)
class Case:
    """One lie: to which page, about which question, alone or beside an honest node."""

    path: str
    question: str
    lie: Lie
    is_alone: bool

    def __str__(self) -> str:
        return f"{self.path}: {self.lie} of {self.question} ({'alone' if self.is_alone else 'beside an honest node'})"


def cases(told: Told, count: int, seed: int, about: str = "") -> Iterator[Case]:
    """Yield so many lies, over all pages and questions in turn; ``about`` is part of each question."""
    random = Random(seed)
    pairs = [(path, question) for path in PATHS for question in told.asked[path] if about in question]
    random.shuffle(pairs)
    made: dict[tuple[str, str], Iterator[Lie]] = {}
    for number in range(count):
        path, question = pairs[number % len(pairs)]
        if (path, question) not in made:
            old = [told.older[question]] if question in told.older else []
            other = [told.answers[one] for one in random.sample(told.asked[path], min(4, len(told.asked[path])))]
            many = 1 + count // len(pairs)
            answer = told.answers[question]
            first = random.randrange(2 * len(KINDS))  # so that few lies are of all kinds, too
            altered = itertools.islice(sampled(answer, random, many + first, old=old, other=other), first, None)
            forgeries = forged(answer, random)
            begins = itertools.islice(forgeries, random.randrange(2))
            made[path, question] = itertools.chain(begins, _alternating(altered, forgeries))
        lie = next(made[path, question], None)
        if lie is not None:
            yield Case(path, question, lie, random.random() < 0.6)


def _alternating(some: Iterator[Lie], others: Iterator[Lie]) -> Iterator[Lie]:
    """Yield from both in turn, from the other alone when one has no more."""
    for lie in some:
        yield lie
        if (other := next(others, None)) is not None:
            yield other
    yield from others


async def wrong(told: Told, case: Case) -> list[str]:
    """Return what is wrong with a page that was lied to."""
    assert told.followed is not None

    app = httpx.ASGITransport(app=told.world.app, client=("127.0.0.1", 4_000))

    async def answer(request: httpx.Request) -> httpx.Response:
        question = question_of(request)
        if request.url.host == "liar" and question == case.question:
            return httpx.Response(case.lie.status, content=case.lie.content)
        known = told.answers.get(question)
        if known is None:  # a question that only a lie leads to
            response = await app.handle_async_request(request)
            known = told.answers[question] = Answer(await response.aread(), response.status_code)
        return httpx.Response(known.status, content=known.content)

    names = ["liar"] if case.is_alone else ["liar", "honest"]
    console = Console(
        told.world.genesis,
        [Address(name, f"http://{name}", READING) for name in names],
        port=1,
        transport=httpx.MockTransport(answer),
    )
    if case.question.startswith(_FOLLOWING):
        await follow(console)
    else:
        _follow_as(console, told.followed)
        await console.nodes.poll()
    try:
        async with asyncio.timeout(30):
            found = await seen(console, case.path)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    finally:
        await console.nodes.close()
    return _faults(told, case, console, found)


def _follow_as(console: Console, other: Console) -> None:
    """Take over what another console has followed."""
    light, known = console.light, other.light
    light.anchor, light.recent, light.handovers = known.anchor, known.recent, known.handovers
    light._hashes, light._sets = known._hashes, known._sets


def _faults(told: Told, case: Case, console: Console, found: Seen) -> list[str]:
    honest = told.pages[case.path]
    faults = []
    if found.status not in _ALLOWED:
        faults.append(f"status {found.status}")
    if not case.is_alone and found.status != honest.status:
        faults.append(f"status {found.status} although another node is honest")
    if console.light.height not in (0, told.older_height, told.world.height):
        faults.append(f"followed to {console.light.height}")
    if case.question.startswith("/v1/status") and not case.is_alone and console.light.height != told.world.height:
        faults.append("did not follow the honest node")
    if hidden := _UNSEEN.search(found.text):
        faults.append(f"the sign U+{ord(hidden.group()):04X} is written out")
    if added := found.tags - honest.tags - _USUAL:
        faults.append(f"elements {', '.join(sorted(added))}")
    if found.as_of and found.as_of != honest.as_of:
        faults.append(f"{found.as_of!r}, not {honest.as_of!r}")
    for name, texts in found.sealed.items():
        if name in honest.sealed and (more := _beyond(texts, honest.sealed[name])) is not None:
            faults.append(f"section {name} is sealed and shows {more!r}")
        elif name not in honest.sealed:
            faults.append(f"section {name} is sealed, and is not when nobody lies")
    for figure in found.figures - honest.figures:
        faults.append(f"{figure!r} is sealed as verified")
    if console.nodes.doubts.forks():
        faults.append("accuses validators")
    return faults


_USUAL: Final = frozenset(
    (
        *("ul", "li", "p", "a", "strong", "span", "code", "div", "details", "summary", "section", "h2"),
        *("table", "thead", "tbody", "tr", "th", "td", "time"),
    )
)


def _beyond(texts: Sequence[str], honest: Sequence[str]) -> str | None:
    """Return the first text that is not in the honest ones, in their order; None if a part was left out at most."""
    rest = iter(honest)
    return next((text for text in texts if text not in rest), None)


async def _tell(count: int, seed: int) -> int:
    async with told_world() as told:
        print(f"{sum(map(len, told.asked.values()))} questions of {len(PATHS)} pages", flush=True)
        bad = 0
        for number, case in enumerate(cases(told, count, seed), 1):
            if faults := await wrong(told, case):
                bad += 1
                print(f"{case}\n    " + "\n    ".join(faults), flush=True)
            if number % 1_000 == 0:
                print(f"{number} lies, {bad} with effect", flush=True)
        print(f"{bad} of {number} lies had an effect")
        return bad


if __name__ == "__main__":
    sys.exit(bool(asyncio.run(_tell(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))))
