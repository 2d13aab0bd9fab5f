"""Arguments as files: nodes in JSON, as the ledger takes them, and in LTAC.

Law: nodes that are written as LTAC and read again are the same nodes in the same order; what LTAC says and nodes have
no place for is refused, never dropped. Comments alone are not part of an argument.

docs/formats.md, section Arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

from coseal.contracts.certification.argument import (
    ASSUMED,
    AXIOMATIC,
    CITE,
    CLAIM,
    DEFEATER,
    EVIDENCE,
    NEEDS_SUPPORT,
    STRATEGY,
)
from coseal.contracts.certification.form import faults_of
from coseal.formats import ltac
from coseal.formats.ltac import BadText, Document, Element

_DECLARED: Final = {"needssupport": NEEDS_SUPPORT, "assumed": ASSUMED, "axiomatic": AXIOMATIC}
_OPTIONS: Final = {declared: option for option, declared in _DECLARED.items()}
_DEFEATER: Final = "defeater"
_ANY: Final = "any"
_CRITERION: Final = "criterion="
_SHA256: Final = "sha256="
_LEDGER: Final = "coseal:"
_REFUSED: Final = {
    "defeated": "whether it is defeated is computed; leave it out, or write a claim {defeater} below it",
    "iscounter": "write it as a claim {defeater} below what it attacks, with this evidence below that",
    "ascited": "write a citation: `Claim ^ID`",
    "asserted": "it is asserted where nothing else is said; leave it out",
}
Data = dict[str, Any]


def nodes_of(document: Document) -> tuple[list[Data], dict[str, int]]:
    """Return the nodes of a text, and the line of each; raise ``BadText`` for what nodes have no place for."""
    nodes: list[Data] = []
    lines: dict[str, int] = {}
    faults: list[tuple[int, str]] = []
    above: list[str] = []
    for element in document.elements:
        parent = above[element.level - 1] if element.level else None
        node, wrong = _node(element, parent)
        wrong = wrong or [f"{'the element' if not path else path.lstrip('.')}{rest}" for path, rest in _form(node)]
        faults += [(element.line, each) for each in wrong]
        above[element.level :] = [node["id"]]
        lines.setdefault(node["id"], element.line)
        nodes.append(node)
    if faults:
        raise BadText(faults)
    return nodes, lines


def _form(node: Data) -> list[tuple[str, str]]:
    found = []
    for fault in faults_of(node):
        path, _, rest = fault.partition(": ")
        found.append((path, f": {rest}"))
    return found


def _node(element: Element, parent: str | None) -> tuple[Data, list[str]]:
    """Return the node of an element, and what it says that a node cannot."""
    wrong: list[str] = []
    if element.cited:
        node: Data = {"id": f"{parent}^{element.name}" if parent else f"^{element.name}", "kind": CITE}
        node["cites"] = element.name
    else:
        node = {"id": element.name, "kind": element.type.lower()}
    if parent is not None:
        node["parent"] = parent
    if element.statement is not None:
        node["statement"] = element.statement
    if element.type == "Relation":
        wrong.append("a relation has no node of its own; leave the line out")
    for option in element.options or ():
        wrong += _take_option(node, option)
    if element.reference:
        wrong += _take_reference(node, element.reference)
    return node, wrong


def _take_option(node: Data, option: str) -> list[str]:
    """Add to a node what an option says; return what is wrong with that."""
    if option in _DECLARED and "declared" not in node:
        node["declared"] = _DECLARED[option]
    elif option == _DEFEATER and node["kind"] == CLAIM:
        node["kind"] = DEFEATER
    elif option == _ANY and node["kind"] == STRATEGY:
        node["any"] = True
    elif option.startswith(_CRITERION) and "criterion" not in node:
        node["criterion"] = option.removeprefix(_CRITERION)
    elif option.startswith(_SHA256) and "sha256" not in node:
        node["sha256"] = option.removeprefix(_SHA256)
    else:
        return [f"option {option}: {_REFUSED.get(option, 'there is no such option here')}"]
    return []


def _take_reference(node: Data, reference: str) -> list[str]:
    if node["kind"] == EVIDENCE and reference.startswith(_LEDGER):
        node["reference"] = [unquote(part) for part in reference.removeprefix(_LEDGER).split("/")]
        if _address(node["reference"]) != reference:
            return [f"reference {reference}: write it as {_address(node['reference'])}"]
    else:
        node["place"] = reference
    return []


def _address(reference: Sequence[str]) -> str:
    return _LEDGER + "/".join(quote(part, safe="") for part in reference)


def document_of(nodes: Sequence[Mapping[str, Any]]) -> Document:
    """Return nodes of an argument without faults as a text: a package for each tree."""
    kinds = {node["id"]: node["kind"] for node in nodes}
    below: dict[str | None, list[Mapping[str, Any]]] = {}
    for node in nodes:
        below.setdefault(node.get("parent"), []).append(node)
    tops = {top["id"] for top in below.get(None, ())}
    packages: list[list[Element]] = []
    for top in below.get(None, ()):
        package: list[Element] = []
        waiting = [(top, 0)]
        while waiting:
            node, level = waiting.pop()
            package.append(_element(node, level, kinds, tops))
            waiting += [(each, level + 1) for each in reversed(below.get(node["id"], ()))]
        packages.append(package)
    return ltac.document(packages)


def _element(node: Mapping[str, Any], level: int, kinds: Mapping[str, str], tops: set[str]) -> Element:
    """Return a node as a line. A tree is cited by its name (``Claim ^ID``), what stands inside of one linked."""
    statement = node.get("statement")
    if node["kind"] == CITE and statement is None:
        kind = ltac.LINK if node["cites"] not in tops else "Claim"
        return Element(0, level, kind, node["cites"], cited=True)
    cited = node["kind"] == CITE
    kind = kinds[node["cites"]] if cited else node["kind"]
    options = [_DEFEATER] if node["kind"] == DEFEATER else []
    options += [_OPTIONS[node["declared"]]] if node.get("declared") in _OPTIONS else []
    options += [_ANY] if node.get("any") else []
    options += [f"{_CRITERION}{node['criterion']}"] if "criterion" in node else []
    options += [f"{_SHA256}{node['sha256']}"] if "sha256" in node else []
    place = _address(node["reference"]) if "reference" in node else node.get("place")
    braces, parentheses = ltac.closed(statement or "", tuple(options) or None, place)
    name = node["cites"] if cited else node["id"]
    type_word = "Claim" if kind == DEFEATER else kind.capitalize()
    return Element(0, level, type_word, name, cited, statement, braces, parentheses)
