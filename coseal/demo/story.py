"""The whole story on real data, as steps over the same functions that the commands use.

Law: every figure it tells is read back from the chain with its proof, or counted here; nothing is staged.
"""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from subprocess import Popen
from typing import Any, Final

from coseal.audit.audit import audit
from coseal.audit.report import AuditReport, Level
from coseal.audit.sources import sources_in
from coseal.audit.verify import verify_document, verify_file
from coseal.client import keys
from coseal.client.blocking import Client
from coseal.client.constitution import read_document
from coseal.client.history import object_history
from coseal.client.log_recording import Recorder
from coseal.client.transactions import Committed
from coseal.contracts.policy.statistics import statistics
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.state import attestation_key
from coseal.demo import policies
from coseal.demo.examples import example
from coseal.demo.market import OPEN_MS, Market
from coseal.demo.money import Treasury
from coseal.demo.oversight import HANDOVERS, FirstFinding, Supervision, handover, handover_type
from coseal.demo.progress import Narrator, Summary
from coseal.demo.standards import PERIOD_MS, Competition
from coseal.errors import BadAnswer, CosealError
from coseal.formats.importers.log import Log
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import Ed25519Signer
from coseal.network import console, folders, processes
from coseal.network.consortium import default_consortium
from coseal.network.folders import Network
from coseal.network.ports import require_free

FINES: Final = "traffic-fines/traffic-fines.csv.gz"
FINES_MAP: Final = "traffic-fines/traffic-fines.toml"
MARK: Final = "demo.json"
DEFAULT_DIRECTORY: Final = Path("coseal-demo")
_CHINA: Final = timezone(timedelta(hours=8))
_NOTICE: Final = "demo/notice-on-process-data"
_NOTICE_TEXT: Final = "Who hands over process data records it; who takes it over confirms it; nothing is left out."


