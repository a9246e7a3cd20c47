"""Requests for work or advice are distinguished from questions for facts, in eleven languages, over a corpus of both."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from language.requests.work import asks_for_work

CORPUS = [json.loads(line) for line in (Path(__file__).parent / "work.jsonl").read_text("utf-8").splitlines()]


def test_the_corpus_is_large_enough_to_judge_by() -> None:
    assert len(CORPUS) >= 80
    assert sum(row["language"] != "en" for row in CORPUS) >= 20
    assert 0.4 < sum(row["work"] for row in CORPUS) / len(CORPUS) < 0.6


def test_a_request_is_read_as_a_person_would() -> None:
    assert [row for row in CORPUS if asks_for_work(row["text"]) is not row["work"]] == []


def test_every_language_has_requests_of_both_kinds() -> None:
    kinds: defaultdict[str, set[bool]] = defaultdict(set)
    for row in CORPUS:
        kinds[row["language"]].add(row["work"])
    assert len(kinds) == 11
    assert all(kinds[language] == {True, False} for language in kinds)


@pytest.mark.parametrize(
    "text",
    ["", " ", "?", "\n\n", "12345", "a" * 50_000, "What? " * 5_000],
)
def test_odd_texts_ask_for_no_work(text: str) -> None:
    assert not asks_for_work(text)


def test_a_long_message_is_read_at_its_beginning_and_end() -> None:
    filler = "The weather was fine and nothing happened. " * 400
    assert asks_for_work(f"Write a poem about this. {filler}")
    assert asks_for_work(f"{filler} Write a poem about this.")
