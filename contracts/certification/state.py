"""Where the certification contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel import deadlines

NAME: Final = "certification"
COUNT_KEY: Final = "certification/count"

KEYS: Final = {
    COUNT_KEY: "how many projects there are",
    "certification/scheme/<scheme>": "a scheme: what it asks, the bodies that act under it, its status",
    "certification/project/<project>": "a project: whose it is, its scheme, its status, what was sealed",
    "certification/number/<n>": "the project that was the n-th",
    "certification/node/<project>/<node>": "a node of a project's argument; its texts as a digest",
    "certification/nodes/<project>/<n>": "the ids of a project's nodes in order, in pages of 64",
    "certification/drafts/<member>": "how many projects of a member are drafts; absent for none",
    **deadlines.keys(NAME),
}
OPEN_KEYS: Final = ("certification/nodes/", *deadlines.open_keys(NAME))


def scheme_key(scheme: str) -> str:
    """Return the state key of a scheme."""
    return f"certification/scheme/{scheme}"


def project_key(project: str) -> str:
    """Return the state key of a project."""
    return f"certification/project/{project}"


def number_key(number: int) -> str:
    """Return the state key of the id of the n-th project."""
    return f"certification/number/{number}"


def argument_node_key(project: str, node: str) -> str:
    """Return the state key of a node of a project's argument."""
    return f"certification/node/{project}/{node}"


def nodes_key(project: str, page: int) -> str:
    """Return the state key of a page of the ids of a project's nodes."""
    return f"certification/nodes/{project}/{page}"


def drafts_key(member: str) -> str:
    """Return the state key of how many projects of a member are drafts."""
    return f"certification/drafts/{member}"
