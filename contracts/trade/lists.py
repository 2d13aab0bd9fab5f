"""The lists of trade: receivables, offers, loans, exposures."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.lists import Filter, List, Order, Words
from coseal.contracts.trade import runs, tables
from coseal.contracts.trade.ledger import STATUSES
from coseal.contracts.trade.state import loan_key, receivable_key, run_key

_PART: Final = "trade"
_ID: Final[Words] = {"en": "Number", "zh": "编号"}
_RECEIVABLE: Final[Words] = {"en": "Receivable", "zh": "应收账款"}
_DEBTOR: Final[Words] = {"en": "Debtor", "zh": "债务人"}
_HOLDER: Final[Words] = {"en": "Holder", "zh": "持有人"}
_BANK: Final[Words] = {"en": "Bank", "zh": "银行"}
_STATUS: Final[Words] = {"en": "Status", "zh": "状态"}
_DUE: Final[Words] = {"en": "Due", "zh": "到期日"}
_OUTSTANDING: Final[Words] = {"en": "Outstanding (fen)", "zh": "未偿金额(分)"}
_ADVANCE: Final[Words] = {"en": "Advance (fen)", "zh": "融资款(分)"}
_FEE: Final[Words] = {"en": "Fee (fen)", "zh": "费用(分)"}
_NEWEST: Final = (Order("oldest", ("number",)), Order("newest", ("number",), descending=True))

RECEIVABLES: Final = List(
    "receivables",
    "/v1/receivables",
    _PART,
    tables.RECEIVABLES,
    "Receivables in their present state",
    {"en": "Receivables", "zh": "应收账款"},
    {
        "id": _ID,
        "debtor": _DEBTOR,
        "holder": _HOLDER,
        "outstanding": _OUTSTANDING,
        "due_ms": _DUE,
        "status": _STATUS,
        "financier": {"en": "Financed by", "zh": "融资银行"},
    },
    (
        Filter("holder", "Only of this holder.", title=_HOLDER),
        Filter("debtor", "Only of this debtor.", title=_DEBTOR),
        Filter("creditor", "Only issued by this member.", title={"en": "Issued by", "zh": "出具人"}),
        Filter("status", values=STATUSES),
    ),
    _NEWEST,
    key=lambda name: receivable_key(int(name[1:])),
    members=True,
)
OFFERS: Final = List(
    "offers",
    "/v1/offers",
    _PART,
    tables.OFFERS,
    "The last offer of each receiver or bank for a receivable",
    {"en": "Offers", "zh": "要约"},
    {
        "receivable": _RECEIVABLE,
        "member": {"en": "Receiver or bank", "zh": "受让人或银行"},
        "kind": {"en": "Kind", "zh": "种类"},
        "status": _STATUS,
        "advance": _ADVANCE,
        "fee": _FEE,
        "expires_ms": {"en": "Ends", "zh": "截止"},
    },
    (
        Filter("receivable", "Only for this receivable.", title=_RECEIVABLE),
        Filter("member", "Only to or by this member.", title={"en": "Receiver or bank", "zh": "受让人或银行"}),
        Filter("status", values=("open", "accepted", "withdrawn")),
    ),
    named_by=("receivable", "member"),
    members=True,
)
LOANS: Final = List(
    "loans",
    "/v1/loans",
    _PART,
    tables.LOANS,
    "Loans on receivables in their present state",
    {"en": "Loans", "zh": "贷款"},
    {
        "id": _ID,
        "bank": _BANK,
        "borrower": {"en": "Borrower", "zh": "借款人"},
        "receivable": _RECEIVABLE,
        "principal": {"en": "Principal left (fen)", "zh": "剩余本金(分)"},
        "fee": {"en": "Fee left (fen)", "zh": "剩余费用(分)"},
        "status": _STATUS,
    },
    (
        Filter("bank", "Only of this bank.", title=_BANK),
        Filter("borrower", "Only of this borrower.", title={"en": "Borrower", "zh": "借款人"}),
        Filter("status", values=("open", "repaid")),
    ),
    _NEWEST,
    key=lambda name: loan_key(int(name[1:])),
    members=True,
)
EXPOSURES: Final = List(
    "exposures",
    "/v1/exposures",
    _PART,
    tables.EXPOSURES,
    "What banks are exposed to, by debtor",
    {"en": "Exposures", "zh": "授信敞口"},
    {
        "bank": _BANK,
        "debtor": _DEBTOR,
        "exposure": {"en": "Exposure (fen)", "zh": "敞口(分)"},
        "allowed": {"en": "Limit (fen)", "zh": "限额(分)"},
    },
    (
        Filter("bank", "Only of this bank.", title=_BANK),
        Filter("debtor", "Only of this debtor.", title=_DEBTOR),
    ),
    named_by=("bank", "debtor"),
    members=True,
)
NETTING_RUNS: Final = List(
    "netting_runs",
    "/v1/netting",
    _PART,
    tables.NETTING_RUNS,
    "Netting runs in their present state",
    {"en": "Netting runs", "zh": "轧差批次"},
    {
        "id": _ID,
        "opener": {"en": "Opened by", "zh": "发起人"},
        "closes_ms": {"en": "Closes", "zh": "截止"},
        "status": _STATUS,
        "total": {"en": "Cleared (fen)", "zh": "轧差金额(分)"},
    },
    (Filter("status", values=runs.STATUSES),),
    _NEWEST,
    key=lambda name: run_key(int(name[1:])),
    members=True,
)
NETTING_OBLIGATIONS: Final = List(
    "netting_obligations",
    "/v1/netting-obligations",
    _PART,
    tables.NETTING_OBLIGATIONS,
    "Receivables that entered netting runs, and what of each cleared",
    {"en": "Obligations in netting", "zh": "参与轧差的债务"},
    {
        "run": {"en": "Run", "zh": "批次"},
        "receivable": _RECEIVABLE,
        "debtor": _DEBTOR,
        "holder": _HOLDER,
        "amount": {"en": "Before (fen)", "zh": "轧差前(分)"},
        "cleared": {"en": "Cleared (fen)", "zh": "轧差金额(分)"},
        "status": _STATUS,
    },
    (
        Filter("run", "Only of this run.", title={"en": "Run", "zh": "批次"}),
        Filter("debtor", "Only of this debtor.", title=_DEBTOR),
        Filter("holder", "Only of this holder.", title=_HOLDER),
        Filter("status", values=("entered", "withdrawn", "cleared")),
    ),
    named_by=("run", "number"),
    members=True,
)

LISTS: Final = (RECEIVABLES, OFFERS, LOANS, EXPOSURES, NETTING_RUNS, NETTING_OBLIGATIONS)
