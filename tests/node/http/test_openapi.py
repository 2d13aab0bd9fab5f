"""The OpenAPI document against a real node: schemathesis makes requests from it, good and bad, and judges the answers.

``/v1/stream`` is left out: it does not end. Its answers are in ``test_stream.py``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from coseal.client import keys
from coseal.contracts.registry import CONTRACTS
from coseal.ledger import transaction
from tests.cluster.network import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = "/v1/stream"
EXAMPLES = 8
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
LIMITS = "\n[http_limits]\nwait_seconds = 0.05\n"


@dataclass
class Served:
    """A node, its document, and the ids of things that are on its chain."""

    url: str
    headers: dict[str, str]
    schema: Any
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    answered: set[tuple[str, int]] = field(default_factory=set)

    def judge(self, case: Case) -> None:
        """Make a request and raise for an answer that the document does not describe, or that tells too much."""
        response = case.call(base_url=self.url, headers=self.headers, timeout=20)
        self.answered.add((f"{case.method} {case.operation.path}", response.status_code))
        case.validate_response(response, checks=CHECKS)
        assert response.status_code < 500 or (response.status_code == 503 and is_temporary(response)), response.text
        assert "Traceback" not in response.text
        assert not (response.status_code == 400 and "match pattern" in response.text)


def is_temporary(response: Any) -> bool:
    """Say whether an answer 503 tells when to come back, or what is not healthy."""
    return "retry-after" in response.headers or "why_stalled" in response.text or "syncing" in response.text


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    cluster = Cluster.make(tmp_path_factory.mktemp("openapi"), 1)
    (name,) = cluster.names
    config = cluster.entry(name).data / "node.toml"
    config.write_text(config.read_text() + LIMITS)
    try:
        cluster.start()
        cluster.wait_height(0)
        url = cluster.entry(name).url
        headers = {"Authorization": f"Bearer {cluster.token(name)}"}
        served = Served(url, headers, schemathesis.openapi.from_url(f"{url}/openapi.json"))
        served.known = tell(cluster, name)
        yield served
    finally:
        cluster.close()


def tell(cluster: Cluster, name: str) -> dict[str, dict[str, Any]]:
    """Let every action of every contract be tried once; return the path parameters of what is there then."""
    member = cluster.genesis.members[0].id
    signer = keys.read_signer(cluster.net.key_path(f"{member}/admin"))
    ids = []
    for contract in CONTRACTS.values():
        for action in sorted(contract.actions):
            if action == "rotate_operator_key":
                continue
            tx = transaction.sign(
                signer,
                chain_id=cluster.genesis.chain_id,
                sender=f"{member}/admin",
                contract=contract.name,
                action=action,
                args=dict(contract.actions[action].example),
                valid_until_ms=time.time_ns() // 1_000_000 + 300_000,
                salt=os.urandom(16),
            )
            ids.append(tx.id.hex())
            cluster.submit(name, tx, wait="accepted")
    cluster.wait(lambda: cluster.get(name, f"/v1/transactions/{ids[-1]}/receipt"), "all is committed")
    return {
        "/v1/transactions/{id}": {"id": ids[0]},
        "/v1/transactions/{id}/receipt": {"id": ids[0]},
        "/v1/blocks/{height}": {"height": "latest"},
        "/v1/members/{id}": {"id": member},
        "/v1/state/{contract}/{key}": {"contract": "membership", "key": f"member/{member}"},
    }


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_gets_an_answer_that_the_document_does_not_describe(served: Served, mode: GenerationMode) -> None:
    wrong = []
    for result in served.schema.get_all_operations():
        operation = result.ok()
        if operation.path == ENDLESS:
            continue
        known = served.known.get(operation.path) if mode is GenerationMode.POSITIVE else None
        judge = BOUNDED(given(operation.as_strategy(mode, path_parameters=known))(served.judge))
        try:
            judge()
        except Unsatisfiable:  # nothing of this operation can be wrong
            continue
        except (Exception, BaseExceptionGroup) as error:
            wrong.append(f"{operation.label}: {error}")
    assert not wrong, "\n\n".join(wrong)
    assert {status for _, status in served.answered} >= {400, 404}


def test_reading_routes_give_good_answers_too(served: Served) -> None:
    asked = 0
    for result in served.schema.get_all_operations():
        operation = result.ok()
        plain = "{" not in operation.path and not any(item.is_required for item in operation.query)
        if operation.method != "get" or operation.path in (ENDLESS, "/v1/snapshot"):
            continue
        if plain or operation.path in served.known:
            case = operation.Case(path_parameters=served.known.get(operation.path, {}))
            response = case.call(base_url=served.url, headers=served.headers, timeout=20)
            case.validate_response(response, checks=CHECKS)
            assert response.status_code == 200, (operation.path, response.text)
            asked += 1
    assert asked > 20
