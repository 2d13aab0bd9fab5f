"""Four members on four hosts (network namespaces): docs/consortium.md as it is written, partitions, a restore."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from coseal.audit.audit import audit
from coseal.audit.sources import sources_in
from coseal.ledger.genesis import Genesis
from tests.cluster.hosts import Host, Hosts, why_not

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

PAGE = (Path(__file__).parents[2] / "docs" / "consortium.md").read_text(encoding="utf-8")
MEMBERS = ("authority", "central-bank", "trade-bank", "shipping")
FIFTH = "bank-b"


def steps_of(section: str) -> list[tuple[str, str, list[str]]]:
    """Return (who, command, lines that the page shows under it) for every command of a section of the page."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    steps: list[tuple[str, str, list[str]]] = []
    for line in (line[4:] for line in text.splitlines() if line.startswith("    ")):
        command = re.match(r"(each|authority|central-bank|trade-bank|shipping|bank-b)\$ (.*)", line)
        if command:
            steps.append((command[1], command[2], []))
        elif steps:
            steps[-1][2].append(line)
    return steps


def consortium_file() -> str:
    """Return the consortium file that the page shows."""
    (text,) = re.findall(r"(?:^    .*\n)*^    name = \"harbour\"\n(?:^    .*\n)*", PAGE, re.MULTILINE)
    return "\n".join(line[4:] for line in text.splitlines()) + "\n"


def without_figures(line: str) -> str:
    """Return a line without what differs from run to run."""
    figures = r"[0-9a-f]{8,}|\d{4}-\d\d-\d\dT[\d:.]+Z|\b\d+\b(?!\.\d+\.\d)"
    return " ".join(re.sub(figures, "#", line).split())


