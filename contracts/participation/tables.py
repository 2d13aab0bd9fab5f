"""The tables of participation: gateways, consultations, comments, themes."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, WRITTEN, Table, document, integer, text

GATEWAYS: Final = Table(
    "gateways",
    "one row a member that takes comments of people",
    ("member",),
    (
        text("member", "the member"),
        text("url", "where people comment"),
        integer("include_ms", "within how many ms it promises to record what it acknowledged"),
        integer("entries", "entries that it recorded, of all consultations"),
        integer("withheld", "of them those whose texts it withheld"),
        *WRITTEN,
        document("`key` for acknowledgements, `duties_sha256`"),
    ),
)
CONSULTATIONS: Final = Table(
    "consultations",
    "one row a consultation, in its present state",
    ("consultation",),
    (
        text("consultation", "its id"),
        integer("number", "how many there were with it"),
        text("title", "its title, in English if it has one"),
        text("member", "who opened it"),
        text("about", "`policy`, `standard` or `scheme`"),
        text("subject", "id of what it is about"),
        text("status", "`open`, `closed` or `concluded`"),
        integer("closes_ms", "until when comments are taken"),
        integer("due_ms", "when it is to be concluded"),
        integer("overdue", "how often that was missed"),
        integer("received", "entries"),
        integer("withheld", "entries whose texts are withheld"),
        integer("assigned", "entries that are in a theme"),
        integer("themes", "themes"),
        integer("answered", "themes with an answer"),
        *MADE,
        document("`questions`, titles by language, `gateways` if it names some"),
    ),
    indexes=(("consultations_by_subject", "(subject, consultation)"), ("consultations_by_status", "(status, due_ms)")),
)
COMMENTS: Final = Table(
    "comments",
    "one row an entry: what a gateway recorded of a comment",
    ("consultation", "gateway", "entry"),
    (
        text("consultation", "the consultation"),
        text("gateway", "the member that took it"),
        integer("entry", "which of that gateway's entries, from 1 on"),
        text("commitment", "SHA-256 of tag, salt and comment"),
        text("text_sha256", "SHA-256 of the text, empty if it is withheld"),
        text("withheld", "`personal_data`, `abuse`, `illegal`, `off_topic`, or empty"),
        text("commenter", "class of who comments: `person`, `enterprise`, `institute`, `association` or `public_body`"),
        text("kind", "`comment`, `support`, `objection`, `amendment` or `question`"),
        text("pseudonym", "the same for one person at this gateway in this consultation"),
        integer("theme", "the theme that it is in, 0 for none"),
        *MADE,
    ),
    indexes=(("comments_by_text", "(consultation, text_sha256)"), ("comments_by_commitment", "(commitment)")),
)
THEMES: Final = Table(
    "themes",
    "one row a theme of a consultation, in its present state",
    ("consultation", "theme"),
    (
        text("consultation", "the consultation"),
        integer("theme", "its number, from 1 on"),
        text("title", "what it is about"),
        integer("entries", "entries that are in it"),
        text("outcome", "`accepted`, `partly`, `rejected`, `noted`, or empty"),
        *WRITTEN,
        document("`reason` and `change` of the answer"),
    ),
)

TABLES: Final = (GATEWAYS, CONSULTATIONS, COMMENTS, THEMES)
