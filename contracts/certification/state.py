"""Where the certification contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel import deadlines

NAME: Final = "certification"
COUNT_KEY: Final = "certification/count"
REVIEWERS_KEY: Final = "certification/reviewers"
CERTIFICATES_KEY: Final = "certification/certificates"

KEYS: Final = {
    COUNT_KEY: "how many projects there are",
    "certification/scheme/<scheme>": "a scheme: what it asks, the bodies that act under it, its status",
    "certification/project/<project>": "a project: whose it is, its scheme, its status, what was sealed",
    "certification/number/<n>": "the project that was the n-th",
    "certification/node/<project>/<node>": "a node of a project's argument; its texts as a digest",
    "certification/nodes/<project>/<n>": "the ids of a project's nodes in order, in pages of 64",
    REVIEWERS_KEY: "how many reviewers were ever registered",
    "certification/reviewer/<member>/<user>": "a reviewer's office, by its operator `member/user`",
    "certification/register/<n>": "the names of reviewers in the order of their registration, in pages of 64",
    "certification/offices/<member>": "how many reviewers a member has",
    "certification/eligible/<project>/<n>": "the reviewers that may be drawn for a project, in pages of 64",
    "certification/round/<project>/<n>": "a round of a project: its seeds, its panel, who was late, the verdict",
    "certification/review/<project>/<round>/<member>/<user>": "a review: its commitment, and what was revealed",
    CERTIFICATES_KEY: "how many certificates were ever issued",
    "certification/certificate/<certificate>": "a certificate: of what project, from when until when, its status",
    "certification/tranche/<project>/<n>": "a tranche of a project: its amount, funder and milestone, how far it is",
    "certification/used/<item hash>": "that an item served as a milestone",
    "certification/funds/<scheme>": "what is planned under a scheme, what was released, what refusals keep back",
    "certification/drafts/<member>": "how many projects of a member are drafts; absent for none",
    **deadlines.keys(NAME),
}
OPEN_KEYS: Final = (
    *(f"certification/{family}/" for family in ("nodes", "register", "eligible", "round", "review")),
    *deadlines.open_keys(NAME),
)


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


def reviewer_key(reviewer: str) -> str:
    """Return the state key of a reviewer's office; a reviewer is named as its operator is."""
    return f"certification/reviewer/{reviewer}"


def register_key(page: int) -> str:
    """Return the state key of a page of the names of reviewers."""
    return f"certification/register/{page}"


def offices_key(member: str) -> str:
    """Return the state key of how many reviewers a member has."""
    return f"certification/offices/{member}"


def eligible_key(project: str, page: int) -> str:
    """Return the state key of a page of the reviewers that may be drawn for a project."""
    return f"certification/eligible/{project}/{page}"


def round_key(project: str, number: int) -> str:
    """Return the state key of a round of a project."""
    return f"certification/round/{project}/{number}"


def review_key(project: str, number: int, reviewer: str) -> str:
    """Return the state key of a review of one round."""
    return f"certification/review/{project}/{number}/{reviewer}"


def certificate_key(certificate: str) -> str:
    """Return the state key of a certificate."""
    return f"certification/certificate/{certificate}"


def tranche_key(project: str, number: int) -> str:
    """Return the state key of a tranche of a project."""
    return f"certification/tranche/{project}/{number}"


def used_key(item_hash: str) -> str:
    """Return the state key that says that an item served as a milestone."""
    return f"certification/used/{item_hash}"


def funds_key(scheme: str) -> str:
    """Return the state key of the sums of all projects under a scheme."""
    return f"certification/funds/{scheme}"
