"""The argument of a project and the reviews of its panels, read so that nothing in them is a node's word.

Law: what stands where in an argument, and how each leaf was judged, is the certified state's. Texts are in transactions
alone: one that a node gives is shown only if the state has its digest, and where no node gives one that fits, none is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from coseal.console import shapes
from coseal.console.ballot_parts import Values
from coseal.console.nodes import UNANSWERED, Address, Problem, require_able
from coseal.console.page import Page
from coseal.console.shapes import Odd, Shape
from coseal.contracts.certification.argument import MAX_NODES, Node
from coseal.contracts.certification.kept import PAGE_IDS, Data, kept, taken
from coseal.contracts.certification.lists import ARGUMENT_NODES, REVIEWS
from coseal.contracts.certification.reviewing import leaves_of
from coseal.contracts.certification.scheme import MAX_SCORE
from coseal.contracts.certification.state import argument_node_key, nodes_key, review_key
from coseal.contracts.certification.verdict import ACCEPTED
from coseal.contracts.kernel.lists import List
from coseal.ledger import codec

_ROWS: Final = 1_000
_PAGES_MAX: Final = 4
_REASON: Final = shapes.text(1_000)
_NODE: Final = shapes.record(
    node=shapes.name, statement=shapes.text(2_048), place=shapes.maybe(shapes.text(512)), dropped=shapes.integer(high=1)
)
_LEAVES: Final = shapes.mapped(shapes.record(opinion=shapes.text(32), reason=_REASON), MAX_NODES)
_SCORES: Final = shapes.mapped(shapes.record(score=shapes.integer(high=MAX_SCORE), reason=_REASON), 32)
_REVIEW: Final = shapes.record(
    round=shapes.integer(),
    reviewer=shapes.name,
    leaves=shapes.maybe(_LEAVES),
    scores=shapes.maybe(_SCORES),
    dissent=shapes.maybe(shapes.text(2_000)),
)


@dataclass(frozen=True, slots=True)
class Argument:
    """The nodes of an argument by id, in the order in which they were first argued; of each the texts that fit."""

    nodes: Mapping[str, Data]
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def taken(self) -> tuple[Node, ...]:
        """The nodes as ``support`` and ``verdict`` take them."""
        return taken(self.nodes)

    @property
    def leaves(self) -> list[str]:
        """The ids of what reviewers judge, in the order in which reviews have their opinions."""
        return leaves_of(self.taken)


@dataclass(frozen=True, slots=True)
class Review:
    """A revealed review: its opinions by leaf and scores by criterion; of both the reasons, and dissent, if given."""

    reviewer: str
    opinions: Mapping[str, str]
    scores: Mapping[str, int]
    said: Mapping[str, Any] | None = None

    @property
    def rejected(self) -> Mapping[str, str]:
        """The leaves that it does not accept, with its opinion."""
        return {leaf: opinion for leaf, opinion in self.opinions.items() if opinion != ACCEPTED}

    def reason(self, leaf: str) -> str:
        """Return why it said so of a leaf, empty where no node gives that."""
        return str(self.said["leaves"][leaf]["reason"]) if self.said is not None else ""


async def argument_of(page: Page, values: Values, project: str, count: int) -> Argument:
    """Return the argument of a project that has ``count`` nodes."""
    pages = [nodes_key(project, number) for number in range(-(-count // PAGE_IDS))]
    await values.read(*pages)
    ids = [str(name) for key in pages for name in values.get(key) or ()]
    await values.read_many([argument_node_key(project, name) for name in ids])
    found = {name: values.get(argument_node_key(project, name)) for name in ids}
    nodes = {name: node for name, node in found.items() if node is not None}
    return Argument(nodes, await _texts(page, project, nodes))


async def _texts(page: Page, project: str, nodes: Mapping[str, Data]) -> dict[str, Mapping[str, str]]:
    """Return the texts of nodes, as far as some node gives those whose digest the state has."""
    texts: dict[str, Mapping[str, str]] = {}
    async for rows in _told(page, ARGUMENT_NODES, _NODE, project=project, dropped=0):
        for row in rows:
            said: dict[str, str] = {name: row[name] for name in ("statement", "place") if row[name] is not None}
            if row["node"] in nodes and kept(said)["texts"] == nodes[row["node"]]["texts"]:
                texts[row["node"]] = said
        if len(texts) == len(nodes):
            break
    return texts


async def reviews_of(
    page: Page, values: Values, project: str, number: int, names: Sequence[str], leaves: Sequence[str]
) -> list[Review]:
    """Return the reviews that were revealed in a round, in the order of ``names``."""
    keys = {name: review_key(project, number, name) for name in names}
    await values.read(*keys.values())
    given = {name: found for name, key in keys.items() if (found := values.get(key)) and "revealed" in found}
    said = await _said(page, project, number, {name: each["digest"] for name, each in given.items()})
    return [
        Review(name, dict(zip(leaves, each["opinions"], strict=False)), each["scores"], said.get(name))
        for name, each in given.items()
    ]


async def _said(page: Page, project: str, number: int, digests: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """Return reviews as they were sent, as far as some node gives those whose digest the state has."""
    found: dict[str, Mapping[str, Any]] = {}
    if not digests:
        return found
    async for rows in _told(page, REVIEWS, _REVIEW, project=project, status="revealed"):
        for row in rows:
            given = {name: row[name] for name in ("leaves", "scores", "dissent")}
            review = {name: value for name, value in given.items() if value is not None}
            if row["round"] != number or row["reviewer"] not in digests:
                continue
            if sha256(codec.encode(review)).hexdigest() == digests[row["reviewer"]]:
                found[row["reviewer"]] = review
        if len(found) == len(digests):
            break
    return found


async def _told(page: Page, listed: List, entry: Shape, **params: Any) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield what each node has of a list; nodes that give none, or not in its form, are passed over."""
    shape = shapes.record(next=shapes.maybe(shapes.cursor), **{listed.entries: shapes.listed(entry)})
    for address in page.data.nodes.order():
        try:
            yield await _all(page, address, listed, shape, params)
        except (*UNANSWERED, Problem, Odd):
            continue


async def _all(
    page: Page, address: Address, listed: List, shape: Shape, params: Mapping[str, Any]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    asked = {**params, "limit": _ROWS}
    for _ in range(_PAGES_MAX):
        reply = await page.data.nodes.ask_one(address, listed.path, asked)
        require_able(reply)
        document = reply.json(shape)
        rows += document[listed.entries]
        if not document.get("next"):
            break
        asked["cursor"] = document["next"]
    return rows
