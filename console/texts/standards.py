"""Texts about standards: what a refused act means."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "refusal.invalid_content": ("What the standard names is not on the ledger.", "标准所指内容不在账本上。"),
    "refusal.not_owner": ("It belongs to another member.", "其属于另一成员。"),
    "refusal.classified": ("The process type counts in another domain.", "该流程类型已计入另一领域。"),
    "refusal.unknown_standard": ("There is no such standard.", "没有该标准。"),
    "refusal.not_open": ("The standard has ended, or is about to.", "该标准已终止或即将终止。"),
    "refusal.already_adopted": ("The member has taken it up already.", "该成员已试用或采用。"),
    "refusal.already_deprecated": ("The standard ends already.", "该标准已确定终止。"),
    "refusal.already_recognised": ("The standard is recognised already.", "该标准已获认可。"),
    "refusal.not_adopted": ("The member is not on it, or ends that already.", "该成员未试用或采用，或已在停止中。"),
    "refusal.not_de_facto": (
        "The standard is not de facto, and no ballot approved it.",
        "该标准尚非事实标准，也未经表决批准。",
    ),
    "refusal.not_recognised": ("This member has not recognised it.", "该成员未认可此标准。"),
    "refusal.not_party": ("Only who tries or has adopted it may dispute it.", "只有试用或采用者可以提出争议。"),
    "refusal.unknown_dispute": ("No such dispute waits.", "没有待处理的该争议。"),
}
