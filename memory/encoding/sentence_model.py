"""A model of sentence embeddings as the encoder runs it, whoever computes it: its network, its tokenizer, and what it wants.

Knows nothing of turns and passages, nor where weights come from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import nn

__all__ = ["SentenceModel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceModel:
    """A loaded model.

    Attributes:
        network: called with ids and a mask, both `(texts, tokens)`, it returns the vectors of the tokens, `(texts, tokens,
            dimension)`, and of the texts, `(texts, dimension)`, neither of length 1.
        tokenizer: of this model alone, without padding or truncation. A shared one may not be used from two threads.
        first, last: the ids that the model wants before and after every text (for BERT: [CLS] and [SEP]).
        unknown: the token that stands for a word that cannot be written in pieces, if there is one.
        max_tokens: of a text, `first` and `last` included.
        dimension: of a vector.
        mean_pools: whether the vector of a text is just the mean of its tokens'.
        question_prompt: what the model wants before a question.
    """

    network: nn.Module
    tokenizer: Tokenizer
    first: list[int]
    last: list[int]
    unknown: str | None
    max_tokens: int
    dimension: int
    mean_pools: bool
    question_prompt: str

    @property
    def dtype(self) -> torch.dtype:
        """The precision that the network computes in."""
        return next(self.network.parameters()).dtype

    @property
    def capacity(self) -> int:
        """How many tokens of a text fit between `first` and `last`."""
        return self.max_tokens - len(self.first) - len(self.last)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text's tokens, without `first` and `last`."""
        return [one.ids for one in self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def ended(self, ids: list[int]) -> list[int]:
        """Return the ids of one text, as many as fit, between `first` and `last`."""
        return [*self.first, *ids[: self.capacity], *self.last]

    @torch.inference_mode()
    def run(self, sequences: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Run sequences of ids at once: the vectors of their tokens and of their texts, as `network` returns them, in float32."""
        width = max(map(len, sequences))
        ids = torch.zeros((len(sequences), width), dtype=torch.long)
        mask = torch.zeros((len(sequences), width), dtype=torch.long)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = torch.tensor(sequence)
            mask[row, : len(sequence)] = 1
        tokens, texts = self.network(ids, mask)
        return tokens.float(), texts.float()
