"""Texts of the pages about lists: titles and headings are the contracts' own."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "lists.nav": ("Lists", "列表"),
    "lists.title": ("Lists", "列表"),
    "lists.lead": (
        "Every list of every contract. A list is what a node's index has; each record is read from the certified state.",
        "各合约的全部列表。列表取自节点索引；每条记录均读自经认证的状态。",
    ),
    "lists.all": ("All lists", "全部列表"),
    "lists.name": ("List", "列表"),
    "lists.route": ("HTTP route", "HTTP 路由"),
    "lists.word": ("Name", "名称"),
    "lists.entries": ("Entries", "条目"),
    "lists.record": ("Record", "记录"),
    "lists.order": ("Order", "排序"),
    "lists.yes": ("yes", "是"),
    "lists.no": ("no", "否"),
    "lists.unknown": ("there is no record {name}", "没有记录 {name}"),
    "lists.unknown_list": ("there is no list {name}", "没有列表 {name}"),
}
