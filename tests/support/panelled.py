"""A chain with reviewers of every sector, on which projects go through panels; each call is a block."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.certification.argument import is_leaf
from coseal.contracts.certification.form import nodes_of
from coseal.contracts.certification.panel import seed_commitment
from coseal.contracts.certification.proof import document, keys
from coseal.contracts.certification.reviewing import review_commitment
from coseal.contracts.certification.scheme import applying
from coseal.contracts.certification.state import project_key, round_key
from coseal.ledger.block import Receipt
from coseal.ledger.proof import CertifiedValue
from tests.support.certification import BODIES, CONTENT, Certified, Data, changed, clearing
from tests.support.chain import Chain
from tests.support.genesis import ROLES, make_genesis
from tests.support.keys import signer

DAY_MS: Final = 86_400_000
SALT: Final = "5a" * 32
APPLICANT: Final = "enterprise-a"
SMALL: Final[Data] = {**CONTENT, "panel": {**CONTENT["panel"], "size": 5}}
"""The shipped scheme with a panel of five."""
REVIEWERS: Final = {
    **{f"{member}/admin": ["2.2"] for member in ("regulator", "city", "central-bank", "enterprise-b")},
    **{f"bank-{letter}/admin": ["5.2"] for letter in "abcd"},
    **{f"{member}/{user}": ["6.3"] for member in ("institute-a", "public-a") for user in ("admin", "b")},
    **{f"{member}/b": ["5.5", "6"] for member in ("regulator", "city")},
}
WHOLE: Final = changed(clearing(), "Shippers", declared="axiomatic")
"""An argument with nothing open in it."""
Judge = Callable[[str], Data]


def seed_of(member: str, turn: int = 0) -> str:
    """Return the seed that a member gives."""
    return f"{member}{turn}".encode().hex().ljust(64, "0")[:64]


def review(
    nodes: Sequence[Mapping[str, Any]] = WHOLE, *, score: int = 3, kind: str = "public_chain", **opinions: str
) -> Data:
    """Return a review of an argument that accepts all of its leaves, but for those that ``opinions`` name."""
    leaves = [node.id for node in nodes_of(nodes) if is_leaf(node)]
    said = {leaf: opinions.get(leaf.replace("-", "_"), "accepted") for leaf in leaves}
    return {
        "leaves": {leaf: {"opinion": opinion, "reason": "So it is"} for leaf, opinion in said.items()},
        "scores": {name: {"score": score, "reason": "So it is"} for name in applying(CONTENT, kind)},
    }


class Panelled(Certified):
    """``clearing`` of ``enterprise-a``, its party ``bank-a``; the bodies are ``regulator`` and ``institute-a``."""

    def __init__(
        self,
        content: Data = SMALL,
        reviewers: Mapping[str, list[str]] = REVIEWERS,
        *,
        money: bool = False,
        chain: Chain | None = None,
    ) -> None:
        begun = chain or Chain(make_genesis(name="panels", members=tuple(ROLES), money=money))
        super().__init__(begun, scheme=False)
        self.decide("adopt_scheme", scheme="rationality", content=content, bodies=list(BODIES))
        self.begin(reviewers)

    def begin(self, reviewers: Mapping[str, list[str]]) -> None:
        """Add the operators and register the reviewers."""
        users = [name.split("/") for name in reviewers if not name.endswith("/admin")]
        keyed = [(member, {"user": user, "key": signer(f"{member}/{user}").public_key.hex()}) for member, user in users]
        self.together(
            *((member, "membership.add_operator", {**args, "capabilities": ["submit"]}) for member, args in keyed)
        )
        until_ms = self.chain.now_ms + 3 * 365 * DAY_MS
        office = {"statement_sha256": "ee" * 32, "until_ms": until_ms}
        offices = [
            (name.split("/")[0], {"user": name.split("/")[1], "fields": fields, **office})
            for name, fields in reviewers.items()
        ]
        self.together(*((member, "register_reviewer", args) for member, args in offices))

    def together(self, *calls: tuple[str, str, Data]) -> list[Receipt]:
        """Commit several calls (sender, action, arguments) in one block; all of them are accepted."""
        made = [
            self.chain.sign(
                sender if "/" in sender else f"{sender}/admin",
                action if "." in action else f"certification.{action}",
                args,
            )
            for sender, action, args in calls
        ]
        receipts = self.chain.block(*made)
        assert [receipt.code for receipt in receipts] == ["ok"] * len(receipts), [each.detail for each in receipts]
        return receipts

    def by(self, reviewer: str, action: str, /, **args: Any) -> Receipt:
        """Have an operator do something about ``clearing``."""
        return self.chain.submit(reviewer, f"certification.{action}", **{"project": "clearing", **args})

    # What is there

    @property
    def record(self) -> Data:
        """The project."""
        return dict(self.chain.get(project_key("clearing")))

    @property
    def round(self) -> Data:
        """Its present round."""
        return dict(self.chain.get(round_key("clearing", self.record["round"])))

    @property
    def panel(self) -> list[str]:
        """The names of its panel."""
        return [f"{member}/{user}" for member, user, *_ in self.round["panel"]]

    # Steps

    def sealed(self, nodes: Sequence[Mapping[str, Any]] = WHOLE, **more: Any) -> Panelled:
        """Have the project applied for, argued and sealed."""
        self.apply(**more)
        self.argue(nodes)
        receipt = self.seal(nodes)
        assert receipt.ok, receipt.detail
        return self

    def admitted(self, nodes: Sequence[Mapping[str, Any]] = WHOLE, **more: Any) -> Panelled:
        """Have it admitted besides."""
        self.sealed(nodes, **more).ok("regulator", "admit", project="clearing")
        return self

    def commit_seeds(self, *members: str, turn: int = 0) -> None:
        """Have members commit to their seeds, all by default."""
        number = self.record["round"]
        some = members or tuple(self.round["seeders"])
        of = {each: seed_commitment("clearing", number, each, bytes.fromhex(seed_of(each, turn))) for each in some}
        self.together(*((each, "commit_seed", {"project": "clearing", "commitment": of[each]}) for each in some))

    def reveal_seeds(self, *members: str, turn: int = 0) -> None:
        """Have members show their seeds, all by default."""
        some = members or tuple(self.round["seeders"])
        self.together(*((m, "reveal_seed", {"project": "clearing", "seed": seed_of(m, turn)}) for m in some))

    def drawn(self, turn: int = 0) -> Panelled:
        """Have the panel drawn."""
        self.commit_seeds(turn=turn)
        self.reveal_seeds(turn=turn)
        return self

    def seated(self) -> Panelled:
        """Have all of the panel declare that they have no conflict of interest."""
        args = {"project": "clearing", "conflict": False}
        self.together(*((name, "declare", args) for name in self.panel))
        return self

    def commit(self, judge: Judge = lambda name: review(), *, but: Sequence[str] = ()) -> Panelled:
        """Have the panel commit to reviews."""
        number = self.record["round"]
        calls = [
            (name, "commit", {"project": "clearing", "commitment": self.commitment(name, judge(name), number)})
            for name in self.panel
            if name not in but
        ]
        self.together(*calls)
        return self

    @staticmethod
    def commitment(name: str, said: Data, number: int = 1) -> str:
        """Return the commitment of a reviewer."""
        return review_commitment("clearing", number, name, said, SALT)

    def reveal(self, judge: Judge = lambda name: review(), *, but: Sequence[str] = ()) -> Panelled:
        """Have those who committed reveal their reviews."""
        names = [name for name in self.round["committed"] if name not in but]
        self.together(
            *((name, "reveal", {"project": "clearing", "review": judge(name), "salt": SALT}) for name in names)
        )
        return self

    def reviewed(self, judge: Judge = lambda name: review(), turn: int = 0) -> Panelled:
        """Have an admitted project judged by a panel."""
        return self.drawn(turn).seated().commit(judge).reveal(judge)

    def decided(self, outcome: str) -> Data:
        """Have the acting body decide."""
        args = {"project": "clearing", "outcome": outcome, "reason": "The panel said so"}
        return self.ok("regulator", "decide", **args)


def certificate_document(scene: Panelled, name: str = "C1") -> Data:
    """Return the document about a certificate by the newest block."""
    chain = scene.chain
    tip = chain.blocks[-1]
    proven = [
        CertifiedValue(key.encode(), *chain.state.prove(key.encode()), tip.block.header, tip.certificate)
        for key in keys(chain.executor.reader, name)
    ]
    return json.loads(json.dumps(document(name, proven)))  # type: ignore[no-any-return]
