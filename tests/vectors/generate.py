"""Writes the pinned vectors of every format, and the recorded chain: ``python -m tests.vectors.generate``.

Law: deterministic. A difference after running it is a change of a wire or storage format; committing it approves it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coseal.consensus import messages, persisted
from coseal.consensus.events import BodyRecord, PreparedRecord, RoundRecord, SignRecord
from coseal.consensus.messages import Commit, Prepare, Proposal, RoundChange
from coseal.contracts.process import chain as process_chain
from coseal.ledger import codec, custody, framing, merkle, render, sealed, signing, transaction
from coseal.ledger.block import Block, CommittedBlock, Header, Receipt, last_commit_hash
from coseal.ledger.certificate import PbftCertificate, Phase, assemble, vote_preimage
from coseal.ledger.genesis import Genesis, Member, Node, Operator, Parameters, encode_genesis
from coseal.ledger.handover import Handover, handover_json
from coseal.ledger.proof import CertifiedValue, TransactionProof
from coseal.ledger.signing import ZERO_HASH, Ed25519Signer
from coseal.ledger.state import MemoryStore, State
from coseal.ledger.validators import ValidatorSet
from coseal.node.core import wire
from tests.vectors.recorded import chain as recorded_chain

FOLDER = Path(__file__).parent
TIME_MS = 1_700_000_000_000
MEMBERS = (
    ("bank-a", "bank", "", False),
    ("central-bank", "bank", "", True),
    ("enterprise-a", "enterprise", "", False),
    ("regulator", "government", "central", False),
)


def signer(text: str) -> Ed25519Signer:
    """Return the signer of a node or operator, named in clear so that anyone can make it again."""
    return Ed25519Signer(text.encode().ljust(32, b"."))


def genesis() -> Genesis:
    """Return the genesis all vectors belong to."""
    members = tuple(
        Member(
            id=member,
            name=member.title(),
            role=role,
            level=level,
            sector="监管" if role == "government" else "",
            central_bank=central,
            operators=(Operator("admin", signer(f"{member}/admin").public_key, ("operate", "submit")),),
        )
        for member, role, level, central in MEMBERS
    )
    nodes = tuple(
        Node(member, member, "validator", signer(f"{member}/node").public_key, b"\x30\x00") for member, *_ in MEMBERS
    )
    parameters = Parameters(state_bits=8)
    return Genesis.decode(
        encode_genesis(name="vectors", time_ms=TIME_MS, parameters=parameters, members=members, nodes=nodes)
    )


GENESIS = genesis()
CHAIN = GENESIS.chain_id
VALIDATORS = GENESIS.validators


def state() -> State:
    """Return a small state, whose root the vectors' block certifies."""
    result = State(MemoryStore(8), 8)
    values = {b"policy/instrument/%d" % number: codec.encode({"n": number}) for number in range(40)}
    result.commit(result.derive(values))
    return result


def signed(number: int) -> transaction.Transaction:
    """Return a transaction of bank-a."""
    return transaction.sign(
        signer("bank-a/admin"),
        chain_id=CHAIN,
        sender="bank-a/admin",
        contract="policy",
        action="publish",
        args={"title": "通知", "number": number, "tags": ["a", None, True], "nested": {"b": 2**64 - 1, "a": -1}},
        valid_until_ms=TIME_MS + 60_000,
        salt=number.to_bytes(16, "big"),
    )


def signed_by_node() -> transaction.Transaction:
    """Return a transaction that the node of bank-a signed itself, with its consensus key."""
    return transaction.sign(
        signer("bank-a/node"),
        chain_id=CHAIN,
        sender=transaction.node_sender("bank-a"),
        contract="membership",
        action="ready",
        args={"height": 7},
        valid_until_ms=TIME_MS + 60_000,
        salt=bytes(16),
    )


def certify(phase: Phase, header: Header, round: int, signers: tuple[int, ...]) -> PbftCertificate:
    """Return the certificate of these validators' votes."""
    preimage = vote_preimage(CHAIN, 0, header.height, round, phase, header.hash)
    votes = {index: signer(f"{VALIDATORS[index].id}/node").sign(preimage) for index in signers}
    return assemble(phase, VALIDATORS, header.height, round, header.hash, votes)


