"""Where the credit contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel import deadlines

NAME: Final = "credit"

KEYS: Final = {
    "credit/fact/<member>/<month>/<kind>": "a figure: how many facts, their sum, the head and length of their list",
    "credit/entries/<member>/<month>/<kind>/<page>": "a page of the list behind a figure, 8 entries each",
    "credit/month/<member>/<month>": "the kinds of which a member has facts in a month",
    "credit/origin/<origin>": "the entry that is taken out if what it rests on is overturned",
    "credit/formula/<id>/<version>": "a formula as its ballot adopted it",
    "credit/formulas/<id>": "the newest version of a formula",
    "credit/consulted/<member>/<reader>": "when a member recorded last that it reads the dossier of another",
    **deadlines.keys(NAME),
}
OPEN_KEYS: Final = ("credit/entries/", *deadlines.open_keys(NAME))


def fact_key(member: str, month: int, kind: str) -> str:
    """Return the state key of a figure."""
    return f"credit/fact/{member}/{month}/{kind}"


def entries_key(member: str, month: int, kind: str, page: int) -> str:
    """Return the state key of a page of the list behind a figure."""
    return f"credit/entries/{member}/{month}/{kind}/{page}"


def month_key(member: str, month: int) -> str:
    """Return the state key of the kinds of facts that a member has in a month."""
    return f"credit/month/{member}/{month}"


def origin_key(origin: str) -> str:
    """Return the state key of the entry that rests on a receivable or finding."""
    return f"credit/origin/{origin}"


def formula_key(formula: str, version: int) -> str:
    """Return the state key of a version of a formula."""
    return f"credit/formula/{formula}/{version}"


def formulas_key(formula: str) -> str:
    """Return the state key of the newest version of a formula."""
    return f"credit/formulas/{formula}"


def consulted_key(member: str, reader: str) -> str:
    """Return the state key of when ``reader`` recorded last that it reads the dossier of ``member``."""
    return f"credit/consulted/{member}/{reader}"
