"""Texts of the frame and of what all pages share."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "app.name": ("Coseal console", "Coseal 控制台"),
    "app.skip": ("Skip to the content", "跳到正文"),
    "app.navigation": ("Pages", "页面"),
    "app.settings": ("Language and colours", "语言与配色"),
    "app.language": ("Language", "语言"),
    "app.theme": ("Colours", "配色"),
    "app.theme.auto": ("Auto", "自动"),
    "app.theme.light": ("Light", "浅色"),
    "app.theme.dark": ("Dark", "深色"),
    "app.search": ("Search everything", "全站搜索"),
    "app.chain": ("Chain", "链"),
    "app.height": ("Height", "高度"),
    "app.reading_only": ("Read only", "只读"),
    "app.acting_as": ("Signs as {sender}", "以 {sender} 签名"),
    "app.locked": (
        "This console can sign as {sender}, but this browser was not opened from its start link.",
        "本控制台可以 {sender} 的身份签名，但当前浏览器不是从启动链接打开的。",
    ),
    "app.footer": (
        "This page trusts the genesis document on this machine and checks the rest itself. Nodes only deliver data.",
        "本页面只信任本机上的创世文件，其余均自行验证；节点只负责提供数据。",
    ),
    "app.following": (
        "Checking headers: {height} of {tip}",
        "正在核对区块头：{height} / {tip}",
    ),
    "app.not_followed": ("Headers cannot be followed: {reason} ({node})", "无法继续核对区块头：{reason}（{node}）"),
    "app.doubted": ("An answer of {node} did not verify: {reason}.", "{node} 的应答未通过验证：{reason}。"),
    "app.forked": (
        "Two blocks are certified at one height: the chain has forked",
        "同一高度有两个经认证的区块：链已分叉",
    ),
    "app.as_of": ("State as of block {height}", "状态截至区块 {height}"),
    "app.as_of.several": (
        "State as of blocks {first} to {last}: read one after another, each seal says which",
        "状态截至区块 {first} 至 {last}：先后读取，各标记注明其区块",
    ),
    "app.as_of.old": (
        "Newer blocks exist: this console has followed up to block {followed}, and no node gives a newer state.",
        "已有更新的区块：本控制台已核对至区块 {followed}，但没有节点提供更新的状态。",
    ),
    "app.offline": ("No connection to the console. It tries again by itself.", "与控制台的连接已断开，正在自动重试。"),
    "app.no_node": ("No node answers", "没有节点应答"),
    "app.odd_node": ("No node gives a status that can be read", "没有节点给出可读取的状态"),
    # Trust
    "trust.verified": ("Verified", "已验证"),
    "trust.unverified": ("Not verified", "未验证"),
    "trust.failed_badge": ("Does not hold", "验证失败"),
    "trust.at": ("block {height}", "区块 {height}"),
    "trust.between": ("blocks {first} to {last}", "区块 {first} 至 {last}"),
    "trust.place": (
        "The node's word: no receipt that was given proves in which block this was recorded. What was recorded, and in "
        "which order, is proven.",
        "节点的陈述：没有回执可证明此项记录于哪个区块；记录内容及其顺序已得到证明。",
    ),
    "trust.block": (
        "This console checked the commit certificate of a quorum of validators, that the block stands on the chain it "
        "followed from the genesis, and that all transactions and outcomes are those of its header.",
        "本控制台已核对法定数量验证节点的提交证书，确认该区块位于自创世起核对的链上，且全部交易及其结果与区块头一致。",
    ),
    "trust.proof": (
        "This console checked the proof: it leads from this value to a block that a quorum of validators certified.",
        "本控制台已核对证明：该数据可追溯至法定数量验证节点签署的区块。",
    ),
    "trust.header": (
        "Read from headers that this console followed from the genesis, each certified by a quorum of validators.",
        "取自本控制台自创世起核对的区块头，均经法定数量验证节点签署。",
    ),
    "trust.genesis": (
        "Read from the genesis document on this machine, which this console trusts; no node gives a newer state now.",
        "取自本机的创世文件，本控制台信任该文件；目前没有节点提供更新的状态。",
    ),
    "trust.history": (
        "This console checked that these are all items of the object, in their order, as of this block.",
        "本控制台已确认：截至该区块，以上即为该对象的全部记录，顺序无误。",
    ),
    "trust.index": (
        "A list or figure from the node's own index: the ledger has no proof for it. Single entries can be verified "
        "on their own pages.",
        "来自节点自身索引的列表或统计，账本不为其提供证明；单条记录可在其页面上验证。",
    ),
    "trust.word": (
        "What the node says about itself; it cannot be proven.",
        "节点对自身状态的陈述，无法证明。",
    ),
    "trust.failed": (
        "The proof does not hold, so nothing is shown. The node may lie, be damaged or run other software.",
        "证明不成立，故不予显示。该节点可能作伪、损坏或运行不同的软件。",
    ),
    "trust.from": ("from {node}", "来自 {node}"),
    # States
    "state.empty": ("Nothing here yet", "暂无内容"),
    "state.unshown": (
        "{count} of these cannot be shown: {reason}. This is a fault of the node's software, and its log says more; "
        "what is recorded is not affected.",
        "其中 {count} 项无法显示：{reason}。这是该节点软件的故障，其日志中有详情；已记录的内容不受影响。",
    ),
    "state.stalled.title": ("No node answers", "没有节点应答"),
    "state.stalled.text": (
        "The console runs, but none of the nodes it knows can be reached. It keeps trying; nothing has to be done "
        "here. Start the network with: coseal up",
        "控制台运行正常，但所知节点均无法连接。控制台会持续重试，无需操作。可用 coseal up 启动网络。",
    ),
    "state.not_found.title": ("There is no such page", "没有这个页面"),
    "state.not_found.text": ("Choose one from the navigation.", "请从导航中选择。"),
    "state.refused.title": ("The node cannot answer this", "节点无法回答"),
    "state.odd.title": ("The answer cannot be read", "应答无法读取"),
    "state.odd.text": (
        "The answer is not the document that was asked for. Nothing of it is shown.",
        "收到的内容并非节点对此问题应给出的文件，故不予显示。",
    ),
    "state.untrue.title": ("This does not hold", "验证未通过"),
    "state.error.title": ("Something went wrong in the console", "控制台出错"),
    "state.error.text": (
        "This is a fault of the console, not of the chain. Its log says more.",
        "这是控制台自身的错误，与链无关；详情见其日志。",
    ),
    "state.forbidden": (
        "This browser may not sign. Open the start link that the console printed.",
        "当前浏览器无权签名，请使用控制台打印的启动链接打开。",
    ),
    "state.too_large": (
        "That is more than {mebibytes} MiB: verify such a file with the command `coseal verify`.",
        "超过 {mebibytes} MiB：请用命令 `coseal verify` 验证这样的文件。",
    ),
    "state.done": ("Done", "已完成"),
    "state.refused": ("Refused", "被拒绝"),
    # Means
    "part.newer": ("Newer", "较新"),
    "part.older": ("Older", "较旧"),
    "part.first": ("First page", "第一页"),
    "part.previous": ("Previous page", "上一页"),
    "part.file": (
        "{title} as {kind}: the rows of this page, up to 1,000 of a list",
        "{title}（{kind}）：本页各行，列表最多 1,000 行",
    ),
    "part.next": ("Next page", "下一页"),
    "part.copy": ("Copy", "复制"),
    "part.copied": ("Copied", "已复制"),
    "part.raw": ("Raw fields", "原始字段"),
    "part.table": ("As a table", "以表格显示"),
    "part.none": ("none", "无"),
    "part.search": ("Go to", "查找"),
    "part.pages": ("Pages of this list", "列表分页"),
    "part.failed": ("rejected", "已拒绝"),
    "part.ok": ("took effect", "已生效"),
    "time.ms": ("{count} ms", "{count} 毫秒"),
    "time.seconds": ("{count} s", "{count} 秒"),
    "time.minutes": ("{count} min {rest} s", "{count} 分 {rest} 秒"),
    "time.minutes.whole": ("{count} min", "{count} 分"),
    "time.hours.whole": ("{count} h", "{count} 小时"),
    "time.days.whole": ("{count} d", "{count} 天"),
    "time.hours": ("{count} h {rest} min", "{count} 小时 {rest} 分"),
    "time.days": ("{count} d {rest} h", "{count} 天 {rest} 小时"),
    # Constituencies
    "role.government": ("Government", "政府"),
    "role.bank": ("Banks", "银行"),
    "role.enterprise": ("Enterprises", "企业"),
    "role.institute": ("Institutes", "科研机构"),
    "role.public": ("Public", "公众"),
    "kind.validator": ("validator", "验证节点"),
    "kind.observer": ("observer", "观察节点"),
}
