"""The search in the head of every page: one exact hit is gone to, what is found is proven, names of others are said."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from coseal.console.light import HASH_BYTES, LightClient
from tests.console.test_lists import browse, supervised


def test_one_exact_name_leads_to_its_page(tmp_path: Path) -> None:
    async def visit(browser: httpx.AsyncClient) -> None:
        for text, path in {
            "9": "/blocks/9",
            "f2": "/supervision/findings/F2",
            "B1": "/ballots/B1",
            "bank-a": "/members/bank-a",
            "R-ONCE": "/supervision/rules/R-ONCE",
            "enterprise-a/live": "/supervision/sources/enterprise-a%2Flive",
            " c2 ": "/processes/t/cases/case/c2",
            "t": "/processes/t",
        }.items():
            answer = await browser.get("/search", params={"q": text})
            assert (answer.status_code, answer.headers.get("location")) == (303, path), text
            assert (await browser.get(path)).status_code == 200
        for text in ("", "nothing of this name", "F999", "x" * 500, "9" * 30, "0", "%", "\x00", "a/b/c"):
            answer = await browser.get("/search", params={"q": text})
            assert answer.status_code == 200, text
            assert 'class="hits"' not in answer.text, text

    browse(tmp_path, visit, supervised)


@pytest.mark.parametrize("height", [1, 2, 3])
def test_a_hash_leads_to_its_height_and_no_part_of_two_does(height: int) -> None:
    hashes = [bytes([number]) * HASH_BYTES for number in (1, 2, 3)]
    light = object.__new__(LightClient)
    light._hashes = bytearray(b"".join(hashes))
    assert light.height_of(hashes[height - 1]) == height
    assert light.height_of(b"\x01" * 16 + b"\x02" * 16) is None
    assert light.height_of(b"\x09" * HASH_BYTES) is None