class Consortium:
    """The four hosts, and what is asked of their nodes."""

    def __init__(self, hosts: Hosts) -> None:
        self.hosts = hosts

    def follow(self, who: str, command: str, shown: list[str]) -> None:
        """Do a step of the page, on all its hosts at once; see that the first one says what the page shows."""
        acting = [self.hosts[name] for name in (MEMBERS if who == "each" else [who])]
        with ThreadPoolExecutor(len(acting)) as pool:
            said, *_ = pool.map(lambda host: self._run(host, command), acting)
        missing = [line for line in shown if without_figures(line) not in {without_figures(one) for one in said}]
        assert not missing, f"{who}$ {command}\nmissing {missing} in\n" + "\n".join(said)

    def _run(self, host: Host, command: str) -> list[str]:
        """Run a command of the page and return the lines it printed; `# send FILE` gives the file to all others."""
        if command.startswith("# send "):
            self._send(host, command.removeprefix("# send ").replace("$MEMBER", host.name))
            return []
        if command == "# the others vote":
            self._vote(host)
            return []
        if "propose add_validator" in command:
            self.wait(lambda: "ready" in self.node_record(host, FIFTH), f"{FIFTH} says that it is caught up")
        if command.startswith("coseal status"):
            self.wait(lambda: self.status(host)["healthy"], f"{host.name} is healthy")
            self.wait(lambda: self.status(host)["height"] >= 1, f"{host.name} has a block")
        done = host.run(command)
        assert done.returncode == 0, f"{host.name}$ {command}\n{done.stdout}{done.stderr}"
        return done.stdout.splitlines()

    def _send(self, sender: Host, file: str) -> None:
        for host in self.hosts.hosts:
            if host is not sender and not (host.folder / file).exists():
                (host.folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(sender.folder / file, host.folder / file)

    def _vote(self, proposer: Host) -> None:
        """Have all other founders vote yes on the one open proposal."""
        (proposal,) = self._open_proposals(proposer)
        for name in MEMBERS:
            if name != proposer.name and proposal in self._open_proposals(proposer):
                self.coseal(name, f"governance vote {proposal} yes --as {name} --dir own")

    def _open_proposals(self, host: Host) -> list[str]:
        return [row["id"] for row in self.get(host, "/v1/governance/proposals?status=open")["proposals"]]

    def node_record(self, host: Host, node: str) -> dict[str, Any]:
        """Return what a host's node has of a node in its state."""
        return self.get(host, f"/v1/state/membership/node/{node}").get("value") or {}

    def coseal(self, name: str, command: str, *, code: int = 0) -> str:
        done = self.hosts[name].run(f"coseal {command}")
        assert done.returncode == code, f"{name}$ coseal {command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def status(self, host: Host) -> dict[str, Any]:
        """Ask a node, on its host, how it is; what it does not say is None or False."""
        silent = {"height": -1, "healthy": False, "why_stalled": "no answer", "voting": None, "block_hash": ""}
        return silent | self.get(host, "/v1/status")

    def get(self, host: Host, path: str) -> dict[str, Any]:
        """Return the JSON object that a node answers on its host, an empty one if it does not."""
        done = host.run(f"curl -s --max-time 3 'http://127.0.0.1:8600{path}' || true")
        try:
            return dict(json.loads(done.stdout))
        except ValueError:
            return {}

    def statuses(self, *names: str) -> list[dict[str, Any]]:
        return [self.status(self.hosts[name]) for name in names or MEMBERS]

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds} s: {what}\n{self.statuses()}"
            time.sleep(0.2)

    def wait_one_tip(self) -> None:
        def agree() -> bool:
            found = self.statuses()
            return len({(one["height"], one["block_hash"]) for one in found}) == 1 and found[0]["healthy"]

        self.wait(agree, "one tip on all")

    def doctor(self, name: str, words: str = "own") -> dict[str, str]:
        """Return the doctor's verdicts by check, the last of each."""
        document = json.loads(self.hosts[name].run(f"coseal doctor {words} --json").stdout)
        return {line["check"]: line["verdict"] for line in document["lines"]}

    def submit(self, name: str, text: str) -> int:
        """Commit a change of a member's profile at its own node; return the height."""
        command = f"submit membership.set_profile description='{text}' --as {name} --dir own --json"
        return int(json.loads(self.coseal(name, command))["height"])


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """The consortium of the page, founded and running as the page says."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    hosts = Hosts(tmp_path_factory.mktemp("hosts"), (*MEMBERS, FIFTH))
    consortium = Consortium(hosts)
    try:
        (hosts["authority"].folder / "harbour.toml").write_text(consortium_file())
        steps = steps_of("The tutorial")
        assert len(steps) >= 14
        for step in steps:
            consortium.follow(*step)
        yield consortium
    finally:
        for host in hosts.hosts:
            host.run(f"coseal node stop $MEMBER --dir {'new' if host.name == FIFTH else 'own'}")
        hosts.close()


def test_every_host_has_its_own_members_keys_and_no_others(net: Consortium) -> None:
    for host in (net.hosts[name] for name in MEMBERS):
        keys = {path.relative_to(host.folder).as_posix() for path in host.folder.rglob("*.pem")}
        node = f"own/nodes/{host.name}/keys"
        users = f"own/members/{host.name}/admin.pem"
        assert keys == {users, *(f"{node}/{name}.pem" for name in ("consensus", "link", "operator"))}


def test_the_doctor_tells_a_wrong_peer_a_wrong_chain_and_a_cut_cable(net: Consortium) -> None:
    node = net.hosts["shipping"].folder / "own" / "nodes" / "shipping"
    config, genesis = node / "node.toml", node.parent.parent / "genesis.json"
    text, raw = config.read_text(), genesis.read_bytes()
    swapped = text.replace("10.77.0.1:", "?").replace("10.77.0.2:", "10.77.0.1:").replace("?", "10.77.0.2:")
    config.write_text(swapped)
    try:
        assert net.doctor("shipping")["peer authority"] == "bad"
    finally:
        config.write_text(text)
    genesis.write_bytes(raw.replace(b'"tenure": 16', b'"tenure": 17'))
    try:
        assert net.doctor("shipping", f"--config {config}")["genesis"] == "bad"
    finally:
        genesis.write_bytes(raw)
    net.hosts.cut_off("authority")
    try:
        found = net.doctor("shipping", "own --url http://10.77.0.1:8600")
        assert found["peer central-bank"] == "ok"
        assert found["peer authority"] in ("bad", "warn")  # warn while the link still counts
    finally:
        net.hosts.connect("authority")
    net.wait_one_tip()


def test_a_host_that_is_cut_off_says_so_and_catches_up(net: Consortium) -> None:
    net.hosts.cut_off("shipping")
    net.wait(lambda: not net.status(net.hosts["shipping"])["healthy"], "shipping notices that it is alone")
    heights = [net.submit(name, f"without shipping: {name}") for name in ("authority", "trade-bank")]
    alone = net.status(net.hosts["shipping"])
    assert alone["height"] < max(heights)
    assert alone["why_stalled"]
    net.hosts.connect("shipping")
    net.wait_one_tip()
    assert net.status(net.hosts["shipping"])["height"] >= max(heights)


def test_two_hosts_of_four_commit_nothing_until_they_meet_the_others_again(net: Consortium) -> None:
    for name in ("central-bank", "shipping"):
        net.hosts.cut_off(name)
    net.wait(lambda: not any(one["healthy"] for one in net.statuses()), "no side is healthy")
    before = {one["height"] for one in net.statuses()}
    command = "submit membership.set_profile description=waits --as authority --dir own --timeout 3"
    net.coseal("authority", command, code=2)
    assert {one["height"] for one in net.statuses()} == before
    for name in ("central-bank", "shipping"):
        net.hosts.connect(name)
    net.wait_one_tip()
    net.wait(lambda: "waits" in net.coseal("shipping", "show member authority --dir own"), "what waited is committed")


def test_a_node_restored_from_its_backup_follows_and_votes_again_only_when_it_cannot_contradict_itself(
    net: Consortium,
) -> None:
    own = net.hosts["trade-bank"].folder / "own"
    net.coseal("trade-bank", "node stop trade-bank --dir own")
    node = own / "nodes" / "trade-bank"
    shutil.copytree(node, own / "backup", ignore=shutil.ignore_patterns("journal", "state", "index.sqlite*", "lock"))
    net.submit("authority", "after the backup")
    shutil.rmtree(node)
    shutil.move(own / "backup", node)
    net.coseal("trade-bank", "node start trade-bank --dir own")
    first = net.status(net.hosts["trade-bank"])
    assert first["voting"] is False
    assert "journal" in first["silence"]

    def votes() -> bool:
        net.submit("authority", f"block for trade-bank {time.monotonic()}")
        return net.status(net.hosts["trade-bank"])["voting"] is True

    net.wait(votes, "trade-bank votes again")
    net.wait_one_tip()


def test_a_fifth_member_joins_as_the_page_says_and_validates(net: Consortium) -> None:
    net.wait_one_tip()
    for step in steps_of("A fifth member"):
        net.follow(*step)
    net.wait(lambda: net.status(net.hosts[FIFTH])["voting"] is True, f"{FIFTH} votes")
    assert net.status(net.hosts["authority"])["validators"] == 5
    assert {path.name for path in net.hosts[FIFTH].folder.rglob("*.pem")} == {
        *("admin.pem", "consensus.pem", "link.pem", "operator.pem")
    }


def test_keys_are_replaced_as_the_page_says(net: Consortium) -> None:
    before = net.node_record(net.hosts["authority"], "shipping")["consensus_key"]
    for step in steps_of("Keys replaced"):
        net.follow(*step)
    assert net.node_record(net.hosts["authority"], "shipping")["consensus_key"] != before
    assert net.doctor("shipping")["consensus identity"] == "ok"


def test_the_copies_of_all_hosts_are_one_chain(net: Consortium) -> None:
    net.wait_one_tip()
    folders = [net.hosts[name].folder / "own" for name in MEMBERS]
    genesis = Genesis.decode((folders[0] / "genesis.json").read_bytes())
    report = audit([source for folder in folders for source in sources_in(folder)], genesis)
    assert report.ok, report
    assert [source.name for source in report.sources] == list(MEMBERS)
    assert len({source.agreed for source in report.sources}) == 1
