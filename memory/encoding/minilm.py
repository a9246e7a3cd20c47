"""The bundled sentence encoder, all-MiniLM-L6-v2, in plain PyTorch: a BERT of six layers, and the mean of its token vectors.

sentence-transformers computes the same and runs every other model (`named_model`). Importing it takes three to four seconds of
processor time at each start, and 230 MB of memory, of which this one model needs nothing.
Knows nothing of other shapes: the weights are checked by their hash before they are read (`bundled_weights`).
Sources: BERT (Devlin et al., arXiv 1810.04805), MiniLM (Wang et al., arXiv 2002.10957).
"""

from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from memory.encoding.sentence_model import SentenceModel

__all__ = ["load_minilm"]

_LAYERS, _HEADS, _EPSILON = 6, 12, 1e-12
_MAX_TOKENS = 256  # what the model was made for; its table of places has 512

_Weights = dict[str, torch.Tensor]
_Filled = TypeVar("_Filled", nn.Linear, nn.LayerNorm)


def load_minilm(folder: Path) -> SentenceModel:
    """Load the model from the folder of its package, in float32."""
    weights = load_file(folder / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    vocabulary = tokenizer.get_vocab()
    return SentenceModel(
        network=_MiniLM(weights).eval(),
        tokenizer=tokenizer,
        first=[vocabulary["[CLS]"]],
        last=[vocabulary["[SEP]"]],
        unknown="[UNK]",
        max_tokens=_MAX_TOKENS,
        dimension=weights["embeddings.LayerNorm.weight"].shape[0],
        mean_pools=True,
        question_prompt="",
    )


class _MiniLM(nn.Module):
    """From token ids to the vectors of tokens and of texts."""

    def __init__(self, weights: _Weights) -> None:
        super().__init__()
        self.words, self.places, self.kinds = (
            _table(weights[f"embeddings.{name}_embeddings.weight"]) for name in ("word", "position", "token_type")
        )
        self.norm = _norm(weights, "embeddings.LayerNorm")
        self.layers = nn.ModuleList(_Layer(weights, f"encoder.layer.{number}") for number in range(_LAYERS))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the vectors of the tokens, `(texts, tokens, dimension)`, and of the texts, `(texts, dimension)`.

        Args:
            ids: `(texts, tokens)`; places that `mask` leaves out may hold anything.
            mask: `(texts, tokens)`, 1 for a token and 0 for none.
        """
        # Every token is of kind 0: the text is not one of a pair.
        values = self.norm(self.words(ids) + self.kinds.weight[0] + self.places.weight[: ids.shape[1]])
        seen = mask.bool()[:, None, None, :]
        for layer in self.layers:
            values = layer(values, seen)
        counted = mask.unsqueeze(-1).to(values.dtype)
        return values, (values * counted).sum(dim=1) / counted.sum(dim=1)


class _Layer(nn.Module):
    """Every token looks at all others, then at itself; each time what it was is added, and the sum is normed."""

    def __init__(self, weights: _Weights, name: str) -> None:
        super().__init__()
        self.query, self.key, self.value = (
            _linear(weights, f"{name}.attention.self.{part}") for part in ("query", "key", "value")
        )
        self.joined = _linear(weights, f"{name}.attention.output.dense")
        self.attention_norm = _norm(weights, f"{name}.attention.output.LayerNorm")
        self.widened, self.narrowed = (_linear(weights, f"{name}.{part}.dense") for part in ("intermediate", "output"))
        self.norm = _norm(weights, f"{name}.output.LayerNorm")

    def forward(self, values: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        texts, tokens, width = values.shape
        query, key, value = (
            part(values).view(texts, tokens, _HEADS, -1).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        attended = scaled_dot_product_attention(query, key, value, attn_mask=seen)
        values = self.attention_norm(values + self.joined(attended.transpose(1, 2).reshape(texts, tokens, width)))
        result: torch.Tensor = self.norm(values + self.narrowed(gelu(self.widened(values))))
        return result


def _table(weight: torch.Tensor) -> nn.Embedding:
    pieces, width = weight.shape
    return nn.Embedding(pieces, width, _weight=weight, _freeze=True)


def _linear(weights: _Weights, name: str) -> nn.Linear:
    given, wanted = reversed(weights[f"{name}.weight"].shape)
    return _filled(nn.Linear(given, wanted), weights, name)


def _norm(weights: _Weights, name: str) -> nn.LayerNorm:
    return _filled(nn.LayerNorm(weights[f"{name}.weight"].shape, eps=_EPSILON), weights, name)


def _filled(layer: _Filled, weights: _Weights, name: str) -> _Filled:
    layer.weight = nn.Parameter(weights[f"{name}.weight"], requires_grad=False)
    layer.bias = nn.Parameter(weights[f"{name}.bias"], requires_grad=False)
    return layer
