"""The audit page in a real browser: documents and blocks of a running network."""

from __future__ import annotations

import base64
import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.console.conftest import Running, Visit

pytestmark = [pytest.mark.browser, pytest.mark.cluster]


@pytest.fixture(scope="module")
def receipt(running: Running) -> dict[str, Any]:
    url = f"{running.cluster.entry('bank-a').url}/v1/transactions/{running.sample['published']}/receipt"
    with urllib.request.urlopen(url, timeout=20) as response:
        return json.loads(response.read())  # type: ignore[no-any-return]


def test_a_receipt_is_chosen_verified_and_kept(
    look: Any, visit: Visit, running: Running, receipt: dict[str, Any], tmp_path: Path
):
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    page = visit("/audit")
    page.get_by_label("File, or a manifest and its file").set_input_files(tmp_path / "receipt.json")
    page.locator('form[action="/audit"]').get_by_role("button", name="Verify").click()
    page.get_by_text("It holds.").wait_for()
    assert page.locator(".step.good").count() == 8
    with page.expect_download() as download:
        page.get_by_role("link", name="Keep the result (JSON)").click()
    assert json.loads(Path(download.value.path()).read_text())["verdict"] == "ok"
    look("/audit", name="audit")


def test_a_tampered_receipt_is_pasted_by_keyboard_and_the_failing_step_is_named(
    look: Any, visit: Visit, receipt: dict[str, Any]
):
    raw = bytearray(base64.b64decode(receipt["raw"]))
    raw[-1] ^= 1  # the last byte of the last signature
    page = visit("/audit")
    page.get_by_text("Paste it instead").focus()
    page.keyboard.press("Enter")
    field = page.get_by_label("The document's JSON")
    field.fill(json.dumps({"coseal": "receipt", "version": 1, "raw": base64.b64encode(raw).decode()}))
    field.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("It does not hold.").wait_for()
    failing = page.locator(".step.bad")
    assert failing.count() == 1
    assert "does not verify" in failing.inner_text()
    assert failing.locator("details").get_attribute("open") is not None
    look(urlsplit(page.url).path, name="audit-tampered")


def test_the_chain_is_replayed_while_the_page_tells_how_far_it_is(look: Any, visit: Visit):
    page = visit("/audit")
    page.get_by_role("button", name="Start the audit").click()
    page.get_by_text("It holds.").wait_for(timeout=60_000)
    assert page.locator(".step.good").count() == 5
    assert page.locator("table").get_by_text("agrees", exact=True).count() == 4
    look(urlsplit(page.url).path, name="audit-range")