def committed(height: int, parent: CommittedBlock | None, count: int) -> CommittedBlock:
    """Return a committed block with ``count`` transactions."""
    transactions = [signed(number) for number in range(count)]
    raws = [item.raw for item in transactions]
    receipts = [Receipt(ZERO_HASH, "ok", "", {}, 0).encode()]
    receipts += [
        Receipt(item.id, "ok", "", {"sequence": n}, 500 + n).encode()
        if n % 2 == 0
        else Receipt(item.id, "unauthorised", "needs another role", {}, 416).encode()
        for n, item in enumerate(transactions)
    ]
    last_commit = None if parent is None else parent.certificate
    header = Header(
        version=1,
        chain_id=CHAIN,
        height=height,
        parent_hash=CHAIN if parent is None else parent.block.hash,
        epoch=0,
        validators_hash=VALIDATORS.hash,
        next_validators_hash=VALIDATORS.hash,
        proposer=VALIDATORS[0].id,
        created_round=0,
        time_ms=TIME_MS + height,
        tx_root=merkle.root(raws),
        tx_count=len(raws),
        receipts_root=merkle.root(receipts),
        state_root=state().root,
        last_commit_hash=last_commit_hash(last_commit),
    )
    certificate = certify(Phase.COMMIT, header, height - 1, (0, 1, 2) if height == 1 else (0, 1, 2, 3))
    return CommittedBlock(Block(header, tuple(raws), last_commit), certificate, tuple(receipts))


FIRST = committed(1, None, 0)
SECOND = committed(2, FIRST, 3)


def codec_vectors() -> Any:
    """Return values (bytes as ``{"bytes": hex}``) with their encodings, and bytes that are refused."""
    values: list[Any] = [None, False, True]
    values += [0, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]
    values += [-1, -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1, -(2**63)]
    values += ["", "a", "通知", "x" * 31, "x" * 32, "x" * 256, b"", b"\x00", bytes(256)]
    values += [[], [1, "a", b"b", None], list(range(16)), {}, {"b": 1, "a": [], "": {"é": 1, "z": 2}}]
    values += [{f"{n:02}": n for n in range(16)}]
    refused = ["", "0101", "cc01", "cd0001", "d001", "d90161", "dc000101", "82a16201a16101", "82a16101a16102", "8101c0"]
    refused += ["ca3f800000", "cb7ff8000000000000", "a1ff", "a3eda080", "d40100", "ddffffffff010203", "91" * 17 + "01"]

    def shown(value: Any) -> Any:
        if isinstance(value, bytes):
            return {"bytes": value.hex()}
        return [shown(item) for item in value] if isinstance(value, list) else value

    return {
        "values": [{"value": shown(value), "encoding": codec.encode(value).hex()} for value in values],
        "refused": refused,
    }


def signing_vectors() -> Any:
    """Return tags, preimages and signatures."""
    key = signer("bank-a/node")
    votes = []
    for phase in Phase:
        preimage = vote_preimage(CHAIN, 3, 1_000, 2, phase, b"\x22" * 32)
        votes.append({"phase": phase.name, "preimage": preimage.hex(), "signature": key.sign(preimage).hex()})
    return {
        "seed": b"bank-a/node".ljust(32, b".").hex(),
        "public_key": key.public_key.hex(),
        "tags": {name: value.hex() for name, value in sorted(vars(signing).items()) if name.startswith("TAG_")},
        "votes": votes,
        "bodies": {
            name: signing.body_preimage(tag, CHAIN, b"body").hex()
            for name, tag in (("transaction", signing.TAG_TRANSACTION), ("http", signing.TAG_HTTP))
        },
    }


def merkle_vectors() -> Any:
    """Return roots of lists of 0 to 8 leaves, and the audit paths of the one with 7."""
    leaves = [bytes([number]) * number for number in range(8)]
    return {
        "leaves": [leaf.hex() for leaf in leaves],
        "trees": [
            {"size": n, "tree_hash": merkle.tree_hash(leaves[:n]).hex(), "root": merkle.root(leaves[:n]).hex()}
            for n in range(9)
        ],
        "paths_of_7": [[item.hex() for item in merkle.prove(leaves[:7], index)] for index in range(7)],
    }


def state_vectors() -> Any:
    """Return roots after updates and a deletion, and proofs."""
    result, roots = State(MemoryStore(8), 8), []
    steps: list[dict[bytes, bytes | None]] = [
        {},
        {b"a": b"1"},
        {b"b": b"2", b"": b""},
        {b"a": None},
        {b"key/%d" % n: b"%d" % n for n in range(600)},
    ]
    for step in steps:
        result.commit(result.derive(step))
        roots.append(result.root.hex())
    proofs = []
    for key in (b"b", b"", b"a", b"key/7", b"key/600"):
        value, proof = result.prove(key)
        proofs.append(
            {"key": key.hex(), "value": None if value is None else value.hex(), "proof": proof.encode().hex()}
        )
    return {"bits": 8, "roots": roots, "proofs": proofs}