class ProvenReader:
    """The certified state behind the contracts' own queries: every key that is read comes with a verified proof."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.proofs = 0

    def get(self, key: str) -> Any:
        """See ``kernel.action.Reader``."""
        self.proofs += 1
        return self._client.value(key)


class Demo:
    """One run of the story in a folder of its own."""

    def __init__(
        self, directory: Path, narrator: Narrator, base_port: int | None = None, console_port: int | None = None
    ) -> None:
        self._directory, self._tell = directory, narrator
        self._base_port, self._console_port = base_port, console_port
        self._network: Network | None = None
        self._started: dict[str, Popen[bytes]] = {}
        self.summary = Summary(directory)
        self._supervision = Supervision(self._client, narrator, self.summary)

    def run(self) -> Summary:
        """Tell the story; the nodes run until ``stop``. Raises ``CosealError`` when something does not hold."""
        with self._chapter("network", "A network of four members"):
            self._start()
        with self._chapter("policies", "The regulator publishes policies"):
            self._record_policies()
        with self._chapter("acts", "A joint policy, live"):
            self._joint_policy()
        log = self._read_fines()
        with self._chapter("rules", "Rules, adopted by ballot before anything is recorded"):
            self._prepare_fines(log)
            self._supervision.adopt(_NOTICE)
        with self._chapter("events", "An enterprise records its process; findings come while it runs"):
            self._record_fines(log)
        with self._chapter("finding", "A finding is answered, and closed"):
            finding = self._supervision.answer()
        with self._chapter("attestation", "A counterparty confirms"):
            self._attest()
        with self._chapter("silence", "Nothing happens, and that is noticed"):
            self._supervision.silence(_NOTICE)
        with self._chapter("gap", "Something is left out, and that is noticed"):
            self._supervision.gap()
        with self._chapter("standards", "A standard grows from use"):
            Competition(self._client, self._tell, self.summary).play(_NOTICE)
        with self._chapter("money", "Money is issued, paid, frozen, and adds up"):
            Treasury(self._client, self._signing, self._tell, self.summary).play(log, self._genesis(), self._directory)
        with self._chapter("credit", "Debts clear without money, and who pays late is a fact that anyone works out"):
            Market(self._client, self._tell, self.summary).play(self._genesis(), self._directory)
        with self._chapter("completeness", "The enterprise's node is down; the regulator still has everything"):
            self._prove_case(log)
        with self._chapter("audit", "Anyone can audit the chain"):
            self._audit()
        with self._chapter("evidence", "One file for one case, verified with no node"):
            self._supervision.evidence(finding, self._genesis())
        return self.summary

    def stop(self) -> None:
        """Stop every node of the demo."""
        if self._network is not None:
            console.stop(self._network)
            processes.stop(self._network.nodes)

    def detach(self) -> None:
        """Leave the nodes running when this process ends."""
        for process in self._started.values():
            process.returncode = 0

    # Chapters

    def _start(self) -> None:
        if self._console_port is not None:
            require_free([("the console", f"127.0.0.1:{self._console_port}")], "choose another --console-port")
        make_room(self._directory)
        base_port = self._base_port or free_base_port(folders.DEFAULT_BASE_PORT, nodes=4)
        decides = read_document(example("constitution/recommended.json"))
        decides["tracks"]["standards"].pop("not_before_ms")  # a story does not wait a week for a formula
        founders = default_consortium(4, "coseal-demo").with_constitution(decides)
        short = replace(founders.parameters, standard_period_ms=PERIOD_MS, netting_open_ms=OPEN_MS)
        founders = replace(founders, parameters=short)
        network = folders.create(self._directory, founders, addressing=folders.Addressing(base_port))
        (self._directory / MARK).write_text('{"made_by": "coseal demo"}\n', encoding="utf-8")
        self._network = network
        began = time.monotonic()
        self._started = {node.name: processes.start(node) for node in network.nodes}
        processes.wait(network, self._started, processes.have_first_block)
        elapsed_s = time.monotonic() - began
        names = ", ".join(f"{node.name} ({node.role})" for node in network.nodes)
        self._tell.say(f"{names}: first block on all nodes after {elapsed_s:.1f} s")
        self._tell.say(f"chain {network.chain_id}; {network.nodes[0].url}/v1/status")
        page = console.start(network, self._console_port)
        self._tell.say(f"watch it in a browser: {page}")
        self._figure(first_block_s=round(elapsed_s, 2), chain_id=network.chain_id, console=page)

    def _record_policies(self) -> None:
        table, batches = policies.table1(), policies.corpus_batches()
        total = sum(len(batch["instruments"]) for batch in batches)
        findings: Counter[str] = Counter()
        events = done = 0
        with self._client("regulator") as client:
            recorded = _record(client, table).receipt.data["instruments"]
            self._tell.say(f"Table 1: {recorded} policies on virtual currency")
            with self._tell.progress("instruments", total) as update:
                for batch in batches:
                    data = _record(client, batch).receipt.data
                    done, events = done + data["instruments"], events + data["events"]
                    findings.update(code for _, code in data["findings"])
                    update(done, total)
            reader = ProvenReader(client)
            levels, actions = statistics(reader, "level"), statistics(reader, "action")
        self._tell.say(f"corpus: {done} instruments, {events} events, 1949 to 2025, in {len(batches)} transactions")
        self._tell.say(f"by level (each figure proven): {_counts(levels)}")
        self._tell.say(f"by event: {_counts(actions)}")
        self._tell.say(f"findings the record leaves open: {_counts(dict(findings.most_common(4)))}")
        self._figure(instruments=done, policy_events=events, findings=dict(findings), levels=levels)

    def _joint_policy(self) -> None:
        today = (datetime.now(_CHINA) - timedelta(days=1)).date().isoformat()
        notice = {
            "id": _NOTICE,
            "title": "Notice on the recording of process data",
            "title_language": "en",
            "type_document": "notice",
            "date_document": today,
            "passed_by": ["regulator", "central-bank"],
            "is_about": ["process data"],
            "text_sha256": sha256(_NOTICE_TEXT.encode()).hexdigest(),
        }
        with self._client("regulator") as regulator, self._client("central-bank") as bank:
            data = regulator.submit_any("policy", "publish", notice).require_ok().receipt.data
            self._tell.say(
                f"regulator publishes {_NOTICE}; the endorsement of {', '.join(data['awaiting'])} is awaited"
            )
            bank.submit("policy", "endorse", {"id": _NOTICE}).require_ok()
            self._tell.say("central-bank endorses it")
            dates = {"id": _NOTICE, "date_publication": today, "first_date_entry_in_force": today}
            committed = regulator.submit_any("policy", "promulgate", dates).require_ok()
            self._tell.say(f"regulator promulgates it: in force from {today}, block {committed.height}")
            refused = bank.submit("policy", "repeal", {"id": "table1/01", "date_no_longer_in_force": today})
            self._tell.say(f"what may not be is refused, and recorded so: repeal of table1/01: {refused.receipt.code}")
        self._figure(refusal=refused.receipt.code)

    def _read_fines(self) -> Log:
        path = example(FINES)
        return read_log(path, load_mapping(example(FINES_MAP), path))

    def _prepare_fines(self, log: Log) -> None:
        with self._client("enterprise-a") as client:
            Recorder(client, log).prepare()
        self._tell.say(f"enterprise-a defines the process type {log.definition['id']} and registers its source")

    def _record_fines(self, log: Log) -> None:
        total = len(log.items)
        began = time.monotonic()
        with (
            self._client("enterprise-a") as client,
            self._client("regulator") as regulator,
            self._tell.progress("events", total) as update,
        ):
            first = FirstFinding(regulator, log.definition["id"])

            def seen(done: int, goal: int) -> None:
                update(done, goal)
                first.look(done)

            recorded = Recorder(client, log).run(seen)
        elapsed_s = time.monotonic() - began
        rate = recorded.added / elapsed_s
        self._tell.say(
            f"{recorded.added} events of 10,000 road traffic fines as {recorded.source}, {rate:,.0f} a second, "
            "each judged by the rules in the block that records it"
        )
        self._tell.say(f"certified: sequence {recorded.sequence}, chain head {recorded.head.hex()[:16]}.., no gap")
        self._figure(events=recorded.added, events_per_s=round(rate))
        self._supervision.report(first, total, recorded.height)

    def _attest(self) -> None:
        digest = sha256(example(FINES).read_bytes()).hexdigest()
        event = handover(
            1, "traffic-fines", attributes={"file": Path(FINES).name}, counterparty="bank-a", evidence=[digest]
        )
        with self._client("enterprise-a") as client:
            client.submit_any("process", "define_type", handover_type()).require_ok()
            source = {"id": "handovers", "process_type": HANDOVERS, "mode": "live"}
            client.submit_any("process", "register_source", source).require_ok()
            batch = {"source": "handovers", "sequence": 1, "items": [event]}
            client.submit_any("process", "record", batch).require_ok()
        item = item_hash("enterprise-a/handovers", 1, event)
        self._tell.say(f"enterprise-a records that it handed its log over to bank-a, evidence {digest[:16]}..")
        with self._client("bank-a") as client:
            if sha256(example(FINES).read_bytes()).hexdigest() != event["evidence"][0]:
                raise BadAnswer("the file bank-a holds is not the one of the evidence")
            client.submit("process", "attest", {"item": item.hex(), "verdict": "confirm"}).require_ok()
            status = client.value(attestation_key(item))["status"]
        self._tell.say(f"bank-a compares the digest with the file it holds and attests: {status}")
        self._figure(attestation=status)

    def _prove_case(self, log: Log) -> None:
        network, genesis = self._require_network(), self._genesis()
        case = _longest_case(log)
        processes.stop([network.node("enterprise-a")])
        self._tell.say("enterprise-a's node is stopped; three of four go on")
        with Client(network.node("regulator").url, genesis) as client:
            document, history = object_history(client, "traffic-fines", "fine", case)
        self._tell.say(f"from the regulator's own node, fine {case}:")
        for _, _, item in history.items:
            amount = item.get("attributes", {}).get("amount") or item.get("attributes", {}).get("paymentamount") or ""
            self._tell.say(f"    {item['time'][:10]}  {item['type']:<38} {amount}")
        path = self._directory / f"fine-{case}.json"
        path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        result = verify_file(path, genesis)
        if not result.ok:
            raise BadAnswer(f"{path} does not verify: {result.reason}")
        self._tell.say(f"verified offline, with the genesis alone: {result.reason}")
        shortened = deepcopy(document)
        del shortened["items"][1], shortened["count"]
        caught = verify_document(shortened, genesis)
        if caught.ok:
            raise BadAnswer("a history with an event left out passed as complete")
        self._tell.say(f"with one event left out it is refused: {caught.reason}")
        process = processes.start(network.node("enterprise-a"))
        self._started["enterprise-a"] = process
        statuses = processes.wait(network, self._started, processes.share_one_tip)
        self._tell.say(f"enterprise-a is back and at the same tip, height {statuses[0].height}")
        self._figure(case=case, case_items=len(history.items), proof_file=str(path))

    def _audit(self) -> None:
        began = time.monotonic()
        with self._tell.progress("blocks", None) as update:
            report: AuditReport = audit(sources_in(self._directory), self._genesis(), Level.REPLAY, progress=update)
        elapsed_s = time.monotonic() - began
        if not report.ok:
            reasons = "; ".join(finding.reason for finding in report.findings)
            raise BadAnswer(f"the audit says {report.verdict.value}: {reasons}")
        agreed = sum(source.status == "ok" for source in report.sources)
        self._tell.say(
            f"ok: {report.blocks} blocks and {report.transactions} transactions replayed from the genesis "
            f"in {elapsed_s:.1f} s; the block files of {agreed} nodes agree"
        )
        self._tell.say(f"state root {report.state_root}")
        self._figure(blocks=report.blocks, transactions=report.transactions, audit=report.verdict.value)

    # Means

    @contextmanager
    def _chapter(self, name: str, title: str) -> Iterator[None]:
        self._tell.chapter(title)
        began = time.monotonic()
        yield
        self.summary.seconds[name] = round(time.monotonic() - began, 2)

    def _figure(self, **figures: Any) -> None:
        self.summary.figures |= figures

    def _require_network(self) -> Network:
        if self._network is None:
            raise CosealError("the demo's network is not started")
        return self._network

    def _genesis(self) -> Genesis:
        return self._require_network().genesis()

    def _client(self, member: str) -> Client:
        """Return a client of a member's own node that signs as its admin."""
        network = self._require_network()
        signer = keys.read_signer(network.key_path(f"{member}/admin"), keys.environment_passphrase())
        return self._signing(f"{member}/admin", signer)

    def _signing(self, sender: str, signer: Ed25519Signer) -> Client:
        """Return a client of a member's own node that signs as ``sender``, and may read what is for members."""
        network = self._require_network()
        node = network.node(sender.partition("/")[0])
        return Client(node.url, network.genesis(), signer=signer, sender=sender, token=processes.token_for(node))


