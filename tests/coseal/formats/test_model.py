"""Models in PNML and BPMN: what is read, and what is refused by its id."""

from __future__ import annotations

from pathlib import Path

import pytest

from coseal.client.alignment import Aligner
from coseal.formats.importers.log import BadLog
from coseal.formats.importers.model import Net, read_model

PNML = """<?xml version="1.0"?>
<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml"><net id="n"><page id="p">
<name><text>Permit</text></name>
<place id="start"><initialMarking><text>1</text></initialMarking></place>
<place id="middle"/><place id="end"/>
<transition id="t1"><name><text>apply</text></name></transition>
<transition id="t2"><name><text>check
 it</text></name></transition>
<transition id="t3"><name><text>skip</text></name>
 <toolspecific tool="ProM" version="6.4" activity="$invisible$"/></transition>
<arc id="a1" source="start" target="t1"/>
<arc id="a2" source="t1" target="middle"><inscription><text>2</text></inscription></arc>
<arc id="a3" source="middle" target="t2"/><arc id="a4" source="t2" target="end"/>
<arc id="a5" source="middle" target="t3"/><arc id="a6" source="t3" target="end"/>
</page>{final}</net></pnml>"""
FINAL = '<finalmarkings><marking><place idref="end"><text>2</text></place></marking></finalmarkings>'
BPMN = """<?xml version="1.0"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d"><bpmn:process id="p">
<bpmn:startEvent id="s"/><bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="split"/>
<bpmn:parallelGateway id="split"/>
<bpmn:sequenceFlow id="f2" sourceRef="split" targetRef="a"/><bpmn:sequenceFlow id="f3" sourceRef="split" targetRef="x"/>
<bpmn:userTask id="a" name="a"/>
<bpmn:exclusiveGateway id="x"/>
<bpmn:sequenceFlow id="f4" sourceRef="x" targetRef="b"/><bpmn:sequenceFlow id="f5" sourceRef="x" targetRef="c"/>
<bpmn:task id="b" name="b"/><bpmn:serviceTask id="c" name="c"/>
<bpmn:sequenceFlow id="f6" sourceRef="b" targetRef="y"/><bpmn:sequenceFlow id="f7" sourceRef="c" targetRef="y"/>
<bpmn:exclusiveGateway id="y"/>
<bpmn:sequenceFlow id="f8" sourceRef="y" targetRef="join"/><bpmn:sequenceFlow id="f9" sourceRef="a" targetRef="join"/>
<bpmn:parallelGateway id="join"/><bpmn:sequenceFlow id="f10" sourceRef="join" targetRef="wait"/>
<bpmn:intermediateCatchEvent id="wait" name="a day"/><bpmn:sequenceFlow id="f11" sourceRef="wait" targetRef="d"/>
<bpmn:task id="d" name="d"/>
<bpmn:sequenceFlow id="f12" sourceRef="d" targetRef="e"/><bpmn:endEvent id="e"/>
<bpmn:textAnnotation id="n"><bpmn:text>a note</bpmn:text></bpmn:textAnnotation>
</bpmn:process></bpmn:definitions>"""


def read(tmp_path: Path, text: str) -> Net:
    path = tmp_path / "model"
    path.write_text(text)
    return read_model(path)


def costs(net: Net, *traces: str) -> list[int | None]:
    aligner = Aligner(net)
    found = [aligner.align(trace.split()) for trace in traces]
    return [None if one is None else one.cost for one in found]


@pytest.mark.parametrize("final", [FINAL, ""])
def test_a_net_is_read_with_weights_silent_transitions_and_its_final_marking(tmp_path: Path, final: str) -> None:
    net = read(tmp_path, PNML.replace("{final}", final))
    assert net.activities == ("apply", "check it")
    assert (net.initial, net.final) == ((1, 0, 0), (0, 0, 2) if final else None)
    aligner = Aligner(net)
    assert [aligner.align(trace).cost for trace in (["apply"], ["apply", "check it", "check it"], [])] == [0, 0, 1]  # type: ignore[union-attr]
    assert aligner.align(["apply"] + ["check it"] * 3).cost == 1  # type: ignore[union-attr]


def test_a_process_of_bpmn_has_its_choices_and_what_is_parallel_in_any_order(tmp_path: Path) -> None:
    net = read(tmp_path, BPMN)
    assert net.activities == ("a", "b", "c", "d")
    assert costs(net, "a b d", "c a d", "b a d", "a b c d", "a d", "d a b", "") == [0, 0, 0, 1, 1, 2, 3]


def test_a_task_with_several_flows_in_begins_by_each_and_parallel_ends_end_together(tmp_path: Path) -> None:
    text = """<definitions><process id="p"><startEvent id="s"/><task id="a" name="a"/><task id="b" name="b"/>
    <endEvent id="e"/><endEvent id="g"/><exclusiveGateway id="x"/>
    <sequenceFlow id="1" sourceRef="s" targetRef="a"/><sequenceFlow id="2" sourceRef="a" targetRef="x"/>
    <sequenceFlow id="3" sourceRef="x" targetRef="a"/><sequenceFlow id="4" sourceRef="x" targetRef="b"/>
    <sequenceFlow id="5" sourceRef="b" targetRef="e"/><sequenceFlow id="6" sourceRef="b" targetRef="g"/>
    </process></definitions>"""
    assert costs(read(tmp_path, text), "a b", "a a a b", "b", "a b b") == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<log/>", "not_a_model"),
        ("<pnml/>", "not_one_net"),
        ("<definitions/>", "not_one_process"),
        ("<pnml", "not_xml"),
        ('<!DOCTYPE pnml [<!ENTITY a "b">]><pnml/>', "has_dtd"),
        (PNML.replace("{final}", FINAL.replace('"end"', '"nowhere"')), "unknown_place"),
        (PNML.replace("{final}", "").replace('target="t2"', 'target="middle"'), "bad_arc"),
        (PNML.replace("{final}", "").replace("<text>2</text>", "<text>many</text>"), "bad_number"),
        (
            PNML.replace("{final}", "").replace("<inscription>", "<arctype><text>reset</text></arctype><inscription>"),
            "unsupported_arc",
        ),
        (BPMN.replace("bpmn:userTask", "bpmn:inclusiveGateway"), "unsupported_element"),
        (BPMN.replace('targetRef="d"', 'targetRef="nowhere"'), "bad_flow"),
    ],
)
def test_what_is_not_read_is_a_finding(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(BadLog) as caught:
        read(tmp_path, text)
    assert code in {finding.code for finding in caught.value.findings}
