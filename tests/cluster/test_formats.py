"""A log through a real network: imported, exported in every encoding, verified offline, and imported again."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from tests.cluster.commands import coseal, documents
from tests.cluster.test_command_line import free_base_port

pytestmark = pytest.mark.cluster

PROBE = Path(__file__).parents[1] / "coseal" / "formats" / "roundtrip_probe.json"


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("formats") / "net"
    documents("up", folder, "--base-port", free_base_port(), "--detach", "--no-console")
    try:
        yield folder
    finally:
        coseal("down", folder)


def items(path: Path) -> tuple[dict[str, Any], ...]:
    return read_log(path, load_mapping(None, path)).items


def test_the_probe_survives_a_real_network_in_every_encoding(net: Path, tmp_path: Path):
    first = documents("import", PROBE, "--as", "enterprise-a", "--dir", net)
    assert first["recorded"] + first["before"] == 6
    assert documents("import", PROBE, "--as", "enterprise-a", "--dir", net)["recorded"] == 0
    for format in ("ocel-json", "ocel-sqlite", "ocel-xml"):
        out = tmp_path / f"out.{format}"
        words = ("export", format, "--out", out, "--process-type", "roundtrip_probe", "--height", first["height"])
        made = documents(*words, "--as", "regulator", "--dir", net)
        assert (made["items"], made["leaves_out"]) == (6, {})
        assert items(out) == items(PROBE)
        verified = documents("verify", f"{out}.manifest.json", "--genesis", net / "genesis.json")
        assert (verified["kind"], verified["verdict"]) == ("export", "ok")
        before = out.read_bytes(), Path(f"{out}.manifest.json").read_bytes()
        documents(*words, "--as", "regulator", "--dir", net, "--node", "bank-a")
        assert (out.read_bytes(), Path(f"{out}.manifest.json").read_bytes()) == before
        words = ("import", out, "--as", "bank-a", "--dir", net, "--map", named(tmp_path, format))
        defined = documents(*words, "--define-only")
        assert (defined["recorded"], defined["source"]) == (0, f"bank-a/again-{format}")
        again = documents(*words)
        assert (again["before"], again["recorded"]) == (0, 6)
        out.write_bytes(out.read_bytes() + b"\n")
        assert (
            documents("verify", f"{out}.manifest.json", "--genesis", net / "genesis.json", code=1)["verdict"] == "bad"
        )


def named(folder: Path, format: str) -> Path:
    path = folder / f"{format}.toml"
    path.write_text(f'process_type = "again-{format}"\n', encoding="utf-8")
    return path


def test_a_file_with_findings_is_not_recorded(net: Path, tmp_path: Path):
    document = json.loads(PROBE.read_text(encoding="utf-8"))
    document["events"][0]["relationships"].append({"objectId": "nowhere", "qualifier": ""})
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    found = documents("import", path, "--as", "enterprise-a", "--dir", net, code=1)
    assert found["recorded"] == 0
    assert [(one["code"], one["count"]) for one in found["findings"]] == [("dangling_event_object", 1)]
    url = documents("status", net)["nodes"][0]["url"]
    with urllib.request.urlopen(f"{url}/v1/process-types") as response:
        assert "bad" not in [one["id"] for one in json.load(response)["process_types"]]


def test_flat_exports_are_read_again(net: Path, tmp_path: Path):
    documents("import", PROBE, "--as", "enterprise-a", "--dir", net)
    for format in ("xes", "csv"):
        out = tmp_path / f"flat.{format}"
        words = ("--process-type", "roundtrip_probe", "--object-type", "application", "--as", "regulator", "--dir", net)
        made = documents("export", format, "--out", out, *words)
        assert made["counts"] == {"cases": 1, "events": {"Submit": 2}}
        documents("verify", f"{out}.manifest.json", "--genesis", net / "genesis.json")
        map_words = ("--map", f"{out}.map.toml") if format == "csv" else ()
        assert documents("import", out, "--as", "bank-a", "--dry-run", *map_words)["events"] == 2


def test_an_index_and_a_table_of_events_come_from_running_nodes(net: Path, tmp_path: Path):
    documents("import", PROBE, "--as", "enterprise-a", "--dir", net)
    urls = [word for node in documents("status", net)["nodes"][:2] for word in ("--url", node["url"])]
    database = ("--db", tmp_path / "index")
    synced = documents("index", "sync", *urls, "--genesis", net / "genesis.json", *database)
    assert synced["height"] == synced["tip"] == synced["blocks"] > 0
    assert documents("index", "sync", net, "--replay", *database)["replayed"] >= synced["height"]
    assert documents("index", "status", *urls, *database)["lag"] == 0
    asked = "SELECT count(*), sum(CASE WHEN event IS NULL THEN 0 ELSE 1 END) FROM items WHERE process_type = ?"
    counted = documents("sql", asked.replace("?", "'roundtrip_probe'"), *database)
    out = tmp_path / "events.parquet"
    words = ("--out", out, "--process-type", "roundtrip_probe", "--as", "regulator", "--dir", net)
    made = documents("export", "parquet", *words)
    assert counted["rows"] == [[made["items"], made["counts"]["events"]]]
    verified = documents("verify", f"{out}.manifest.json", "--genesis", net / "genesis.json")
    assert (verified["kind"], verified["verdict"]) == ("export", "ok")
