"""Where the participation contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel import deadlines

NAME: Final = "participation"
COUNT_KEY: Final = "participation/count"
GATEWAYS_KEY: Final = "participation/gateways"

KEYS: Final = {
    GATEWAYS_KEY: "the members that are gateways, in the order of their registration",
    "participation/office/<member>": "a gateway: its address, its keys for acknowledgements, what it withheld",
    COUNT_KEY: "how many consultations there are",
    "participation/number/<n>": "the consultation that was the n-th",
    "participation/consultation/<consultation>": "a consultation: what it is about, until when, its counts, its status",
    "participation/open/<member>": "how many consultations of a member are not concluded; absent for none",
    "participation/gateway/<consultation>/<member>": "what a gateway recorded: how many entries, their root, its edge",
    "participation/theme/<consultation>/<n>": "a theme: its title, its entries, how it was answered",
    "participation/assigned/<consultation>/<member>/<page>": "where each of 1,024 entries of a gateway belongs",
    **deadlines.keys(NAME),
}
OPEN_KEYS: Final = (
    *(f"participation/{family}/" for family in ("gateway", "assigned")),
    *deadlines.open_keys(NAME),
)


def office_key(member: str) -> str:
    """Return the state key of a gateway."""
    return f"participation/office/{member}"


def number_key(number: int) -> str:
    """Return the state key of the id of the n-th consultation."""
    return f"participation/number/{number}"


def consultation_key(consultation: str) -> str:
    """Return the state key of a consultation."""
    return f"participation/consultation/{consultation}"


def open_key(member: str) -> str:
    """Return the state key of how many consultations of a member are not concluded."""
    return f"participation/open/{member}"


def gateway_key(consultation: str, member: str) -> str:
    """Return the state key of what a gateway recorded for a consultation."""
    return f"participation/gateway/{consultation}/{member}"


def theme_key(consultation: str, number: int) -> str:
    """Return the state key of a theme of a consultation."""
    return f"participation/theme/{consultation}/{number}"


def assigned_key(consultation: str, member: str, page: int) -> str:
    """Return the state key of a page that says where entries of a gateway belong."""
    return f"participation/assigned/{consultation}/{member}/{page}"
