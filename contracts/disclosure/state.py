"""Where the disclosure contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel import deadlines

NAME: Final = "disclosure"
POLICY_KEY: Final = "disclosure/policy"
LIVE_KEY: Final = "disclosure/live"

KEYS: Final = {
    POLICY_KEY: "the terms and the quota that a ballot decided",
    "disclosure/plan/<id>": "a plan of custody: seats, substitutes, threshold, retentions",
    "disclosure/key/<member>/<use>": "the newest version of a member's key for envelopes",
    "disclosure/key/<member>/<use>/<version>": "a key for envelopes; the newest 16 are kept",
    "disclosure/vault/<owner>/<id>": "a vault: its seats with their answers, its commitments, its status",
    "disclosure/sidecar/<owner>/<id>/<n>": "a sidecar of cells until it is erased: its root, its end",
    "disclosure/request/<member>/<id>": "a request for an opening: its scope, its answers, its releases",
    "disclosure/review/<member>/<id>": "the review of an emergency request: until when, who found what",
    "disclosure/barred/<member>": "the emergency request after which a member makes no other until a ballot",
    "disclosure/audience/<owner>/<id>/<audience>": "the newest version of an audience: its readers and live grants",
    "disclosure/audiences/<owner>/<id>": "the audiences of a vault",
    "disclosure/log/<owner>": "how many steps concern what a member sealed, and the head of their list",
    LIVE_KEY: "the live sidecars: the newest, how many, their bytes",
    "disclosure/at/<name>": "a live sidecar: whose, of which vault, its bytes, and its neighbours by age",
    "disclosure/usage/<member>": "the live bytes of a member",
    **deadlines.keys(NAME),
}
OPEN_KEYS: Final = (
    "disclosure/audience/",
    "disclosure/request/",
    "disclosure/review/",
    "disclosure/sidecar/",
    *deadlines.open_keys(NAME),
)


def plan_key(plan: str) -> str:
    """Return the state key of a plan of custody."""
    return f"disclosure/plan/{plan}"


def newest_key_key(member: str, use: str) -> str:
    """Return the state key of the newest version of a member's key for envelopes."""
    return f"disclosure/key/{member}/{use}"


def sealing_key_key(member: str, use: str, version: int) -> str:
    """Return the state key of a version of a member's key for envelopes."""
    return f"disclosure/key/{member}/{use}/{version}"


def vault_key(owner: str, vault: str) -> str:
    """Return the state key of a vault."""
    return f"disclosure/vault/{owner}/{vault}"


def sidecar_key(owner: str, vault: str, number: int) -> str:
    """Return the state key of a sidecar of cells."""
    return f"disclosure/sidecar/{owner}/{vault}/{number}"


def request_key(member: str, request: str) -> str:
    """Return the state key of a request for an opening."""
    return f"disclosure/request/{member}/{request}"


def review_key(member: str, request: str) -> str:
    """Return the state key of the review of an emergency request."""
    return f"disclosure/review/{member}/{request}"


def barred_key(member: str) -> str:
    """Return the state key of why a member makes no emergency request."""
    return f"disclosure/barred/{member}"


def audience_key(owner: str, vault: str, audience: str) -> str:
    """Return the state key of an audience of a vault."""
    return f"disclosure/audience/{owner}/{vault}/{audience}"


def audiences_key(owner: str, vault: str) -> str:
    """Return the state key of the names of a vault's audiences."""
    return f"disclosure/audiences/{owner}/{vault}"


def log_key(owner: str) -> str:
    """Return the state key of the log of an owner."""
    return f"disclosure/log/{owner}"


def at_key(name: bytes) -> str:
    """Return the state key of a live sidecar."""
    return f"disclosure/at/{name.hex()}"


def usage_key(member: str) -> str:
    """Return the state key of the live bytes of a member."""
    return f"disclosure/usage/{member}"
