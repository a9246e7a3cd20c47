"""The plain searches on plain facts, and Tirtha on the same."""

from pathlib import Path

import numpy as np
import pytest

from eval.plain_facts.baselines import bm25_scores, cosine_scores, first_by, fusion_scores, terms_of, tirtha_first
from eval.plain_facts.data import PlainFacts
from memory import Scope
from memory.encoding.encoder import Encoder
from tests.support.memory import memory_in


def test_terms_are_words_and_pairs_of_characters() -> None:
    assert terms_of("Priya's home is in Bogotá.") == ["priya", "s", "home", "is", "in", "bogotá"]
    assert terms_of("露西的车是V60。") == ["露西", "西的", "的车", "车是", "v60"]
    assert terms_of("루시 씨의") == ["루시", "씨의"]
    assert terms_of("हिन्दी में") == ["हिन्दी", "में"]  # signs of vowels stay with their letters


def test_a_sentence_of_the_questions_words_has_the_greatest_score() -> None:
    sentences = ["Lucy plays the cello.", "The code for Lucy's garage is 4821.", "Omar plays the harp."]
    scores = bm25_scores(["What is the code for Lucy's garage?", "Who plays the harp?"], sentences)
    assert scores.shape == (2, 3)
    assert list(scores.argmax(axis=1)) == [1, 2]


def test_a_fusion_without_a_word_in_common_is_the_cosine() -> None:
    cosines = np.array([[0.2, 0.6], [0.2, 0.6]])
    fused = fusion_scores(cosines, np.array([[0.0, 0.0], [0.4, 0.2]]))
    np.testing.assert_allclose(fused, [[0.2, 0.6], [0.9, 0.95]])


def test_the_right_sentence_first_is_counted() -> None:
    facts = PlainFacts(language="en")
    assert first_by(np.eye(50), facts) == 50
    assert first_by(np.roll(np.eye(50), 1, axis=1), facts) == 0


def test_the_encoder_knows_an_english_fact_asked_in_other_words(encoder: Encoder) -> None:
    facts = PlainFacts(language="en")
    scores = cosine_scores([one.question for one in facts.questions], [fact.text for fact in facts.facts], encoder)
    assert first_by(scores, facts) >= 45


@pytest.mark.slow
async def test_a_memory_is_asked_every_question(tmp_path: Path, encoder: Encoder) -> None:
    facts = PlainFacts(language="en")
    async with memory_in(tmp_path, encoder) as memory:
        first, held = await tirtha_first(memory, facts)
        turns = await memory.history(Scope(tenant="eval", user_id=facts.id))
    assert [turn.text for turn in turns] == [fact.text for fact in facts.facts]
    assert {turn.speaker for turn in turns} == {None}
    assert 0 < first <= held <= 50
