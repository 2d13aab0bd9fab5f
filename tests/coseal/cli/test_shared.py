"""What commands have in common: how facts and documents are printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coseal.cli.shared import print_facts, save_document
from coseal.errors import CosealError


def test_facts_are_printed_as_a_person_says_them(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts({"panel": {"government": 2, "of": {"a": None}}, "failed": [], "pairs": [["a", 1]]})
    assert capsys.readouterr().out.splitlines() == [
        "  panel        government: 2; of: (a: -)",
        "  failed       -",
        "  pairs        (a, 1)",
    ]
    print_facts({"present": False, "disputed": True, "value": None, "signed_by": ["bank-a", "regulator"], "height": 0})
    printed = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    assert printed == [
        ["present", "no"],
        ["disputed", "yes"],
        ["value", "-"],
        ["signed_by", "bank-a, regulator"],
        ["height", "0"],
    ]


def test_a_document_is_written_and_says_how_to_check_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "proof.json"
    save_document(out, {"kind": "x"}, {"a": 1}, lambda: print_facts({"a": 1}), as_json=False)
    assert json.loads(out.read_text("utf-8")) == {"kind": "x"}
    first, *_, last = capsys.readouterr().out.splitlines()
    assert (first, last.strip()) == (
        f"{out}: 13 bytes, verified",
        f"check it anywhere: coseal verify {out} --genesis genesis.json",
    )
    save_document(out, {}, {"a": 1}, lambda: None, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"ok": True, "file": str(out), "bytes": 3, "facts": {"a": 1}}
    with pytest.raises(CosealError, match="No such file"):
        save_document(tmp_path / "none" / "proof.json", {}, {}, lambda: None, as_json=True)
