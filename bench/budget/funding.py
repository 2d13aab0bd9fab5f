"""Cases of funding: the most tranches, the greatest milestones by events and by count, money reserved and released."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bench.budget.arguing import adopted
from bench.budget.scene import DAY_MS, Result, Scene, time_case
from bench.rules import TYPES
from bench.standards import kept, view_of
from coseal.contracts.certification.funding import MAX_ITEMS
from coseal.contracts.certification.projects import MAX_PARTIES
from coseal.contracts.certification.state import certificate_key, project_key
from coseal.contracts.certification.tranches import MAX_ATTESTERS
from coseal.contracts.certification.verdict import CERTIFIED
from coseal.contracts.currency.ledger import ISSUANCE, MAX_AMOUNT, POSTED, Wallet
from coseal.contracts.currency.post import Order, Origin, Posting
from coseal.contracts.currency.tranches import MAX_TRANCHES
from coseal.contracts.membership.state import member_key
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.state import further_tally_key, tally_key
from coseal.contracts.process.tally import MAX_MEMBERS

APPLICANT, FUNDER, ATTESTER = "bank-a", "enterprise-a", "central-bank"
AMOUNT: Final = 100_000
PAYER, PAYEE = "bank-a/funder", "bank-a/applicant"
ITEM_CHARACTERS: Final = 4_000
"""Of an item's note, three bytes each: as many items as a claim may show nearly fill a transaction."""
FIGURES: Final = 16
"""Tallies in a member's row, as many as an object may have."""
OBJECT: Final = ["bench", "case", "c"]
COUNTED: Final = ["bench", "case", "counted"]


def funding() -> Iterator[Result]:
    """Tranches applied for, pledged, claimed and released, each at its largest."""
    scene = _founded()
    apply = scene.chain.signed(APPLICANT, "certification.apply", _applying())
    yield time_case("a project of 32 tranches is applied for", scene, apply)
    scene.commit(apply)
    release = {"tranche": ["p", 1]}
    expires_ms = scene.chain.executor.time_ms + 100 * DAY_MS
    pend = {"from": PAYER, "to": PAYEE, "amount": AMOUNT, "code": "SUPP"}
    pending = scene.must(FUNDER, "currency.pend", {**pend, "release": release, "expires_ms": expires_ms})
    pledge = {"project": "p", "tranche": 1, "pending": pending.data["pending"]}
    yield time_case("money is pledged for a tranche", scene, scene.chain.signed(FUNDER, "certification.pledge", pledge))
    scene.must(FUNDER, "certification.pledge", pledge)
    scene.must(FUNDER, "certification.pledge", {"project": "p", "tranche": 2})
    claim = {"project": "p", "tranche": 1, "items": _attested(scene)}
    signed = scene.chain.signed(APPLICANT, "certification.claim_milestone", claim)
    yield time_case(f"16 events show a milestone, {len(signed.raw) // 1_000} KB", scene, signed)
    scene.commit(signed)
    _counted(scene)
    count = {"project": "p", "tranche": 2}
    counted = scene.chain.signed(APPLICANT, "certification.claim_milestone", count)
    yield time_case("a count of 25 members does not show one", scene, counted, expected="not_reached")
    _certified(scene)
    first = {"project": "p", "tranche": 1}
    yield time_case("a tranche is released", scene, scene.chain.signed(FUNDER, "certification.release", first))


def _founded() -> Scene:
    """Return a scene with a scheme, members to name, and wallets of funder and applicant."""
    scene = Scene(tallies={"case": {f"n{n}": [{"on": TYPES[0], "add": 1}] for n in range(FIGURES)}})
    adopted(scene)
    scene.must("central-bank", "currency.admit_institution", {"member": "bank-a"})
    executor = scene.chain.executor
    view = view_of(executor)
    member: Any = view.get(member_key(ATTESTER))
    for name in (*_parties(), *(f"m{n}" for n in range(MAX_TRANCHES * MAX_ATTESTERS))):
        view.put(member_key(name), member)
    posting = Posting(view, Origin(executor.height, executor.time_ms))
    posting.post(Order(POSTED, ISSUANCE, "bank-a/vault", MAX_AMOUNT, supply=True))
    for owner, name in ((FUNDER, PAYER), (APPLICANT, PAYEE)):
        posting.open_wallet(name, Wallet(f"member:{owner}", "member", "", "corporate"))
        posting.post(Order(POSTED, "bank-a/vault", name, MAX_AMOUNT // 10))
    posting.write()
    kept(executor, view)
    return scene


def _parties() -> list[str]:
    return [f"party{n}" for n in range(MAX_PARTIES)]


def _applying() -> dict[str, Any]:
    """Return the arguments of a project with as many tranches, parties and attesters as there may be."""
    args = {"project": "p", "title": "P", "scheme": "rationality", "kind": "chain", "framework_sha256": "00" * 32}
    others = [[f"m{n * MAX_ATTESTERS + at}" for at in range(MAX_ATTESTERS - 1)] for n in range(MAX_TRANCHES)]
    event = {"object": OBJECT, "event": TYPES[0]}
    count = {"object": COUNTED, "tally": {"name": "n0", "least": 2**62}}
    tranches = [
        {
            "amount": AMOUNT,
            "funder": FUNDER if number < 2 else f"m{number * MAX_ATTESTERS + MAX_ATTESTERS - 1}",
            "milestone": {**(count if number % 2 else event), "members": [ATTESTER, *some]},
        }
        for number, some in enumerate(others)
    ]
    return {**args, "parties": _parties(), "tranches": tranches}


def _attested(scene: Scene) -> list[dict[str, Any]]:
    """Record and confirm as many events as a claim may show; return how it shows them."""
    shown = []
    for number in range(MAX_ITEMS):
        item = {**scene.event(number, TYPES[0], ["c"], note="\u5b57" * ITEM_CHARACTERS), "counterparty": ATTESTER}
        scene.must(APPLICANT, "process.record", {"source": "log", "sequence": number + 1, "items": [item]})
        hashed = item_hash("bank-a/log", number + 1, item).hex()
        scene.must(ATTESTER, "process.attest", {"item": hashed, "verdict": "confirm"})
        shown.append({"source": "bank-a/log", "sequence": number + 1, "item": item})
    return shown


def _counted(scene: Scene) -> None:
    """Have everybody who may count the object of a milestone have counted it, none of them enough."""
    executor = scene.chain.executor
    view = view_of(executor)
    figures = {f"n{n}": [10**15, 10**6, 0] for n in range(FIGURES)}
    row = ["other", "KGM", "CNY", figures, 0, []]
    first = {f"first{n}": row for n in range(MAX_MEMBERS)}
    view.put(tally_key(*COUNTED), [first, figures])
    second = [f"m{MAX_ATTESTERS + at}" for at in range(MAX_ATTESTERS - 1)]
    for member in (APPLICANT, *_parties(), ATTESTER, *second):
        view.put(further_tally_key(member, *COUNTED), row)
    kept(executor, view)


def _certified(scene: Scene) -> None:
    """Have the project certified."""
    executor = scene.chain.executor
    view = view_of(executor)
    record: Any = view.get(project_key("p"))
    view.put(project_key("p"), {**record, "status": CERTIFIED, "certificate": "C1"})
    ends = {"from_ms": executor.time_ms, "until_ms": executor.time_ms + 100 * DAY_MS, "height": executor.height}
    view.put(certificate_key("C1"), {"project": "p", "scheme": "rationality", "status": CERTIFIED, **ends})
    kept(executor, view)
