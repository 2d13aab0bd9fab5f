"""Texts about missions: what members do about them, and why an action is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "action.mission.open": ("Open a mission", "设立使命任务"),
    "action.mission.revise": ("Revise a mission", "修订使命任务"),
    "action.mission.link": ("Link a policy to a mission", "关联政策与使命任务"),
    "action.mission.join": ("Take part in a mission", "参与使命任务"),
    "action.mission.leave": ("Leave a mission", "退出使命任务"),
    "action.mission.report": ("Report an indicator", "上报指标数值"),
    "action.mission.evaluate": ("Evaluate a mission", "评估使命任务"),
    "action.mission.answer": ("Answer an evaluation", "答复评估建议"),
    "refusal.unknown_mission": ("There is no such mission.", "没有该使命任务。"),
    "refusal.unknown_policy": ("The register has no such policy.", "登记簿中没有该政策。"),
    "refusal.unknown_member": ("There is no such member.", "没有该成员。"),
    "refusal.unknown_goal": ("The mission has no such goal.", "该使命任务没有此目标。"),
    "refusal.unknown_indicator": ("The mission has no such indicator.", "该使命任务没有此指标。"),
    "refusal.unknown_evaluation": ("The mission has no such evaluation.", "该使命任务没有此次评估。"),
    "refusal.unknown_value": ("The indicator has no such value.", "该指标没有此项数值。"),
    "refusal.unknown_date": ("The mission is not evaluated at that date.", "该日期不是评估日期。"),
    "refusal.exists": ("There is one already.", "已存在。"),
    "refusal.not_actor": ("The member takes no part in the mission.", "该成员未参与此使命任务。"),
    "refusal.not_reporter": ("Other members report this indicator.", "该指标由其他成员上报。"),
    "refusal.computed_indicator": ("The ledger counts this indicator.", "该指标由账本统计，无须上报。"),
    "refusal.past_date": ("The day has begun already.", "该日期已经开始。"),
    "refusal.future_date": ("The day has not come.", "该日期尚未到来。"),
    "refusal.date_order": ("The target is not after the baseline.", "目标日期须晚于基线日期。"),
    "refusal.other_date": ("The value that is corrected is of another day.", "被更正的数值属于另一日期。"),
    "refusal.already_done": ("That was done already.", "该事项已完成。"),
}
