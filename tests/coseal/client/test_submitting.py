"""The types of ``client.submit``: the committed stub is the generated one, and a type checker judges calls by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from docs.site import stubs

ROOT = Path(__file__).parents[3]
HEAD = """
from typing import Any
from coseal import AsyncClient, Client

async def use(client: Client, other: AsyncClient, some: dict[str, Any], contract: str) -> None:
"""
RIGHT = """
    client.submit("policy", "endorse", {"id": "cn/1"}).require_ok()
    client.submit("policy", "endorse", {"id": "cn/1", "text_sha256": "00"}, timeout_s=1.0)
    client.submit("membership", "add_operator", {"user": "u", "key": "00", "capabilities": ["submit"]})
    client.submit("governance", "propose", {"id": "p", "kind": "add_validator", "subject": {"node": "n"}})
    client.submit("governance", "propose", {"id": "p", "kind": "retry_due", "subject": {"number": 1}})
    client.submit("process", "record", {"source": "s", "sequence": 1, "items": [{"event": "1"}]})
    client.submit("process", "define_type", {"id": "t", "version": 1, "title": {"en": "T"}, "object_types": {},
        "event_types": {"E": {"attributes": {"n": "integer", "s": {"type": "string", "class": "sealed"}}}}})
    (await other.submit("process", "attest", {"item": "00", "verdict": "confirm"})).require_ok()
    client.submit_any(contract, "any", some)
"""
WRONG = """
    client.submit("policy", "endorse", {"id": 1})
    client.submit("policy", "endorse", {})
    client.submit("policy", "endorse", {"id": "cn/1", "more": 1})
    client.submit("policy", "levitate", {"id": "cn/1"})
    client.submit("membership", "add_operator", {"user": "u", "key": "00", "capabilities": ["fly"]})
    client.submit("governance", "propose", {"id": "p", "kind": "retry_due", "subject": {"node": "n"}})
    client.submit("process", "attest", {"item": "00", "verdict": "maybe"})
    await other.submit("process", "attest", {"item": "00"})
"""


def test_the_stub_is_what_the_fields_of_the_actions_give():
    assert stubs.STUB.read_text("utf-8") == stubs.stub(), "make stubs"


def test_a_type_checker_takes_right_calls_and_refuses_each_wrong_one(tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text(HEAD + RIGHT + WRONG)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--cache-dir",
        ".mypy_cache",
        str(program),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    first = (HEAD + RIGHT).count("\n") + 1
    assert found == set(range(first + 1, first + 1 + WRONG.strip().count("\n") + 1)), done.stdout + done.stderr
