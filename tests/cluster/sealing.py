"""What tests of sealed data on a network share: a map that seals, and a plan of custody that its members decide."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.cluster.commands import documents

VALIDATORS = ("regulator", "central-bank", "bank-a", "enterprise-a")
MAP = """
process_type = "loans"
source = "loans"
case = "loan"
activity = "step"
timestamp = "when"
[attributes]
rate = "decimal"
borrower = "string"
[seal]
price = ["rate"]
party = ["borrower"]
"""


def decide_plan(net: Path, folder: Path, plan: Mapping[str, Any], voters: Sequence[str] = VALIDATORS[1:]) -> None:
    """Have a plan of custody proposed by the regulator, and accepted by the founding rule."""
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    words = ("--data", folder / "plan.json", "--id", "plan", "--as", "regulator", "--dir", net)
    found = dict(documents("governance", "propose", "custody_plan", *words))
    for member in voters:
        if found["status"] == "open":
            found = dict(documents("governance", "vote", "plan", "yes", "--as", member, "--dir", net))
    assert found["status"] == "accepted"
