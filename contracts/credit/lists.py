"""The list of credit: formulas in all their versions. Facts are read as a dossier alone (C10)."""

from __future__ import annotations

from typing import Final

from coseal.contracts.credit.state import formula_key
from coseal.contracts.credit.tables import CREDIT_FORMULAS
from coseal.contracts.kernel.lists import Filter, List

FORMULAS: Final = List(
    "credit-formulas",
    "/v1/credit/formulas",
    "credit",
    CREDIT_FORMULAS,
    "Formulas of credit that ballots adopted, by id and version",
    {"en": "Formulas of credit", "zh": "信用评价公式"},
    {
        "formula": {"en": "Formula", "zh": "公式"},
        "version": {"en": "Version", "zh": "版本"},
        "title": {"en": "Title", "zh": "名称"},
        "window_months": {"en": "Months", "zh": "月数"},
        "ballot": {"en": "Ballot", "zh": "表决"},
    },
    (Filter("formula"),),
    key=formula_key,
    named_by=("formula", "version"),
    entries="credit_formulas",
)
LISTS: Final = (FORMULAS,)
