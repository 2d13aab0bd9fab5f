"""The lists of the currency: wallets, movements, pending transfers, institutions, classes, supply."""

from __future__ import annotations

from typing import Final

from coseal.contracts.currency import tables
from coseal.contracts.currency.state import institution_key, pending_key, wallet_key
from coseal.contracts.kernel.lists import Filter, List, Order, Words

_PART: Final = "currency"
_WALLET: Final[Words] = {"en": "Wallet", "zh": "钱包"}
_DEBIT: Final[Words] = {"en": "From", "zh": "付款钱包"}
_CREDIT: Final[Words] = {"en": "To", "zh": "收款钱包"}
_AMOUNT: Final[Words] = {"en": "Fen", "zh": "金额(分)"}
_CLASS: Final[Words] = {"en": "Class", "zh": "类别"}
_CODE: Final[Words] = {"en": "Purpose", "zh": "用途"}
_STATUS: Final[Words] = {"en": "Status", "zh": "状态"}
_INSTITUTION: Final[Words] = {"en": "Institution", "zh": "机构"}
_NUMBER: Final[Words] = {"en": "Number", "zh": "编号"}
_TIME: Final[Words] = {"en": "When", "zh": "时间"}
_BOTH: Final = (
    Filter("wallet", "Only of this wallet, on either side.", "(debit = :wallet OR credit = :wallet)", title=_WALLET),
    Filter("code", "Only for this purpose.", high=4),
)
_NEWEST: Final = (Order("oldest", ("number",)), Order("newest", ("number",), descending=True))

WALLETS: Final = List(
    "wallets",
    "/v1/wallets",
    _PART,
    tables.WALLETS,
    "Wallets in their present state, by name",
    {"en": "Wallets", "zh": "钱包"},
    {
        "wallet": _WALLET,
        "holder": {"en": "Holder", "zh": "持有人"},
        "authority": {"en": "Disposed of by", "zh": "处分权"},
        "class": _CLASS,
        "status": _STATUS,
        "balance": {"en": "Balance (fen)", "zh": "余额(分)"},
        "reserved": {"en": "Reserved (fen)", "zh": "冻结待付(分)"},
    },
    (
        Filter("institution", "Only at this institution.", title=_INSTITUTION),
        Filter("wallet_class", "Only of this class.", "class = :wallet_class", high=128, title=_CLASS),
        Filter("holder", "Only of this holder.", title={"en": "Holder", "zh": "持有人"}),
        Filter("status", values=("open", "closed")),
    ),
    key=wallet_key,
    named_by=("wallet",),
    members=True,
)
MOVEMENTS: Final = List(
    "movements",
    "/v1/movements",
    _PART,
    tables.MOVEMENTS,
    "Movements of money, as they are hashed",
    {"en": "Movements", "zh": "资金变动"},
    {
        "number": _NUMBER,
        "time_ms": _TIME,
        "kind": {"en": "Kind", "zh": "种类"},
        "debit": _DEBIT,
        "credit": _CREDIT,
        "amount": _AMOUNT,
        "code": _CODE,
        "reference": {"en": "Reference", "zh": "附言"},
    },
    (
        *_BOTH,
        Filter(
            "from_ms",
            "From this block time on.",
            "time_ms >= CAST(:from_ms AS INTEGER)",
            pattern="^[0-9]{1,15}$",
            title={"en": "From (ms)", "zh": "自(毫秒)"},
        ),
        Filter(
            "before_ms",
            "Before this block time.",
            "time_ms < CAST(:before_ms AS INTEGER)",
            pattern="^[0-9]{1,15}$",
            title={"en": "Before (ms)", "zh": "早于(毫秒)"},
        ),
    ),
    _NEWEST,
    members=True,
)
PENDINGS: Final = List(
    "pendings",
    "/v1/pendings",
    _PART,
    tables.PENDINGS,
    "Pending transfers",
    {"en": "Pending transfers", "zh": "待决转账"},
    {
        "id": _NUMBER,
        "debit": _DEBIT,
        "credit": _CREDIT,
        "amount": _AMOUNT,
        "code": _CODE,
        "status": _STATUS,
        "expires_ms": {"en": "Ends", "zh": "到期"},
    },
    (*_BOTH, Filter("status", values=("open", "posted", "voided", "expired"))),
    _NEWEST,
    key=lambda name: pending_key(int(name[1:])),
    members=True,
)
INSTITUTIONS: Final = List(
    "institutions",
    "/v1/institutions",
    _PART,
    tables.INSTITUTIONS,
    "Institutions: banks that pass money on",
    {"en": "Institutions", "zh": "运营机构"},
    {"member": _INSTITUTION, "successor": {"en": "Successor", "zh": "承接机构"}},
    key=institution_key,
    named_by=("member",),
    members=True,
)
CLASSES: Final = List(
    "wallet-classes",
    "/v1/wallet-classes",
    _PART,
    tables.CLASSES,
    "Classes of wallets that ballots decided, in all their versions",
    {"en": "Classes of wallets", "zh": "钱包类别"},
    {"class": _CLASS, "version": {"en": "Version", "zh": "版本"}},
    entries="classes",
    members=True,
)
SUPPLY: Final = List(
    "supply",
    "/v1/supply",
    _PART,
    tables.SUPPLY,
    "What was issued and redeemed",
    {"en": "Issued and redeemed", "zh": "发行与回笼"},
    {
        "number": _NUMBER,
        "time_ms": _TIME,
        "institution": _INSTITUTION,
        "amount": _AMOUNT,
        "instruction": {"en": "Instruction", "zh": "指令"},
    },
    (Filter("institution", "Only of this institution."),),
    _NEWEST,
    members=True,
)

LISTS: Final = (WALLETS, MOVEMENTS, PENDINGS, INSTITUTIONS, CLASSES, SUPPLY)
