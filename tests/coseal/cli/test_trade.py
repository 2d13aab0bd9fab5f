"""What the commands of trade print."""

from __future__ import annotations

import pytest

from coseal.audit.dossier import listed, proven_ground, read
from coseal.audit.verify import verify_document
from coseal.cli.trade import _print_dossier
from coseal.client.dossiers import ProvenDossier
from coseal.contracts.credit.dossier import Question
from tests.support.trade import A, dossier_document, with_facts


def test_a_dossier_is_printed_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    scene = with_facts()
    document = dossier_document(scene, Question(A, formulas=("payment",)))
    result = verify_document(document, scene.chain.genesis)
    shown = read(document)
    ground = proven_ground(shown)
    height = shown.header.height
    _print_dossier(ProvenDossier(result.reason, result.facts, listed(ground), document, ground, height))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    late = "settled late R4 enterprise-b 10000.00 1 no; contested, not answered yet"
    assert any(late in line for line in lines), lines
    assert any("settled on time, corrected R5 enterprise-b 10000.00 yes" in line for line in lines), lines
    assert any("on-time Paid on time 4 of 4 100 of 100 points" in line for line in lines), lines
    assert "payment comes to 100 of 100 points" in lines
