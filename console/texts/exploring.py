"""Texts of what explores a process: filters, and the charts of the time that cases take."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "filters.title": ("Filter cases", "筛选案例"),
    "filters.apply": ("Show these cases", "显示所选案例"),
    "filters.clear": ("Remove all filters", "清除全部筛选"),
    "filters.remove": ("Remove the filter {filter}", "移除筛选：{filter}"),
    "filters.unread": (
        "Not applied, for it cannot be read or lacks its other half: {names}.",
        "以下条件无法识别或不完整，未生效：{names}。",
    ),
    "filters.count": ("{count} of {all} cases pass the filters.", "共 {all} 个案例，其中 {count} 个符合筛选条件。"),
    "filters.from": ("From day (UTC)", "起始日（UTC）"),
    "filters.to": ("To day (UTC)", "截止日（UTC）"),
    "filters.during": ("In these days", "在此期间"),
    "filters.during.overlaps": ("some of the case", "案例有部分发生"),
    "filters.during.within": ("all of the case", "案例全部发生"),
    "filters.during.begins": ("its first event", "首个事件发生"),
    "filters.during.ends": ("its last event", "最近事件发生"),
    "filters.least_time": ("Took at least", "历时不少于"),
    "filters.below_time": ("Took less than", "历时少于"),
    "filters.length.hint": ("90min, 12h, 3d", "如 90min、12h、3d"),
    "filters.first": ("First activity", "首个活动"),
    "filters.last": ("Last activity", "最近活动"),
    "filters.activity": ("With the activity", "包含活动"),
    "filters.before": ("With the flow from", "包含流向：由"),
    "filters.after": ("to", "至"),
    "filters.attribute": ("With the attribute", "包含属性"),
    "filters.value": ("of value", "其值为"),
    "filters.variant": ("Variant", "变体"),
    "times.title": ("How long cases take", "案例历时"),
    "times.note": (
        "From the first event of a case to the last one so far. A bar leads to its cases.",
        "自案例首个事件至目前最近事件。点击柱形可查看相应案例。",
    ),
    "times.cases": ("Cases", "案例数"),
    "times.took": ("Took", "历时"),
    "times.median": ("Median", "中位数"),
    "times.mean": ("Mean", "平均"),
    "times.ninth": ("Nine in ten within", "九成不超过"),
    "times.longest": ("Longest", "最长"),
    "times.and_longer": ("{time} and longer", "{time} 及以上"),
    "times.between": ("{low} to {high}", "{low} 至 {high}"),
    "dots.title": ("Events over time", "事件时间分布"),
    "dots.note": (
        "One line a case, in the order in which cases began; one dot an event. Colours tell activities apart. A line leads to its case.",
        "每行一个案例，按开始顺序排列；每点一个事件，颜色区分活动。点击一行可打开该案例。",
    ),
    "dots.shown": (
        "{shown} of {cases} cases, at even distances in that order.",
        "共 {cases} 个案例，按该顺序等距选取 {shown} 个。",
    ),
    "dots.label": (
        "{cases} cases with {events} events over time; the list of cases has the same times",
        "{cases} 个案例共 {events} 个事件的时间分布；案例列表含相同时间",
    ),
    "dots.by": ("Time", "时间"),
    "dots.by.absolute": ("as it was", "绝对时间"),
    "dots.by.relative": ("since the first event", "相对首个事件"),
    "dots.others": ("others", "其他"),
    "cases.order": ("Order", "排序"),
    "cases.order.begun": ("As they began", "按开始顺序"),
    "cases.order.longest": ("Longest first", "历时最长优先"),
    "cases.order.shortest": ("Shortest first", "历时最短优先"),
}
