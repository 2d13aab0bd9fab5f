"""The types of submitting an action. Made by ``make stubs`` from the fields of the contracts' actions."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, overload

from coseal.client.transactions import Committed

MembershipAddOperator = TypedDict(
    "MembershipAddOperator",
    {
        "user": str,
        "key": str,
        "capabilities": list[
            Literal["submit", "registrar", "operate", "supervise", "pay", "treasury", "custody", "approve"]
        ],
    },
)
MembershipRemoveOperator = TypedDict(
    "MembershipRemoveOperator",
    {
        "user": str,
    },
)
MembershipRotateOperatorKey = TypedDict(
    "MembershipRotateOperatorKey",
    {
        "key": str,
        "user": NotRequired[str],
    },
)
MembershipSetProfile = TypedDict(
    "MembershipSetProfile",
    {
        "name": NotRequired[str],
        "description": NotRequired[str],
        "url": NotRequired[str],
    },
)
MembershipAddNode = TypedDict(
    "MembershipAddNode",
    {
        "node": str,
        "link_certificate": str,
        "consensus_key": str,
        "address": NotRequired[str],
    },
)
MembershipRemoveNode = TypedDict(
    "MembershipRemoveNode",
    {
        "node": str,
    },
)
MembershipRotateLinkCertificate = TypedDict(
    "MembershipRotateLinkCertificate",
    {
        "node": str,
        "certificate": str,
    },
)
MembershipReady = TypedDict(
    "MembershipReady",
    {
        "height": int,
    },
)
MembershipDeclareSoftwareContracts = TypedDict(
    "MembershipDeclareSoftwareContracts",
    {
        "name": str,
        "version": int,
        "sha256": str,
    },
)
MembershipDeclareSoftware = TypedDict(
    "MembershipDeclareSoftware",
    {
        "protocol_versions": list[int],
        "contracts": NotRequired[list[MembershipDeclareSoftwareContracts]],
    },
)
GovernanceProposeAddValidatorSubject = TypedDict(
    "GovernanceProposeAddValidatorSubject",
    {
        "node": str,
    },
)
GovernanceProposeAddValidator = TypedDict(
    "GovernanceProposeAddValidator",
    {
        "id": str,
        "kind": Literal["add_validator"],
        "subject": GovernanceProposeAddValidatorSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeRemoveValidatorSubject = TypedDict(
    "GovernanceProposeRemoveValidatorSubject",
    {
        "node": str,
    },
)
GovernanceProposeRemoveValidator = TypedDict(
    "GovernanceProposeRemoveValidator",
    {
        "id": str,
        "kind": Literal["remove_validator"],
        "subject": GovernanceProposeRemoveValidatorSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeRotateValidatorKeySubject = TypedDict(
    "GovernanceProposeRotateValidatorKeySubject",
    {
        "node": str,
        "key": str,
        "proof": str,
    },
)
GovernanceProposeRotateValidatorKey = TypedDict(
    "GovernanceProposeRotateValidatorKey",
    {
        "id": str,
        "kind": Literal["rotate_validator_key"],
        "subject": GovernanceProposeRotateValidatorKeySubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeAddMemberSubjectOperators = TypedDict(
    "GovernanceProposeAddMemberSubjectOperators",
    {
        "user": str,
        "key": str,
        "capabilities": list[
            Literal["submit", "registrar", "operate", "supervise", "pay", "treasury", "custody", "approve"]
        ],
    },
)
GovernanceProposeAddMemberSubject = TypedDict(
    "GovernanceProposeAddMemberSubject",
    {
        "member": str,
        "name": str,
        "role": Literal["government", "bank", "enterprise", "institute", "public"],
        "level": Literal["", "central", "provincial", "municipal"],
        "sector": str,
        "operators": list[GovernanceProposeAddMemberSubjectOperators],
    },
)
GovernanceProposeAddMember = TypedDict(
    "GovernanceProposeAddMember",
    {
        "id": str,
        "kind": Literal["add_member"],
        "subject": GovernanceProposeAddMemberSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeProtocolVersionSubject = TypedDict(
    "GovernanceProposeProtocolVersionSubject",
    {
        "version": int,
        "height": int,
    },
)
GovernanceProposeProtocolVersion = TypedDict(
    "GovernanceProposeProtocolVersion",
    {
        "id": str,
        "kind": Literal["protocol_version"],
        "subject": GovernanceProposeProtocolVersionSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeWithdrawVersionSubject = TypedDict(
    "GovernanceProposeWithdrawVersionSubject",
    {
        "proposal": str,
    },
)
GovernanceProposeWithdrawVersion = TypedDict(
    "GovernanceProposeWithdrawVersion",
    {
        "id": str,
        "kind": Literal["withdraw_version"],
        "subject": GovernanceProposeWithdrawVersionSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeAddContractSubject = TypedDict(
    "GovernanceProposeAddContractSubject",
    {
        "name": str,
        "version": int,
        "sha256": str,
        "height": int,
    },
)
GovernanceProposeAddContract = TypedDict(
    "GovernanceProposeAddContract",
    {
        "id": str,
        "kind": Literal["add_contract"],
        "subject": GovernanceProposeAddContractSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeWithdrawContractSubject = TypedDict(
    "GovernanceProposeWithdrawContractSubject",
    {
        "proposal": str,
    },
)
GovernanceProposeWithdrawContract = TypedDict(
    "GovernanceProposeWithdrawContract",
    {
        "id": str,
        "kind": Literal["withdraw_contract"],
        "subject": GovernanceProposeWithdrawContractSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeAmendConstitutionSubjectDocumentTracksPass = TypedDict(
    "GovernanceProposeAmendConstitutionSubjectDocumentTracksPass",
    {
        "total": list[Any],
        "classes": NotRequired[dict[str, list[Any]]],
        "at_least": NotRequired[Literal["all"] | int],
        "own": NotRequired[bool],
    },
)
GovernanceProposeAmendConstitutionSubjectDocumentTracksOverride = TypedDict(
    "GovernanceProposeAmendConstitutionSubjectDocumentTracksOverride",
    {
        "after_ms": int,
        "floor": list[Any],
    },
)
GovernanceProposeAmendConstitutionSubjectDocumentTracks = TypedDict(
    "GovernanceProposeAmendConstitutionSubjectDocumentTracks",
    {
        "electorate": Literal["validators", "members"],
        "pass": GovernanceProposeAmendConstitutionSubjectDocumentTracksPass,
        "open_ms": list[Any],
        "override": NotRequired[GovernanceProposeAmendConstitutionSubjectDocumentTracksOverride],
        "veto": NotRequired[list[Literal["government", "bank", "enterprise", "institute", "public"]]],
        "not_before_ms": NotRequired[int],
        "delay_ms": NotRequired[int],
        "reason": NotRequired[list[Literal["proposer", "no", "all"]]],
    },
)
GovernanceProposeAmendConstitutionSubjectDocumentDeFacto = TypedDict(
    "GovernanceProposeAmendConstitutionSubjectDocumentDeFacto",
    {
        "use_min": NotRequired[int],
        "of_items": NotRequired[list[Any]],
        "of_judged": NotRequired[list[Any]],
        "gained": NotRequired[list[Any]],
        "lost": NotRequired[list[Any]],
        "carried": NotRequired[list[Any]],
        "of_members": NotRequired[list[Any]],
        "carried_by": NotRequired[int],
        "users_min": NotRequired[int],
    },
)
GovernanceProposeAmendConstitutionSubjectDocument = TypedDict(
    "GovernanceProposeAmendConstitutionSubjectDocument",
    {
        "title": str,
        "central_bank_counts_as": Literal["bank", "government"],
        "present_ms": int,
        "tracks": dict[str, GovernanceProposeAmendConstitutionSubjectDocumentTracks],
        "kinds": dict[str, str],
        "de_facto": NotRequired[GovernanceProposeAmendConstitutionSubjectDocumentDeFacto],
    },
)
GovernanceProposeAmendConstitutionSubject = TypedDict(
    "GovernanceProposeAmendConstitutionSubject",
    {
        "from": str,
        "document": GovernanceProposeAmendConstitutionSubjectDocument,
    },
)
GovernanceProposeAmendConstitution = TypedDict(
    "GovernanceProposeAmendConstitution",
    {
        "id": str,
        "kind": Literal["amend_constitution"],
        "subject": GovernanceProposeAmendConstitutionSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeRetryDueSubject = TypedDict(
    "GovernanceProposeRetryDueSubject",
    {
        "number": int,
    },
)
GovernanceProposeRetryDue = TypedDict(
    "GovernanceProposeRetryDue",
    {
        "id": str,
        "kind": Literal["retry_due"],
        "subject": GovernanceProposeRetryDueSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeSuspendMemberSubjectGrounds = TypedDict(
    "GovernanceProposeSuspendMemberSubjectGrounds",
    {
        "kind": Literal["finding", "evidence", "policy", "external"],
        "id": str,
    },
)
GovernanceProposeSuspendMemberSubject = TypedDict(
    "GovernanceProposeSuspendMemberSubject",
    {
        "member": str,
        "until_ms": int,
        "seats": bool,
        "grounds": list[GovernanceProposeSuspendMemberSubjectGrounds],
    },
)
GovernanceProposeSuspendMember = TypedDict(
    "GovernanceProposeSuspendMember",
    {
        "id": str,
        "kind": Literal["suspend_member"],
        "subject": GovernanceProposeSuspendMemberSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeReinstateMemberSubjectGrounds = TypedDict(
    "GovernanceProposeReinstateMemberSubjectGrounds",
    {
        "kind": Literal["finding", "evidence", "policy", "external"],
        "id": str,
    },
)
GovernanceProposeReinstateMemberSubject = TypedDict(
    "GovernanceProposeReinstateMemberSubject",
    {
        "member": str,
        "grounds": list[GovernanceProposeReinstateMemberSubjectGrounds],
    },
)
GovernanceProposeReinstateMember = TypedDict(
    "GovernanceProposeReinstateMember",
    {
        "id": str,
        "kind": Literal["reinstate_member"],
        "subject": GovernanceProposeReinstateMemberSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeRemoveMemberSubjectGrounds = TypedDict(
    "GovernanceProposeRemoveMemberSubjectGrounds",
    {
        "kind": Literal["finding", "evidence", "policy", "external"],
        "id": str,
    },
)
GovernanceProposeRemoveMemberSubject = TypedDict(
    "GovernanceProposeRemoveMemberSubject",
    {
        "member": str,
        "grounds": list[GovernanceProposeRemoveMemberSubjectGrounds],
    },
)
GovernanceProposeRemoveMember = TypedDict(
    "GovernanceProposeRemoveMember",
    {
        "id": str,
        "kind": Literal["remove_member"],
        "subject": GovernanceProposeRemoveMemberSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeMeasureSubjectGrounds = TypedDict(
    "GovernanceProposeMeasureSubjectGrounds",
    {
        "kind": Literal["finding", "evidence", "policy", "external"],
        "id": str,
    },
)
GovernanceProposeMeasureSubject = TypedDict(
    "GovernanceProposeMeasureSubject",
    {
        "title": str,
        "text_sha256": str,
        "until_ms": int,
        "pause": dict[str, Literal["all"] | list[str]],
        "grounds": list[GovernanceProposeMeasureSubjectGrounds],
    },
)
GovernanceProposeMeasure = TypedDict(
    "GovernanceProposeMeasure",
    {
        "id": str,
        "kind": Literal["measure"],
        "subject": GovernanceProposeMeasureSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeEmergencyMeasureSubjectGrounds = TypedDict(
    "GovernanceProposeEmergencyMeasureSubjectGrounds",
    {
        "kind": Literal["finding", "evidence", "policy", "external"],
        "id": str,
    },
)
GovernanceProposeEmergencyMeasureSubject = TypedDict(
    "GovernanceProposeEmergencyMeasureSubject",
    {
        "title": str,
        "text_sha256": str,
        "until_ms": int,
        "pause": dict[str, Literal["all"] | list[str]],
        "grounds": list[GovernanceProposeEmergencyMeasureSubjectGrounds],
    },
)
GovernanceProposeEmergencyMeasure = TypedDict(
    "GovernanceProposeEmergencyMeasure",
    {
        "id": str,
        "kind": Literal["emergency_measure"],
        "subject": GovernanceProposeEmergencyMeasureSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeEndMeasureSubject = TypedDict(
    "GovernanceProposeEndMeasureSubject",
    {
        "measure": str,
    },
)
GovernanceProposeEndMeasure = TypedDict(
    "GovernanceProposeEndMeasure",
    {
        "id": str,
        "kind": Literal["end_measure"],
        "subject": GovernanceProposeEndMeasureSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeRecogniseStandardSubject = TypedDict(
    "GovernanceProposeRecogniseStandardSubject",
    {
        "standard": str,
        "version": int,
    },
)
GovernanceProposeRecogniseStandard = TypedDict(
    "GovernanceProposeRecogniseStandard",
    {
        "id": str,
        "kind": Literal["recognise_standard"],
        "subject": GovernanceProposeRecogniseStandardSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeSettleDisputeSubjectDispute = TypedDict(
    "GovernanceProposeSettleDisputeSubjectDispute",
    {
        "standard": str,
        "version": int,
        "member": str,
        "outcome": Literal["upheld", "dismissed"],
        "notice_ms": NotRequired[int],
    },
)
GovernanceProposeSettleDisputeSubjectClassify = TypedDict(
    "GovernanceProposeSettleDisputeSubjectClassify",
    {
        "process_type": str,
        "domain": str,
    },
)
GovernanceProposeSettleDisputeSubject = TypedDict(
    "GovernanceProposeSettleDisputeSubject",
    {
        "dispute": NotRequired[GovernanceProposeSettleDisputeSubjectDispute],
        "classify": NotRequired[GovernanceProposeSettleDisputeSubjectClassify],
    },
)
GovernanceProposeSettleDispute = TypedDict(
    "GovernanceProposeSettleDispute",
    {
        "id": str,
        "kind": Literal["settle_dispute"],
        "subject": GovernanceProposeSettleDisputeSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeCurrencyClassSubjectLimits = TypedDict(
    "GovernanceProposeCurrencyClassSubjectLimits",
    {
        "single_max": int | None,
        "day_max": int | None,
        "year_max": int | None,
        "balance_max": int | None,
    },
)
GovernanceProposeCurrencyClassSubject = TypedDict(
    "GovernanceProposeCurrencyClassSubject",
    {
        "id": str,
        "limits": GovernanceProposeCurrencyClassSubjectLimits,
        "holders": list[Literal["vault", "member", "uscc", "lei"]],
    },
)
GovernanceProposeCurrencyClass = TypedDict(
    "GovernanceProposeCurrencyClass",
    {
        "id": str,
        "kind": Literal["currency_class"],
        "subject": GovernanceProposeCurrencyClassSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeCurrencyRegimeSubject = TypedDict(
    "GovernanceProposeCurrencyRegimeSubject",
    {
        "regime": Literal["cash", "deposit"],
    },
)
GovernanceProposeCurrencyRegime = TypedDict(
    "GovernanceProposeCurrencyRegime",
    {
        "id": str,
        "kind": Literal["currency_regime"],
        "subject": GovernanceProposeCurrencyRegimeSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeCurrencyCorrectionSubject = TypedDict(
    "GovernanceProposeCurrencyCorrectionSubject",
    {
        "from": str,
        "to": str,
        "amount": int,
        "member": str,
        "basis": list[str],
    },
)
GovernanceProposeCurrencyCorrection = TypedDict(
    "GovernanceProposeCurrencyCorrection",
    {
        "id": str,
        "kind": Literal["currency_correction"],
        "subject": GovernanceProposeCurrencyCorrectionSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeCreditFormulaSubject = TypedDict(
    "GovernanceProposeCreditFormulaSubject",
    {
        "formula": dict[str, Any],
    },
)
GovernanceProposeCreditFormula = TypedDict(
    "GovernanceProposeCreditFormula",
    {
        "id": str,
        "kind": Literal["credit_formula"],
        "subject": GovernanceProposeCreditFormulaSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeAdoptSchemeSubject = TypedDict(
    "GovernanceProposeAdoptSchemeSubject",
    {
        "scheme": str,
        "content": dict[str, Any],
        "bodies": list[str],
    },
)
GovernanceProposeAdoptScheme = TypedDict(
    "GovernanceProposeAdoptScheme",
    {
        "id": str,
        "kind": Literal["adopt_scheme"],
        "subject": GovernanceProposeAdoptSchemeSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeRetireSchemeSubject = TypedDict(
    "GovernanceProposeRetireSchemeSubject",
    {
        "scheme": str,
        "reason": str,
    },
)
GovernanceProposeRetireScheme = TypedDict(
    "GovernanceProposeRetireScheme",
    {
        "id": str,
        "kind": Literal["retire_scheme"],
        "subject": GovernanceProposeRetireSchemeSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeRevokeCertificateSubject = TypedDict(
    "GovernanceProposeRevokeCertificateSubject",
    {
        "certificate": str,
        "reason": str,
    },
)
GovernanceProposeRevokeCertificate = TypedDict(
    "GovernanceProposeRevokeCertificate",
    {
        "id": str,
        "kind": Literal["revoke_certificate"],
        "subject": GovernanceProposeRevokeCertificateSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeOpenMission = TypedDict(
    "GovernanceProposeOpenMission",
    {
        "id": str,
        "kind": Literal["open_mission"],
        "subject": dict[str, Any],
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeCustodyPlanSubject = TypedDict(
    "GovernanceProposeCustodyPlanSubject",
    {
        "id": str,
        "seats": list[str],
        "substitutes": list[str],
        "threshold": int,
        "retentions": dict[str, int],
    },
)
GovernanceProposeCustodyPlan = TypedDict(
    "GovernanceProposeCustodyPlan",
    {
        "id": str,
        "kind": Literal["custody_plan"],
        "subject": GovernanceProposeCustodyPlanSubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceProposeDisclosurePolicySubjectTerms = TypedDict(
    "GovernanceProposeDisclosurePolicySubjectTerms",
    {
        "accept": NotRequired[int],
        "object": NotRequired[int],
        "approve": NotRequired[int],
        "release": NotRequired[int],
        "open": NotRequired[int],
        "review": NotRequired[int],
    },
)
GovernanceProposeDisclosurePolicySubjectApprovalsFinding = TypedDict(
    "GovernanceProposeDisclosurePolicySubjectApprovalsFinding",
    {
        "supervisors": int,
        "others": int,
    },
)
GovernanceProposeDisclosurePolicySubjectApprovalsOrder = TypedDict(
    "GovernanceProposeDisclosurePolicySubjectApprovalsOrder",
    {
        "supervisors": int,
        "others": int,
    },
)
GovernanceProposeDisclosurePolicySubjectApprovalsOwn = TypedDict(
    "GovernanceProposeDisclosurePolicySubjectApprovalsOwn",
    {
        "supervisors": int,
        "others": int,
    },
)
GovernanceProposeDisclosurePolicySubjectApprovals = TypedDict(
    "GovernanceProposeDisclosurePolicySubjectApprovals",
    {
        "finding": NotRequired[GovernanceProposeDisclosurePolicySubjectApprovalsFinding],
        "order": NotRequired[GovernanceProposeDisclosurePolicySubjectApprovalsOrder],
        "own": NotRequired[GovernanceProposeDisclosurePolicySubjectApprovalsOwn],
    },
)
GovernanceProposeDisclosurePolicySubject = TypedDict(
    "GovernanceProposeDisclosurePolicySubject",
    {
        "terms": GovernanceProposeDisclosurePolicySubjectTerms,
        "quota_bytes": int,
        "approvals": NotRequired[GovernanceProposeDisclosurePolicySubjectApprovals],
        "readmit": NotRequired[list[str]],
    },
)
GovernanceProposeDisclosurePolicy = TypedDict(
    "GovernanceProposeDisclosurePolicy",
    {
        "id": str,
        "kind": Literal["disclosure_policy"],
        "subject": GovernanceProposeDisclosurePolicySubject,
        "closes_ms": NotRequired[int],
        "reason": NotRequired[str],
    },
)
GovernanceVote = TypedDict(
    "GovernanceVote",
    {
        "ballot": str,
        "choice": Literal["yes", "no", "abstain"],
        "reason": NotRequired[str],
    },
)
GovernanceWithdraw = TypedDict(
    "GovernanceWithdraw",
    {
        "proposal": str,
        "reason": NotRequired[str],
    },
)
GovernanceAppeal = TypedDict(
    "GovernanceAppeal",
    {
        "proposal": str,
        "reason": str,
        "evidence": NotRequired[list[str]],
    },
)
GovernanceLeave = TypedDict(
    "GovernanceLeave",
    {
        "member": str,
        "reason": NotRequired[str],
    },
)
GovernanceStay = TypedDict(
    "GovernanceStay",
    {
        "reason": NotRequired[str],
    },
)
PolicyPublish = TypedDict(
    "PolicyPublish",
    {
        "id": str,
        "title": str,
        "type_document": str,
        "date_document": str,
        "title_language": NotRequired[str],
        "legal_value": NotRequired[str],
        "number": NotRequired[str],
        "mission": NotRequired[str],
        "text_ref": NotRequired[str],
        "text_sha256": NotRequired[str],
        "passed_by": NotRequired[list[str]],
        "countersigned_by": NotRequired[list[str]],
        "jurisdiction": NotRequired[str],
        "zone_minutes": NotRequired[int],
        "is_about": NotRequired[list[str]],
        "amends": NotRequired[list[str]],
        "repeals": NotRequired[list[str]],
        "based_on": NotRequired[list[str]],
        "implements": NotRequired[list[str]],
        "cites": NotRequired[list[str]],
        "stage": NotRequired[Literal["proposed", "passed"]],
    },
)
PolicyEndorse = TypedDict(
    "PolicyEndorse",
    {
        "id": str,
        "text_sha256": NotRequired[str],
    },
)
PolicyApprove = TypedDict(
    "PolicyApprove",
    {
        "id": str,
        "date": str,
        "number": NotRequired[str],
    },
)
PolicyPromulgate = TypedDict(
    "PolicyPromulgate",
    {
        "id": str,
        "date_publication": str,
        "first_date_entry_in_force": str,
        "number": NotRequired[str],
    },
)
PolicyAmend = TypedDict(
    "PolicyAmend",
    {
        "id": str,
        "date": str,
        "kind": NotRequired[Literal["amended", "revised", "corrected"]],
        "by": NotRequired[str],
        "number": NotRequired[str],
        "text_sha256": NotRequired[str],
        "text_ref": NotRequired[str],
    },
)
PolicyRepeal = TypedDict(
    "PolicyRepeal",
    {
        "id": str,
        "date_no_longer_in_force": str,
        "by": NotRequired[str],
        "number": NotRequired[str],
    },
)
PolicyEvaluate = TypedDict(
    "PolicyEvaluate",
    {
        "id": str,
        "date": str,
        "verdict": Literal["met", "partly_met", "not_met"],
        "summary": str,
        "evidence": NotRequired[list[str]],
    },
)
PolicyRecordInstrumentsEvents = TypedDict(
    "PolicyRecordInstrumentsEvents",
    {
        "action": Literal[
            "proposed",
            "consulted",
            "passed",
            "approved",
            "promulgated",
            "effective",
            "amended",
            "revised",
            "corrected",
            "suspended",
            "repealed",
            "expired",
            "evaluated",
        ],
        "date": NotRequired[str],
        "issuer": NotRequired[str],
        "number": NotRequired[str],
        "text": NotRequired[str],
    },
)
PolicyRecordInstruments = TypedDict(
    "PolicyRecordInstruments",
    {
        "id": str,
        "title": str,
        "title_language": NotRequired[str],
        "type_document": NotRequired[str],
        "legal_value": NotRequired[str],
        "number": NotRequired[str],
        "mission": NotRequired[str],
        "text_ref": NotRequired[str],
        "text_sha256": NotRequired[str],
        "passed_by": NotRequired[list[str]],
        "countersigned_by": NotRequired[list[str]],
        "jurisdiction": NotRequired[str],
        "zone_minutes": NotRequired[int],
        "date_document": NotRequired[str],
        "is_about": NotRequired[list[str]],
        "amends": NotRequired[list[str]],
        "repeals": NotRequired[list[str]],
        "based_on": NotRequired[list[str]],
        "implements": NotRequired[list[str]],
        "cites": NotRequired[list[str]],
        "level": NotRequired[Literal["central", "provincial", "municipal"]],
        "date_publication": NotRequired[str],
        "first_date_entry_in_force": NotRequired[str],
        "date_no_longer_in_force": NotRequired[str],
        "events": NotRequired[list[PolicyRecordInstrumentsEvents]],
    },
)
PolicyRecord = TypedDict(
    "PolicyRecord",
    {
        "source": str,
        "source_sha256": str,
        "instruments": list[PolicyRecordInstruments],
    },
)
ProcessDefineTypeObjectTypesAttributes = TypedDict(
    "ProcessDefineTypeObjectTypesAttributes",
    {
        "type": Literal["string", "integer", "boolean", "time", "decimal", "scaled"],
        "class": NotRequired[Literal["public", "restricted", "sealed"]],
        "required": NotRequired[bool],
        "scale": NotRequired[int],
        "label": NotRequired[str],
    },
)
ProcessDefineTypeObjectTypes = TypedDict(
    "ProcessDefineTypeObjectTypes",
    {
        "attributes": NotRequired[
            dict[
                str,
                Literal["string", "integer", "boolean", "time", "decimal", "scaled"]
                | ProcessDefineTypeObjectTypesAttributes,
            ]
        ],
    },
)
ProcessDefineTypeEventTypesAttributes = TypedDict(
    "ProcessDefineTypeEventTypesAttributes",
    {
        "type": Literal["string", "integer", "boolean", "time", "decimal", "scaled"],
        "class": NotRequired[Literal["public", "restricted", "sealed"]],
        "required": NotRequired[bool],
        "scale": NotRequired[int],
        "label": NotRequired[str],
    },
)
ProcessDefineTypeEventTypes = TypedDict(
    "ProcessDefineTypeEventTypes",
    {
        "attributes": NotRequired[
            dict[
                str,
                Literal["string", "integer", "boolean", "time", "decimal", "scaled"]
                | ProcessDefineTypeEventTypesAttributes,
            ]
        ],
    },
)
ProcessDefineTypeTallies = TypedDict(
    "ProcessDefineTypeTallies",
    {
        "on": str,
        "add": str | int,
        "scale": NotRequired[int],
        "sign": NotRequired[int],
    },
)
ProcessDefineTypeMatchMode = TypedDict(
    "ProcessDefineTypeMatchMode",
    {
        "attribute": NotRequired[str],
        "default": NotRequired[Literal["three_way_after", "three_way_before", "two_way", "none"]],
    },
)
ProcessDefineTypeMatch = TypedDict(
    "ProcessDefineTypeMatch",
    {
        "mode": NotRequired[ProcessDefineTypeMatchMode],
        "unit": NotRequired[str],
        "currency": NotRequired[str],
        "quantity_ppm": NotRequired[int],
        "price_ppm": NotRequired[int],
        "amount_fen": NotRequired[int],
    },
)
ProcessDefineType = TypedDict(
    "ProcessDefineType",
    {
        "id": str,
        "version": int,
        "title": str | dict[str, str],
        "object_types": dict[str, ProcessDefineTypeObjectTypes],
        "event_types": dict[str, ProcessDefineTypeEventTypes],
        "gaps": NotRequired[Literal["refuse", "record"]],
        "early_ms": NotRequired[int],
        "late_ms": NotRequired[int],
        "legal_basis": NotRequired[list[str]],
        "tallies": NotRequired[dict[str, dict[str, list[ProcessDefineTypeTallies]]]],
        "match": NotRequired[dict[str, ProcessDefineTypeMatch]],
    },
)
ProcessRegisterSource = TypedDict(
    "ProcessRegisterSource",
    {
        "id": str,
        "process_type": str,
        "mode": Literal["live", "historical"],
        "title": NotRequired[str | dict[str, str]],
        "zone_minutes": NotRequired[int],
    },
)
ProcessRecordSealedSidecar = TypedDict(
    "ProcessRecordSealedSidecar",
    {
        "name": str,
        "bytes": int,
    },
)
ProcessRecordSealed = TypedDict(
    "ProcessRecordSealed",
    {
        "vault": str,
        "sidecar": ProcessRecordSealedSidecar,
        "cells": int,
    },
)
ProcessRecord = TypedDict(
    "ProcessRecord",
    {
        "source": str,
        "sequence": int,
        "items": list[Any],
        "version": NotRequired[int],
        "gap": NotRequired[str],
        "corrected": NotRequired[list[Any]],
        "history": NotRequired[dict[str, Any]],
        "sealed": NotRequired[ProcessRecordSealed],
    },
)
ProcessAttest = TypedDict(
    "ProcessAttest",
    {
        "item": str,
        "verdict": Literal["confirm", "dispute"],
        "reason": NotRequired[str],
        "evidence": NotRequired[list[str]],
        "attested": NotRequired[Any],
        "history": NotRequired[dict[str, Any]],
    },
)
SupervisionProposeRules = TypedDict(
    "SupervisionProposeRules",
    {
        "rules": list[Any],
        "title": NotRequired[str | dict[str, str]],
        "reason": NotRequired[str],
        "trial_ms": NotRequired[int],
        "open_ms": NotRequired[int],
    },
)
SupervisionProposeRetirement = TypedDict(
    "SupervisionProposeRetirement",
    {
        "process_type": str,
        "rules": list[str],
        "reason": str,
        "open_ms": NotRequired[int],
    },
)
SupervisionProposeTerms = TypedDict(
    "SupervisionProposeTerms",
    {
        "terms": dict[str, int],
        "reason": str,
        "open_ms": NotRequired[int],
    },
)
SupervisionVote = TypedDict(
    "SupervisionVote",
    {
        "ballot": str,
        "choice": Literal["yes", "no", "abstain"],
        "reason": NotRequired[str],
    },
)
SupervisionOpenCase = TypedDict(
    "SupervisionOpenCase",
    {
        "process_type": str,
        "object_type": str,
        "object": str,
        "subject": str,
        "severity": Literal["notice", "warning", "violation"],
        "reason": str,
        "legal_basis": list[str],
        "evidence": NotRequired[list[str]],
    },
)
SupervisionAcknowledge = TypedDict(
    "SupervisionAcknowledge",
    {
        "finding": str,
        "note": NotRequired[str],
    },
)
SupervisionInquire = TypedDict(
    "SupervisionInquire",
    {
        "finding": str,
        "question": str,
        "evidence": NotRequired[list[str]],
        "within_ms": NotRequired[int],
    },
)
SupervisionRespond = TypedDict(
    "SupervisionRespond",
    {
        "finding": str,
        "response": str,
        "evidence": NotRequired[list[str]],
    },
)
SupervisionDecide = TypedDict(
    "SupervisionDecide",
    {
        "finding": str,
        "outcome": Literal["rectified", "dismissed", "sanctioned"],
        "reason": str,
        "evidence": NotRequired[list[str]],
        "measure": NotRequired[str],
    },
)
SupervisionAppeal = TypedDict(
    "SupervisionAppeal",
    {
        "finding": str,
        "reason": str,
        "evidence": NotRequired[list[str]],
    },
)
SupervisionDecideAppeal = TypedDict(
    "SupervisionDecideAppeal",
    {
        "finding": str,
        "outcome": Literal["upheld", "overturned"],
        "reason": str,
        "evidence": NotRequired[list[str]],
    },
)
SupervisionHold = TypedDict(
    "SupervisionHold",
    {
        "finding": str,
        "reason": str,
        "hold_ms": int,
        "amount": NotRequired[int],
    },
)
SupervisionLiftHold = TypedDict(
    "SupervisionLiftHold",
    {
        "finding": str,
        "reason": str,
    },
)
SupervisionContestHold = TypedDict(
    "SupervisionContestHold",
    {
        "finding": str,
        "reason": str,
        "evidence": NotRequired[list[str]],
    },
)
SupervisionConfirmHold = TypedDict(
    "SupervisionConfirmHold",
    {
        "finding": str,
        "reason": str,
    },
)
SupervisionAsk = TypedDict(
    "SupervisionAsk",
    {
        "topic": str,
        "question": str,
        "about": NotRequired[list[str]],
    },
)
SupervisionAnswer = TypedDict(
    "SupervisionAnswer",
    {
        "question": str,
        "answer": str,
        "about": NotRequired[list[str]],
    },
)
SupervisionGuide = TypedDict(
    "SupervisionGuide",
    {
        "title": str,
        "text": str,
        "about": NotRequired[list[str]],
        "replaces": NotRequired[str],
    },
)
EvidenceReportFirstVote = TypedDict(
    "EvidenceReportFirstVote",
    {
        "parts": int,
        "parts_hash": str,
        "seconds": int,
        "nanoseconds": int,
    },
)
EvidenceReportFirst = TypedDict(
    "EvidenceReportFirst",
    {
        "hash": str,
        "signature": str,
        "vote": NotRequired[EvidenceReportFirstVote],
    },
)
EvidenceReportSecondVote = TypedDict(
    "EvidenceReportSecondVote",
    {
        "parts": int,
        "parts_hash": str,
        "seconds": int,
        "nanoseconds": int,
    },
)
EvidenceReportSecond = TypedDict(
    "EvidenceReportSecond",
    {
        "hash": str,
        "signature": str,
        "vote": NotRequired[EvidenceReportSecondVote],
    },
)
EvidenceReport = TypedDict(
    "EvidenceReport",
    {
        "validator": str,
        "height": int,
        "round": int,
        "phase": Literal["round-change", "proposal", "prepare", "commit", "prevote", "precommit"],
        "first": EvidenceReportFirst,
        "second": EvidenceReportSecond,
    },
)
StandardsProposeProcessTypeContent = TypedDict(
    "StandardsProposeProcessTypeContent",
    {
        "process_type": str,
        "definition": str,
    },
)
StandardsProposeProcessType = TypedDict(
    "StandardsProposeProcessType",
    {
        "standard": str,
        "version": int,
        "kind": Literal["process_type"],
        "domain": str,
        "title": str | dict[str, str],
        "content": StandardsProposeProcessTypeContent,
        "patents": NotRequired[list[str]],
    },
)
StandardsProposeRuleSetContent = TypedDict(
    "StandardsProposeRuleSetContent",
    {
        "rules": list[Any],
    },
)
StandardsProposeRuleSet = TypedDict(
    "StandardsProposeRuleSet",
    {
        "standard": str,
        "version": int,
        "kind": Literal["rule_set"],
        "domain": str,
        "title": str | dict[str, str],
        "content": StandardsProposeRuleSetContent,
        "patents": NotRequired[list[str]],
    },
)
StandardsProposeSchemaContent = TypedDict(
    "StandardsProposeSchemaContent",
    {
        "process_type": str,
        "object_type": str,
        "schemas": dict[str, Any],
    },
)
StandardsProposeSchema = TypedDict(
    "StandardsProposeSchema",
    {
        "standard": str,
        "version": int,
        "kind": Literal["schema"],
        "domain": str,
        "title": str | dict[str, str],
        "content": StandardsProposeSchemaContent,
        "patents": NotRequired[list[str]],
    },
)
StandardsProposeAreaListContent = TypedDict(
    "StandardsProposeAreaListContent",
    {
        "areas": list[str],
    },
)
StandardsProposeAreaList = TypedDict(
    "StandardsProposeAreaList",
    {
        "standard": str,
        "version": int,
        "kind": Literal["area_list"],
        "domain": str,
        "title": str | dict[str, str],
        "content": StandardsProposeAreaListContent,
        "patents": NotRequired[list[str]],
    },
)
StandardsProposeFormatContent = TypedDict(
    "StandardsProposeFormatContent",
    {
        "name": str,
        "place": str,
        "sha256": NotRequired[str],
    },
)
StandardsProposeFormat = TypedDict(
    "StandardsProposeFormat",
    {
        "standard": str,
        "version": int,
        "kind": Literal["format"],
        "domain": str,
        "title": str | dict[str, str],
        "content": StandardsProposeFormatContent,
        "patents": NotRequired[list[str]],
    },
)
StandardsSupersede = TypedDict(
    "StandardsSupersede",
    {
        "standard": str,
        "version": int,
        "successor": str,
        "successor_version": int,
        "notice_ms": int,
        "reason": str,
    },
)
StandardsDeprecate = TypedDict(
    "StandardsDeprecate",
    {
        "standard": str,
        "version": int,
        "notice_ms": int,
        "reason": str,
    },
)
StandardsTry = TypedDict(
    "StandardsTry",
    {
        "standard": str,
        "version": int,
        "sources": NotRequired[list[str]],
    },
)
StandardsAdopt = TypedDict(
    "StandardsAdopt",
    {
        "standard": str,
        "version": int,
        "sources": NotRequired[list[str]],
        "effective_ms": NotRequired[int],
    },
)
StandardsEndAdoption = TypedDict(
    "StandardsEndAdoption",
    {
        "standard": str,
        "version": int,
        "reason": str,
    },
)
StandardsRecognise = TypedDict(
    "StandardsRecognise",
    {
        "standard": str,
        "version": int,
        "level": Literal["recommended", "reference"],
        "instrument": str,
    },
)
StandardsWithdrawRecognition = TypedDict(
    "StandardsWithdrawRecognition",
    {
        "standard": str,
        "version": int,
        "reason": str,
    },
)
StandardsClassify = TypedDict(
    "StandardsClassify",
    {
        "process_type": str,
        "domain": str,
    },
)
StandardsDispute = TypedDict(
    "StandardsDispute",
    {
        "standard": str,
        "version": int,
        "ground": Literal["ambiguity", "defect", "patent", "capture", "domain"],
        "text": str,
        "evidence": NotRequired[list[str]],
    },
)
StandardsAnswer = TypedDict(
    "StandardsAnswer",
    {
        "standard": str,
        "version": int,
        "member": str,
        "text": str,
    },
)
CurrencyPayMandate = TypedDict(
    "CurrencyPayMandate",
    {
        "nonce": int,
        "until_ms": int,
        "signature": str,
    },
)
CurrencyPay = TypedDict(
    "CurrencyPay",
    {
        "from": str,
        "to": str,
        "amount": int,
        "code": Literal["SUPP", "TRAD", "LOAN", "INTE", "TAXS", "GOVT", "CASH", "OTHR"],
        "reference": NotRequired[str],
        "end_to_end": NotRequired[str],
        "about": NotRequired[list[str]],
        "mandate": NotRequired[CurrencyPayMandate],
    },
)
CurrencyPayBatchItems = TypedDict(
    "CurrencyPayBatchItems",
    {
        "from": str,
        "to": str,
        "amount": int,
        "code": Literal["SUPP", "TRAD", "LOAN", "INTE", "TAXS", "GOVT", "CASH", "OTHR"],
        "reference": NotRequired[str],
        "end_to_end": NotRequired[str],
        "about": NotRequired[list[str]],
    },
)
CurrencyPayBatchMandates = TypedDict(
    "CurrencyPayBatchMandates",
    {
        "nonce": int,
        "until_ms": int,
        "signature": str,
    },
)
CurrencyPayBatch = TypedDict(
    "CurrencyPayBatch",
    {
        "items": list[CurrencyPayBatchItems],
        "linked": bool,
        "mandates": NotRequired[dict[str, CurrencyPayBatchMandates]],
    },
)
CurrencyPendRelease = TypedDict(
    "CurrencyPendRelease",
    {
        "payer": NotRequired[bool],
        "after_ms": NotRequired[int],
        "arbiter": NotRequired[str],
        "object": NotRequired[list[str]],
        "unheld": NotRequired[bool],
        "no_finding": NotRequired[bool],
        "confirmed": NotRequired[str],
        "tranche": NotRequired[list[Any]],
    },
)
CurrencyPendMandate = TypedDict(
    "CurrencyPendMandate",
    {
        "nonce": int,
        "until_ms": int,
        "signature": str,
    },
)
CurrencyPend = TypedDict(
    "CurrencyPend",
    {
        "from": str,
        "to": str,
        "amount": int,
        "code": Literal["SUPP", "TRAD", "LOAN", "INTE", "TAXS", "GOVT", "CASH", "OTHR"],
        "expires_ms": int,
        "release": CurrencyPendRelease,
        "reference": NotRequired[str],
        "end_to_end": NotRequired[str],
        "about": NotRequired[list[str]],
        "mandate": NotRequired[CurrencyPendMandate],
    },
)
CurrencyPostPendingMandate = TypedDict(
    "CurrencyPostPendingMandate",
    {
        "nonce": int,
        "until_ms": int,
        "signature": str,
    },
)
CurrencyPostPending = TypedDict(
    "CurrencyPostPending",
    {
        "pending": str,
        "amount": NotRequired[int],
        "mandate": NotRequired[CurrencyPostPendingMandate],
    },
)
CurrencyVoidPendingMandates = TypedDict(
    "CurrencyVoidPendingMandates",
    {
        "nonce": int,
        "until_ms": int,
        "signature": str,
    },
)
CurrencyVoidPending = TypedDict(
    "CurrencyVoidPending",
    {
        "pendings": list[str],
        "mandates": NotRequired[dict[str, CurrencyVoidPendingMandates]],
    },
)
CurrencyOpenWallet = TypedDict(
    "CurrencyOpenWallet",
    {
        "id": str,
        "class": str,
        "holder": NotRequired[str],
        "holder_commitment": NotRequired[str],
        "key": NotRequired[str],
    },
)
CurrencyCloseWallet = TypedDict(
    "CurrencyCloseWallet",
    {
        "wallet": str,
    },
)
CurrencyReclassWalletLimits = TypedDict(
    "CurrencyReclassWalletLimits",
    {
        "single_max": int | None,
        "day_max": int | None,
        "year_max": int | None,
        "balance_max": int | None,
    },
)
CurrencyReclassWalletMandate = TypedDict(
    "CurrencyReclassWalletMandate",
    {
        "nonce": int,
        "until_ms": int,
        "signature": str,
    },
)
CurrencyReclassWallet = TypedDict(
    "CurrencyReclassWallet",
    {
        "wallet": str,
        "class": NotRequired[str],
        "limits": NotRequired[CurrencyReclassWalletLimits],
        "mandate": NotRequired[CurrencyReclassWalletMandate],
    },
)
CurrencyRekeyWalletMandate = TypedDict(
    "CurrencyRekeyWalletMandate",
    {
        "nonce": int,
        "until_ms": int,
        "signature": str,
    },
)
CurrencyRekeyWallet = TypedDict(
    "CurrencyRekeyWallet",
    {
        "wallet": str,
        "key": str,
        "mandate": NotRequired[CurrencyRekeyWalletMandate],
    },
)
CurrencyKeepKeyMandate = TypedDict(
    "CurrencyKeepKeyMandate",
    {
        "nonce": int,
        "until_ms": int,
        "signature": str,
    },
)
CurrencyKeepKey = TypedDict(
    "CurrencyKeepKey",
    {
        "wallet": str,
        "mandate": CurrencyKeepKeyMandate,
    },
)
CurrencyAdmitInstitution = TypedDict(
    "CurrencyAdmitInstitution",
    {
        "member": str,
    },
)
CurrencyDismissInstitution = TypedDict(
    "CurrencyDismissInstitution",
    {
        "member": str,
        "successor": str,
    },
)
CurrencyIssue = TypedDict(
    "CurrencyIssue",
    {
        "source": str,
        "sequence": int,
        "item": Any,
    },
)
CurrencyRedeem = TypedDict(
    "CurrencyRedeem",
    {
        "amount": int,
    },
)
CurrencySettleRedeem = TypedDict(
    "CurrencySettleRedeem",
    {
        "redemption": str,
    },
)
CurrencyVoidRedeem = TypedDict(
    "CurrencyVoidRedeem",
    {
        "redemption": str,
    },
)
CurrencyOpenCase = TypedDict(
    "CurrencyOpenCase",
    {
        "wallet": str,
        "severity": Literal["notice", "warning", "violation"],
        "reason": str,
        "legal_basis": list[str],
        "evidence": NotRequired[list[str]],
    },
)
CurrencyDefineUnit = TypedDict(
    "CurrencyDefineUnit",
    {
        "name": NotRequired[Any],
        "symbol": NotRequired[Any],
        "supply": NotRequired[Any],
    },
)
TradeIssueLines = TypedDict(
    "TradeIssueLines",
    {
        "object": list[str],
        "amount": int,
    },
)
TradeIssueInvoice = TypedDict(
    "TradeIssueInvoice",
    {
        "number": str,
        "date": str,
        "total": int,
    },
)
TradeIssue = TypedDict(
    "TradeIssue",
    {
        "debtor": str,
        "amount": int,
        "tax": int,
        "due_ms": int,
        "lines": list[TradeIssueLines],
        "invoice": TradeIssueInvoice,
        "wallet": str,
        "nettable": NotRequired[bool],
    },
)
TradeAccept = TypedDict(
    "TradeAccept",
    {
        "receivable": str,
        "autopay": NotRequired[str],
    },
)
TradeReject = TypedDict(
    "TradeReject",
    {
        "receivable": str,
        "reason": str,
    },
)
TradeSplit = TypedDict(
    "TradeSplit",
    {
        "receivable": str,
        "amounts": list[int],
    },
)
TradeOfferTransferAgainst = TypedDict(
    "TradeOfferTransferAgainst",
    {
        "object": list[str],
        "amount": int,
    },
)
TradeOfferTransfer = TypedDict(
    "TradeOfferTransfer",
    {
        "receivable": str,
        "to": str,
        "against": list[TradeOfferTransferAgainst],
        "recourse": bool,
        "expires_ms": int,
    },
)
TradeAcceptTransfer = TypedDict(
    "TradeAcceptTransfer",
    {
        "receivable": str,
        "wallet": str,
    },
)
TradeWithdrawOffer = TypedDict(
    "TradeWithdrawOffer",
    {
        "receivable": str,
        "member": str,
    },
)
TradeOfferFinance = TypedDict(
    "TradeOfferFinance",
    {
        "receivable": str,
        "kind": Literal["assignment", "pledge"],
        "advance": int,
        "fee": int,
        "from": str,
        "wallet": str,
        "recourse": bool,
        "expires_ms": int,
    },
)
TradeAcceptFinance = TypedDict(
    "TradeAcceptFinance",
    {
        "receivable": str,
        "bank": str,
        "wallet": str,
    },
)
TradeRepay = TypedDict(
    "TradeRepay",
    {
        "loan": str,
        "amount": int,
        "from": str,
    },
)
TradeSetLimit = TypedDict(
    "TradeSetLimit",
    {
        "debtor": str,
        "amount": int,
        "capital": NotRequired[int],
    },
)
TradeSettle = TypedDict(
    "TradeSettle",
    {
        "receivable": str,
        "amount": int,
        "from": str,
    },
)
TradeSetWallet = TypedDict(
    "TradeSetWallet",
    {
        "receivable": str,
        "wallet": str,
    },
)
TradeClaimRecourse = TypedDict(
    "TradeClaimRecourse",
    {
        "receivable": str,
    },
)
TradePayRecourse = TypedDict(
    "TradePayRecourse",
    {
        "receivable": str,
        "from": str,
    },
)
TradeWriteOff = TypedDict(
    "TradeWriteOff",
    {
        "receivable": str,
        "reason": str,
    },
)
TradeDispute = TypedDict(
    "TradeDispute",
    {
        "receivable": str,
        "reason": str,
        "evidence": NotRequired[list[str]],
    },
)
TradeAnswer = TypedDict(
    "TradeAnswer",
    {
        "receivable": str,
        "reason": str,
        "evidence": NotRequired[list[str]],
    },
)
TradeResolve = TypedDict(
    "TradeResolve",
    {
        "receivable": str,
        "amount": int,
        "finding": NotRequired[str],
    },
)
TradeOpenRun = TypedDict(
    "TradeOpenRun",
    {
        "closes_ms": int,
    },
)
TradeEnter = TypedDict(
    "TradeEnter",
    {
        "run": str,
        "receivables": list[str],
    },
)
TradeWithdraw = TypedDict(
    "TradeWithdraw",
    {
        "run": str,
        "receivables": list[str],
    },
)
TradeClear = TypedDict(
    "TradeClear",
    {
        "run": str,
        "cleared": list[int],
        "potentials": dict[str, int],
    },
)
TradeOpenCase = TypedDict(
    "TradeOpenCase",
    {
        "severity": Literal["notice", "warning", "violation"],
        "reason": str,
        "legal_basis": list[str],
        "receivable": NotRequired[str],
        "party": NotRequired[str],
        "evidence": NotRequired[list[str]],
    },
)
CreditContest = TypedDict(
    "CreditContest",
    {
        "month": int,
        "kind": Literal[
            "settled_on_time",
            "settled_late",
            "fell_overdue",
            "written_off",
            "dispute_upheld",
            "dispute_refused",
            "sanctioned",
            "rectified_in_time",
            "rectified_late",
            "answered_in_time",
            "answered_late",
            "gap",
        ],
        "entry": int,
        "reason": str,
        "evidence": NotRequired[list[str]],
    },
)
CreditAnswer = TypedDict(
    "CreditAnswer",
    {
        "member": str,
        "month": int,
        "kind": Literal[
            "settled_on_time",
            "settled_late",
            "fell_overdue",
            "written_off",
            "dispute_upheld",
            "dispute_refused",
            "sanctioned",
            "rectified_in_time",
            "rectified_late",
            "answered_in_time",
            "answered_late",
            "gap",
        ],
        "entry": int,
        "outcome": Literal["upheld", "refused"],
        "reason": str,
        "evidence": NotRequired[list[str]],
    },
)
CreditCorrectBecomes = TypedDict(
    "CreditCorrectBecomes",
    {
        "kind": Literal[
            "settled_on_time",
            "settled_late",
            "fell_overdue",
            "written_off",
            "dispute_upheld",
            "dispute_refused",
            "sanctioned",
            "rectified_in_time",
            "rectified_late",
            "answered_in_time",
            "answered_late",
            "gap",
        ],
        "amount": int,
        "days": int,
    },
)
CreditCorrect = TypedDict(
    "CreditCorrect",
    {
        "member": str,
        "month": int,
        "kind": Literal[
            "settled_on_time",
            "settled_late",
            "fell_overdue",
            "written_off",
            "dispute_upheld",
            "dispute_refused",
            "sanctioned",
            "rectified_in_time",
            "rectified_late",
            "answered_in_time",
            "answered_late",
            "gap",
        ],
        "entry": int,
        "becomes": CreditCorrectBecomes,
        "reason": str,
    },
)
CreditConsult = TypedDict(
    "CreditConsult",
    {
        "member": str,
        "purpose": str,
        "legal_basis": str,
    },
)
CertificationApplyTranchesMilestoneTally = TypedDict(
    "CertificationApplyTranchesMilestoneTally",
    {
        "name": str,
        "least": int,
    },
)
CertificationApplyTranchesMilestone = TypedDict(
    "CertificationApplyTranchesMilestone",
    {
        "object": list[str],
        "members": list[str],
        "event": NotRequired[str],
        "tally": NotRequired[CertificationApplyTranchesMilestoneTally],
    },
)
CertificationApplyTranches = TypedDict(
    "CertificationApplyTranches",
    {
        "amount": int,
        "funder": str,
        "milestone": CertificationApplyTranchesMilestone,
    },
)
CertificationApply = TypedDict(
    "CertificationApply",
    {
        "project": str,
        "title": str | dict[str, str],
        "scheme": str,
        "kind": str,
        "framework_sha256": str,
        "parties": NotRequired[list[str]],
        "tranches": NotRequired[list[CertificationApplyTranches]],
    },
)
CertificationArgue = TypedDict(
    "CertificationArgue",
    {
        "project": str,
        "nodes": list[Any],
        "drop": NotRequired[list[str]],
    },
)
CertificationSeal = TypedDict(
    "CertificationSeal",
    {
        "project": str,
        "count": int,
        "root": str,
    },
)
CertificationRegisterReviewer = TypedDict(
    "CertificationRegisterReviewer",
    {
        "user": str,
        "fields": list[
            Literal[
                "1",
                "1.1",
                "1.2",
                "1.3",
                "1.4",
                "1.5",
                "1.6",
                "1.7",
                "2",
                "2.1",
                "2.2",
                "2.3",
                "2.4",
                "2.5",
                "2.6",
                "2.7",
                "2.8",
                "2.9",
                "2.10",
                "2.11",
                "3",
                "3.1",
                "3.2",
                "3.3",
                "3.4",
                "3.5",
                "4",
                "4.1",
                "4.2",
                "4.3",
                "4.4",
                "4.5",
                "5",
                "5.1",
                "5.2",
                "5.3",
                "5.4",
                "5.5",
                "5.6",
                "5.7",
                "5.8",
                "5.9",
                "6",
                "6.1",
                "6.2",
                "6.3",
                "6.4",
                "6.5",
            ]
        ],
        "statement_sha256": str,
        "until_ms": int,
    },
)
CertificationAdmit = TypedDict(
    "CertificationAdmit",
    {
        "project": str,
    },
)
CertificationCommitSeed = TypedDict(
    "CertificationCommitSeed",
    {
        "project": str,
        "commitment": str,
    },
)
CertificationRevealSeed = TypedDict(
    "CertificationRevealSeed",
    {
        "project": str,
        "seed": str,
    },
)
CertificationDeclare = TypedDict(
    "CertificationDeclare",
    {
        "project": str,
        "conflict": bool,
        "statement_sha256": NotRequired[str],
    },
)
CertificationCommit = TypedDict(
    "CertificationCommit",
    {
        "project": str,
        "commitment": str,
    },
)
CertificationRevealReviewLeaves = TypedDict(
    "CertificationRevealReviewLeaves",
    {
        "opinion": Literal["accepted", "insufficient", "refuted", "unavailable"],
        "reason": str,
    },
)
CertificationRevealReviewScores = TypedDict(
    "CertificationRevealReviewScores",
    {
        "score": int,
        "reason": str,
    },
)
CertificationRevealReview = TypedDict(
    "CertificationRevealReview",
    {
        "leaves": dict[str, CertificationRevealReviewLeaves],
        "scores": dict[str, CertificationRevealReviewScores],
        "dissent": NotRequired[str],
    },
)
CertificationReveal = TypedDict(
    "CertificationReveal",
    {
        "project": str,
        "review": CertificationRevealReview,
        "salt": str,
    },
)
CertificationDecide = TypedDict(
    "CertificationDecide",
    {
        "project": str,
        "outcome": Literal["refused", "conditional", "certified"],
        "reason": str,
        "conditions": NotRequired[list[str]],
    },
)
CertificationAppeal = TypedDict(
    "CertificationAppeal",
    {
        "project": str,
        "reason": str,
        "evidence": NotRequired[list[str]],
    },
)
CertificationSuspend = TypedDict(
    "CertificationSuspend",
    {
        "project": str,
        "reason": str,
        "until_ms": int,
    },
)
CertificationReinstate = TypedDict(
    "CertificationReinstate",
    {
        "project": str,
        "reason": str,
    },
)
CertificationPledge = TypedDict(
    "CertificationPledge",
    {
        "project": str,
        "tranche": int,
        "pending": NotRequired[str],
    },
)
CertificationClaimMilestoneItems = TypedDict(
    "CertificationClaimMilestoneItems",
    {
        "source": str,
        "sequence": int,
        "item": Any,
    },
)
CertificationClaimMilestone = TypedDict(
    "CertificationClaimMilestone",
    {
        "project": str,
        "tranche": int,
        "items": NotRequired[list[CertificationClaimMilestoneItems]],
    },
)
CertificationRelease = TypedDict(
    "CertificationRelease",
    {
        "project": str,
        "tranche": int,
    },
)
MissionOpenGoals = TypedDict(
    "MissionOpenGoals",
    {
        "id": str,
        "title": str | dict[str, str],
        "indicators": NotRequired[dict[str, Literal["up", "down"]]],
    },
)
MissionOpenIndicators = TypedDict(
    "MissionOpenIndicators",
    {
        "name": str,
        "title": str | dict[str, str],
        "unit": str,
        "direction": Literal["up", "down"],
        "every_ms": int,
        "scale": NotRequired[int],
        "baseline": NotRequired[list[Any]],
        "targets": NotRequired[list[list[Any]]],
        "source": NotRequired[list[Any]],
        "reporters": NotRequired[list[str]],
    },
)
MissionOpen = TypedDict(
    "MissionOpen",
    {
        "mission": str,
        "title": str | dict[str, str],
        "orientation": list[Literal["frontier", "economy", "national_needs", "life_health"]],
        "type": Literal["framework", "challenge", "thematic", "ecosystem"],
        "from": str,
        "to": str,
        "goals": list[MissionOpenGoals],
        "indicators": list[MissionOpenIndicators],
        "evaluations": list[str],
        "basis": NotRequired[str],
    },
)
MissionReviseGoals = TypedDict(
    "MissionReviseGoals",
    {
        "id": str,
        "title": str | dict[str, str],
        "indicators": NotRequired[dict[str, Literal["up", "down"]]],
    },
)
MissionReviseIndicators = TypedDict(
    "MissionReviseIndicators",
    {
        "name": str,
        "title": str | dict[str, str],
        "unit": str,
        "direction": Literal["up", "down"],
        "every_ms": int,
        "scale": NotRequired[int],
        "baseline": NotRequired[list[Any]],
        "targets": NotRequired[list[list[Any]]],
        "source": NotRequired[list[Any]],
        "reporters": NotRequired[list[str]],
    },
)
MissionRevise = TypedDict(
    "MissionRevise",
    {
        "mission": str,
        "reason": str,
        "goals": NotRequired[list[MissionReviseGoals]],
        "indicators": NotRequired[list[MissionReviseIndicators]],
        "targets": NotRequired[dict[str, list[list[Any]]]],
        "evaluations": NotRequired[list[str]],
        "after": NotRequired[int],
    },
)
MissionLink = TypedDict(
    "MissionLink",
    {
        "mission": str,
        "policy": str,
        "goal": str,
        "role": Literal["direction", "funding", "regulation", "standard", "procurement", "infrastructure", "skills"],
    },
)
MissionJoin = TypedDict(
    "MissionJoin",
    {
        "mission": str,
        "goals": list[str],
        "part": str,
    },
)
MissionLeave = TypedDict(
    "MissionLeave",
    {
        "mission": str,
    },
)
MissionReport = TypedDict(
    "MissionReport",
    {
        "mission": str,
        "indicator": str,
        "value": int,
        "date": str,
        "evidence": list[str],
        "corrects": NotRequired[int],
    },
)
MissionEvaluateGoals = TypedDict(
    "MissionEvaluateGoals",
    {
        "verdict": Literal["met", "partly", "not_met"],
        "reason": str,
    },
)
MissionEvaluate = TypedDict(
    "MissionEvaluate",
    {
        "mission": str,
        "date": str,
        "goals": dict[str, MissionEvaluateGoals],
        "recommendations": list[str],
    },
)
MissionAnswerAnswers = TypedDict(
    "MissionAnswerAnswers",
    {
        "outcome": Literal["adopted", "partly", "rejected"],
        "reason": str,
    },
)
MissionAnswer = TypedDict(
    "MissionAnswer",
    {
        "mission": str,
        "evaluation": int,
        "answers": list[MissionAnswerAnswers],
    },
)
ParticipationRegisterGateway = TypedDict(
    "ParticipationRegisterGateway",
    {
        "url": str,
        "key": str,
        "include_ms": int,
        "duties_sha256": str,
    },
)
ParticipationOpen = TypedDict(
    "ParticipationOpen",
    {
        "consultation": str,
        "title": str | dict[str, str],
        "about": Literal["policy", "standard", "scheme"],
        "subject": str,
        "questions": list[str],
        "closes_ms": int,
        "answer_ms": NotRequired[int],
        "gateways": NotRequired[list[str]],
    },
)
ParticipationConclude = TypedDict(
    "ParticipationConclude",
    {
        "consultation": str,
    },
)
ParticipationReceive = TypedDict(
    "ParticipationReceive",
    {
        "consultation": str,
        "first": int,
        "entries": list[list[Any]],
    },
)
ParticipationTheme = TypedDict(
    "ParticipationTheme",
    {
        "consultation": str,
        "titles": list[str],
    },
)
ParticipationAssign = TypedDict(
    "ParticipationAssign",
    {
        "consultation": str,
        "assignments": list[list[Any]],
    },
)
ParticipationAnswer = TypedDict(
    "ParticipationAnswer",
    {
        "consultation": str,
        "theme": int,
        "outcome": Literal["accepted", "partly", "rejected", "noted"],
        "reason": NotRequired[str],
        "change": NotRequired[str],
    },
)
DisclosureSetSealingKey = TypedDict(
    "DisclosureSetSealingKey",
    {
        "use": Literal["reader", "custody"],
        "key": str,
    },
)
DisclosureOpenVaultEnvelopes = TypedDict(
    "DisclosureOpenVaultEnvelopes",
    {
        "name": str,
        "bytes": int,
    },
)
DisclosureOpenVault = TypedDict(
    "DisclosureOpenVault",
    {
        "vault": str,
        "plan": str,
        "retention": str,
        "commitments": list[str],
        "pad": int,
        "ends_ms": int,
        "envelopes": DisclosureOpenVaultEnvelopes,
        "again": NotRequired[str],
    },
)
DisclosureAcceptSeat = TypedDict(
    "DisclosureAcceptSeat",
    {
        "owner": str,
        "vault": str,
    },
)
DisclosureRefuseSeat = TypedDict(
    "DisclosureRefuseSeat",
    {
        "owner": str,
        "vault": str,
        "reason": str,
    },
)
DisclosureDefineAudience = TypedDict(
    "DisclosureDefineAudience",
    {
        "vault": str,
        "audience": str,
        "members": list[str],
    },
)
DisclosureGrantEnvelopes = TypedDict(
    "DisclosureGrantEnvelopes",
    {
        "name": str,
        "bytes": int,
    },
)
DisclosureGrant = TypedDict(
    "DisclosureGrant",
    {
        "vault": str,
        "audience": str,
        "version": int,
        "to": list[str],
        "envelopes": DisclosureGrantEnvelopes,
    },
)
DisclosureCloseVault = TypedDict(
    "DisclosureCloseVault",
    {
        "vault": str,
    },
)
DisclosureDestroySeat = TypedDict(
    "DisclosureDestroySeat",
    {
        "owner": str,
        "vault": str,
    },
)
DisclosureRequestScope = TypedDict(
    "DisclosureRequestScope",
    {
        "number": int,
        "sequences": list[int],
        "labels": list[str],
    },
)
DisclosureRequest = TypedDict(
    "DisclosureRequest",
    {
        "request": str,
        "basis": Literal["finding", "order", "own"],
        "reference": str,
        "owner": str,
        "vault": str,
        "scope": list[DisclosureRequestScope],
        "purpose": str,
        "legal_basis": str,
        "key": str,
        "expires_ms": int,
    },
)
DisclosureObject = TypedDict(
    "DisclosureObject",
    {
        "by": str,
        "request": str,
        "reason": str,
    },
)
DisclosureAnswer = TypedDict(
    "DisclosureAnswer",
    {
        "request": str,
        "reason": str,
    },
)
DisclosureApprove = TypedDict(
    "DisclosureApprove",
    {
        "by": str,
        "request": str,
        "reason": str,
    },
)
DisclosureRefuse = TypedDict(
    "DisclosureRefuse",
    {
        "by": str,
        "request": str,
        "reason": str,
    },
)
DisclosureReleaseEnvelopes = TypedDict(
    "DisclosureReleaseEnvelopes",
    {
        "name": str,
        "bytes": int,
    },
)
DisclosureRelease = TypedDict(
    "DisclosureRelease",
    {
        "by": str,
        "request": str,
        "envelopes": DisclosureReleaseEnvelopes,
    },
)
DisclosureDecline = TypedDict(
    "DisclosureDecline",
    {
        "by": str,
        "request": str,
        "reason": Literal["scope", "basis", "conflict", "technical"],
        "text": str,
    },
)
DisclosureOpenedFaults = TypedDict(
    "DisclosureOpenedFaults",
    {
        "kind": Literal["part", "check", "commitment"],
        "member": str,
        "evidence": str,
    },
)
DisclosureOpened = TypedDict(
    "DisclosureOpened",
    {
        "request": str,
        "opened": int,
        "failed": int,
        "faults": list[DisclosureOpenedFaults],
    },
)
DisclosureEmergencyScope = TypedDict(
    "DisclosureEmergencyScope",
    {
        "number": int,
        "sequences": list[int],
        "labels": list[str],
    },
)
DisclosureEmergency = TypedDict(
    "DisclosureEmergency",
    {
        "request": str,
        "basis": Literal["finding", "order"],
        "reference": str,
        "owner": str,
        "vault": str,
        "scope": list[DisclosureEmergencyScope],
        "purpose": str,
        "legal_basis": str,
        "key": str,
        "expires_ms": int,
        "reason": str,
    },
)
DisclosureReview = TypedDict(
    "DisclosureReview",
    {
        "by": str,
        "request": str,
        "verdict": Literal["justified", "unjustified"],
        "reason": str,
    },
)

class Submitting:
    @overload
    def submit(
        self,
        contract: Literal["membership"],
        action: Literal["add_operator"],
        args: MembershipAddOperator,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["membership"],
        action: Literal["remove_operator"],
        args: MembershipRemoveOperator,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["membership"],
        action: Literal["rotate_operator_key"],
        args: MembershipRotateOperatorKey,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["membership"],
        action: Literal["set_profile"],
        args: MembershipSetProfile,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["membership"],
        action: Literal["add_node"],
        args: MembershipAddNode,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["membership"],
        action: Literal["remove_node"],
        args: MembershipRemoveNode,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["membership"],
        action: Literal["rotate_link_certificate"],
        args: MembershipRotateLinkCertificate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["membership"],
        action: Literal["ready"],
        args: MembershipReady,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["membership"],
        action: Literal["declare_software"],
        args: MembershipDeclareSoftware,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeAddValidator,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRemoveValidator,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRotateValidatorKey,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeAddMember,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeProtocolVersion,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeWithdrawVersion,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeAddContract,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeWithdrawContract,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeAmendConstitution,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRetryDue,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeSuspendMember,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeReinstateMember,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRemoveMember,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeMeasure,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeEmergencyMeasure,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeEndMeasure,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRecogniseStandard,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeSettleDispute,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeCurrencyClass,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeCurrencyRegime,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeCurrencyCorrection,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeCreditFormula,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeAdoptScheme,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRetireScheme,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRevokeCertificate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeOpenMission,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeCustodyPlan,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeDisclosurePolicy,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["vote"],
        args: GovernanceVote,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["withdraw"],
        args: GovernanceWithdraw,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["appeal"],
        args: GovernanceAppeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["leave"],
        args: GovernanceLeave,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["governance"],
        action: Literal["stay"],
        args: GovernanceStay,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["policy"],
        action: Literal["publish"],
        args: PolicyPublish,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["policy"],
        action: Literal["endorse"],
        args: PolicyEndorse,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["policy"],
        action: Literal["approve"],
        args: PolicyApprove,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["policy"],
        action: Literal["promulgate"],
        args: PolicyPromulgate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["policy"],
        action: Literal["amend"],
        args: PolicyAmend,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["policy"],
        action: Literal["repeal"],
        args: PolicyRepeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["policy"],
        action: Literal["evaluate"],
        args: PolicyEvaluate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["policy"],
        action: Literal["record"],
        args: PolicyRecord,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["process"],
        action: Literal["define_type"],
        args: ProcessDefineType,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["process"],
        action: Literal["register_source"],
        args: ProcessRegisterSource,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["process"],
        action: Literal["record"],
        args: ProcessRecord,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["process"],
        action: Literal["attest"],
        args: ProcessAttest,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["propose_rules"],
        args: SupervisionProposeRules,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["propose_retirement"],
        args: SupervisionProposeRetirement,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["propose_terms"],
        args: SupervisionProposeTerms,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["vote"],
        args: SupervisionVote,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["open_case"],
        args: SupervisionOpenCase,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["acknowledge"],
        args: SupervisionAcknowledge,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["inquire"],
        args: SupervisionInquire,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["respond"],
        args: SupervisionRespond,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["decide"],
        args: SupervisionDecide,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["appeal"],
        args: SupervisionAppeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["decide_appeal"],
        args: SupervisionDecideAppeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["hold"],
        args: SupervisionHold,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["lift_hold"],
        args: SupervisionLiftHold,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["contest_hold"],
        args: SupervisionContestHold,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["confirm_hold"],
        args: SupervisionConfirmHold,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["ask"],
        args: SupervisionAsk,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["answer"],
        args: SupervisionAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["guide"],
        args: SupervisionGuide,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["evidence"],
        action: Literal["report"],
        args: EvidenceReport,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["propose"],
        args: StandardsProposeProcessType,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["propose"],
        args: StandardsProposeRuleSet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["propose"],
        args: StandardsProposeSchema,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["propose"],
        args: StandardsProposeAreaList,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["propose"],
        args: StandardsProposeFormat,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["supersede"],
        args: StandardsSupersede,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["deprecate"],
        args: StandardsDeprecate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["try"],
        args: StandardsTry,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["adopt"],
        args: StandardsAdopt,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["end_adoption"],
        args: StandardsEndAdoption,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["recognise"],
        args: StandardsRecognise,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["withdraw_recognition"],
        args: StandardsWithdrawRecognition,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["classify"],
        args: StandardsClassify,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["dispute"],
        args: StandardsDispute,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["standards"],
        action: Literal["answer"],
        args: StandardsAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["pay"],
        args: CurrencyPay,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["pay_batch"],
        args: CurrencyPayBatch,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["pend"],
        args: CurrencyPend,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["post_pending"],
        args: CurrencyPostPending,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["void_pending"],
        args: CurrencyVoidPending,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["open_wallet"],
        args: CurrencyOpenWallet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["close_wallet"],
        args: CurrencyCloseWallet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["reclass_wallet"],
        args: CurrencyReclassWallet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["rekey_wallet"],
        args: CurrencyRekeyWallet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["keep_key"],
        args: CurrencyKeepKey,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["admit_institution"],
        args: CurrencyAdmitInstitution,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["dismiss_institution"],
        args: CurrencyDismissInstitution,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["issue"],
        args: CurrencyIssue,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["redeem"],
        args: CurrencyRedeem,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["settle_redeem"],
        args: CurrencySettleRedeem,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["void_redeem"],
        args: CurrencyVoidRedeem,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["open_case"],
        args: CurrencyOpenCase,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["currency"],
        action: Literal["define_unit"],
        args: CurrencyDefineUnit,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["issue"],
        args: TradeIssue,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["accept"],
        args: TradeAccept,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["reject"],
        args: TradeReject,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["split"],
        args: TradeSplit,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["offer_transfer"],
        args: TradeOfferTransfer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["accept_transfer"],
        args: TradeAcceptTransfer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["withdraw_offer"],
        args: TradeWithdrawOffer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["offer_finance"],
        args: TradeOfferFinance,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["accept_finance"],
        args: TradeAcceptFinance,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["repay"],
        args: TradeRepay,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["set_limit"],
        args: TradeSetLimit,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["settle"],
        args: TradeSettle,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["set_wallet"],
        args: TradeSetWallet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["claim_recourse"],
        args: TradeClaimRecourse,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["pay_recourse"],
        args: TradePayRecourse,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["write_off"],
        args: TradeWriteOff,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["dispute"],
        args: TradeDispute,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["answer"],
        args: TradeAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["resolve"],
        args: TradeResolve,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["open_run"],
        args: TradeOpenRun,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["enter"],
        args: TradeEnter,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["withdraw"],
        args: TradeWithdraw,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["clear"],
        args: TradeClear,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["trade"],
        action: Literal["open_case"],
        args: TradeOpenCase,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["credit"],
        action: Literal["contest"],
        args: CreditContest,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["credit"],
        action: Literal["answer"],
        args: CreditAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["credit"],
        action: Literal["correct"],
        args: CreditCorrect,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["credit"],
        action: Literal["consult"],
        args: CreditConsult,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["apply"],
        args: CertificationApply,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["argue"],
        args: CertificationArgue,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["seal"],
        args: CertificationSeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["register_reviewer"],
        args: CertificationRegisterReviewer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["admit"],
        args: CertificationAdmit,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["commit_seed"],
        args: CertificationCommitSeed,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["reveal_seed"],
        args: CertificationRevealSeed,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["declare"],
        args: CertificationDeclare,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["commit"],
        args: CertificationCommit,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["reveal"],
        args: CertificationReveal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["decide"],
        args: CertificationDecide,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["appeal"],
        args: CertificationAppeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["suspend"],
        args: CertificationSuspend,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["reinstate"],
        args: CertificationReinstate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["pledge"],
        args: CertificationPledge,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["claim_milestone"],
        args: CertificationClaimMilestone,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["certification"],
        action: Literal["release"],
        args: CertificationRelease,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["mission"],
        action: Literal["open"],
        args: MissionOpen,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["mission"],
        action: Literal["revise"],
        args: MissionRevise,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["mission"],
        action: Literal["link"],
        args: MissionLink,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["mission"],
        action: Literal["join"],
        args: MissionJoin,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["mission"],
        action: Literal["leave"],
        args: MissionLeave,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["mission"],
        action: Literal["report"],
        args: MissionReport,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["mission"],
        action: Literal["evaluate"],
        args: MissionEvaluate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["mission"],
        action: Literal["answer"],
        args: MissionAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["participation"],
        action: Literal["register_gateway"],
        args: ParticipationRegisterGateway,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["participation"],
        action: Literal["open"],
        args: ParticipationOpen,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["participation"],
        action: Literal["conclude"],
        args: ParticipationConclude,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["participation"],
        action: Literal["receive"],
        args: ParticipationReceive,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["participation"],
        action: Literal["theme"],
        args: ParticipationTheme,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["participation"],
        action: Literal["assign"],
        args: ParticipationAssign,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["participation"],
        action: Literal["answer"],
        args: ParticipationAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["set_sealing_key"],
        args: DisclosureSetSealingKey,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["open_vault"],
        args: DisclosureOpenVault,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["accept_seat"],
        args: DisclosureAcceptSeat,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["refuse_seat"],
        args: DisclosureRefuseSeat,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["define_audience"],
        args: DisclosureDefineAudience,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["grant"],
        args: DisclosureGrant,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["close_vault"],
        args: DisclosureCloseVault,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["destroy_seat"],
        args: DisclosureDestroySeat,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["request"],
        args: DisclosureRequest,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["object"],
        args: DisclosureObject,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["answer"],
        args: DisclosureAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["approve"],
        args: DisclosureApprove,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["refuse"],
        args: DisclosureRefuse,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["release"],
        args: DisclosureRelease,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["decline"],
        args: DisclosureDecline,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["opened"],
        args: DisclosureOpened,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["emergency"],
        args: DisclosureEmergency,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["review"],
        args: DisclosureReview,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    def submit_any(
        self, contract: str, action: str, args: Mapping[str, Any], *, timeout_s: float = ...
    ) -> Committed: ...

class AsyncSubmitting:
    @overload
    async def submit(
        self,
        contract: Literal["membership"],
        action: Literal["add_operator"],
        args: MembershipAddOperator,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["membership"],
        action: Literal["remove_operator"],
        args: MembershipRemoveOperator,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["membership"],
        action: Literal["rotate_operator_key"],
        args: MembershipRotateOperatorKey,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["membership"],
        action: Literal["set_profile"],
        args: MembershipSetProfile,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["membership"],
        action: Literal["add_node"],
        args: MembershipAddNode,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["membership"],
        action: Literal["remove_node"],
        args: MembershipRemoveNode,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["membership"],
        action: Literal["rotate_link_certificate"],
        args: MembershipRotateLinkCertificate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["membership"],
        action: Literal["ready"],
        args: MembershipReady,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["membership"],
        action: Literal["declare_software"],
        args: MembershipDeclareSoftware,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeAddValidator,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRemoveValidator,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRotateValidatorKey,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeAddMember,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeProtocolVersion,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeWithdrawVersion,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeAddContract,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeWithdrawContract,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeAmendConstitution,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRetryDue,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeSuspendMember,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeReinstateMember,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRemoveMember,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeMeasure,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeEmergencyMeasure,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeEndMeasure,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRecogniseStandard,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeSettleDispute,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeCurrencyClass,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeCurrencyRegime,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeCurrencyCorrection,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeCreditFormula,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeAdoptScheme,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRetireScheme,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeRevokeCertificate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeOpenMission,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeCustodyPlan,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["propose"],
        args: GovernanceProposeDisclosurePolicy,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["vote"],
        args: GovernanceVote,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["withdraw"],
        args: GovernanceWithdraw,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["appeal"],
        args: GovernanceAppeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["leave"],
        args: GovernanceLeave,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["governance"],
        action: Literal["stay"],
        args: GovernanceStay,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["policy"],
        action: Literal["publish"],
        args: PolicyPublish,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["policy"],
        action: Literal["endorse"],
        args: PolicyEndorse,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["policy"],
        action: Literal["approve"],
        args: PolicyApprove,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["policy"],
        action: Literal["promulgate"],
        args: PolicyPromulgate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["policy"],
        action: Literal["amend"],
        args: PolicyAmend,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["policy"],
        action: Literal["repeal"],
        args: PolicyRepeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["policy"],
        action: Literal["evaluate"],
        args: PolicyEvaluate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["policy"],
        action: Literal["record"],
        args: PolicyRecord,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["process"],
        action: Literal["define_type"],
        args: ProcessDefineType,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["process"],
        action: Literal["register_source"],
        args: ProcessRegisterSource,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["process"],
        action: Literal["record"],
        args: ProcessRecord,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["process"],
        action: Literal["attest"],
        args: ProcessAttest,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["propose_rules"],
        args: SupervisionProposeRules,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["propose_retirement"],
        args: SupervisionProposeRetirement,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["propose_terms"],
        args: SupervisionProposeTerms,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["vote"],
        args: SupervisionVote,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["open_case"],
        args: SupervisionOpenCase,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["acknowledge"],
        args: SupervisionAcknowledge,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["inquire"],
        args: SupervisionInquire,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["respond"],
        args: SupervisionRespond,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["decide"],
        args: SupervisionDecide,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["appeal"],
        args: SupervisionAppeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["decide_appeal"],
        args: SupervisionDecideAppeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["hold"],
        args: SupervisionHold,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["lift_hold"],
        args: SupervisionLiftHold,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["contest_hold"],
        args: SupervisionContestHold,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["confirm_hold"],
        args: SupervisionConfirmHold,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["ask"],
        args: SupervisionAsk,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["answer"],
        args: SupervisionAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["supervision"],
        action: Literal["guide"],
        args: SupervisionGuide,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["evidence"],
        action: Literal["report"],
        args: EvidenceReport,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["propose"],
        args: StandardsProposeProcessType,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["propose"],
        args: StandardsProposeRuleSet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["propose"],
        args: StandardsProposeSchema,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["propose"],
        args: StandardsProposeAreaList,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["propose"],
        args: StandardsProposeFormat,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["supersede"],
        args: StandardsSupersede,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["deprecate"],
        args: StandardsDeprecate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["try"],
        args: StandardsTry,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["adopt"],
        args: StandardsAdopt,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["end_adoption"],
        args: StandardsEndAdoption,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["recognise"],
        args: StandardsRecognise,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["withdraw_recognition"],
        args: StandardsWithdrawRecognition,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["classify"],
        args: StandardsClassify,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["dispute"],
        args: StandardsDispute,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["standards"],
        action: Literal["answer"],
        args: StandardsAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["pay"],
        args: CurrencyPay,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["pay_batch"],
        args: CurrencyPayBatch,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["pend"],
        args: CurrencyPend,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["post_pending"],
        args: CurrencyPostPending,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["void_pending"],
        args: CurrencyVoidPending,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["open_wallet"],
        args: CurrencyOpenWallet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["close_wallet"],
        args: CurrencyCloseWallet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["reclass_wallet"],
        args: CurrencyReclassWallet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["rekey_wallet"],
        args: CurrencyRekeyWallet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["keep_key"],
        args: CurrencyKeepKey,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["admit_institution"],
        args: CurrencyAdmitInstitution,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["dismiss_institution"],
        args: CurrencyDismissInstitution,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["issue"],
        args: CurrencyIssue,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["redeem"],
        args: CurrencyRedeem,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["settle_redeem"],
        args: CurrencySettleRedeem,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["void_redeem"],
        args: CurrencyVoidRedeem,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["open_case"],
        args: CurrencyOpenCase,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["currency"],
        action: Literal["define_unit"],
        args: CurrencyDefineUnit,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["issue"],
        args: TradeIssue,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["accept"],
        args: TradeAccept,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["reject"],
        args: TradeReject,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["split"],
        args: TradeSplit,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["offer_transfer"],
        args: TradeOfferTransfer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["accept_transfer"],
        args: TradeAcceptTransfer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["withdraw_offer"],
        args: TradeWithdrawOffer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["offer_finance"],
        args: TradeOfferFinance,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["accept_finance"],
        args: TradeAcceptFinance,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["repay"],
        args: TradeRepay,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["set_limit"],
        args: TradeSetLimit,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["settle"],
        args: TradeSettle,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["set_wallet"],
        args: TradeSetWallet,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["claim_recourse"],
        args: TradeClaimRecourse,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["pay_recourse"],
        args: TradePayRecourse,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["write_off"],
        args: TradeWriteOff,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["dispute"],
        args: TradeDispute,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["answer"],
        args: TradeAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["resolve"],
        args: TradeResolve,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["open_run"],
        args: TradeOpenRun,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["enter"],
        args: TradeEnter,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["withdraw"],
        args: TradeWithdraw,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["clear"],
        args: TradeClear,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["trade"],
        action: Literal["open_case"],
        args: TradeOpenCase,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["credit"],
        action: Literal["contest"],
        args: CreditContest,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["credit"],
        action: Literal["answer"],
        args: CreditAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["credit"],
        action: Literal["correct"],
        args: CreditCorrect,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["credit"],
        action: Literal["consult"],
        args: CreditConsult,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["apply"],
        args: CertificationApply,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["argue"],
        args: CertificationArgue,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["seal"],
        args: CertificationSeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["register_reviewer"],
        args: CertificationRegisterReviewer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["admit"],
        args: CertificationAdmit,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["commit_seed"],
        args: CertificationCommitSeed,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["reveal_seed"],
        args: CertificationRevealSeed,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["declare"],
        args: CertificationDeclare,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["commit"],
        args: CertificationCommit,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["reveal"],
        args: CertificationReveal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["decide"],
        args: CertificationDecide,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["appeal"],
        args: CertificationAppeal,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["suspend"],
        args: CertificationSuspend,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["reinstate"],
        args: CertificationReinstate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["pledge"],
        args: CertificationPledge,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["claim_milestone"],
        args: CertificationClaimMilestone,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["certification"],
        action: Literal["release"],
        args: CertificationRelease,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["mission"],
        action: Literal["open"],
        args: MissionOpen,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["mission"],
        action: Literal["revise"],
        args: MissionRevise,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["mission"],
        action: Literal["link"],
        args: MissionLink,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["mission"],
        action: Literal["join"],
        args: MissionJoin,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["mission"],
        action: Literal["leave"],
        args: MissionLeave,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["mission"],
        action: Literal["report"],
        args: MissionReport,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["mission"],
        action: Literal["evaluate"],
        args: MissionEvaluate,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["mission"],
        action: Literal["answer"],
        args: MissionAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["participation"],
        action: Literal["register_gateway"],
        args: ParticipationRegisterGateway,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["participation"],
        action: Literal["open"],
        args: ParticipationOpen,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["participation"],
        action: Literal["conclude"],
        args: ParticipationConclude,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["participation"],
        action: Literal["receive"],
        args: ParticipationReceive,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["participation"],
        action: Literal["theme"],
        args: ParticipationTheme,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["participation"],
        action: Literal["assign"],
        args: ParticipationAssign,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["participation"],
        action: Literal["answer"],
        args: ParticipationAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["set_sealing_key"],
        args: DisclosureSetSealingKey,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["open_vault"],
        args: DisclosureOpenVault,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["accept_seat"],
        args: DisclosureAcceptSeat,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["refuse_seat"],
        args: DisclosureRefuseSeat,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["define_audience"],
        args: DisclosureDefineAudience,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["grant"],
        args: DisclosureGrant,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["close_vault"],
        args: DisclosureCloseVault,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["destroy_seat"],
        args: DisclosureDestroySeat,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["request"],
        args: DisclosureRequest,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["object"],
        args: DisclosureObject,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["answer"],
        args: DisclosureAnswer,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["approve"],
        args: DisclosureApprove,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["refuse"],
        args: DisclosureRefuse,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["release"],
        args: DisclosureRelease,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["decline"],
        args: DisclosureDecline,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["opened"],
        args: DisclosureOpened,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["emergency"],
        args: DisclosureEmergency,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    @overload
    async def submit(
        self,
        contract: Literal["disclosure"],
        action: Literal["review"],
        args: DisclosureReview,
        *,
        timeout_s: float = ...,
    ) -> Committed: ...
    async def submit_any(
        self, contract: str, action: str, args: Mapping[str, Any], *, timeout_s: float = ...
    ) -> Committed: ...
