"""A chain on which policies are opened for comment, and gateways record what people say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.participation.entry import commitment_of, text_digest
from coseal.contracts.participation.state import consultation_key
from tests.support.chain import Chain
from tests.support.deciding import Deciding
from tests.support.genesis import make_genesis
from tests.support.keys import signer

DAY_MS: Final = 86_400_000
DRAFT: Final = "cn/draft/aml"
NAME: Final = "aml-2021"
OPENER: Final = "regulator"
Data = dict[str, Any]


def gateway_key_of(member: str) -> str:
    """Return the key with which a gateway acknowledges."""
    return signer(f"{member}/acknowledgements").public_key.hex()


def comment(number: int, text: str | None = None, **more: Any) -> Data:
    """Return the comment of a person."""
    said = {"consultation": NAME, "question": 1, "class": "person", "kind": "comment"}
    return {**said, "text": f"Comment {number}" if text is None else text, **more}


def salt(number: int) -> bytes:
    """Return the salt of a comment."""
    return number.to_bytes(32, "big")


def entry(number: int, text: str | None = None, *, reason: str = "", **more: Any) -> list[str]:
    """Return the entry of a comment."""
    said = comment(number, text, **more)
    shown = reason or text_digest(said["text"])
    return [commitment_of(said, salt(number)), shown, said["class"], said["kind"], f"{number:032x}"]


class Consulted(Deciding):
    """What members do about consultations; each call is a block."""

    contract = "participation"

    def __init__(self, chain: Chain | None = None, *, opened: bool = True) -> None:
        self.chain = Chain(make_genesis(name="participation")) if chain is None else chain
        if opened:
            self.gateway("public-a")
            self.gateway("institute-a")
            self.draft()
            self.open()

    @property
    def now_ms(self) -> int:
        return self.chain.executor.time_ms

    def gateway(self, member: str, **more: Any) -> Data:
        args = {"url": f"https://{member}.example", "key": gateway_key_of(member), "include_ms": DAY_MS}
        return self.ok(member, "register_gateway", **{**args, "duties_sha256": "dd" * 32, **more})

    def draft(self, policy: str = DRAFT, member: str = OPENER) -> None:
        day = {"date_document": "2023-11-01", "stage": "proposed"}
        self.ok(member, "policy.publish", id=policy, title="A draft", type_document="law", **day)

    def opening(self, **more: Any) -> Data:
        args = {"consultation": NAME, "title": "A draft", "about": "policy", "subject": DRAFT}
        return {**args, "questions": ["Is it right?"], "closes_ms": self.now_ms + 31 * DAY_MS, **more}

    def open(self, **more: Any) -> Data:
        return self.ok(OPENER, "open", **self.opening(**more))

    def receive(self, entries: Sequence[list[str]], first: int = 1, member: str = "public-a", name: str = NAME) -> Data:
        return self.ok(member, "receive", consultation=name, first=first, entries=list(entries))

    def wait(self, later_ms: int) -> Data:
        """Commit an empty block so much later; return what participation began it with."""
        self.chain.extend([], later_ms=later_ms)
        return dict(self.chain.begun.get("participation", {}))

    def record(self, name: str = NAME) -> Data:
        value: Any = self.chain.get(consultation_key(name))
        return dict(value)

    def do(self, action: str, /, **args: Any) -> Data:
        """Have the opener act about its consultation."""
        return self.ok(OPENER, action, **{"consultation": NAME, **args})

    def refused(self, action: str, /, member: str = OPENER, **args: Any) -> str:
        return self.code(member, action, **{"consultation": NAME, **args})
