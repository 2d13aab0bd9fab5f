"""The standards of ``examples/standards`` are proposed as they are, and say what the data beside them says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
FILES = sorted(path.stem for path in (EXAMPLES / "standards").glob("*.json"))


def example(name):
    return json.loads((EXAMPLES / "standards" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_an_example_is_accepted_by_the_contract(chain, name):
    args = example(name)
    if args["kind"] == "process_type":
        definition = json.loads((EXAMPLES / "rules" / f"{name}.type.json").read_text(encoding="utf-8"))
        made = chain.submit("bank-a/admin", "process.define_type", **definition)
        assert made.data["definition"] == args["content"]["definition"]
    receipt = chain.submit("bank-a/admin", "standards.propose", **args)
    assert receipt.ok, receipt


def test_the_list_of_areas_is_that_of_the_instruments():
    with gzip.open(EXAMPLES / "policies" / "china-instruments.jsonl.gz", "rt", encoding="utf-8") as lines:
        areas = list(dict.fromkeys(json.loads(line)["area"] for line in lines))
    assert example("policy-areas")["content"]["areas"] == areas


def test_the_page_names_every_example():
    page = (EXAMPLES / "standards" / "README.md").read_text(encoding="utf-8")
    assert FILES
    assert [name for name in FILES if f"`{name}.json`" not in page] == []
