"""Documents with all items of an object: nothing left out, added, changed or moved."""

import json
from dataclasses import replace

import pytest

from coseal.audit.history import history_json, verify_history
from coseal.audit.report import Verdict
from coseal.audit.verify import verify_document
from coseal.contracts.process.chain import chain as chain_head
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.state import object_key
from coseal.ledger import codec, render
from coseal.ledger.errors import LedgerError
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.state import MemoryStore, State

SOURCE = "enterprise-a/fines"
ITEMS = [{"event": f"e{n}", "type": "Create Fine", "objects": [["fine", "A1"]]} for n in range(3)]


def certify(chain, key, value):
    """Return the proof of ``key`` in a state that holds only it, in a block certified on this chain."""
    state = State(MemoryStore(4), 4)
    if value is not None:
        state.commit(state.derive({key: codec.encode(value)}))
    header = replace(chain.blocks[-1].block.header, state_root=state.root)
    proof = state.prove(key)[1]
    raw = None if value is None else codec.encode(value)
    return CertifiedValue(key, raw, proof, header, chain.certify(header))


@pytest.fixture
def document(chain):
    head = ZERO_HASH
    for number, item in enumerate(ITEMS, 1):
        head = chain_head(head, item_hash(SOURCE, number, item))
    record = certify(chain, object_key("fines", "fine", "A1").encode(), [len(ITEMS), head])
    rows = [
        {
            "source": SOURCE,
            "sequence": n,
            "hash": item_hash(SOURCE, n, item).hex(),
            "item": item,
            "unproven": {"height": 2, "index": 0},
        }
        for n, item in enumerate(ITEMS, 1)
    ]
    names = {"coseal": "object-history", "version": 1, "process_type": "fines", "type": "fine", "id": "A1"}
    full = {**names, "height": 12, "count": 3, "items": rows, "record": render.state_proof_json(record)}
    return json.loads(json.dumps(full))


def test_a_complete_history_verifies(chain, document):
    history = verify_history(document, chain.genesis)
    assert [item for _, _, item in history.items] == ITEMS
    assert history.height == 12
    assert verify_document(document, chain.genesis).ok


def change(path, value):
    def apply(document):
        *steps, last = path
        for step in steps:
            document = document[step]
        document[last] = value

    return apply


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document["items"].pop(),
        lambda document: document["items"].pop(0),
        lambda document: document["items"].reverse(),
        lambda document: document["items"].append(document["items"][0]),
        lambda document: document.pop("record"),
        lambda document: document.pop("items"),
        change(["items", 1, "item", "type"], "Pay Fine"),
        change(["items", 1, "item"], 1.5),
        change(["items", 1, "item", "amount"], 1.5),
        change(["items", 1, "sequence"], 9),
        change(["items", 1, "source"], "bank-a/fines"),
        change(["items", 1, "hash"], "00" * 32),
        change(["id"], "A2"),
        change(["type"], "car"),
        change(["process_type"], "other"),
        change(["count"], 2),
        change(["count"], True),
        change(["height"], 11),
        change(["version"], True),
        change(["coseal"], "receipt"),
        change(["record", "value"], [2, "00" * 32]),
        change(["complete"], True),
        change(["items", 0, "height"], 2),
        change(["items", 1, "unproven", "time"], "2026-01-01T00:00:00Z"),
        change(["items", 1, "unproven", "height"], "2"),
        change(["items", 1, "unproven"], None),
        change(["record", "note"], "x"),
        change(["record", "header", "note"], "x"),
    ],
)
def test_a_history_with_one_thing_wrong_is_refused(chain, document, spoil):
    spoil(document)
    with pytest.raises(LedgerError):
        verify_history(document, chain.genesis)
    assert verify_document(document, chain.genesis).verdict is not Verdict.OK


def test_an_object_nobody_named_has_no_items(chain, document):
    absent = certify(chain, object_key("fines", "fine", "A1").encode(), None)
    nothing = {**document, "items": [], "count": 0, "record": render.state_proof_json(absent)}
    assert verify_history(nothing, chain.genesis).items == ()
    with pytest.raises(LedgerError):
        verify_history({**document, "record": nothing["record"]}, chain.genesis)


def test_where_a_node_found_the_items_is_apart_from_what_is_proven(chain, document):
    assert verify_history(document, chain.genesis).claimed == ((2, 0),) * 3
    proven = json.loads(json.dumps(history_json(verify_history(document, chain.genesis))))
    for row in document["items"]:
        del row["unproven"]
    assert proven == document
    assert verify_history(proven, chain.genesis).claimed == (None,) * 3
