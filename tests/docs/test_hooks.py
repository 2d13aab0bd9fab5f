"""Links and tables as the site needs them; run where MkDocs is installed (the extra ``docs``)."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("mkdocs", reason="needs the extra docs: pip install -e '.[docs]'")

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from docs.site import hooks


@pytest.fixture
def files() -> Files:
    """The files of a small site."""
    config: Any = SimpleNamespace(
        site_dir="site", use_directory_urls=False, plugins=SimpleNamespace(_current_plugin="x")
    )
    pages = (
        "index.md",
        "sdk.md",
        "spec/api.md",
        "project/readme.md",
        "figures/b.svg",
        "files/examples/rules/permits.json",
    )
    return Files([File.generated(config, page, content="") for page in pages])


def readable(text: str, source: str, files: Files) -> str:
    page = SimpleNamespace(file=SimpleNamespace(src_uri=source))
    return hooks.on_page_markdown(text, page, None, files)


@pytest.mark.parametrize(
    ("source", "link", "becomes"),
    [
        ("sdk.md", "[a](spec/api.md#errors)", "[a](spec/api.md#errors)"),
        ("spec/api.md", "[a](../sdk.md)", "[a](../sdk.md)"),
        ("sdk.md", "[a](../README.md)", "[a](project/readme.md)"),
        ("project/readme.md", "[a](docs/spec/api.md)", "[a](../spec/api.md)"),
        ("project/readme.md", "![a](docs/figures/b.svg)", "![a](../figures/b.svg)"),
        ("project/readme.md", "[a](examples/rules/permits.json)", "[a](../files/examples/rules/permits.json)"),
        ("project/readme.md", "[ledger/](ledger)", "ledger/"),
        ("sdk.md", "[a](https://cel.dev)", "[a](https://cel.dev)"),
        ("sdk.md", "[a](#errors)", "[a](#errors)"),
    ],
)
def test_a_link_leads_in_the_site_where_it_leads_in_the_repository(
    source: str, link: str, becomes: str, files: Files
) -> None:
    assert readable(link, source, files) == becomes


def test_a_link_to_a_page_that_is_not_there_ends_the_build(files: Files) -> None:
    with pytest.raises(PluginError, match="leads nowhere"):
        readable("[a](no-such.md)", "sdk.md", files)


def test_what_github_reads_otherwise_is_put_right_but_not_in_blocks_of_code(files: Files) -> None:
    assert readable("| `a\\|b` | c\\|d |", "sdk.md", files) == "| `a|b` | c\\|d |"
    assert readable("Three:\n- a\n- b", "sdk.md", files) == "Three:\n\n- a\n- b"
    block = "```text\n| `a\\|b` |\n[a](no-such.md)\nThree:\n- a\n```"
    assert readable(block, "sdk.md", files) == block


def test_a_made_page_is_filled_from_the_code(files: Files) -> None:
    assert "### policy.publish" in readable("# Actions\n\n<!-- made: actions -->", "sdk.md", files)


def test_a_site_that_would_fetch_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<script src="https://cdn.example/a.js"></script>')
    with pytest.raises(PluginError, match=r"a\.html"):
        hooks.on_post_build({"site_dir": str(tmp_path)})
