"""The panels of a project: who was drawn, who declared a conflict, whose review is owed, and reviews side by side.

Law: who sits and what is owed is the certified state's; a review is shown only once it is revealed.
"""

from __future__ import annotations

from collections.abc import Sequence

from coseal.console.argument_reading import Review
from coseal.console.ballot_parts import Values
from coseal.console.html import Child, Html, el, join
from coseal.console.page import Page
from coseal.console.parts import member_link, section, tag, titled_table
from coseal.console.project_parts import Data, panel_of
from coseal.contracts.kernel.wording import in_language


def panels(page: Page, rounds: Sequence[Data], values: Values) -> Html | None:
    """Return the panels of all rounds, the newest first."""
    if not rounds:
        return None
    made = [_panel(page, number, rounds) for number in range(len(rounds), 0, -1)]
    return section(page, "projects.panels", made, shown=values.shown, note="projects.panels.note")


def _panel(page: Page, number: int, rounds: Sequence[Data]) -> Html:
    round = rounds[number - 1]
    key = "projects.round.appeal" if round["appeal"] else "projects.round"
    title = page.t(key, number=number)
    rows: list[list[Child]] = [
        [
            member_link(f"{member}/{user}"),
            page.t_or(f"projects.sector.{sector}", sector),
            page.t("projects.humanities.yes") if humanities else "–",
            _declared(page, round, f"{member}/{user}"),
            _review(page, round, f"{member}/{user}"),
        ]
        for member, user, sector, humanities in round["panel"]
    ]
    rows += [[member_link(name), "–", "–", _left(page, round, name), "–"] for name in _gone(number, rounds)]
    names = [page.t(f"projects.{name}") for name in ("reviewer", "sector", "humanities", "conflict", "review")]
    if not rows:
        return join(el("h3", None, title), el("p", {"class": "empty"}, page.t("projects.not_drawn")))
    return join(el("h3", None, title), titled_table(page, title, names, rows, name=f"round-{number}"))


def _gone(number: int, rounds: Sequence[Data]) -> list[str]:
    """Return who was drawn in a round and replaced before the review: who is out of it and was not before."""
    before: set[str] = set()
    if number > 1:
        last = rounds[number - 2]
        before = {*last["out"], *panel_of(last)}
    round = rounds[number - 1]
    return [name for name in round["out"] if name not in before and name not in panel_of(round)]


def _left(page: Page, round: Data, name: str) -> Html:
    """Return why a reviewer gave its seat up: it said that it has a conflict of interest, or said nothing."""
    silent = ["drawn", name] in [list(one) for one in round["late"]]
    return tag(page.t("projects.silent" if silent else "projects.has_conflict"), "wait")


def _declared(page: Page, round: Data, name: str) -> Html:
    if name in round["declared"]:
        return tag(page.t("projects.no_conflict"), "good")
    return tag(page.t("projects.undeclared"), "wait")


def _review(page: Page, round: Data, name: str) -> Child:
    """Return how far a reviewer's review is."""
    if name in round.get("revealed", ()):
        return tag(page.t("projects.revealed"), "good")
    if name in [who for step, who in round["late"] if step in ("review", "reveal")]:
        return tag(page.t("projects.kept_silent"), "bad")
    if name in round.get("committed", ()):
        return tag(page.t("projects.committed"), "wait")
    return tag(page.t("projects.owed"), "wait") if "committed" in round else "–"


def criteria(
    page: Page, scheme: Data, applies: Sequence[str], reviews: Sequence[Review], values: Values
) -> Html | None:
    """Return the revealed reviews side by side: their scores by criterion, and what they said besides."""
    if not reviews:
        return None
    names = [page.t("projects.criterion"), page.t("projects.weight"), page.t("projects.floor")]
    names += [page.t("projects.mean"), *(review.reviewer for review in reviews)]
    rows: list[list[Child]] = []
    for criterion in scheme["criteria"]:
        if criterion["id"] not in applies:
            continue
        scores = [review.scores[criterion["id"]] for review in reviews]
        low = sum(scores) < criterion["floor"] * len(scores)
        mean = page.number(sum(scores) / len(scores), 1)
        title = in_language(criterion["title"], page.language)
        average = join(mean, " ", tag(page.t("projects.below_floor"), "bad")) if low else mean
        rows.append([title, criterion["weight"], criterion["floor"], average, *map(page.number, scores)])
    figures = " ".join(map(str, range(1, len(names))))
    made = titled_table(page, page.t("projects.reviews"), names, rows, numeric=figures, name="reviews")
    return section(
        page, "projects.reviews", made, _dissent(page, reviews), shown=values.shown, note="projects.reviews.note"
    )


def _dissent(page: Page, reviews: Sequence[Review]) -> Html | None:
    said = [(one.reviewer, one.said["dissent"]) for one in reviews if one.said is not None and "dissent" in one.said]
    if not said:
        return None
    items = [el("li", None, member_link(reviewer), ": ", words) for reviewer, words in said]
    return el("div", None, el("h3", None, page.t("projects.dissent")), el("ul", {"class": "said"}, items))
