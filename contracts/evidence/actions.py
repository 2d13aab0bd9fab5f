"""Evidence: proofs that a validator contradicted itself, on record for everyone and for ever.

Law: a record proves itself: two signatures of one validator in one phase of one round, under different hashes, checked
here against the key with which it voted. Nothing here removes a validator; that is decided by people, with a ballot.

State: ``evidence.state``. Rules O1 to O6 of contracts/evidence/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from coseal.contracts.evidence.state import ACCUSED_KEY, KEYS, OPEN_KEYS, places_key, proof_key
from coseal.contracts.kernel.action import (
    SUSPENDED,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    Result,
    View,
    refused,
)
from coseal.contracts.kernel.budget import SIGNATURE_STEPS
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.fields import Hexadecimal, Integer, Name, OneOf, Record
from coseal.contracts.membership import epochs as membership_epochs
from coseal.ledger.certificate import ROUND_MAX, Phase
from coseal.ledger.comet import NANOSECONDS_MAX, PARTS_MAX, SECONDS_MAX, SECONDS_MIN, VoteKind
from coseal.ledger.equivocation import Equivocation, Signed, VoteRest
from coseal.ledger.errors import LedgerError
from coseal.ledger.signing import SIGNATURE_BYTES, Verify
from coseal.ledger.validators import Validator

MAX_PROOFS: Final = 16
"""Proofs kept against a validator of one epoch: more prove nothing more, and who has its key can make any number."""

PHASES: Final[Mapping[str, Phase]] = {
    "round-change": Phase.ROUND_CHANGE,
    "proposal": Phase.PROPOSAL,
    "prepare": Phase.PREPARE,
    "commit": Phase.COMMIT,
}
VOTES: Final[Mapping[str, VoteKind]] = {"prevote": VoteKind.PREVOTE, "precommit": VoteKind.PRECOMMIT}
"""What is said in CometBFT's steps, on a chain that it orders."""
_PHASES: Final[Mapping[str, Phase | VoteKind]] = {**PHASES, **VOTES}
_NAMES: Final = {phase: name for name, phase in _PHASES.items()}


def arguments_of(validator: str, proof: Equivocation) -> dict[str, Any]:
    """Return the arguments with which ``evidence.report`` carries a proof against ``validator``."""
    return {
        "validator": validator,
        "height": proof.height,
        "round": proof.round,
        "phase": _NAMES[proof.phase],
        "first": _half_shown(proof.first),
        "second": _half_shown(proof.second),
    }


def refusal(reader: Reader, args: Args, *, chain_id: bytes, height: int, verify: Verify) -> Rejected | None:
    """Say why a report would be refused in a block of ``height`` on this state, or None. ``args`` are valid."""
    found = _judge(reader, args, chain_id=chain_id, height=height, verify=verify)
    return found if isinstance(found, Rejected) else None


def _judge(
    reader: Reader, args: Args, *, chain_id: bytes, height: int, verify: Verify
) -> tuple[Validator, Equivocation] | Rejected:
    """Check what can be known cheaply, then the signatures."""
    validator, at = args["validator"], args["height"]
    if at > height:  # O2
        return Rejected("not_yet", f"height {at} is after this block, {height}; report it when that height is reached")
    if reader.get(_proof_key(args)) is not None:  # O3
        where = f"height {at} round {args['round']}, {args['phase']}"
        return Rejected("already_reported", f"it is on record that {validator} contradicted itself at {where}")
    voters = membership_epochs.validators_at(reader, at)
    index = None if voters is None else voters.index(validator)
    if voters is None or index is None:  # O1
        return Rejected("unknown_validator", f"{validator} was no validator at height {at}")
    if sum(place[0] == voters.epoch for place in _places(reader, validator)) >= MAX_PROOFS:  # O4
        return Rejected("enough_reported", f"{MAX_PROOFS} proofs against {validator} are on record; more add nothing")
    halves = map(_half_of, _halves(args))
    proof = Equivocation(voters.epoch, at, args["round"], _PHASES[args["phase"]], *halves)
    try:
        proof.verify(chain_id, voters[index].key, verify)  # O1
    except LedgerError as error:
        return Rejected("forged_evidence", f"this does not prove that {validator} contradicted itself: {error.reason}")
    return voters[index], proof


def _report(view: View, context: Context, args: Args) -> Result | Rejected:
    view.charge(2 * SIGNATURE_STEPS)
    judged = _judge(view, args, chain_id=context.chain_id, height=context.height, verify=context.verify)
    if isinstance(judged, Rejected):
        return judged
    seat, proof = judged
    record = {
        "member": seat.member,
        "key": seat.key,
        "epoch": proof.epoch,
        "first": _half_kept(proof.first),
        "second": _half_kept(proof.second),
        "reporter": context.sender,
        "reported_height": context.height,
        "reported_ms": context.time_ms,
    }
    places = [*_places(view, seat.id), [proof.epoch, proof.height, proof.round, args["phase"]]]
    view.put(_proof_key(args), record)
    view.put(places_key(seat.id), places)
    if len(places) == 1:
        accused: Any = view.get(ACCUSED_KEY) or []
        view.put(ACCUSED_KEY, sorted([*accused, seat.id]))
    place = {"epoch": proof.epoch, "height": proof.height, "round": proof.round, "phase": args["phase"]}
    return {"validator": seat.id, "member": seat.member, **place, "proofs": len(places)}


