"""The tables of certification: schemes, projects, arguments, reviewers, seats on panels, certificates, tranches."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, WRITTEN, Table, document, integer, text

SCHEMES: Final = Table(
    "schemes",
    "one row a scheme of certification that a ballot adopted",
    ("scheme",),
    (
        text("scheme", "its id"),
        text("title", "its title, in English if it has one"),
        text("status", "`adopted` or `retired`"),
        text("ballot", "the proposal that adopted it"),
        *WRITTEN,
        document("ids of its criteria, the bodies that act under it"),
    ),
)
PROJECTS: Final = Table(
    "projects",
    "one row a project, in its present state",
    ("project",),
    (
        text("project", "its id"),
        integer("number", "how many there were with it"),
        text("title", "its title, in English if it has one"),
        text("member", "the applicant"),
        text("scheme", "the scheme it is argued under"),
        text("kind", "its kind, which says what criteria apply"),
        text(
            "status",
            "the step that it is in, from `draft` on, or the outcome, `lapsed`, `expired` or `revoked`",
        ),
        integer("round", "how many panels were begun for it"),
        integer("due_ms", "when the present step ends, 0 if by no clock"),
        integer("nodes", "nodes of its argument"),
        text("root", "Merkle root of the sealed argument, or empty"),
        integer("planned", "what funders pledged, in fen"),
        integer("released", "what of it was released, in fen"),
        *MADE,
        document(
            "parties, digest of the technical framework, titles by language; the last verdict, decision and appeal"
        ),
    ),
    indexes=(("projects_by_member", "(member, project)"), ("projects_by_scheme", "(scheme, project)")),
)
ARGUMENT_NODES: Final = Table(
    "argument_nodes",
    "one row a node of a project's argument, in its present state; a dropped one stays",
    ("project", "node"),
    (
        text("project", "the project"),
        text("node", "its id"),
        text("kind", "`claim`, `strategy`, `evidence`, `context`, `assumption`, `justification`, `defeater`, `cite`"),
        text("parent", "the node that it stands below, or empty"),
        text("declared", "`asserted`, `needsSupport`, `assumed` or `axiomatic`"),
        text("statement", "what it says, or empty"),
        integer("dropped", "1 if it was dropped"),
        *WRITTEN,
        document("the node as it was written down"),
    ),
)

REVIEWERS: Final = Table(
    "reviewers",
    "one row an operator that its member offers for panels",
    ("reviewer",),
    (
        text("reviewer", "its operator, `member/user`"),
        text("member", "the member"),
        text("sector", "`government`, `industry` or `academia`"),
        integer("humanities", "1 if one of its fields is of the humanities"),
        integer("until_ms", "when its office ends"),
        *WRITTEN,
        document("`fields` of research, digest of its statement"),
    ),
    indexes=(("reviewers_by_member", "(member, reviewer)"),),
)
REVIEWS: Final = Table(
    "reviews",
    "one row a seat on a panel: who was drawn for a round of a project, and what came of it",
    ("project", "round", "reviewer"),
    (
        text("project", "the project"),
        integer("round", "which of its rounds"),
        text("reviewer", "who was drawn, `member/user`"),
        text("status", "`drawn`, `seated`, `conflict`, `silent`, `committed` or `revealed`"),
        integer("accepted", "leaves that it accepted"),
        integer("rejected", "leaves that it did not"),
        *WRITTEN,
        document("a revealed review, as it was sent"),
    ),
    indexes=(("reviews_by_reviewer", "(reviewer, project, round)"),),
)

CERTIFICATES: Final = Table(
    "certificates",
    "one row a certificate, in its present state",
    ("certificate",),
    (
        text("certificate", "`C` and its number"),
        text("project", "the project that it is of"),
        text("scheme", "the scheme under which it was issued"),
        text("status", "`certified`, `conditional`, `replaced`, `expired` or `revoked`"),
        integer("from_ms", "when it was issued"),
        integer("until_ms", "when its time is over"),
        integer("suspended_ms", "until when it is, or was last, suspended; 0 for never"),
        *WRITTEN,
        document("of a revoked one `ballot` and `reason`"),
    ),
    indexes=(("certificates_by_project", "(project, certificate)"),),
)

TRANCHES: Final = Table(
    "tranches",
    "one row a tranche of a project, in its present state",
    ("project", "tranche"),
    (
        text("project", "the project"),
        integer("tranche", "which of its tranches, from 1 on"),
        integer("amount", "in fen"),
        text("funder", "the member that is asked to pay it"),
        text("status", "`planned`, `pledged`, `claimed` or `released`"),
        text("pending", "the pending transfer that pays it, or empty"),
        *WRITTEN,
        document("`milestone`; once claimed the `items` that showed it, as hashes"),
    ),
    indexes=(("tranches_by_funder", "(funder, project, tranche)"),),
)

TABLES: Final = (SCHEMES, PROJECTS, ARGUMENT_NODES, REVIEWERS, REVIEWS, CERTIFICATES, TRANCHES)
