"""Texts about participation: consultations, gateways, comments, themes, and why an action about them is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "action.participation.register_gateway": ("Become a gateway for comments", "登记为意见受理方"),
    "action.participation.open": ("Open for comment", "公开征求意见"),
    "action.participation.receive": ("Record comments", "登记公众意见"),
    "action.participation.theme": ("Name themes", "设定意见主题"),
    "action.participation.assign": ("Assign comments to themes", "意见归类"),
    "action.participation.answer": ("Answer a theme", "答复意见主题"),
    "action.participation.conclude": ("Conclude a consultation", "办结征求意见"),
    "refusal.wrong_role": ("Members of this role do not do this.", "此类成员不能进行该操作。"),
    "refusal.unknown_gateway": ("There is no such gateway.", "没有该意见受理方。"),
    "refusal.unknown_consultation": ("There is no such consultation.", "没有该征求意见事项。"),
    "refusal.unknown_subject": ("What it is about is not on the ledger.", "账本上没有所涉事项。"),
    "refusal.unknown_entry": ("The gateway has no such entry.", "受理方没有该条意见。"),
    "refusal.unknown_theme": ("There is no such theme.", "没有该意见主题。"),
    "refusal.not_proposed": ("It is not proposed any more.", "该事项已不在拟议阶段。"),
    "refusal.not_opener": ("Another member opened it.", "该事项由其他成员发起。"),
    "refusal.too_short": ("It has to be open for longer.", "征求意见期限过短。"),
    "refusal.too_long": ("It may not be open for that long.", "征求意见期限过长。"),
    "refusal.too_few_gateways": (
        "Two gateways of different constituencies are needed.",
        "至少需要两个不同界别的意见受理方。",
    ),
    "refusal.not_gateway": ("Other gateways take its comments.", "该事项由其他受理方接收意见。"),
    "refusal.concluded": ("The consultation is concluded.", "该征求意见已办结。"),
    "refusal.sequence": ("Another number comes next.", "序号不连续。"),
    "refusal.withheld": ("The text of the entry is withheld.", "该条意见正文不公开。"),
    "refusal.assigned": ("The entry is in a theme.", "该条意见已归类。"),
    "refusal.no_reason": ("The answer lacks its reason or the change.", "答复缺少理由或修改内容。"),
    "refusal.incomplete": ("Entries or themes are left.", "尚有意见未归类或主题未答复。"),
}
