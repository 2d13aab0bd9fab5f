"""Real processes: a wiped node joins a chain whose peers have pruned their blocks; a node restored from an archive."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coseal.audit.audit import audit
from coseal.audit.report import Level, Verdict
from coseal.audit.sources import FileSource, UrlSource
from coseal.cli import app
from coseal.formats import block_archive
from tests.cluster.network import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster.make(tmp_path_factory.mktemp("snapshots"))
    for name in made.names:
        path = made.entry(name).data / "node.toml"
        path.write_text("snapshot_blocks = 5\nprune_keep_blocks = 3\n" + path.read_text())
    try:
        yield made
    finally:
        made.close()


def commit(cluster: Cluster, count: int, name: str) -> None:
    for _ in range(count):
        answer = cluster.submit(name, cluster.transaction())
        assert answer["status"] == "committed", answer


def wipe(cluster: Cluster, name: str) -> None:
    """A new disk: configuration and keys come from the backup, nothing else does."""
    data = cluster.entry(name).data
    for path in data.iterdir():
        if path.name not in ("node.toml", "keys", "genesis.json"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def pruned_everywhere(cluster: Cluster) -> int:
    """Let every running node prune to its last two blocks; return the lowest height any has whole."""
    names = list(cluster.processes)
    for name in names:
        cluster.stop(name)
    for name in names:
        ran = CliRunner().invoke(app, ["prune", name, "--keep", "2", "--dir", str(cluster.net.directory), "--json"])
        assert ran.exit_code == 0, ran.output
    cluster.start(*names)
    cluster.wait(lambda: all(cluster.height(name) > 0 for name in names), "they answer again")
    return min(cluster.get(name, "/v1/status")["first_height"] for name in names)


def test_a_node_is_restored_from_an_archive_and_the_chain_replayed_from_one_of_blocks(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.complete()
    victim, source = cluster.names[0], cluster.names[1]
    commit(cluster, 7, source)
    blocks = tmp_path / "blocks.archive"
    assert block_archive.extend(cluster.entry(source).data, blocks)[1] >= 7
    out = tmp_path / "a.snapshot"
    directory = ["--dir", str(cluster.net.directory), "--json"]
    ran = CliRunner().invoke(app, ["snapshot", "--node", source, "--out", str(out), *directory])
    assert ran.exit_code == 0, ran.output
    height = json.loads(ran.output)["height"]
    assert height >= 7
    into = cluster.entry(victim).data
    refused = CliRunner().invoke(app, ["restore", str(out), "--into", str(into)])
    assert (refused.exit_code, "in use" in str(refused.exception) or "in use" in refused.output) == (2, True)
    cluster.kill(victim)
    wipe(cluster, victim)
    ran = CliRunner().invoke(app, ["restore", str(out), "--into", str(into), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.output)["journal"] is False
    assert not (into / "journal" / "journal.log").exists()
    commit(cluster, 2, source)
    cluster.start(victim)
    cluster.wait_one_tip()
    assert cluster.get(victim, "/v1/status")["first_height"] == height
    added, tip = block_archive.extend(cluster.entry(source).data, blocks)
    assert added >= 2
    report = audit([FileSource(blocks), FileSource(into, "restored")], cluster.genesis, Level.REPLAY)
    assert (report.verdict, report.last) == (Verdict.OK, tip)
    assert {source.name: source.status for source in report.sources}["restored"] == "pruned"


def test_a_wiped_node_joins_pruned_peers_by_a_snapshot_and_goes_on_committing(cluster: Cluster) -> None:
    cluster.complete()
    victim, *others = cluster.names
    commit(cluster, 12, others[0])
    cluster.kill(victim)
    wipe(cluster, victim)
    first = pruned_everywhere(cluster)
    assert first > 5
    cluster.start(victim)
    cluster.wait_one_tip(seconds=60)
    status = cluster.get(victim, "/v1/status")
    assert status["first_height"] > 1
    assert status["silence"] is not None  # without its journal it observes first
    assert "lack" in status["index"]["error"]
    for name in cluster.names:
        answer = cluster.get(name, "/v1/headers?from=1&limit=20")
        assert [head["header"]["height"] for head in answer["headers"]][:3] == [1, 2, 3]
        assert b"first_height" in cluster.raw(name, "/v1/blocks/1")
    commit(cluster, 6, others[1])
    cluster.wait_one_tip()
    cluster.wait(
        lambda: "certified" in (cluster.get(victim, "/v1/status")["silence"] or "certified"),
        "a quorum has shown its tip",
    )
    commit(cluster, 3, others[1])  # two heights above what it was shown it votes again
    cluster.wait(lambda: cluster.get(victim, "/v1/status")["silence"] is None, "it votes again")
    cluster.kill(others[0])
    commit(cluster, 2, others[1])  # a quorum needs the one that joined
    log = (cluster.entry(victim).data / "node.log").read_text()
    assert '"joined"' in log
    assert "snapshot_made" in log
    cluster.kill(victim)
    cluster.start(victim, others[0])
    cluster.wait_one_tip()
    report = audit([UrlSource(cluster.entry(victim).url, "joined")], cluster.genesis, Level.REPLAY)
    assert report.verdict is Verdict.UNKNOWN
    assert report.sources[0].status == "pruned"
    assert "archive" in report.sources[0].note
