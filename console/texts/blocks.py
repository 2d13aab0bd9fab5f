"""Texts of blocks and transactions, and of the rows that list them anywhere."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "blocks.nav": ("Blocks", "区块"),
    "blocks.lead": (
        "The ledger itself, newest first. Every block is executed before it is voted on, so its certificate covers "
        "what was asked and its outcome.",
        "账本本身，按新旧排列。每个区块先执行后表决，证书同时涵盖请求及其结果。",
    ),
    "blocks.list": ("Blocks", "区块列表"),
    "blocks.range": ("{first} to {last} of {tip}", "第 {first} 至 {last}，共 {tip}"),
    "blocks.transactions": ("Transactions", "交易"),
    "blocks.transactions_range": ("{first} to {last} of {all}", "第 {first} 至 {last}，共 {all}"),
    "blocks.proposer": ("Proposed by", "提议者"),
    "blocks.signers": ("Signed by", "签署者"),
    "blocks.hash": ("Block hash", "区块哈希"),
    "blocks.one": ("Block {height}", "区块 {height}"),
    "blocks.one.lead": (
        "What the validators agreed on at this height: who did what, in this order, with this outcome.",
        "验证节点在此高度达成的共识：谁做了什么、顺序如何、结果怎样。",
    ),
    "blocks.header": ("Header", "区块头"),
    "blocks.round": ("Round", "轮次"),
    "blocks.epoch": ("Epoch of validators", "验证节点届次"),
    "blocks.parent": ("Block before", "前一区块"),
    "blocks.state_root": ("State root after it", "执行后状态根"),
    "blocks.tx_root": ("Root of transactions", "交易根"),
    "blocks.receipts_root": ("Root of outcomes", "结果根"),
    "blocks.certificate": (
        "{signed} of {all} validators are in the commit certificate; {quorum} are needed. Others may have voted too late "
        "to be in it.",
        "提交证书中有 {all} 个验证节点里的 {signed} 个签名，需要 {quorum} 个；其余可能投票较晚而未列入。",
    ),
    "blocks.due": ("What fell due", "到期事项"),
    "blocks.due.note": (
        "Deadlines that passed and what followed, noted by the block itself before its first transaction.",
        "已到期的期限及其后果，由区块在首笔交易之前自行记录。",
    ),
    "blocks.raw": ("As it stands", "原文"),
    "blocks.transaction.lead": (
        "One signed act, its place in the chain and its outcome. Signature, place and outcome are proven together.",
        "一次签名行为、其在链上的位置及结果；三者一并得到证明。",
    ),
    "blocks.signed": ("What was signed", "签名内容"),
    "blocks.args": ("Arguments", "参数"),
    "blocks.valid_until": ("Valid until", "有效期至"),
    "blocks.public_key": ("Public key", "公钥"),
    "blocks.signature": ("Signature", "签名"),
    "blocks.proof": ("Proof", "证明"),
    "blocks.proof.note": (
        "Transaction and outcome are leaves of two hash trees; their roots stand in a header that these validators signed.",
        "交易与结果是两棵哈希树的叶子，其根写在由下列验证节点签署的区块头中。",
    ),
    "row.transactions": ("Transactions", "交易列表"),
    "row.block": ("Block", "区块"),
    "row.when": ("When", "时间"),
    "row.sender": ("Who", "主体"),
    "row.action": ("What", "事项"),
    "row.outcome": ("Outcome", "结果"),
    "row.id": ("Transaction", "交易"),
    "row.place": ("Place in the block", "块内位置"),
}
