"""The tables of certification: schemes, projects, the nodes of their arguments."""

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
        text("status", "`draft`, `sealed` or `lapsed`"),
        integer("nodes", "nodes of its argument"),
        text("root", "Merkle root of the sealed argument, or empty"),
        *MADE,
        document("parties, digest of the technical framework, titles by language"),
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

TABLES: Final = (SCHEMES, PROJECTS, ARGUMENT_NODES)
