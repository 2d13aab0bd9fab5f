"""Texts of the governance pages."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "governance.nav": ("Governance", "治理"),
    "governance.lead": (
        "What concerns all is decided by all: who validates, who is a member, which rules run. The members that run "
        "validators vote; a quorum of them accepts.",
        "涉及全体的事项由全体决定：谁来验证、谁是成员、运行哪些规则。运行验证节点的成员投票，达到法定数量即通过。",
    ),
    "governance.rules": (
        "Rules have ballots of their own: see the rules, and how each came into force.",
        "规则另行表决：参见规则列表及各规则的生效过程。",
    ),
    "governance.list": ("Proposals", "提案"),
    "governance.count": ("{count} proposals", "共 {count} 项提案"),
    "governance.id": ("Proposal", "提案"),
    "governance.kind": ("What", "事项"),
    "governance.kind.add_validator": ("Add a validator", "增加验证节点"),
    "governance.kind.remove_validator": ("Remove a validator", "移除验证节点"),
    "governance.kind.rotate_validator_key": ("Replace a validator's key", "更换验证节点密钥"),
    "governance.kind.add_member": ("Admit a member", "接纳成员"),
    "governance.kind.protocol_version": ("Change the protocol version", "变更协议版本"),
    "governance.kind.withdraw_version": ("Withdraw a protocol version", "撤回协议版本"),
    "governance.kind.retry_due": ("Do a due thing again that was set aside", "重新处理被搁置的到期事项"),
    "governance.proposer": ("Proposed by", "提案者"),
    "governance.votes": ("Votes", "投票"),
    "governance.tally": ("{yes} yes, {no} no", "赞成 {yes}，反对 {no}"),
    "governance.status": ("Status", "状态"),
    "governance.status.open": ("open", "表决中"),
    "governance.status.accepted": ("accepted", "已通过"),
    "governance.status.rejected": ("rejected", "已否决"),
    "governance.status.expired": ("expired", "已过期"),
    "governance.status.void": ("void", "无效"),
    "governance.closes": ("Closes", "截止"),
    "governance.opened": ("Opened", "开始"),
    "governance.unknown": ("no proposal is called {name}", "没有名为 {name} 的提案"),
    "governance.one.lead": (
        "What is proposed, who voted how and why, and what follows from it.",
        "提案内容、各方投票及理由，以及由此产生的结果。",
    ),
    "governance.about": ("About", "概况"),
    "governance.reason": ("Reason", "理由"),
    "governance.subject": ("What would change", "拟变更内容"),
    "governance.member": ("Member", "成员"),
    "governance.choice": ("Choice", "选择"),
    "governance.choice.yes": ("yes", "赞成"),
    "governance.choice.no": ("no", "反对"),
    "governance.not_voted": ("not yet", "尚未投票"),
    "governance.stands": (
        "{yes} yes, {no} no; {needed} of {all} are needed.",
        "赞成 {yes}，反对 {no}；{all} 票中需 {needed} 票。",
    ),
    "governance.your_vote": ("Your vote", "您的投票"),
    "governance.your_vote.note": (
        "A vote is final. It is signed here, with this console's key.",
        "投票一经提交不可更改，由本控制台的密钥在此签名。",
    ),
    "governance.vote": ("Cast the vote", "提交投票"),
    "governance.voted": ("The vote is recorded.", "投票已记录。"),
    "governance.outcome": ("What came of it", "结果"),
    "version.title": ("The next protocol version", "下一协议版本"),
    "version.begins": (
        "Version {version} takes effect at block {height}: {having} of {all} validators have it, {needed} are needed. A "
        "node without it stops before that block.",
        "协议版本 {version} 将在区块 {height} 生效：{all} 个验证节点中有 {having} 个已具备，需要 {needed} 个。未具备的节点将在该区块之前停止。",
    ),
    "version.waits": (
        "Version {version} is accepted for block {height} or later and waits: {having} of {all} validators have it, "
        "{needed} are needed. Until then the chain runs under version {current}.",
        "协议版本 {version} 已通过，自区块 {height} 起可生效，目前等待中：{all} 个验证节点中有 {having} 个已具备，需要 {needed} 个。"
        "在此之前仍运行版本 {current}。",
    ),
    "version.proposed": (
        "{having} of {all} validators have version {version}; it takes effect only when {needed} have it.",
        "{all} 个验证节点中有 {having} 个已具备协议版本 {version}；达到 {needed} 个后才会生效。",
    ),
    "version.note": (
        "Each node says on the chain by itself what its software has.",
        "各节点自行在链上声明其软件支持的版本。",
    ),
    "version.node": ("Node", "节点"),
    "version.software": ("Software", "软件"),
    "version.has": ("has it", "已具备"),
    "version.lacks": ("needs a newer release", "需要升级"),
    "version.lacks.before": ("needs a newer release before block {height}", "须在区块 {height} 之前升级"),
    "governance.raw": ("As it stands", "原文"),
}
