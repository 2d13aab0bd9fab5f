"""Where the evidence contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

ACCUSED_KEY: Final = "evidence/validators"

KEYS: Final = {
    ACCUSED_KEY: "the validators that have a record",
    "evidence/of/<validator>": "where a validator contradicted itself",
    "evidence/proof/<validator>/<height>/<round>/<phase>": "what proves one contradiction",
}
OPEN_KEYS: Final = (ACCUSED_KEY, "evidence/of/")


def places_key(validator: str) -> str:
    """Return the state key of where a validator contradicted itself: ``[[epoch, height, round, phase], ...]``."""
    return f"evidence/of/{validator}"


def proof_key(validator: str, height: int, round: int, phase: str) -> str:
    """Return the state key of one proof."""
    return f"evidence/proof/{validator}/{height}/{round}/{phase}"
