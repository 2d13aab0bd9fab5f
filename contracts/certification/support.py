"""What stands, falls or is open in an argument, by what is accepted of its leaves.

Law: accepting more never makes anything fall, and rejecting more never makes anything stand.

contracts/certification/README.md, A8 to A10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from coseal.contracts.certification.argument import (
    ASSUMPTION,
    CITE,
    CLAIM,
    DEFEATER,
    STRATEGY,
    Argument,
    Node,
    is_leaf,
)

UNDERMINED: Final = "undermined"
OPEN: Final = "open"
SUPPORTED: Final = "supported"
_RANK: Final = {UNDERMINED: 0, OPEN: 1, SUPPORTED: 2}


def support(argument: Argument, verdicts: Mapping[str, bool]) -> dict[str, str]:
    """Return for each node that argues whether it is supported, undermined or open.

    ``verdicts`` says of leaves whether they are accepted; a leaf without one is open. Context and justifications argue
    nothing and are left out, and so is what rests on itself.
    """
    found: dict[str, str] = {}
    for node in argument.bottom_up():
        if node.kind == CITE:
            if node.cites is not None and node.cites in found:
                found[node.id] = found[node.cites]  # A9
        elif is_leaf(node):
            found[node.id] = _attacked(argument, node, _judged(verdicts.get(node.id)), found)  # A8
        elif node.kind in (CLAIM, STRATEGY, DEFEATER):
            found[node.id] = _attacked(argument, node, _carried(argument, node, found), found)
    return found


def _judged(accepted: bool | None) -> str:
    return OPEN if accepted is None else SUPPORTED if accepted else UNDERMINED


def _carried(argument: Argument, node: Node, found: Mapping[str, str]) -> str:
    """Return what a node is by what it stands or falls by below it."""  # A9
    argued = argument.argued(node)
    if not argued:
        return UNDERMINED if node.kind == DEFEATER else OPEN  # A10
    if node.kind == STRATEGY and node.any:
        claims = [found[each.id] for each in argued if argument.kind_of(each) != ASSUMPTION]
        others = [found[each.id] for each in argued if argument.kind_of(each) == ASSUMPTION]
        return _least([max(claims, key=_RANK.__getitem__, default=OPEN), *others])
    return _least(found[each.id] for each in argued)


def _attacked(argument: Argument, node: Node, state: str, found: Mapping[str, str]) -> str:
    """Return what a node is besides by the defeaters directly below it: it stands only when each is answered."""  # A10
    return _least([state, *(found[each.id] for each in argument.below[node.id] if each.kind == DEFEATER)])


def _least(states: Iterable[str]) -> str:
    return min(states, key=_RANK.__getitem__)


def claims_in(argument: Argument, found: Mapping[str, str], state: str) -> Sequence[str]:
    """Return the ids of the claims that are in a state, in the order of the argument."""
    return [node.id for node in argument.nodes.values() if node.kind == CLAIM and found.get(node.id) == state]