def genesis_vectors() -> Any:
    """Return the genesis document and what follows from it."""
    return {
        "document": GENESIS.raw.decode(),
        "chain_id": CHAIN.hex(),
        "validators": VALIDATORS.encode().hex(),
        "validators_hash": VALIDATORS.hash.hex(),
    }


def chain_vectors() -> Any:
    """Return everything of a chain of two blocks, as bytes and as JSON."""
    block, index = SECOND.block, 1
    proof = TransactionProof(
        block.transactions[index],
        SECOND.receipts[index + 1],
        index,
        tuple(merkle.prove(block.transactions, index)),
        tuple(merkle.prove(SECOND.receipts, index + 1)),
        block.header,
        SECOND.certificate,
    )
    key = b"policy/instrument/7"
    value, state_proof = state().prove(key)
    certified = CertifiedValue(key, value, state_proof, block.header, SECOND.certificate)
    handover = Handover(block.header, SECOND.certificate, ValidatorSet(1, VALIDATORS.validators[1:]))
    return {
        "transaction": {"raw": signed(1).raw.hex(), "id": signed(1).id.hex(), "preimage": signed(1).preimage.hex()},
        "node_transaction": {
            "raw": signed_by_node().raw.hex(),
            "id": signed_by_node().id.hex(),
            "preimage": signed_by_node().preimage.hex(),
        },
        "header": {"raw": block.header.raw.hex(), "hash": block.hash.hex()},
        "certificate": {"raw": SECOND.certificate.encode().hex(), "hash": SECOND.certificate.hash.hex()},
        "receipt": SECOND.receipts[2].hex(),
        "blocks": [item.block.raw.hex() for item in (FIRST, SECOND)],
        "committed": [item.encode().hex() for item in (FIRST, SECOND)],
        "proof": proof.encode().hex(),
        "certified_value": certified.encode().hex(),
        "handover": handover.encode().hex(),
        "json": {
            "block": render.block_json(SECOND),
            "receipt": render.proof_json(proof),
            "state_proof": render.state_proof_json(certified),
            "certified_header": render.certified_header_json(block.header, SECOND.certificate),
            "handover": handover_json(handover),
        },
    }


def framing_vectors() -> Any:
    """Return a record of a file."""
    return {"sequence": 7, "kind": 1, "payload": b"payload".hex(), "frame": framing.frame(7, 1, b"payload").hex()}


def consensus_vectors() -> Any:
    """Return consensus messages, and the journal's records."""
    header = SECOND.block.header
    prepared = certify(Phase.PREPARE, header, 1, (0, 1, 3))
    change = RoundChange(0, 2, 2, 3, prepared, bytes(64))
    plain = RoundChange(0, 2, 2, 1, None, bytes(64))
    said: list[messages.Message] = [
        Prepare(0, 2, 1, 3, header.hash, bytes(64)),
        Commit(0, 2, 1, 3, header.hash, bytes(64)),
        change,
        plain,
        Proposal(0, 2, 2, 2, SECOND.block, (plain, change), bytes(64)),
    ]
    records = [
        SignRecord(2, 1, 2, vote_preimage(CHAIN, 0, 2, 1, Phase.PREPARE, header.hash), bytes(64)),
        BodyRecord(2, SECOND.block),
        PreparedRecord(prepared),
        RoundRecord(2, 2, (plain, change), plain),
    ]
    return {
        "messages": [
            {
                "type": type(item).__name__,
                "raw": messages.encode_message(item).hex(),
                "preimage": messages.preimage(CHAIN, item).hex(),
            }
            for item in said
        ],
        "records": [{"type": type(item).__name__, "raw": persisted.encode_record(item).hex()} for item in records],
    }


def wire_vectors() -> Any:
    """Return one peer message of each type."""
    certificate = SECOND.certificate
    said: list[wire.WireMessage] = [
        wire.Hello(CHAIN, "bank-a", "0.1.0"),
        wire.Status(0, CHAIN, None),
        wire.Status(2, SECOND.block.hash, certificate),
        wire.Transactions((signed(1).raw, signed(2).raw)),
        wire.ConsensusMessage(Prepare(0, 2, 1, 3, SECOND.block.hash, bytes(64))),
        wire.GetBlocks(1, 100),
        wire.Blocks(2, ((SECOND.block.raw, certificate.encode()),)),
        wire.GetBody(2, SECOND.block.hash),
        wire.Body(SECOND.block),
        wire.TipRequest(9),
        wire.TipReply(9, certificate, None),
    ]
    return [{"type": type(item).__name__, "raw": wire.encode(item).hex()} for item in said]


