"""The tables of disclosure: plans, policies, keys for envelopes, vaults with their seats and sidecars, requests."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, Table, document, integer, text

DISCLOSURE_PLANS: Final = Table(
    "disclosure_plans",
    "one row a plan of custody, as the last ballot on it decided",
    ("plan",),
    (
        text("plan", "its id"),
        integer("threshold", "how many seats open together"),
        text("ballot", "the proposal that decided it"),
        *MADE,
        document("its `seats`, `substitutes` and `retentions`"),
    ),
)
DISCLOSURE_POLICIES: Final = Table(
    "disclosure_policies",
    "one row a ballot on the policy of disclosure; the last one is in force",
    ("ballot",),
    (
        text("ballot", "the proposal that decided it"),
        integer("quota_bytes", "the live bytes that a member may have"),
        *MADE,
        document("its `terms` in ms, and `approvals` by basis"),
    ),
)
DISCLOSURE_KEYS: Final = Table(
    "disclosure_keys",
    "one row a version of a member's key for envelopes",
    ("member", "use", "version"),
    (
        text("member", "whose key it is"),
        text("use", "`reader` or `custody`"),
        integer("version", "its version; the newest is used"),
        text("sealing_key", "the public key, as hexadecimal"),
        *MADE,
    ),
)
DISCLOSURE_VAULTS: Final = Table(
    "disclosure_vaults",
    "one row a vault",
    ("owner", "vault"),
    (
        text("owner", "who seals into it"),
        text("vault", "its id"),
        text("plan", "its plan of custody"),
        text("retention", "the class of retention in the plan"),
        text("status", "`dealt`, `armed`, `refused`, `closed` or `destroyed`"),
        text("again", "the refused vault that it was dealt in place of, or empty"),
        integer("ends_ms", "until when it takes sealed data"),
        integer("deadline_ms", "until when its seats answer"),
        *MADE,
        document("its `commitments`, `pad` and `envelopes`"),
    ),
)
DISCLOSURE_SEATS: Final = Table(
    "disclosure_seats",
    "one row a seat of a vault",
    ("owner", "vault", "seat"),
    (
        text("owner", "whose vault it is"),
        text("vault", "the vault"),
        integer("seat", "its number, from 0"),
        text("member", "who sits there"),
        text("status", "`dealt`, `accepted`, `refused`, `silent` or `destroyed`"),
        text("reason", "why it was refused, or empty"),
        *MADE,
    ),
)
DISCLOSURE_SIDECARS: Final = Table(
    "disclosure_sidecars",
    "one row a sidecar of cells that was recorded",
    ("owner", "vault", "number"),
    (
        text("owner", "who sealed it"),
        text("vault", "into which vault"),
        integer("number", "its number there, from 1"),
        text("name", "its name, the Merkle root of its lines, as hexadecimal"),
        integer("bytes", "its size"),
        integer("cells", "how many cells it has"),
        text("source", "the source whose items it belongs to, `member/id`"),
        integer("first", "the number of the first item of its batch"),
        integer("last", "that of the last one"),
        text("items_root", "the root over what its cells commit to, as hexadecimal"),
        integer("erase_ms", "when its retention ends"),
        integer("erased_height", "the block that erased it, or 0"),
        *MADE,
    ),
)
DISCLOSURE_AUDIENCES: Final = Table(
    "disclosure_audiences",
    "one row a version of an audience",
    ("owner", "vault", "audience", "version"),
    (
        text("owner", "whose vault it is"),
        text("vault", "the vault"),
        text("audience", "its name"),
        integer("version", "the version"),
        *MADE,
        document("its `members`"),
    ),
)
DISCLOSURE_LOG: Final = Table(
    "disclosure_log",
    "one row a step that concerns what a member sealed; the head in the state is that of all its rows",
    ("owner", "number"),
    (
        text("owner", "whose data it concerns"),
        integer("number", "its number in the log, from 1"),
        text(
            "step",
            "`accepted`, `refused`, `silent`, `audience`, `granted`, `erased`, `closed`, `destroyed`, or of a request",
        ),
        text("vault", "which vault"),
        text("subject", "the member, the audience and its version, or the sidecar that it is about"),
        *MADE,
    ),
)
DISCLOSURE_REQUESTS: Final = Table(
    "disclosure_requests",
    "one row a request for an opening",
    ("requester", "request"),
    (
        text("requester", "whose request it is"),
        text("request", "its id"),
        text("basis", "`finding`, `order` or `own`"),
        text("reference", "the finding, or the number of the order"),
        text("owner", "whose data it is about"),
        text("vault", "the vault"),
        text("status", "`asked`, `approved`, `released`, `opened`, `lapsed` or `expired`"),
        text("review", "of an emergency `waiting`, `justified` or `unjustified`; else empty"),
        integer("object_ms", "until when the owner may object"),
        integer("due_ms", "until when the next step is due"),
        integer("review_ms", "until when an emergency is reviewed, else 0"),
        integer("expires_ms", "when it ends at the latest"),
        *MADE,
        document("its `scope`, `purpose`, `legal_basis` and `key`"),
    ),
)
DISCLOSURE_STEPS: Final = Table(
    "disclosure_steps",
    "one row a step of a request, with its reason",
    ("owner", "number"),
    (
        text("owner", "whose log has it"),
        integer("number", "its number in that log"),
        text("requester", "whose request it is"),
        text("request", "its id"),
        text("step", "what was done, or `overdue`"),
        text("member", "who did it, or did not in time; empty where that is nobody in particular"),
        text("reason", "why, or empty"),
        *MADE,
    ),
)
TABLES: Final = (
    DISCLOSURE_PLANS,
    DISCLOSURE_POLICIES,
    DISCLOSURE_KEYS,
    DISCLOSURE_VAULTS,
    DISCLOSURE_SEATS,
    DISCLOSURE_SIDECARS,
    DISCLOSURE_AUDIENCES,
    DISCLOSURE_LOG,
    DISCLOSURE_REQUESTS,
    DISCLOSURE_STEPS,
)
