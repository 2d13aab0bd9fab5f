"""Answers that are kept are those that would be computed, and only as long as nothing more is recorded."""

from __future__ import annotations

import sqlite3

import pytest

from coseal.node.index.contracts.remembered import ANSWERS, Remembered


@pytest.fixture
def connection() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:")
    made.executescript(
        "CREATE TABLE meta (key, value); INSERT INTO meta VALUES ('height', 7);"
        "CREATE TABLE sources (process_type, items); INSERT INTO sources VALUES ('t', 3), ('t', 4), ('u', 1);"
    )
    made.row_factory = sqlite3.Row
    return made


def test_a_question_is_computed_again_only_when_more_was_recorded_of_its_process(connection: sqlite3.Connection):
    asked, remembered = [], Remembered()

    def question(connection: sqlite3.Connection, process_type: str, *more: object) -> tuple[int, str]:
        asked.append((process_type, *more))
        return 7, f"{process_type} {len(asked)}"

    assert remembered.ask(connection, question, "t", {"first": "a"}, [1]) == (7, "t 1")
    connection.execute("UPDATE meta SET value = 8")
    connection.execute("UPDATE sources SET items = 9 WHERE process_type = 'u'")
    assert remembered.ask(connection, question, "t", {"first": "a"}, [1]) == (8, "t 1"), "of the newest height"
    assert remembered.ask(connection, question, "t", {"first": "b"}, [1]) == (7, "t 2")
    assert remembered.ask(connection, question, "u", {"first": "a"}, [1]) == (7, "u 3")
    connection.execute("UPDATE sources SET items = 5 WHERE items = 4")
    assert remembered.ask(connection, question, "t", {"first": "a"}, [1]) == (7, "t 4")


def test_only_the_newest_answers_are_kept(connection: sqlite3.Connection):
    asked, remembered = [], Remembered()

    def question(connection: sqlite3.Connection, process_type: str, number: int) -> tuple[int, int]:
        asked.append(number)
        return 7, number

    for number in (*range(ANSWERS), 0, ANSWERS, 0, 1):
        assert remembered.ask(connection, question, "t", number)[1] == number
    assert asked == [*range(ANSWERS), ANSWERS, 1]
