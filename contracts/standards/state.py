"""Where the standards contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel import deadlines

NAME: Final = "standards"
PERIOD_KEY: Final = "standards/period"

KEYS: Final = {
    PERIOD_KEY: "how long a period is in ms; absent: 30 days",
    "standards/head/<standard>": "a standard: whose it is, what it competes in, its latest version",
    "standards/standard/<standard>/<version>": "a version with its status and its last review",
    "standards/content/<standard>/<version>": "what a version says",
    "standards/adoption/<standard>/<version>/<member>": "how a member tries or has adopted a version",
    "standards/adopters/<standard>/<version>/<n>": "the members that ever did, in pages of 64",
    "standards/use/<standard>/<version>/<member>": "what a member recorded under a version, by period",
    "standards/dispute/<standard>/<version>/<member>": "what a member disputes, and the answer",
    "standards/domain/<domain>": "a domain: its standards, and who was active in it at its last review",
    "standards/members/<domain>/<n>": "the members that ever recorded in a domain, in pages of 64",
    "standards/items/<domain>/<member>": "how many items of a domain a member recorded, by period",
    "standards/type/<process type>": "the domain that a process type counts in, and the standard that it is",
    "standards/own/<member>/<process type>": "the own rule sets of a member that judge a process type",
    "standards/monitors/<member>/<process type>/<object type>/<object>": "the state of their monitors of an object",
    "standards/open/<member>": "how many standards of a member nobody else has taken up",
    **deadlines.keys(NAME),
}
OPEN_KEYS: Final = (
    "standards/content/",
    "standards/adopters/",
    "standards/domain/",
    "standards/members/",
    "standards/own/",
    "standards/monitors/",
    *deadlines.open_keys(NAME),
)


def head_key(standard: str) -> str:
    """Return the state key of a standard."""
    return f"standards/head/{standard}"


def standard_key(standard: str, version: int) -> str:
    """Return the state key of a version of a standard."""
    return f"standards/standard/{standard}/{version}"


def content_key(standard: str, version: int) -> str:
    """Return the state key of what a version says."""
    return f"standards/content/{standard}/{version}"


def adoption_key(standard: str, version: int, member: str) -> str:
    """Return the state key of how a member tries or has adopted a version."""
    return f"standards/adoption/{standard}/{version}/{member}"


def adopters_key(standard: str, version: int, page: int) -> str:
    """Return the state key of a page of the members that ever tried or adopted a version."""
    return f"standards/adopters/{standard}/{version}/{page}"


def use_key(standard: str, version: int, member: str) -> str:
    """Return the state key of what a member recorded under a version: ``[[period, items, conforming, ...], ...]``."""
    return f"standards/use/{standard}/{version}/{member}"


def dispute_key(standard: str, version: int, member: str) -> str:
    """Return the state key of what a member disputes of a version."""
    return f"standards/dispute/{standard}/{version}/{member}"


def domain_key(domain: str) -> str:
    """Return the state key of a domain."""
    return f"standards/domain/{domain}"


def members_key(domain: str, page: int) -> str:
    """Return the state key of a page of the members that ever recorded in a domain."""
    return f"standards/members/{domain}/{page}"


def items_key(domain: str, member: str) -> str:
    """Return the state key of how many items of a domain a member recorded: ``[[period, items], ...]``."""
    return f"standards/items/{domain}/{member}"


def type_key(process_type: str) -> str:
    """Return the state key of the domain that a process type counts in."""
    return f"standards/type/{process_type}"


def own_key(member: str, process_type: str) -> str:
    """Return the state key of a member's own rule sets that judge a process type; absent for none."""
    return f"standards/own/{member}/{process_type}"


def monitors_key(member: str, process_type: str, object_type: str, object_id: str) -> str:
    """Return the state key of what a member's own rule sets keep of an object."""
    return f"standards/monitors/{member}/{process_type}/{object_type}/{object_id}"


def open_key(member: str) -> str:
    """Return the state key of how many standards of a member nobody else has taken up; absent for none."""
    return f"standards/open/{member}"
