"""Texts about money: what a refused act means."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "refusal.unknown_wallet": ("There is no such wallet.", "没有该钱包。"),
    "refusal.closed_wallet": ("The wallet is closed.", "该钱包已关闭。"),
    "refusal.unknown_class": ("There is no such class of wallets.", "没有该钱包类别。"),
    "refusal.unknown_pending": ("No such pending transfer is open.", "没有未决的该笔转账。"),
    "refusal.not_a_bank": ("It is no bank.", "该成员不是银行。"),
    "refusal.not_an_institution": ("It is no admitted institution.", "该成员不是获准的运营机构。"),
    "refusal.natural_person": ("Only legal entities have wallets here.", "此处仅法人可开立钱包。"),
    "refusal.bad_identifier": ("The code does not pass its check.", "代码校验不通过。"),
    "refusal.class_not_for_holder": ("The class does not take such a holder.", "该类别不适用于此持有人。"),
    "refusal.not_empty": ("The wallet has money.", "该钱包尚有余额。"),
    "refusal.in_use": ("The wallet is in use.", "该钱包正在使用中。"),
    "refusal.not_yours": ("Another one disposes of it.", "无权处分该钱包。"),
    "refusal.bad_mandate": ("The mandate is not for this.", "授权书与此操作不符。"),
    "refusal.change_pending": ("A change of the key is pending.", "密钥更换待生效。"),
    "refusal.objected": ("The present key objected.", "现有密钥已提出异议。"),
    "refusal.no_change": ("No change of the key is pending.", "没有待生效的密钥更换。"),
    "refusal.not_attested": ("The instruction is not confirmed.", "该指令未经确认。"),
    "refusal.already_used": ("The instruction was used.", "该指令已使用。"),
    "refusal.bad_instruction": ("It is no reserve instruction.", "不是有效的准备金指令。"),
    "refusal.insufficient": ("There is not enough money.", "余额不足。"),
    "refusal.frozen": ("The money is frozen.", "资金已被冻结。"),
    "refusal.over_limit": ("The wallet's limit would be exceeded.", "超过该钱包限额。"),
    "refusal.receiver_over_limit": ("The receiver's limit would be exceeded.", "超过收款钱包限额。"),
    "refusal.same_wallet": ("Both wallets are the same.", "付款与收款钱包相同。"),
    "refusal.other_institution": (
        "A vault deals with its own customers and other vaults.",
        "机构库只与本机构客户及其他机构库往来。",
    ),
    "refusal.interest_forbidden": ("No institution pays interest on wallets.", "钱包不计付利息。"),
    "refusal.not_released": ("A condition does not hold yet.", "释放条件尚未满足。"),
    "refusal.needs_central_bank": ("The central bank has not agreed.", "中央银行未同意。"),
    "refusal.virtual_currency": (
        "The one transferable unit is the yuan.",
        "唯一可转让的货币单位为人民币。",
    ),
    "refusal.reserved": ("The name belongs to a contract.", "该名称属合约所有。"),
}