def process_vectors() -> Any:
    """Return the hash of a process item and a chain of two."""
    item = {"event": "e1", "type": "Create Fine", "time": "2006-07-24T00:00:00+02:00", "objects": [["fine", "A1", ""]]}
    first = process_chain.item_hash("enterprise-a/fines", 1, item)
    second = process_chain.item_hash("enterprise-a/fines", 2, item)
    head = process_chain.chain(ZERO_HASH, first)
    return {
        "item": item,
        "item_hashes": [first.hex(), second.hex()],
        "heads": [head.hex(), process_chain.chain(head, second).hex()],
    }


def sealed_vectors() -> Any:
    """Return what is derived from the keys of a vault, sidecars of both kinds with their names, and a release."""
    plan, source, salt, seed = custody.Plan(5, 3), "bank-a/loans", b"\x11" * 32, b"\x22" * 32
    vault = sealed.vault_id(CHAIN, "bank-a", "loans")
    keys = [bytes([number]) * 32 for number in range(plan.keys)]
    cell = sealed.cell_id(vault, seed, source, 7, "price")
    parts = tuple(custody.part(keys[number], cell) for number in custody.keys_of(plan, 2))
    key = custody.cell_key(vault, keys, cell)
    request = sealed.request_id(CHAIN, 1)
    commitment = sealed.commitment(salt, source, 7, "rate", "4.35")
    written = sealed.Cell(7, "price", custody.key_check(key, cell), bytes(80), (bytes(40),))
    sidecars: list[sealed.Sidecar] = [
        sealed.Cells(vault, seed, (("auditors", 1),), (written,)),
        sealed.Envelopes(vault, (sealed.Envelope("regulator", 1, bytes(1_200)),)),
    ]
    info = sealed.envelope_info(CHAIN, sealed.Purpose.DEALING, vault, "regulator", "custody", 1)
    release = custody.Release(request, 2, ((cell, parts),)).signed(CHAIN, signer("regulator/admin"))
    return {
        "keys_of_each_seat": [custody.keys_of(plan, seat) for seat in range(plan.seats)],
        "vault": vault.hex(),
        "audience": sealed.audience_id(vault, "auditors", 1).hex(),
        "request": request.hex(),
        "envelope_info": info.hex(),
        "key_commitments": [custody.key_commitment(vault, n, found).hex() for n, found in enumerate(keys)],
        "commitment": commitment.hex(),
        "items_root": sealed.items_root([(7, "price", [("rate", commitment)])]).hex(),
        "padded": sealed.pad(b"text").hex(),
        "cell": cell.hex(),
        "parts_of_seat_2": [found.hex() for found in parts],
        "cell_key": key.hex(),
        "check": custody.key_check(key, cell).hex(),
        "wrapping_key": custody.wrapping_key(keys[1], seed).hex(),
        "sidecars": [{"raw": sealed.encode_sidecar(s).hex(), "name": sealed.name_of(s).hex()} for s in sidecars],
        "release": release.encode().hex(),
    }


FILES: dict[str, Callable[[], Any]] = {
    "chain.json": chain_vectors,
    "codec.json": codec_vectors,
    "consensus.json": consensus_vectors,
    "framing.json": framing_vectors,
    "genesis.json": genesis_vectors,
    "merkle.json": merkle_vectors,
    "process.json": process_vectors,
    "sealed.json": sealed_vectors,
    "signing.json": signing_vectors,
    "state.json": state_vectors,
    "wire.json": wire_vectors,
}


def text_of(name: str) -> str:
    """Return the contents of a vector file."""
    return json.dumps(FILES[name](), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all files and say which ones changed."""
    for name, text in (*((name, text_of(name)) for name in FILES), (recorded_chain.FILE, recorded_chain.recorded())):
        path = FOLDER / name
        changed = not path.exists() or path.read_text(encoding="utf-8") != text
        path.write_text(text, encoding="utf-8")
        print(f"{name}: {'CHANGED: a format or a rule; commit it only if that is meant' if changed else 'unchanged'}")


if __name__ == "__main__":
    main()
