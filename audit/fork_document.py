"""The proof of a fork as a document: two certified blocks at one height, for whoever has the genesis.

Law: it proves nothing about who showed it. Both blocks are certified by quorums, so members whose validators signed
both broke their promise: each of them, if they did so in one round; else more than f of the validators, who are among
them. Source: docs/spec/audit.md, Several sources.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from coseal.audit import certified
from coseal.audit.light import signed_both
from coseal.audit.steps import Trace
from coseal.ledger import codec
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import BadProof, Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import Handover, with_handovers
from coseal.ledger.render import certified_header_from_json, certified_header_json, document_fields
from coseal.ledger.validators import ValidatorSet

KIND: Final = "fork"
RULE: Final = "audit.md, Several sources"
_FIELDS: Final = frozenset({"coseal", "version", "height", "blocks"})
_STEPS: Final = ("chain", "header", "validators", "certificate")
STEP_NAMES: Final = ("form", *_STEPS, *_STEPS, "conflict")

Certified = tuple[Header, Certificate]


def fork_json(one: Certified, other: Certified, handovers: Iterable[Handover] = ()) -> dict[str, Any]:
    """Return the document about two certified headers of one height; ``handovers`` lead to their epochs."""
    blocks = [certified_header_json(*pair) for pair in sorted((one, other), key=lambda pair: pair[0].hash)]
    return with_handovers({"coseal": KIND, "version": 1, "height": one[0].height, "blocks": blocks}, handovers)


def read_fork(value: Any) -> tuple[Certified, Certified]:
    """Return the two headers of a document, with their certificates; raise ``Malformed``. Proves nothing yet."""
    fields = document_fields(value, KIND, _FIELDS)
    blocks = codec.sequence(fields["blocks"], f"{KIND}.blocks", limit=2)
    if len(blocks) != 2:
        raise Malformed(f"{KIND}.blocks: expected two")
    one, other = map(certified_header_from_json, blocks)
    if type(fields["height"]) is not int or fields["height"] != one[0].height:
        raise Malformed(f"{KIND}.height is not that of the blocks")
    return one, other


def verify_fork(document: Any, genesis: Genesis, trace: Trace) -> tuple[str, dict[str, Any]]:
    """Return in words and as facts what a document proves; raise a ``LedgerError`` unless it does."""
    (one, other), handovers = certified.read(document, trace, read_fork)
    judged = [certified.judge(*pair, handovers, genesis, trace) for pair in (one, other)]
    with trace.step("conflict", RULE) as seen:
        headers = [each.header for each in judged]
        seen.values = {"heights": [each.height for each in headers], "blocks": [each.hash.hex() for each in headers]}
        members = answerable(one, other, judged[0].validators, judged[1].validators)
        seen.detail = f"two blocks at height {headers[0].height}; signed by both: {', '.join(members) or 'nobody'}"
    rounds = sorted({each.certificate.round for each in judged})
    facts = {
        "chain_id": genesis.chain_id.hex(),
        "height": headers[0].height,
        "blocks": [each.hash.hex() for each in headers],
        "rounds": rounds,
        "signed_both": list(members),
    }
    return f"two blocks are certified at height {headers[0].height}: the chain has forked", facts


def answerable(one: Certified, other: Certified, left: ValidatorSet, right: ValidatorSet) -> tuple[str, ...]:
    """Return the members whose validators signed both of two certified headers; raise unless these contradict."""
    if one[0].height != other[0].height or one[0].hash == other[0].hash:
        raise BadProof("expected two different blocks of one height")
    return signed_both(one[1], other[1], left, right)
