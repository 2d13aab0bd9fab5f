"""Forms with files: what browsers send is read, anything else is refused."""

from __future__ import annotations

import pytest

from coseal.console.multipart import PARTS_MAX, Part, parse
from coseal.ledger.errors import Malformed

FORM = "multipart/form-data; boundary=----x"


def form(*parts: tuple[str, bytes]) -> bytes:
    head = b"------x\r\nContent-Disposition: form-data; %s\r\nContent-Type: text/plain\r\n\r\n%s\r\n"
    return b"".join(head % (name.encode(), data) for name, data in parts) + b"------x--\r\n"


def test_files_and_typed_text_are_read():
    body = form(('name="file"; filename="a b.json"', b"\r\n{}\r\n"), ('name="pasted"', "中".encode()))
    assert parse(FORM, body) == [Part("file", "a b.json", b"\r\n{}\r\n"), Part("pasted", "", "中".encode())]
    assert parse(FORM, body)[1].text == "中"


def test_a_form_without_parts_has_none():
    assert parse(FORM, b"------x--\r\n") == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b""),
        ("multipart/form-data", form()),
        ("multipart/form-data; boundary=" + "x" * 71, form()),
        (FORM, b""),
        (FORM, b"------x\r\n"),
        (FORM, form(('name="a"', b"1"))[:-6]),
        (FORM, b"------x\r\nno head at all\r\n------x--"),
        (FORM, b"------x\r\nContent-Type: text/plain\r\n\r\n1\r\n------x--"),
        (FORM, form((f'name="{"n" * 5_000}"', b"1"))),
        (FORM, form(*[('name="a"', b"1")] * (PARTS_MAX + 1))),
    ],
)
def test_what_no_browser_sends_is_refused(kind, body):
    with pytest.raises(Malformed):
        parse(kind, body)


def test_text_that_is_none_is_refused():
    with pytest.raises(Malformed):
        _ = Part("first", "", b"\xff").text
