"""What is compared when a page is done, and what may differ: without a network, on pages of a few lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.shown import follow, matches, shown

PAGE = """
# A page

```python title="add.py"
print(1 + 1)
```

```console
$ python add.py
2
$ printf 'one\\n' \\
      && printf 'two\\n'
one
...
$ false
$ echo $?
1
```

    $ WORD=kept
    $ echo $WORD
    kept

```sh
exit 3
```
"""


def test_commands_and_files_are_found_in_their_order() -> None:
    steps = shown(PAGE)
    assert [step.name or step.text for step in steps] == [
        "add.py",
        "python add.py",
        "printf 'one\\n' \\\n      && printf 'two\\n'",
        "false",
        "echo $?",
        "WORD=kept",
        "echo $WORD",
    ]
    assert steps[1].lines == ("2",)


def test_a_page_that_shows_what_is_so_is_followed_to_its_end(tmp_path: Path) -> None:
    follow(PAGE, tmp_path, base_port=1)


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("\n2\n", "\n3\n"),
        ("one\n...", "one"),
        ("\n1\n```", "\n0\n```"),
        ("$ echo $?\n1", ""),
        ("WORD=kept", "WORD=lost"),
    ],
)
def test_a_page_that_shows_what_is_not_so_is_found(true: str, false: str, tmp_path: Path) -> None:
    assert PAGE.count(true) == 1
    with pytest.raises(AssertionError):
        follow(PAGE.replace(true, false), tmp_path, base_port=1)


@pytest.mark.parametrize(
    ("shows", "says", "same"),
    [
        ("committed at height 2, 2026-11-26T23:35:33.338Z", "committed at height 31, 2027-01-02T03:04:05.006Z", True),
        ("committed at height 2", "rejected at height 2", False),
        ("  id  0c5172e94b40c0d9", "  id       8ee32505ade7b0e7", True),
        ("http://127.0.0.1:8600/v1", "http://127.0.0.1:22500/v1", True),
        ("10000 cases, 34724 events", "10000 cases, 34725 events", False),
        ("3 of 4 validators", "2 of 4 validators", False),
        ('{"height":42,"cases":877, ...', '{"height":7,"cases":877,"variants":14}', True),
        ('{"height":42,"cases":877, ...', '{"height":7,"cases":876,"variants":14}', False),
    ],
)
def test_only_what_differs_from_run_to_run_may_differ(shows: str, says: str, same: bool) -> None:
    assert matches([shows], [says]) is same


def test_three_dots_stand_for_any_lines_but_not_for_missing_ones_after_them() -> None:
    assert matches(["a", "...", "c"], ["a", "b", "b", "c"])
    assert matches(["a", "...", "c"], ["a", "c"])
    assert not matches(["a", "...", "c"], ["a", "b"])
    assert not matches(["a"], ["a", "b"])
