"""All behaviours that a seed may draw, in a fixed order."""

from __future__ import annotations

from typing import Final

from simulation.byzantine.amnesiac import Amnesiac
from simulation.byzantine.bad_blocks import BadBlocks
from simulation.byzantine.behaviour import Behaviour
from simulation.byzantine.body_withholder import BodyWithholder
from simulation.byzantine.censor import Censor
from simulation.byzantine.certificate_hider import CertificateHider
from simulation.byzantine.commit_whisperer import CommitWhisperer
from simulation.byzantine.double_voter import DoubleVoter
from simulation.byzantine.duplicate_signer import DuplicateSigner
from simulation.byzantine.equivocator import Equivocator
from simulation.byzantine.height_liar import HeightLiar
from simulation.byzantine.invalid_proposer import InvalidProposer
from simulation.byzantine.laggard import Laggard
from simulation.byzantine.malformed import Malformed
from simulation.byzantine.mute import Mute
from simulation.byzantine.round_storm import RoundStorm
from simulation.byzantine.sidecars import SidecarForger, SidecarSquatter, SidecarWithholder
from simulation.byzantine.slanderer import Slanderer
from simulation.byzantine.stale_replayer import StaleReplayer
from simulation.byzantine.stingy import Stingy
from simulation.byzantine.twins import Twin
from simulation.byzantine.usurper import Usurper
from simulation.byzantine.vote_forger import VoteForger

BEHAVIOURS: Final[dict[str, type[Behaviour]]] = {
    kind.name: kind
    for kind in (
        Equivocator,
        DoubleVoter,
        Mute,
        BodyWithholder,
        RoundStorm,
        StaleReplayer,
        VoteForger,
        CertificateHider,
        Stingy,
        CommitWhisperer,
        Censor,
        InvalidProposer,
        Malformed,
        HeightLiar,
        BadBlocks,
        Laggard,
        DuplicateSigner,
        Amnesiac,
        Usurper,
        Slanderer,
        Twin,
        SidecarWithholder,
        SidecarForger,
        SidecarSquatter,
    )
}
WITH_SIDECARS: Final = (SidecarWithholder.name, SidecarForger.name, SidecarSquatter.name)
"""Behaviours of worlds in which clients put sidecars."""
