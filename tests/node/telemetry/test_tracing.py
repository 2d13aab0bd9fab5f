"""Spans of one transaction on one node: which there are, how they join, and that there are none unless wanted."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from coseal.ledger.transaction import Transaction
from coseal.node.config import ConfigProblem, load
from coseal.node.core.events import Admission, Answer, Answered, Dropped, Submitted
from coseal.node.exits import Exit
from coseal.node.runtime import Runtime
from coseal.node.start import build
from coseal.node.telemetry.tracing import ARRIVALS_MAX, Span, Tracer, TraceSettings
from tests.node.single import make_node, signed
from tests.node.test_runtime import commit, run, started
from tests.node.transport.test_links import free_port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_node(tmp_path, port=free_port())


def traced(one_in: int = 1) -> tuple[Tracer, list[Span]]:
    spans: list[Span] = []
    clock = itertools.count(1_000)
    return Tracer(spans.append, one_in, lambda: next(clock)), spans


def rejected(tx: Transaction) -> Answered:
    return Answered((Answer(tx.id, Admission.REJECTED),))


def test_a_nodes_spans_of_a_transaction_are_one_trace_named_by_its_id(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans: list[Span] = []
    monkeypatch.setattr("coseal.node.start._tracer", lambda config: Tracer(spans.append))
    tx = signed(folder)

    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        await commit(runtime, tx)

    assert run(folder, scenario) is Exit.STOPPED
    assert {span.name for span in spans} == {"verification", "admission", "commit", "receipt", "transaction"}
    assert {(span.tx_id, span.trace_id, span.root_id) for span in spans} == {(tx.id, tx.id[:16], tx.id[16:24])}
    (root,) = [span for span in spans if span.span_id == span.root_id]
    assert (root.name, root.attributes) == ("transaction", {"coseal.end": "committed", "coseal.height": 2})
    assert len({span.span_id for span in spans}) == len(spans)
    assert all(root.start_ns <= span.start_ns <= span.end_ns <= root.end_ns for span in spans)
    text = str([span.attributes for span in spans])
    assert "hello" not in text
    assert "regulator" not in text


def test_a_refused_transaction_ends_at_the_door_with_its_code(folder: Path) -> None:
    tracer, spans = traced()
    tx = signed(folder)
    tracer.arrived([tx])
    tracer.stepped(Submitted((tx,)), [rejected(tx)], 1_001)
    assert [(span.name, span.attributes) for span in spans] == [
        ("verification", {}),
        ("admission", {"coseal.admission": "rejected"}),
        ("transaction", {"coseal.end": "rejected"}),
    ]


def test_a_transaction_that_expires_ends_its_trace_once(folder: Path) -> None:
    tracer, spans = traced()
    tx = signed(folder)
    tracer.arrived([tx])
    gone = Dropped((Answer(tx.id, Admission.REJECTED),))
    tracer.stepped(Submitted((tx,)), [gone, gone], 1_001)
    assert [(span.name, span.attributes) for span in spans] == [("transaction", {"coseal.end": "dropped"})]


def test_which_transactions_are_traced_follows_from_their_ids_alone(folder: Path) -> None:
    txs = [signed(folder, str(number)) for number in range(200)]
    chosen = []
    for _ in range(2):  # two nodes
        tracer, spans = traced(one_in=4)
        tracer.arrived(txs)
        for tx in txs:
            tracer.stepped(Submitted((tx,)), [rejected(tx)], 1_001)
        chosen.append({span.tx_id for span in spans})
    assert chosen[0] == chosen[1]
    assert 20 < len(chosen[0]) < 90


def test_what_is_remembered_is_bounded(folder: Path) -> None:
    tracer, _ = traced()
    tx = signed(folder)
    for number in range(ARRIVALS_MAX + 10):
        tracer._arrivals[b"%d" % number] = 0
    tracer.arrived([tx])
    assert len(tracer._arrivals) == ARRIVALS_MAX
    assert tx.id in tracer._arrivals


def test_without_the_setting_there_is_no_tracer_and_no_library_of_it(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; "
        "from coseal.node.start import build; from coseal.node.config import load; "
        "folder = Path(sys.argv[1]); runtime = build(folder, load(folder)); assert runtime._tracer is None; "
        "sys.exit(any(name in sys.modules for name in ('coseal.node.telemetry.otlp', 'opentelemetry.sdk')))"
    )
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True, timeout=60)


def test_without_the_libraries_the_setting_is_refused_and_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSEAL_TRACE__ENDPOINT", "http://127.0.0.1:1/v1/traces")
    monkeypatch.setitem(sys.modules, "coseal.node.telemetry.otlp", None)
    with pytest.raises(ConfigProblem, match=r"pip install 'coseal\[trace\]'"):
        build(folder, load(folder))


@pytest.mark.parametrize("wrong", [{"endpoint": "127.0.0.1:4318"}, {"one_in": 0}, {"ratio": 1}])
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TraceSettings.model_validate(wrong)
