"""Texts of the page about answers that did not verify."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "evidence.nav": ("Evidence", "证据"),
    "evidence.see": ("What it answered", "查看其应答"),
    "evidence.lead": (
        "Answers of nodes that did not verify in this console, kept as they were received until it ends. Such an answer "
        "accuses nobody: the node may lie, be damaged or run other software, or the answer was changed on its way.",
        "未能在本控制台通过验证的节点应答，按收到的原样保存，直至控制台退出。此类应答不构成对任何人的指控：节点可能作伪、损坏或运行不同软件，应答也可能在途中被篡改。",
    ),
    "evidence.forks": ("Two blocks at one height", "同一高度的两个区块"),
    "evidence.forks.note": (
        "Two certified blocks at one height prove that validators broke their promise. The document holds both, with their "
        "signatures: anybody who has the genesis can check it with coseal verify.",
        "同一高度出现两个经认证的区块，即证明有验证节点违背承诺。文件包含两个区块及其签名，任何持有创世文件的人都可用 coseal verify 核验。",
    ),
    "evidence.no_fork": ("None was seen", "未发现"),
    "evidence.forked": (
        "The chain has forked. This console continues with the block that it followed first.",
        "链已分叉。本控制台继续沿用最先核对的区块。",
    ),
    "evidence.height": ("Height", "高度"),
    "evidence.signed_both": ("Members whose validators signed both", "其验证节点两者均签署的成员"),
    "evidence.when": ("When", "时间"),
    "evidence.document": ("Proof", "证明文件"),
    "evidence.take": ("Download", "下载"),
    "evidence.doubts": ("Answers that did not verify", "未通过验证的应答"),
    "evidence.doubts.note": (
        "Each is judged again whenever this page is shown, and dropped if it verifies. A node that gave one is asked last for "
        "a while. The bytes are as they came; they carry no signature of the node.",
        "每次显示本页时均重新判定，通过者即移除。给出此类应答的节点在一段时间内最后被询问。字节保持原样，不含节点签名。",
    ),
    "evidence.no_doubt": ("Every answer verified", "所有应答均通过验证"),
    "evidence.node": ("Node", "节点"),
    "evidence.question": ("Question", "问题"),
    "evidence.reason": ("Why it does not verify", "未通过的原因"),
    "evidence.times": ("Times", "次数"),
    "evidence.bytes": ("As received", "原始字节"),
    "evidence.digest": ("Digest (SHA-256)", "摘要（SHA-256）"),
    "evidence.size": ("{count} bytes", "{count} 字节"),
    "evidence.too_large": ("{size}; more than {most} are not kept", "{size}；超过 {most} 不予保存"),
    "evidence.gone": ("No longer kept", "已不再保存"),
    "evidence.gone.text": (
        "It was dropped because it verifies after all, or newer ones took its place.",
        "该应答复核后已通过验证，或已被更新的应答取代。",
    ),
}
