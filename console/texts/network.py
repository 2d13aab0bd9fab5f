"""Texts of the network page."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "network.nav": ("Network", "网络"),
    "network.lead": (
        "Government, banks and enterprises each run nodes that agree on every block before it counts. Here is who takes "
        "part, how far each node is, and what was just recorded.",
        "政府、银行与企业各自运行节点，每个区块须经共同确认方才生效。此处显示参与者、各节点进度及最新记录。",
    ),
    "network.explain": ("What am I looking at?", "如何看懂本页"),
    "network.explain.block": ("Block", "区块"),
    "network.explain.block.text": (
        "A page of the record: some signed acts, in order, each with its outcome. A block that counts is final; "
        "nobody can change, remove or reorder it afterwards.",
        "记录的一页：若干签名行为，按序排列，各附结果。区块一经确认即为最终，任何人不得修改、删除或调整顺序。",
    ),
    "network.explain.validator": ("Validator, quorum", "验证节点与法定数量"),
    "network.explain.validator.text": (
        "A node with a vote. A block counts only when a quorum of validators has checked and signed it, so the network "
        "continues while fewer than a third of them fail or lie.",
        "拥有投票权的节点。区块须经法定数量的验证节点核对并签署方为有效，因此不足三分之一的节点失效或作伪时网络仍可运行。",
    ),
    "network.explain.leader": ("Leader, round", "主节点与轮次"),
    "network.explain.leader.text": (
        "Validators take turns in proposing blocks. If the one whose turn it is stays silent, the others go to the next "
        "round with the next leader.",
        "验证节点轮流提议区块。轮到者若无响应，其余节点进入下一轮，由下一主节点提议。",
    ),
    "network.explain.constituency": ("Constituency", "类别"),
    "network.explain.constituency.text": (
        "Government, banks, enterprises and others run their own nodes. No one of them, the government included, can "
        "decide alone or rewrite the record.",
        "政府、银行、企业等各自运行节点；任何一方（包括政府）都不能单独决定或改写记录。",
    ),
    "network.explain.seal": ("Verified", "已验证"),
    "network.explain.seal.text": (
        "A tick means that this page checked the signatures and proofs itself, on this machine. A circle means that it is "
        "some node's word. Press either to see why.",
        "对勾表示本页面已在本机核对签名与证明；圆圈表示仅为某节点的陈述。点按可查看缘由。",
    ),
    "network.verdict.good": (
        "Blocks commit: {good} of {all} validators take part, {quorum} are needed. {spare} more may fail.",
        "出块正常：{all} 个验证节点中有 {good} 个参与，需要 {quorum} 个；还可容许 {spare} 个失效。",
    ),
    "network.verdict.edge": (
        "Blocks commit, but no further failure is tolerated: {good} of {all} validators take part, {quorum} are needed.",
        "出块正常，但不能再有节点失效：{all} 个验证节点中有 {good} 个参与，需要 {quorum} 个。",
    ),
    "network.lacks_contract": (
        "Contract {name} version {version} is not installed: the node stops before block {height} if enough validators "
        "have it.",
        "未安装合约 {name} 第 {version} 版：若已有足够的验证节点安装，该节点将在区块 {height} 之前停止。",
    ),
    "network.verdict.unknown": (
        "Whether blocks commit is not known: no node says how it is.",
        "无法得知是否正常出块：没有节点说明自身状态。",
    ),
    "network.verdict.bad": (
        "No block can commit: {good} of {all} validators take part, {quorum} are needed. Nothing recorded is lost; the "
        "chain continues when enough of them are back.",
        "目前无法出块：{all} 个验证节点中有 {good} 个参与，需要 {quorum} 个。已记录的数据不会丢失，节点恢复后自动继续。",
    ),
    "network.figures": ("The chain at a glance", "链的概况"),
    "network.height": ("Blocks", "区块数"),
    "network.rate": ("Transactions, last minute", "近一分钟交易数"),
    "network.blocks_minute": ("blocks: {count}", "区块：{count}"),
    "network.validators": ("Validators at work", "在线验证节点"),
    "network.engine": ("{needed}; ordered by CometBFT", "{needed}；由 CometBFT 排序"),
    "network.needed": ("{quorum} needed", "需要 {quorum} 个"),
    "network.rounds": ("Rounds beyond the first", "额外轮次"),
    "network.rounds.extra": ("most for one of the last 50 blocks", "近 50 个区块中的最大值"),
    "network.waiting": ("Waiting", "待处理"),
    "network.waiting.extra": ("transactions not yet in a block", "尚未入块的交易"),
    "network.nodes": ("Nodes by constituency", "按类别划分的节点"),
    "network.registry": ("Registry", "登记册"),
    "network.leads": ("leads", "主节点"),
    "network.round": ("round {round}", "第 {round} 轮"),
    "network.healthy": ("keeps up", "同步"),
    "network.behind": ("{count} blocks behind", "落后 {count} 个区块"),
    "network.catching_up": ("catching up, {count} blocks to go", "正在追赶，还差 {count} 个区块"),
    "network.silent_validator": ("follows, but may not vote: {reason}", "仅同步，不能投票：{reason}"),
    "network.odd": ("gives a status that cannot be read", "给出的状态无法读取"),
    "network.no_answer": ("does not answer", "无应答"),
    "network.unreachable": ("no other node reaches it", "其他节点均无法连接"),
    "network.unknown": ("nothing known of it", "状态未知"),
    "network.only_peers": (
        "does not answer here, but {count} nodes reach it",
        "此处无应答，但有 {count} 个节点可连接",
    ),
    "network.seen_by_peers": ("reached by {count} nodes", "{count} 个节点可连接"),
    "network.blocks": ("Newest blocks", "最新区块"),
    "network.all_blocks": ("All blocks", "全部区块"),
    "network.tile": ("{count} tx", "{count} 笔"),
    "network.recent": ("Just recorded", "最新记录"),
    "network.recent.note": (
        "Who did what, and with which outcome. Rejected transactions are recorded too.",
        "谁做了什么、结果如何；被拒绝的交易同样记录在链。",
    ),
    "network.no_transaction": (
        "No transaction in the newest blocks. Empty ones keep the clock of deadlines going.",
        "最新区块中没有交易；空区块用于推进期限的计时。",
    ),
    "network.nothing_followed": ("No header was followed yet", "尚未核对任何区块头"),
    "network.no_block": ("No block yet", "尚无区块"),
    "messages.waiting": (
        "waits for {lacking} more of {quorum} validators: {who}",
        "还需 {lacking} 个验证节点（共需 {quorum} 个）：{who}",
    ),
    "messages.catching_up": ("catching up: at height {height} of {target}", "正在追赶：高度 {height} / {target}"),
    "messages.pending": (
        "a transaction has been waiting for {seconds} s: {rest}",
        "有交易已等待 {seconds} 秒：{rest}",
    ),
    "messages.stopped": ("stopped: {reason}", "已停止：{reason}"),
    "messages.and": ("{who} and {last}", "{who}、{last}"),
    "messages.unreachable": ("{who} unreachable for {seconds} s", "{who} 已失联 {seconds} 秒"),
}
