"""The tables of credit: facts, formulas, and who read whose dossier."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, Table, document, integer, text

CREDIT_FACTS: Final = Table(
    "credit_facts",
    "one row an entry of a list of facts; a figure is the sum of `sign`, and of `sign * amount`",
    ("member", "month", "kind", "number"),
    (
        text("member", "whose fact it is"),
        integer("month", "the month as `yyyymm`, in UTC"),
        text("kind", "what is counted, such as `settled_late`"),
        integer("number", "its number in the list"),
        integer("sign", "1 if it counts, -1 if it takes another entry out"),
        integer("of_number", "the entry that it changes, or 0"),
        text("why", "empty for a fact; `overturned`, `contested`, `refused` or `corrected`"),
        text("origin", "the receivable, finding, question, contest or gap it rests on"),
        text("counterparty", "with whom, or empty"),
        integer("amount", "fen; of a gap missing items"),
        integer("days", "days late, or that it took"),
        text("held", "the hold, suspension or measure that kept the member from acting, or empty"),
        text("status", "empty, or `open`, `overdue`, `upheld`, `refused`, `corrected`, `overturned`"),
        integer("deadline_ms", "until when an open contest is answered, else 0"),
        *MADE,
        document("of a contested one its `contest`, `answer` and `correction`"),
    ),
)
CREDIT_FORMULAS: Final = Table(
    "credit_formulas",
    "one row a version of a formula that a ballot adopted",
    ("formula", "version"),
    (
        text("formula", "its id"),
        integer("version", "its version"),
        text("title", "its title, in English if it has one"),
        integer("window_months", "how many months it looks at"),
        text("ballot", "the proposal that adopted it"),
        *MADE,
        document("the formula as it was adopted"),
    ),
)
CREDIT_CONSULTATIONS: Final = Table(
    "credit_consultations",
    "one row each time a member recorded that it reads the dossier of another",
    ("member", "height", "position"),
    (
        text("member", "whose dossier"),
        text("reader", "who reads it"),
        text("purpose", "what for"),
        text("legal_basis", "by what right"),
        *MADE,
    ),
)
TABLES: Final = (CREDIT_FACTS, CREDIT_FORMULAS, CREDIT_CONSULTATIONS)
