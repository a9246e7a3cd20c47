"""What may be chosen of a memory: its encoder, its weights, and its bounds."""

from dataclasses import dataclass
from pathlib import Path

from memory.encoding.encoder import BUNDLED_MODEL
from memory.recall.reranker import MODELS

__all__ = ["MemorySettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings:
    """How memory embeds and what it may use.

    `max_tail_turns` bounds how many turns of a scope may wait for the index; a writer that is further ahead is refused.
    `hot_vectors_mb` of vectors and words are kept in memory (1.7 kB a passage); a larger scope is read for every question.
    `max_waiting_questions` bounds how many questions of a tenant may wait for a thread.
    `recall_models` is a folder of weights, for evaluation: `RecallModels.load`.
    """

    embedding_model: str = BUNDLED_MODEL
    max_tail_turns: int = 10_000
    index_timeout_s: float = 60.0
    hot_vectors_mb: int = 512
    max_waiting_questions: int = 256
    recall_models: Path = MODELS
