"""Reporting values of indicators, each under a number of its own.

Law: nothing that was reported is overwritten; a correction names what it corrects.

contracts/mission/README.md, I4 to I6.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.fields import Hexadecimal, Integer, Many
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.mission.clocks import await_report, next_report_ms
from coseal.contracts.mission.fields import DAY, MAX_VALUE, NAME, begins_ms
from coseal.contracts.mission.opening import mission_of
from coseal.contracts.mission.state import indicator_key, value_key

MAX_EVIDENCE: Final = 16


def _report(view: View, context: Context, args: Args) -> Result | Rejected:
    name, date = args["mission"], args["date"]
    record = mission_of(view, name)
    if isinstance(record, Rejected):
        return record
    indicator: Any = view.get(indicator_key(name, args["indicator"]))
    if indicator is None:
        return Rejected("unknown_indicator", f"{name} has no indicator {args['indicator']}")
    if "source" in indicator:  # I4
        return Rejected("computed_indicator", f"{args['indicator']} is counted by the ledger: {indicator['source']}")
    if context.member not in indicator["reporters"]:  # I4
        return Rejected("not_reporter", f"{', '.join(indicator['reporters'])} report {args['indicator']}")
    if begins_ms(date) > context.time_ms:  # I5
        return Rejected("future_date", f"{date} has not come at block time {moment_text(context.time_ms)}")
    corrects = args.get("corrects", 0)
    if corrects:  # I6
        corrected: Any = view.get(value_key(name, args["indicator"], corrects))
        if corrected is None:
            return Rejected("unknown_value", f"{args['indicator']} has {indicator['values']} values")
        if corrected["date"] != date:
            return Rejected("other_date", f"value {corrects} is of {corrected['date']}; report another day's as such")
    number = indicator["values"] + 1
    said = {"corrects": corrects} if corrects else {}
    said |= {"date": date, "value": args["value"], "member": context.member, "evidence": args["evidence"]}
    view.put(value_key(name, args["indicator"], number), {**said, "tx": context.tx_id.hex(), "height": context.height})
    after = {**indicator, "values": number, "missed": 0}
    last = indicator.get("last")
    if last is None or date > last[1] or (corrects and date == last[1]):
        after["last"] = [args["value"], date, number]
    if not corrects:  # T2
        after["due_ms"] = next_report_ms(indicator, context.time_ms, record["to"])
        await_report(view, name, args["indicator"], after["due_ms"])
    view.put(indicator_key(name, args["indicator"]), after)
    return {"mission": name, "indicator": args["indicator"], "number": number, "due_ms": after["due_ms"]}


ACTIONS: Final[dict[str, Action]] = {
    "report": Action(
        arguments=Arguments(
            {
                "mission": NAME,
                "indicator": NAME,
                "value": Integer(-MAX_VALUE, MAX_VALUE),
                "date": DAY,
                "evidence": Many(Hexadecimal(), low=1, high=MAX_EVIDENCE, unique=True),
            },
            {"corrects": Integer(1, 2**53)},
        ),
        apply=_report,
        title="Report the value of an indicator at a day, with the digests of its evidence",
        example={
            "mission": "legal-digital-currency",
            "indicator": "wallets",
            "value": 261_000_000,
            "date": "2021-12-31",
            "evidence": ["00" * 32],
        },
        capability="operate",
    ),
}
