"""Texts of the members' pages."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "members.nav": ("Members", "成员"),
    "members.lead": (
        "Who may write on this chain, with which nodes and keys, and who validated when. All of it is part of the "
        "certified state.",
        "谁可在链上写入、使用哪些节点与密钥、各届由谁验证。以上均属于经认证的状态。",
    ),
    "members.list": ("Members", "成员列表"),
    "members.count": ("{count} members", "共 {count} 个成员"),
    "members.member": ("Member", "成员"),
    "members.name": ("Name", "名称"),
    "members.role": ("Constituency", "类别"),
    "members.standing": ("Standing", "成员状态"),
    "members.standing.good": ("in good standing", "正常"),
    "members.standing.suspended": ("suspended", "已暂停"),
    "members.standing.former": ("no member any more", "已非成员"),
    "members.standing.since": ("So since block", "状态起始区块"),
    "members.standing.until": ("Until", "截止"),
    "members.standing.proposal": ("By proposal", "依据提案"),
    "members.leaving": ("Leaves", "退出时间"),
    "members.operators": ("Operators", "操作员"),
    "members.operators.note": (
        "People and systems that sign for the member. A key belongs to one of them for ever, also after it was replaced.",
        "代表成员签名的人员与系统。密钥一经登记便永久归属，更换后亦不得转用。",
    ),
    "members.nodes": ("Nodes", "节点"),
    "members.since": ("Since block", "起始区块"),
    "members.genesis": ("genesis", "创世"),
    "members.central_bank": ("central bank", "中央银行"),
    "members.epochs": ("Validators by epoch", "历届验证节点"),
    "members.epochs.note": (
        "An epoch ends when a proposal changes the validators. A certificate counts only with the validators of its epoch.",
        "提案变更验证节点时届次更替；证书仅在其所属届次的验证节点签署时有效。",
    ),
    "members.epoch": ("Epoch", "届次"),
    "members.from": ("From block", "起自区块"),
    "members.count_column": ("Number", "数量"),
    "members.validators": ("Validators", "验证节点"),
    "members.change": ("Change", "变化"),
    "members.joined": ("{name} joined", "{name} 加入"),
    "members.left": ("{name} left", "{name} 退出"),
    "members.new_key": ("{name} has a new key", "{name} 更换密钥"),
    "members.evidence": ("Contradictions", "自相矛盾的签名"),
    "members.evidence.note": (
        "A validator signed two different messages where it may sign only one. The chain checked both signatures; what "
        "follows from it, members decide.",
        "某验证节点在只能签署一项之处签署了两项不同内容。链已核对两个签名；如何处置由成员决定。",
    ),
    "members.no_evidence": (
        "No validator is proven to have contradicted itself.",
        "尚无验证节点被证明自相矛盾。",
    ),
    "members.contradiction": ("Where", "位置"),
    "members.place": (
        "height {height}, round {round}, {phase}, epoch {epoch}",
        "高度 {height}，第 {round} 轮，{phase}，第 {epoch} 届",
    ),
    "members.signed_both": ("Signed both", "同时签署"),
    "members.reporter": ("Reported by", "举报者"),
    "members.unknown": ("no member is called {name}", "没有名为 {name} 的成员"),
    "members.one.lead": (
        "A member of this chain: its nodes, its operators, and every key they have or had.",
        "本链成员：其节点、操作员，以及现用与曾用的全部密钥。",
    ),
    "members.about": ("About", "概况"),
    "members.node": ("Node", "节点"),
    "members.kind": ("Kind", "类型"),
    "members.consensus_key": ("Consensus key", "共识公钥"),
    "members.link": ("Link certificate (SHA-256)", "链路证书（SHA-256）"),
    "members.key_history": ("Keys by epoch", "各届密钥"),
    "members.epoch_span": ("{first} to {last}", "第 {first} 至 {last} 届"),
    "members.key_span": ("blocks {first} to {last}", "区块 {first} 至 {last}"),
    "members.user": ("User", "用户"),
    "members.capabilities": ("May", "权限"),
    "members.removed": ("removed", "已移除"),
    "members.key": ("Key", "公钥"),
    "members.former_keys": ("Former keys", "曾用公钥"),
    "kind.former": ("former", "已注销"),
}
