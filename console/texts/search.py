"""Texts of the search."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "search.title": ("Search", "搜索"),
    "search.of": ("Search: {text}", "搜索：{text}"),
    "search.lead": (
        "A height, a hash, a transaction, a member, a policy, a case, a finding, a ballot, a rule, a project, a process or a "
        "source, by its exact name; policies by words of their titles too. The key / leads here.",
        "可按准确名称查找高度、哈希、交易、成员、政策、案例、监管发现、表决、规则、项目、流程或数据源；政策亦可按标题中的文字查找。快捷键：/。",
    ),
    "search.exact": ("Found", "查找结果"),
    "search.exact.note": (
        "That these are on the ledger was checked here.",
        "本控制台已核对：以下内容确在账本上。",
    ),
    "search.similar": ("With these words in the title", "标题含相同文字"),
    "search.similar.note": (
        "What a node lists; there may be more.",
        "由节点列出，可能不完整。",
    ),
    "search.nothing": (
        "Nothing of this name. Cases are found by a node's index, which may lag; everything else is proven not to be there, or no node answered.",
        "没有找到。案例由节点索引查找，索引可能滞后；其余内容已证明不存在，或没有节点应答。",
    ),
    "search.block": ("Block", "区块"),
    "search.transaction": ("Transaction", "交易"),
    "search.finding": ("Finding", "监管发现"),
    "search.ballot": ("Ballot", "表决"),
    "search.question": ("Question", "问询"),
    "search.member": ("Member", "成员"),
    "search.policy": ("Policy", "政策"),
    "search.rule": ("Rule", "规则"),
    "search.project": ("Project", "项目"),
    "search.process": ("Process type", "流程类型"),
    "search.source": ("Source", "数据源"),
    "search.case": ("Case", "案例"),
}
