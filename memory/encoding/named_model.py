"""Any sentence-transformers model, by its name or folder, as the encoder runs it."""

from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer
from torch import nn
from transformers.utils import logging as transformers_logging

from memory.encoding.sentence_model import SentenceModel

__all__ = ["load_named"]

_USUAL_TOKENS = 512


def load_named(name: str) -> SentenceModel:
    """Load a model that sentence-transformers knows, in its own precision. Raises ValueError for one without a fast tokenizer."""
    transformers_logging.disable_progress_bar()
    model = SentenceTransformer(name, device="cpu").eval()
    first, last = _special_ids(model)
    return SentenceModel(
        network=_Network(model),
        tokenizer=_own_tokenizer(model),
        first=first,
        last=last,
        unknown=getattr(model.tokenizer, "unk_token", None),
        max_tokens=int(model.max_seq_length or _USUAL_TOKENS),
        dimension=int(model.get_embedding_dimension() or 0),
        mean_pools=_mean_pools(model),
        question_prompt=model.prompts.get("query") or "",
    )


class _Network(nn.Module):
    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.model.forward({"input_ids": ids, "attention_mask": mask})
        return features["token_embeddings"], features["sentence_embedding"]


def _mean_pools(model: SentenceTransformer) -> bool:
    kinds = [type(module).__name__ for module in model]
    return (
        kinds[:2] == ["Transformer", "Pooling"] and set(kinds[2:]) <= {"Normalize"} and model[1].pooling_mode == "mean"
    )


def _own_tokenizer(model: SentenceTransformer) -> Tokenizer:
    """Copy the fast tokenizer: a shared one may not be used from two threads, and ours must not pad or truncate."""
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ValueError(f"the embedding model {model} has no fast tokenizer; choose a model that has one")
    own = Tokenizer.from_str(backend.to_str())
    own.no_padding()
    own.no_truncation()
    return own


def _special_ids(model: SentenceTransformer) -> tuple[list[int], list[int]]:
    probe: Any = model.tokenizer
    plain = probe("a", add_special_tokens=False)["input_ids"]
    full = probe("a")["input_ids"]
    start = next(i for i in range(len(full)) if full[i : i + len(plain)] == plain)
    return full[:start], full[start + len(plain) :]
