"""What MkDocs does beyond itself: pages made from the code and from outside ``docs``; a site that needs no network.

Law: a link that leads nowhere, and anything that the built site would fetch from elsewhere, ends the build.
"""

from __future__ import annotations

import importlib
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from docs.site.offline import fetched

ROOT = Path(__file__).resolve().parents[2]
FROM_OUTSIDE = {
    "ARCHITECTURE.md": "project/architecture.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "README.md": "project/readme.md",
    "SECURITY.md": "project/security.md",
    "bench/README.md": "project/bench.md",
    **{
        f"contracts/{name}/README.md": f"spec/contracts-{name}.md"
        for name in (
            "certification",
            "credit",
            "currency",
            "disclosure",
            "evidence",
            "governance",
            "membership",
            "mission",
            "participation",
            "policy",
            "process",
            "standards",
            "supervision",
            "trade",
        )
    },
    "examples/README.md": "project/examples.md",
    "examples/certification/README.md": "project/examples-certification.md",
    "examples/credit/README.md": "project/examples-credit.md",
    "examples/constitution/README.md": "project/examples-constitution.md",
    "examples/policies/README.md": "project/examples-policies.md",
    "examples/rules/README.md": "project/examples-rules.md",
    "examples/sdk/README.md": "project/examples-sdk.md",
    "examples/standards/README.md": "project/examples-standards.md",
    "examples/traffic-fines/README.md": "project/examples-traffic-fines.md",
}
"""Pages of the repository outside ``docs`` -> where they stand in the site."""

_ORIGIN = {page: path for path, page in FROM_OUTSIDE.items()}
_COPIES = "files"
_COPIED_BYTES = 1 << 20
_MADE = re.compile(r"<!-- made: (\w+) -->")
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^\s*(```|~~~)")


def on_config(config: Any) -> Any:
    """Add the decisions to the navigation, at the end of the last section."""
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    (section,) = config["nav"][-1].values()
    section.append({"Decisions": [f"decisions/{path.name}" for path in pages]})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside ``docs`` and the files that pages link to."""
    for path, page in FROM_OUTSIDE.items():
        if (ROOT / path).is_file():
            files.append(File.generated(config, page, content=(ROOT / path).read_text("utf-8")))
    for path in sorted(_linked_files(files)):
        files.append(File.generated(config, f"{_COPIES}/{path}", abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Return a page with its made part, and with what GitHub reads otherwise than MkDocs put right."""
    source = page.file.src_uri
    made = _MADE.sub(lambda match: importlib.import_module(f"docs.site.{match[1]}").page(), markdown)
    return "\n".join(_readable(made, source, files))


def on_post_build(config: Any) -> None:
    """Refuse a site that would fetch anything from elsewhere."""
    found = sorted(fetched(Path(config["site_dir"])))
    if found:
        raise PluginError("the site must work without a network, but fetches:\n" + "\n".join(found))


def _linked_files(files: Files) -> set[str]:
    """Return the small files of the repository, no pages, that any page links to."""
    found = set()
    for file in files.documentation_pages():
        for _, _, target in _LINK.findall(file.content_string):
            path = _in_repository(file.src_uri, target.partition("#")[0])
            if path is not None and path not in FROM_OUTSIDE and not path.startswith("docs/"):
                whole = ROOT / path
                if whole.is_file() and whole.stat().st_size <= _COPIED_BYTES:
                    found.add(path)
    return found


def _in_repository(source: str, target: str) -> str | None:
    """Return the path, from the repository's root, to which a page's link leads; None for an address or an anchor."""
    if not target or "://" in target or target.startswith("mailto:"):
        return None
    origin = _ORIGIN.get(source, f"docs/{source}")
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), target))


def _readable(text: str, source: str, files: Files) -> Iterator[str]:
    """Yield the lines of a page as MkDocs needs them; blocks of code stay as they are."""
    fence, before = "", ""
    for line in text.splitlines():
        opened = _FENCE.match(line)
        if opened and not fence:
            fence = opened[1]
        elif opened and line.strip() == fence:
            fence = ""
        elif not fence and not line.startswith("    "):
            if line.startswith("|"):
                line = re.sub(r"`[^`]*`", lambda match: match.group().replace("\\|", "|"), line)
            elif re.match(r"(?:[-*] |1\. )", line) and before and not re.match(r"(?:[-*] |\d+\. |  )", before):
                yield ""
            line = _LINK.sub(lambda match: _relinked(match, source, files), line)
        yield line
        before = line


def _relinked(match: re.Match[str], source: str, files: Files) -> str:
    """Return a link or picture as it leads in the site; the text alone for what is not there, as folders of code."""
    mark, text, target = match.groups()
    target, hash_, anchor = target.partition("#")
    path = _in_repository(source, target)
    if path is None:
        return match.group()
    page = FROM_OUTSIDE.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else f"{_COPIES}/{path}")
    if files.get_file_from_path(page) is None:
        if mark or (path.startswith("docs/") and path.endswith(".md")):
            raise PluginError(f"{source}: {match.group()} leads nowhere")
        return text
    return f"{mark}[{text}]({posixpath.relpath(page, posixpath.dirname(source) or '.')}{hash_}{anchor})"
