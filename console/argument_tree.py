"""An argument drawn as a tree that folds: claims, what carries them, and what reviewers did not accept.

Law: every node is drawn once, whatever it stands below; a claim is coloured by what follows from the verdict, and the
way to whatever fell is open. It is lists and ``details`` alone, so it works without a script and is read out in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from coseal.console.argument_reading import Argument, Review
from coseal.console.html import Child, Html, el, join
from coseal.console.page import Page
from coseal.console.parts import hexadecimal, member_link, tag
from coseal.console.project_parts import project_path
from coseal.console.standard_parts import standard_path
from coseal.console.supervision_parts import case_link, finding_link, source_link
from coseal.contracts.certification.argument import ASSERTED, MAX_DEPTH
from coseal.contracts.certification.support import OPEN, SUPPORTED, UNDERMINED

_TONES: Final = {SUPPORTED: "good", OPEN: "wait", UNDERMINED: "bad"}
_OPEN_DEPTH: Final = 2
"""So deep a tree is open from the start; deeper only on the way to what fell or was contested."""


def argument_tree(page: Page, argument: Argument, reviews: Sequence[Review], states: Mapping[str, str]) -> Html:
    """Return the trees of an argument; ``states`` says what follows of each node, nothing before there is a verdict."""
    return _Drawing(page, argument, reviews, states).trees()


class _Drawing:
    def __init__(self, page: Page, argument: Argument, reviews: Sequence[Review], states: Mapping[str, str]) -> None:
        self.page, self.argument, self.reviews, self.states = page, argument, reviews, states
        self.drawn: set[str] = set()
        self.below: dict[str, list[str]] = {}
        for name, node in argument.nodes.items():
            self.below.setdefault(node.get("parent", ""), []).append(name)
        self.contested: dict[str, list[tuple[Review, str]]] = {}
        for review in reviews:
            for leaf, opinion in review.rejected.items():
                self.contested.setdefault(leaf, []).append((review, opinion))
        self.marked = self._marked()

    def _marked(self) -> set[str]:
        """Return the nodes to which the way is open: what fell or was contested, and all above it."""
        marked: set[str] = set()
        fell = [name for name, state in self.states.items() if state == UNDERMINED]
        for name in (*fell, *self.contested):
            at = name
            while at in self.argument.nodes and at not in marked:
                marked.add(at)
                at = self.argument.nodes[at].get("parent", "")
        return marked

    def trees(self) -> Html:
        """Return all trees; a draft may have nodes that hang on nothing, or on each other: they stand by themselves."""
        nodes = self.argument.nodes
        tops = [name for name, node in nodes.items() if node.get("parent") not in nodes]
        made = [self._node(name, 1) for name in (*tops, *nodes) if name not in self.drawn]
        return el("ul", {"class": "argument"}, made)

    def _node(self, name: str, depth: int) -> Html | None:
        if name in self.drawn:
            return None
        self.drawn.add(name)
        head, about = [self._head(name), self._says(name)], self._about(name)
        below = self.below.get(name, []) if depth < MAX_DEPTH else []
        inner = [made for one in below if (made := self._node(one, depth + 1)) is not None]
        mark: dict[str, str | int | bool | None] = {"id": f"node-{name}", "class": self.states.get(name)}
        if not inner:
            return el("li", mark, el("div", {"class": "claim"}, head), about)
        opened = depth <= _OPEN_DEPTH or name in self.marked
        folded = el("details", {"open": opened}, el("summary", {"class": "claim"}, head), about, el("ul", None, inner))
        return el("li", mark, folded)

    def _head(self, name: str) -> Html:
        page, node = self.page, self.argument.nodes[name]
        kind = el("span", {"class": "kind"}, page.t_or(f"projects.kind.{node['kind']}", node["kind"]))
        words: list[Child] = [kind, " ", el("strong", None, name)]
        if name in self.states:
            state = self.states[name]
            words += [" ", tag(page.t(f"projects.node.{state}"), _TONES[state])]
        if node.get("declared", ASSERTED) != ASSERTED:
            words += [" ", tag(page.t_or(f"projects.declared.{node['declared']}", node["declared"]))]
        if node.get("any"):
            words += [" ", tag(page.t("projects.any"))]
        if name in self.contested:
            against = page.t("projects.contested", count=len(self.contested[name]), reviews=len(self.reviews))
            words += [" ", tag(against, "bad")]
        return el("span", {"class": "claim-head"}, words)

    def _says(self, name: str) -> Html | None:
        """Return what a node says, if a node of the network gives it; a citation says nothing of its own."""
        texts = self.argument.texts.get(name)
        if "cites" in self.argument.nodes[name]:
            return None
        if texts is None:
            return el("span", {"class": "faint word"}, self.page.t("projects.no_text"))
        return el("span", None, texts["statement"])

    def _about(self, name: str) -> list[Html]:
        """Return what a node argues for or cites, what it rests on, and who did not accept it and why."""
        page, node = self.page, self.argument.nodes[name]
        about: list[Html] = []
        if "criterion" in node:
            about.append(el("p", {"class": "faint"}, page.t("projects.criterion"), ": ", node["criterion"]))
        if "cites" in node:
            link = el("a", {"href": f"#node-{quote(node['cites'], safe='')}"}, node["cites"])
            about.append(el("p", None, page.t("projects.cites"), " ", link))
        grounds = self._grounds(node, self.argument.texts.get(name, {}).get("place", ""))
        if grounds is not None:
            about.append(el("p", {"class": "faint"}, grounds))
        if name in self.contested:
            about.append(el("ul", {"class": "against"}, [self._against(name, *one) for one in self.contested[name]]))
        return about

    def _grounds(self, node: Mapping[str, Any], place: str) -> Html | None:
        """Return where evidence is: a place and its digest, or what of the ledger it refers to."""
        parts: list[Child] = [el("span", None, place), " "] if place else []
        if "sha256" in node:
            parts += [el("span", None, self.page.t("projects.digest")), " ", hexadecimal(self.page, node["sha256"])]
        if "reference" in node:
            parts.append(_reference(self.page, *node["reference"]))
        return join(*parts) if parts else None

    def _against(self, leaf: str, review: Review, opinion: str) -> Html:
        reason = review.reason(leaf)
        words = self.page.t_or(f"projects.opinion.{opinion}", opinion)
        said = reason or el("span", {"class": "word"}, self.page.t("projects.no_text"))
        return el("li", None, member_link(review.reviewer), " ", tag(words, "bad"), " ", said)


def _reference(page: Page, kind: str, *parts: str) -> Html:
    """Return what of the ledger is evidence, as a link to its page where it has one."""
    words = el("span", None, page.t_or(f"projects.reference.{kind}", kind), " ")
    match kind, parts:
        case "object", (process_type, object_type, name):
            return join(words, el("a", {"href": case_link(process_type, object_type, name)}, name))
        case "item", (member, source, number):
            return join(words, source_link(f"{member}/{source}"), " ", number)
        case "finding", (name,):
            return join(words, finding_link(name))
        case "policy", (name,):
            return join(words, el("a", {"href": f"/policies/{quote(name, safe='')}"}, name))
        case "standard", (name, version) if version.isdigit():
            return join(words, el("a", {"href": standard_path(name, int(version))}, f"{name} {version}"))
    return join(words, " ".join(parts))


def node_link(project: str, node: str) -> Html:
    """Return a node as a link to its place in the tree of its project."""
    return el("a", {"href": f"{project_path(project)}#node-{quote(node, safe='')}"}, node)