def _half_of(half: Mapping[str, Any]) -> Signed:
    rest = None
    if "vote" in half:
        vote = half["vote"]
        rest = VoteRest(vote["parts"], bytes.fromhex(vote["parts_hash"]), vote["seconds"], vote["nanoseconds"])
    return Signed(bytes.fromhex(half["hash"]), bytes.fromhex(half["signature"]), rest)


def _half_kept(half: Signed) -> list[Any]:
    rest = half.rest
    more = [] if rest is None else [rest.parts_total, rest.parts_hash, rest.seconds, rest.nanoseconds]
    return [half.hash, half.signature, *more]


def _half_shown(half: Signed) -> dict[str, Any]:
    shown: dict[str, Any] = {"hash": half.hash.hex(), "signature": half.signature.hex()}
    rest = half.rest
    if rest is not None:
        parts = {"parts": rest.parts_total, "parts_hash": rest.parts_hash.hex()}
        shown["vote"] = {**parts, "seconds": rest.seconds, "nanoseconds": rest.nanoseconds}
    return shown


def _halves(args: Args) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return args["first"], args["second"]


def _places(reader: Reader, validator: str) -> list[Any]:
    places: Any = reader.get(places_key(validator))
    return places or []


def _proof_key(args: Args) -> str:
    return proof_key(args["validator"], args["height"], args["round"], args["phase"])


_vote = Record(
    {
        "parts": Integer(0, PARTS_MAX),
        "parts_hash": Hexadecimal(),
        "seconds": Integer(SECONDS_MIN, SECONDS_MAX),
        "nanoseconds": Integer(0, NANOSECONDS_MAX),
    }
)
_half = Record({"hash": Hexadecimal(), "signature": Hexadecimal(SIGNATURE_BYTES)}, {"vote": _vote})


def _check_form(args: Args) -> Iterator[Rejected]:
    if args["first"]["hash"] >= args["second"]["hash"]:  # O5
        yield from refused(".second.hash: expected another hash than the first, the lower one first")
    for name in ("first", "second"):
        if ("vote" in args[name]) != (args["phase"] in VOTES):  # O6
            yield from refused(f".{name}.vote: expected for prevote and precommit, and for nothing else")


_arguments = Arguments(
    {
        "validator": Name(),
        "height": Integer(1, 2**63 - 1),
        "round": Integer(0, ROUND_MAX),
        "phase": OneOf(*_PHASES),
        "first": _half,
        "second": _half,
    },
    further=_check_form,
)


_EXAMPLE: Final = {
    "validator": "bank-a",
    "height": 7,
    "round": 0,
    "phase": "prepare",
    "first": {"hash": "11" * 32, "signature": "00" * 64},
    "second": {"hash": "22" * 32, "signature": "00" * 64},
}


def _reported(name: str, data: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Return the evidence that a report put on record."""
    return ({"evidence": data},) if name == "evidence.report" else ()


CONTRACT: Final[Contract] = Contract(
    name="evidence",
    actions={
        "report": Action(
            arguments=_arguments,
            apply=_report,
            title="Put on record that a validator signed two contradicting messages",
            example=_EXAMPLE,
            capability="",
            by_node=True,
            standing=SUSPENDED,
            pausable=False,
        ),
    },
    events={"evidence": _reported},
    keys=KEYS,
    open_keys=OPEN_KEYS,
)


# Queries: pure functions of a Reader; every result is JSON-able, hashes, keys and signatures as lower-case hexadecimal


def counts(reader: Reader) -> dict[str, int]:
    """Return how many proofs are on record against each validator that has any, ascending by id."""
    accused: Any = reader.get(ACCUSED_KEY) or []
    return {validator: len(_places(reader, validator)) for validator in accused}


def summary(reader: Reader) -> list[dict[str, Any]]:
    """Return ``validator``, ``member`` (who ran it), ``proofs`` (how many) of each, ascending by id."""
    found = {validator: proofs(reader, validator) for validator in counts(reader)}
    return [{"validator": name, "member": held[-1]["member"], "proofs": len(held)} for name, held in found.items()]


def proofs(reader: Reader, validator: str) -> list[dict[str, Any]]:
    """Return the proofs against a validator in the order in which they came; each stands alone (``proof_of``)."""
    return [_proof(reader, validator, *place) for _, *place in _places(reader, validator)]


def _proof(reader: Reader, validator: str, height: int, round: int, phase: str) -> dict[str, Any]:
    place = {"validator": validator, "height": height, "round": round, "phase": phase}
    return shown(place, reader.get(_proof_key(place)))


def shown(place: Mapping[str, Any], record: Any) -> dict[str, Any]:
    """Return the record of a place (``validator``, ``height``, ``round``, ``phase``) as JSON can hold it."""
    first, second = (
        _half_shown(Signed(digest, signature, VoteRest(*rest) if rest else None))
        for digest, signature, *rest in (record["first"], record["second"])
    )
    return {**place, **record, "key": record["key"].hex(), "first": first, "second": second}


def proof_of(shown: Mapping[str, Any]) -> Equivocation:
    """Return the proof that ``proofs`` shows, to be verified against its ``key``."""
    halves = map(_half_of, _halves(shown))
    return Equivocation(shown["epoch"], shown["height"], shown["round"], _PHASES[shown["phase"]], *halves)