def make_room(directory: Path) -> None:
    """Remove the folder of an earlier demo; refuse one that anything else made, or whose nodes run."""
    if not (directory / MARK).is_file() or not folders.exists(directory):
        return
    network = folders.load(directory)
    running = [node.name for node in network.nodes if processes.pid_of(node) is not None]
    if running:
        raise CosealError(f"the nodes of {directory} run", f"end them with `coseal down {directory}`")
    console.stop(network)
    shutil.rmtree(directory)


def free_base_port(first: int, *, nodes: int) -> int:
    """Return a base port from ``first`` on, in steps of 100, at which all ports are free."""
    for base in range(first, 64_000, 100):
        if all(_is_free(port) for port in range(base, base + 2 * nodes)):
            return base
    raise CosealError(f"no {2 * nodes} free ports in a row", "give --base-port")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _record(client: Client, args: dict[str, Any]) -> Committed:
    return client.submit_any("policy", "record", args).require_ok()


def _counts(figures: dict[str, int]) -> str:
    return ", ".join(f"{name} {figure:,}" for name, figure in sorted(figures.items(), key=lambda pair: -pair[1]))


def _longest_case(log: Log) -> str:
    """Return the case with most events, of several the first."""
    counts: Counter[str] = Counter(item["objects"][0][1] for item in log.items)
    return counts.most_common(1)[0][0]
