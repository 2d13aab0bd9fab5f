"""Logs recorded by the contracts, exported from certified blocks, and read again: nothing is lost on the way."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from coseal.audit.verify import verify_file
from coseal.contracts.kernel.names import is_identifier
from coseal.contracts.process.chain import item_hash
from coseal.errors import BadAnswer, CosealError
from coseal.formats.exporters.chain import read_process
from coseal.formats.exporters.export import FORMATS, export, manifest
from coseal.formats.exporters.log import ExportLog, log_of
from coseal.formats.exporters.ocel_json import write_ocel_json
from coseal.formats.importers.log import Log
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from coseal.ledger import merkle
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import state_proof_json
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.transaction import sign
from tests.coseal.formats.ledger import Ledger
from tests.coseal.formats.logs import logs
from tests.support.keys import operator

ENDINGS = {
    "ocel-json": "json",
    "ocel-sqlite": "sqlite",
    "ocel-xml": "xml",
    "xes": "xes",
    "csv": "csv",
    "parquet": "parquet",
}


@pytest.fixture(scope="module")
def probe() -> tuple[Ledger, Log]:
    path = Path(__file__).with_name("roundtrip_probe.json")
    log = read_log(path, load_mapping(None, path))
    ledger = Ledger()
    ledger.record(log)
    return ledger, log


def written(ledger: Ledger, format: str, folder: Path, **options: Any) -> tuple[Path, Path]:
    """Export to a file with its manifest; return both paths."""
    made = export(read_process(ledger, ledger.genesis), format, **options)
    path = folder / f"log.{ENDINGS.get(format, format)}"
    path.write_bytes(made.data)
    beside = folder / f"{path.name}.manifest.json"
    signed = manifest(made, path.name, ledger.genesis.chain_id, "regulator/admin", operator("regulator"))
    beside.write_bytes(signed)
    return path, beside


@pytest.mark.parametrize("format", ["ocel-json", "ocel-sqlite", "ocel-xml"])
def test_the_probe_survives_the_ledger_and_each_encoding(
    probe: tuple[Ledger, Log], format: str, tmp_path: Path, read: Any, as_export: Any, said: Any
):
    ledger, log = probe
    path, beside = written(ledger, format, tmp_path)
    again = read(path)
    assert said(as_export(again)) == said(as_export(log))
    assert again.items == log.items
    verified = verify_file(beside, ledger.genesis)
    assert (verified.ok, verified.height, verified.as_of(4).exit_code) == (True, 3, 2)


@pytest.mark.parametrize("name", ["A", "x" * 128, "合" * 128, "https://example.org/a", "a/b c"])
def test_ids_that_several_things_share_are_told_apart_by_ids_that_can_be_imported_again(name: str):
    types = {"object_types": {"case": {"attributes": {}}, "o" * 128: {"attributes": {}}}}
    definition = {**types, "event_types": {"E": {"attributes": {}}}}
    objects = [["case", name], ["o" * 128, name], ["case", f"{name[:100]} (case)"]]
    event = {"event": name, "type": "E", "time": "2020-01-01T00:00:00Z", "objects": objects}
    sources = ("bank-a/https://example.org/", "bank-a//erp//", "bank-a/erp")
    log = log_of(definition, [(source, 1, event, None) for source in sources])
    for ids in ([one.id for one in log.objects], [one.id for one in log.events]):
        assert len(ids) == len(set(ids)) == 3
        assert [one for one in ids if not is_identifier(one)] == []


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("ocel2/pm4py_ocel20_example.jsonocel", None),
        ("ocel2/pm4py_ocel20_example.xmlocel", "+01:00"),
        ("ocel2/pm4py_ocel20_example.sqlite", "+01:00"),
        ("xes/running-example.xes", None),
    ],
)
def test_a_real_log_survives_the_ledger(
    name: str, zone: str | None, reference_data: Path, tmp_path: Path, read: Any, as_export: Any, said: Any
):
    log, ledger = read(reference_data / name, zone), Ledger()
    ledger.record(log)
    path, _ = written(ledger, "ocel-sqlite", tmp_path)
    assert said(as_export(read(path))) == said(as_export(log))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(log=logs())
def test_a_random_log_survives_the_ledger(log: ExportLog, tmp_path_factory: Any, read: Any, as_export: Any, said: Any):
    path = tmp_path_factory.mktemp("random") / "log.json"
    zero, written = b'"time": "1970-01-01T00:00:00Z"', write_ocel_json(log)
    path.write_bytes(written.replace(zero, b'"time": "0"'))
    imported, ledger = read(path), Ledger()
    ledger.record(imported)
    record = read_process(ledger, ledger.genesis)
    exported = log_of(record.definition, record.rows)
    assert said(exported) == said(log)
    assert sum(count for _, count in exported.zero_times()) == written.count(zero)


def test_the_root_and_heads_are_those_of_the_chain(probe: tuple[Ledger, Log]):
    ledger, log = probe
    record = read_process(ledger, ledger.genesis, "roundtrip_probe")
    hashes = [item_hash("enterprise-a/roundtrip_probe", number, item) for number, item in enumerate(log.items, 1)]
    facts = export(record, "ocel-json").facts
    assert facts["items_root"] == merkle.root(hashes).hex()
    state: Any = ledger.chain.executor.get("process/source/enterprise-a/roundtrip_probe")
    assert facts["sources"][0]["head"] == state["head"].hex()
    definition: Any = ledger.chain.executor.get("process/type/roundtrip_probe")
    assert facts["definitions"] == [[1, definition["definition"]]]
    assert facts["heights"] == [3, 3]


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_height_gives_the_same_bytes_whatever_comes_later(
    probe: tuple[Ledger, Log], format: str, tmp_path: Path
):
    ledger, _ = probe
    made = export(read_process(ledger, ledger.genesis, "roundtrip_probe", 3), format, "application")
    later = Ledger()
    later.chain.blocks = list(ledger.chain.blocks)
    later.chain.executor = copy.copy(ledger.chain.executor)
    again = export(read_process(later, ledger.genesis, "roundtrip_probe", 3), format, "application")
    assert made == again


def test_what_flat_formats_cannot_say_is_counted(probe: tuple[Ledger, Log], tmp_path: Path, read: Any):
    ledger, _ = probe
    record = read_process(ledger, ledger.genesis)
    xes = export(record, "xes", "application").facts
    assert xes["leaves_out"] == {
        "object_values": 1,
        "objects_of_other_types": 1,
        "other_objects_of_events": 2,
        "qualifiers": 2,
        "relations": 1,
    }
    assert xes["counts"] == {"cases": 1, "events": {"Submit": 2}}
    flat = export(record, "csv", "party").facts
    assert flat["leaves_out"]["events_of_no_case"] == 1
    with pytest.raises(CosealError, match="which object type"):
        export(record, "csv")


@pytest.mark.parametrize("format", ["xes", "csv"])
def test_a_flat_export_is_read_again(
    probe: tuple[Ledger, Log], format: str, tmp_path: Path, read: Any, as_export: Any, said: Any
):
    ledger, log = probe
    path, beside = written(ledger, format, tmp_path, object_type="application")
    made = export(read_process(ledger, ledger.genesis), format, "application")
    map_file = None
    if made.map_text is not None:
        map_file = tmp_path / "map.toml"
        map_file.write_text(made.map_text, encoding="utf-8")
    again, before = said(as_export(read(path, None, map_file)))["events"], said(as_export(log))["events"]
    for name, (kind, time, attributes, _) in before.items():
        kept = {key: value for key, value in attributes.items() if value != "" or format == "xes"}
        assert again[name][:3] == (kind, time, kept)
    assert verify_file(beside, ledger.genesis).ok


# What a manifest is worth


Change = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize("format", FORMATS)
def test_a_changed_file_is_told(probe: tuple[Ledger, Log], format: str, tmp_path: Path):
    ledger, _ = probe
    path, beside = written(ledger, format, tmp_path, object_type="application")
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(bytes(data))
    result = verify_file(beside, ledger.genesis)
    assert (result.exit_code, "is not the file that was signed for" in result.reason) == (1, True)
    path.unlink()
    assert verify_file(beside, ledger.genesis).exit_code == 2


@pytest.mark.parametrize("format", FORMATS)
def test_false_counts_are_told_though_they_are_signed(probe: tuple[Ledger, Log], format: str, tmp_path: Path):
    ledger, _ = probe
    path, beside = written(ledger, format, tmp_path, object_type="application")
    made = export(read_process(ledger, ledger.genesis), format, "application")
    if format == "parquet":
        made.facts["counts"]["events"] += 1
    else:
        made.facts["counts"]["events"]["Submit"] += 1
    beside.write_bytes(manifest(made, path.name, ledger.genesis.chain_id, "regulator/admin", operator("regulator")))
    result = verify_file(beside, ledger.genesis)
    assert result.exit_code == 1
    assert "does not hold what the manifest counts" in result.reason


@pytest.mark.parametrize(
    ("change", "code", "part"),
    [
        (lambda document: document.update(items=7), 1, "not signed by the key"),
        (lambda document: document.update(signer="bank-a/admin"), 1, "not signed by the key"),
        (lambda document: document.update(signature="00" * 64), 1, "not signed by the key"),
        (lambda document: document.update(extra=1), 1, "manifest.extra: unknown"),
        (lambda document: document.pop("counts"), 1, "manifest.counts: missing"),
        (lambda document: document.update(chain_id="00" * 32), 1, "is of chain"),
        (lambda document: document.update(block_hash="xy"), 1, "manifest.block_hash"),
        (lambda document: document.update(version=2), 1, '"version": 1'),
        (lambda document: document.update(heights=[1]), 1, "manifest.heights"),
        (lambda document: document.update(zero_times=[[0, 1], [0, 1]]), 1, "manifest.zero_times"),
        (lambda document: document.update(zero_times=[[0, 9_999]]), 1, "manifest.zero_times"),
    ],
)
def test_a_changed_manifest_is_told(probe: tuple[Ledger, Log], change: Change, code: int, part: str, tmp_path: Path):
    ledger, _ = probe
    _, beside = written(ledger, "ocel-json", tmp_path)
    document = json.loads(beside.read_text(encoding="utf-8"))
    change(document)
    beside.write_text(json.dumps(document), encoding="utf-8")
    result = verify_file(beside, ledger.genesis)
    assert (result.kind, result.exit_code) == ("export", code)
    assert part in result.reason


@pytest.mark.parametrize("name", ["../log.json", "a/b", "..", "a\\b"])
def test_a_manifest_names_no_file_elsewhere(probe: tuple[Ledger, Log], name: str, tmp_path: Path):
    ledger, _ = probe
    made = export(read_process(ledger, ledger.genesis), "ocel-json")
    beside = tmp_path / "x.manifest.json"
    beside.write_bytes(manifest(made, name, ledger.genesis.chain_id, "regulator/admin", operator("regulator")))
    assert "without a folder" in verify_file(beside, ledger.genesis).reason


def test_a_key_that_the_genesis_does_not_give_the_signer_cannot_be_told(probe: tuple[Ledger, Log], tmp_path: Path):
    ledger, _ = probe
    made = export(read_process(ledger, ledger.genesis), "ocel-json")
    (tmp_path / "log.json").write_bytes(made.data)
    beside = tmp_path / "log.json.manifest.json"
    beside.write_bytes(manifest(made, "log.json", ledger.genesis.chain_id, "regulator/new", operator("bank-a")))
    result = verify_file(beside, ledger.genesis)
    assert (result.exit_code, "state proof" in result.reason) == (2, True)


def test_a_key_that_the_state_gives_the_signer_is_proven_by_its_registration(tmp_path: Path):
    ledger = Ledger()
    path = Path(__file__).with_name("roundtrip_probe.json")
    ledger.record(read_log(path, load_mapping(None, path)))
    chain, key = ledger.chain, operator("a new key").public_key
    args = {"user": "new", "key": key.hex(), "capabilities": ["submit"]}
    tx = sign(
        operator("regulator"),
        chain_id=ledger.genesis.chain_id,
        sender="regulator/admin",
        contract="membership",
        action="add_operator",
        args=args,
        valid_until_ms=chain.executor.time_ms + 1_000,
        salt=bytes(16),
    )
    assert Receipt.decode(chain.extend([tx]).receipts[1]).ok

    def proof_of(name: str) -> dict[str, Any]:
        value, proof = chain.executor.state.prove(name.encode())
        tip = chain.blocks[-1]
        return state_proof_json(CertifiedValue(name.encode(), value, proof, tip.block.header, tip.certificate))

    made = export(read_process(ledger, ledger.genesis), "ocel-json")
    (tmp_path / "log.json").write_bytes(made.data)
    beside = tmp_path / "log.json.manifest.json"
    for signer, registration, code in (
        ("a new key", proof_of("membership/operator/regulator/new"), 0),
        ("another key", proof_of("membership/operator/regulator/new"), 1),
        ("a new key", proof_of("membership/operator/regulator/admin"), 1),
        ("a new key", {"coseal": "state-proof"}, 1),
    ):
        signed = manifest(made, "log.json", ledger.genesis.chain_id, "regulator/new", operator(signer), registration)
        beside.write_bytes(signed)
        assert verify_file(beside, ledger.genesis).exit_code == code


# What a node could do


def test_a_node_that_leaves_out_or_changes_a_block_is_found_out(probe: tuple[Ledger, Log]):
    ledger, _ = probe
    blocks = ledger.chain.blocks

    def shown(*chosen: CommittedBlock) -> Ledger:
        other = Ledger()
        other.chain.blocks = list(chosen)
        return other

    with pytest.raises(BadAnswer):
        read_process(shown(*blocks[:1], *blocks[2:]), ledger.genesis)
    forged = replace(blocks[2], receipts=(*blocks[2].receipts[:-1], blocks[1].receipts[-1]))
    with pytest.raises(BadAnswer, match="receipts"):
        read_process(shown(*blocks[:2], forged), ledger.genesis)
    uncertified = replace(blocks[2], certificate=blocks[1].certificate)
    with pytest.raises(BadAnswer):
        read_process(shown(*blocks[:2], uncertified), ledger.genesis)
    with pytest.raises(CosealError, match="has no block 4"):
        read_process(ledger, ledger.genesis, height=9)
    with pytest.raises(CosealError, match="up to height 3 there are roundtrip_probe"):
        read_process(ledger, ledger.genesis, "other")


# What the ledger says beyond OCEL


def test_fields_of_the_ledger_become_attributes_and_ids_stay_unique(
    read: Any, as_export: Any, said: Any, tmp_path: Path
):
    ledger = Ledger()
    definition = {
        "id": "t",
        "version": 1,
        "title": "t",
        "object_types": {"a": {"attributes": {"v": {"type": "scaled", "scale": 2}}}, "b": {}},
        "event_types": {"x": {"attributes": {"secret": {"type": "integer", "class": "sealed"}}}},
    }
    items: list[dict[str, Any]] = [
        {"object": "1", "type": "a", "attributes": [["v", "0", -5]]},
        {"object": "1", "type": "b"},
        {
            "event": "e",
            "type": "x",
            "time": "2020-01-01 10:00:00",
            "objects": [["a", "1"], ["b", "1", "q"]],
            "attributes": {"secret": "ab" * 32},
            "recorded": "2020-01-02",
            "counterparty": "bank-a",
            "evidence": ["cd" * 32],
        },
        {"relation": ["a", "1"], "to": ["b", "1"]},
        {"relation": ["a", "1"], "to": ["b", "1"]},
    ]
    fix = {"event": "e", "type": "x", "time": "2020-01-01T10:00:00Z", "objects": [["a", "1"]]}
    fix["corrects"] = [3, item_hash("enterprise-a/s", 3, items[2]).hex()]
    source = {"id": "s", "process_type": "t", "mode": "historical", "zone_minutes": 480}
    for action, args in (
        ("define_type", definition),
        ("register_source", source),
        ("record", {"source": "s", "sequence": 1, "items": items}),
        ("record", {"source": "s", "sequence": 6, "items": [fix], "corrected": [items[2]]}),
    ):
        assert ledger.submit(action, args).ok
    record = read_process(ledger, ledger.genesis)
    now = log_of(record.definition, record.rows)
    assert [(one.id, one.time, one.objects) for one in now.events] == [("e", "2020-01-01T10:00:00Z", [("1", "")])]
    assert now.leaves_out == {"repeated_relations": 1, "corrected_items": 1}
    for recorded, view in ((False, "corrected"), (True, "recorded")):
        assert export(record, "ocel-json", recorded=recorded).facts["view"] == view
    log = log_of(record.definition, record.rows, recorded=True)
    assert log.leaves_out == {"repeated_relations": 1}
    assert [(one.id, one.type) for one in log.objects] == [("1", "a"), ("1 (b)", "b")]
    assert log.objects[0].values == [("v", "1970-01-01T00:00:00Z", "-0.05")]
    assert export(record, "ocel-json").facts["zero_times"] == [[0, 1]]
    first, second = log.events
    assert (first.id, first.time) == ("e", "2020-01-01T10:00:00+08:00")
    assert second.id == "e @enterprise-a/s#6"
    assert first.attributes == {
        "secret": "ab" * 32,
        "coseal:recorded": "2020-01-02T00:00:00+08:00",
        "coseal:counterparty": "bank-a",
        "coseal:evidence": f'["{"cd" * 32}"]',
    }
    assert second.attributes == {"coseal:corrects": f'[3, "{fix["corrects"][1]}"]'}
    for format in ("ocel-json", "ocel-sqlite", "ocel-xml"):
        for view in (log, now):
            path, _ = written(ledger, format, tmp_path, recorded=view is log)
            assert said(as_export(read(path))) == said(view)


def test_the_head_of_a_source_without_items_is_zero():
    ledger = Ledger()
    definition = {"id": "t", "version": 1, "title": "t", "object_types": {"a": {}}, "event_types": {"x": {}}}
    assert ledger.submit("define_type", definition).ok
    assert ledger.submit("register_source", {"id": "s", "process_type": "t", "mode": "live"}).ok
    facts = export(read_process(ledger, ledger.genesis), "ocel-json").facts
    assert facts["sources"][0]["head"] == ZERO_HASH.hex()
    assert facts["counts"]["events"] == {"x": 0}
