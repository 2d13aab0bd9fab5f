"""The audit page over a chain in memory: what holds, what was tampered with, and what must still be believed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from coseal.audit.bundle import STEP_NAMES
from coseal.audit.report import _SENTENCES, Level, Verdict
from coseal.audit.sources import Source
from coseal.audit.verify import REMAINING_TRUST, STEPS_OF
from coseal.console.app import TAKEN_BYTES_MAX, application
from coseal.console.audits import KEPT_MAX, RUNNING_MAX, Audits, Busy
from coseal.console.console import Console
from coseal.console.texts import CATALOGUE
from coseal.formats.exporters.chain import read_process
from coseal.formats.exporters.export import export, manifest
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from coseal.ledger import render
from coseal.ledger.proof import TransactionProof
from coseal.ledger.signing import ZERO_HASH
from tests.audit.conftest import Chain, ListSource
from tests.console.fake import FakeNetwork
from tests.coseal.formats import ledger as formats
from tests.coseal.formats.ledger import Ledger
from tests.fuzz import seeds
from tests.support.keys import operator

BASE = "http://127.0.0.1"


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain().grow(6, transactions=3)


@pytest.fixture(scope="module")
def proof(chain: Chain) -> TransactionProof:
    return TransactionProof.of(chain.blocks[2], 0)


class Visitor:
    """A browser without a screen, at a console over a chain in memory."""

    def __init__(self, chain: Any, sources: Sequence[Source] | None = None) -> None:
        network = FakeNetwork(regulator=chain)
        self.console = Console(chain.genesis, network.nodes.addresses, port=1)
        self.console.nodes, self.console.light, self.console.reader = network.nodes, network.light, network.reader
        given = [ListSource(chain.blocks)] if sources is None else sources
        self.console.audits = Audits(chain.genesis, lambda: given, self.console.live.ring)
        transport = httpx.ASGITransport(application(self.console))
        headers = {"origin": BASE}
        self._client = httpx.AsyncClient(base_url=BASE, transport=transport, headers=headers, follow_redirects=True)

    async def get(self, path: str) -> httpx.Response:
        return await self._client.get(path)

    async def post(self, path: str, *, files: Sequence[tuple[str, bytes]] = (), **fields: str) -> httpx.Response:
        parts: list[Any] = [("file", (name, data)) for name, data in files]
        parts += [(name, (None, value)) for name, value in fields.items()]
        return await self._client.post(path, files=parts)


def walk(visit: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(visit())  # type: ignore[arg-type]


def told(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_good_receipt_is_shown_step_by_step_and_can_be_kept(chain: Chain, proof: TransactionProof) -> None:
    async def visit() -> None:
        visitor = Visitor(chain)
        document = json.dumps(render.proof_json(proof)).encode()
        answer = await visitor.post("/audit", files=[("receipt.json", document)])
        page = told(answer)
        assert "It holds." in page
        assert page.count('class="step good"') == len(STEPS_OF["receipt"])
        assert "What must still be believed" in page
        assert proof.header.tx_root.hex() in page
        kept = (await visitor.get(f"{answer.url.path}?as=json")).json()
        assert (kept["ok"], kept["name"]) == (True, "receipt.json")
        assert [step["name"] for step in kept["steps"]] == list(STEPS_OF["receipt"])
        assert "receipt.json" in told(await visitor.get("/audit"))

    walk(visit)


def test_a_tampered_receipt_names_the_step_that_fails_and_why(chain: Chain, proof: TransactionProof) -> None:
    certificate = proof.certificate
    swapped = replace(certificate, signatures=(certificate.signatures[1], *certificate.signatures[1:]))
    tampered = {
        "the signature of bank-a does not verify": replace(proof, certificate=swapped),
        "the path does not lead to the root": replace(proof, transaction_path=(ZERO_HASH, *proof.transaction_path[1:])),
        "the certificate is of another block": replace(proof, header=replace(proof.header, time_ms=1)),
        "the header is of another chain": replace(proof, header=replace(proof.header, chain_id=bytes(32))),
    }
    steps = (5, 6, 3, 2)

    async def visit() -> None:
        visitor = Visitor(chain)
        for number, (why, spoilt) in zip(steps, tampered.items(), strict=True):
            page = told(await visitor.post("/audit", pasted=json.dumps(render.proof_json(spoilt))))
            assert "It does not hold." in page
            assert f"Step {number}, " in page
            assert why in page
            assert page.count('class="step good"') == number - 1
            assert page.count("not reached") == len(STEPS_OF["receipt"]) - number
            assert "What must still be believed" not in page

    walk(visit)


def test_a_bundle_is_shown_step_by_step_and_what_was_left_out_is_found() -> None:
    genesis, data = seeds.bundle()
    chain = SimpleNamespace(genesis=genesis, blocks=[])
    document = json.loads(data)
    document["recordings"] = []

    async def visit() -> None:
        visitor = Visitor(chain)
        page = told(await visitor.post("/audit", files=[("case.json", data)]))
        assert page.count('class="step good"') == len(STEP_NAMES)
        page = told(await visitor.post("/audit", files=[("case.json", json.dumps(document).encode())]))
        assert "Step 5, Who recorded them:" in page
        assert "nothing shows who recorded item" in page

    walk(visit)


def test_an_export_is_verified_with_its_file_whatever_the_browser_calls_it(tmp_path: Path) -> None:
    path = Path(formats.__file__).with_name("roundtrip_probe.json")
    ledger = Ledger()
    ledger.record(read_log(path, load_mapping(None, path)))
    made = export(read_process(ledger, ledger.genesis), "ocel-json")
    signed = manifest(made, "log.json", ledger.genesis.chain_id, "regulator/admin", operator("regulator"))
    both = ("m.json", signed), ("log (1).json", made.data)

    async def visit() -> None:
        visitor = Visitor(ledger.chain)
        page = told(await visitor.post("/audit", files=both))
        assert page.count('class="step good"') == len(STEPS_OF["export"])
        page = told(await visitor.post("/audit", files=both[:1]))
        assert "It cannot be determined." in page
        assert "give log.json together with its manifest" in page
        page = told(await visitor.post("/audit", files=(both[0], ("log.json", made.data + b" "))))
        assert "Step 4, The file:" in page
        assert "not the file that was signed for" in page

    walk(visit)


def test_hostile_files_are_refused_in_words(chain: Chain) -> None:
    async def visit() -> None:
        visitor = Visitor(chain)
        nested = b"[" * 100_000
        for raw, said in (
            (b"\x00\xff\x00", "UTF-8"),
            (b"{}", "no document of ours"),
            (nested, "nested"),
            (b'{"coseal": "receipt", "version": 1, "raw": "*"}', "base64"),
            (b'{"coseal": "<script>alert(1)</script>", "version": 1}', "no document of ours"),
        ):
            page = told(await visitor.post("/audit", files=[("<b>x</b>.json", raw)]))
            assert said in page
            assert "<script>alert" not in page
            assert "<b>x</b>" not in page
        assert "Choose a file" in told(await visitor.post("/audit", pasted=" "))
        assert "32 MiB" in told(await visitor.post("/audit", files=[("large", bytes(TAKEN_BYTES_MAX + 1))]))
        assert (
            await visitor._client.post("/audit", files=[], headers={"origin": "http://evil.test"})
        ).status_code == 403
        assert "multipart" in told(await visitor._client.post("/audit", content=b"x"))

    walk(visit)


def test_a_transaction_is_fetched_and_verified(chain: Chain, proof: TransactionProof) -> None:
    async def visit() -> None:
        visitor = Visitor(chain)
        shown = render.proof_json(proof)["transaction"]
        page = told(await visitor.get(f"/audit/transaction?id={shown['id']}"))
        assert page.count('class="step good"') == len(STEPS_OF["receipt"])
        assert "another transaction" not in page
        assert "another transaction" in told(await visitor.get(f"/audit/transaction?id={'a' * 64}"))
        assert (await visitor.get("/audit/transaction?id=x")).status_code == 404

    walk(visit)


async def finished(visitor: Visitor, answer: httpx.Response) -> str:
    assert "/audit/runs/" in str(answer.url), answer.text
    await asyncio.gather(*visitor.console.audits._tasks)
    return told(await visitor.get(answer.url.path))


def test_a_range_is_replayed_and_a_false_source_is_named(chain: Chain) -> None:
    lying = Chain().grow(6, transactions=3)
    spoilt = replace(lying.blocks[3], certificate=lying.blocks[2].certificate)
    blocks = [*lying.blocks[:3], spoilt, *lying.blocks[4:]]

    async def visit() -> None:
        visitor = Visitor(chain)
        answer = await visitor.post("/audit/blocks", first="1", last="", level="replay")
        page = await finished(visitor, answer)
        assert "6 blocks with 18 transactions were verified." in page
        assert page.count('class="step good"') == 5
        kept = (await visitor.get(f"{answer.url.path}?as=json")).json()
        assert (kept["verdict"], kept["last"], kept["level"]) == ("ok", 6, "replay")
        visitor = Visitor(chain, [ListSource(blocks, "liar")])
        page = await finished(visitor, await visitor.post("/audit/blocks", first="2", last="5", level="merkle"))
        assert "What does not hold" in page
        assert "liar" in page
        assert "refuted" in page

    walk(visit)


def test_a_range_that_makes_no_sense_is_refused_in_words(chain: Chain) -> None:
    async def visit() -> None:
        visitor = Visitor(chain)
        for fields, said in (
            ({"first": "x"}, "whole numbers"),
            ({"first": "0"}, "whole numbers"),
            ({"first": "5", "last": "3"}, "whole numbers"),
            ({"first": "2", "level": "replay"}, "begin at height 1"),
        ):
            assert said in told(await visitor.post("/audit/blocks", **fields))
        assert visitor.console.audits.kept() == []

    walk(visit)


class Slow(ListSource):
    """A source that waits before each block until it is let go."""

    def __init__(self, blocks: Any) -> None:
        super().__init__(blocks)
        import threading

        self.go = threading.Event()

    def blocks(self, first: int, last: int) -> Any:
        self.go.wait(20)
        yield from super().blocks(first, last)


def test_an_audit_can_be_stopped_and_no_more_than_two_run(chain: Chain) -> None:
    async def visit() -> None:
        slow = Slow(chain.blocks)
        visitor = Visitor(chain, [slow])
        answers = [await visitor.post("/audit/blocks", first="1", level="headers") for _ in range(RUNNING_MAX)]
        assert "Two audits run already" in told(await visitor.post("/audit/blocks", first="1", level="headers"))
        with pytest.raises(Busy):
            visitor.console.audits.start(1, None, Level.HEADERS)
        assert "running" in told(answers[0])
        assert "being stopped" in told(await visitor.post(answers[0].url.path, stop="yes"))
        slow.go.set()
        assert "stopped" in await finished(visitor, answers[0])
        assert "It holds." in await finished(visitor, answers[1])

    walk(visit)


def test_only_the_newest_results_are_kept(chain: Chain, proof: TransactionProof) -> None:
    async def visit() -> None:
        visitor = Visitor(chain)
        judged = [await visitor.console.audits.judge([(str(n), b"{}")]) for n in range(KEPT_MAX + 3)]
        assert len(visitor.console.audits.kept()) == KEPT_MAX
        assert (await visitor.get(f"/audit/results/{judged[0].id}")).status_code == 404
        assert (await visitor.get(f"/audit/runs/{judged[-1].id}")).status_code == 404
        told(await visitor.get(f"/audit/results/{judged[-1].id}"))

    walk(visit)


def test_every_step_value_and_remaining_trust_has_its_words() -> None:
    for kind, names in STEPS_OF.items():
        assert f"audit.kind.{kind.replace('-', '_')}" in CATALOGUE
        for name in names:
            assert f"audit.step.{name.replace(' ', '_')}" in CATALOGUE
            assert f"audit.what.{name.replace(' ', '_')}" in CATALOGUE
    assert STEPS_OF["evidence-bundle"] == STEP_NAMES
    assert all(f"audit.trust.{name}" in CATALOGUE for name in (*REMAINING_TRUST, *_SENTENCES))
    assert all(f"audit.verdict.{verdict.value}" in CATALOGUE for verdict in Verdict)
