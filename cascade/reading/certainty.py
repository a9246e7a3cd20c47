"""How sure a model was of its answer: the probabilities of the answer's own tokens, without the JSON and the citations around them.

A weak sign alone (long answers look surer, and reasoning models are too sure); the score over a draft weighs it with others.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Certainty", "certainty_of"]


@dataclass(frozen=True, slots=True)
class Certainty:
    """The geometric mean of the probabilities of the answer's tokens, and the least of them."""

    mean: float
    least: float


def certainty_of(tokens: Sequence[tuple[str, float]], answer: str) -> Certainty | None:
    """Return how sure a model was of `answer`; of the whole reply where the answer is not found in its tokens; None without any.

    Args:
        tokens: Those of the reply in order, each with its log-probability.
        answer: The text that was read from the reply.
    """
    if not tokens:
        return None
    said = "".join(text for text, _ in tokens)
    written = json.dumps(answer, ensure_ascii=False)[1:-1]
    start = said.find(written) if written else -1
    end = start + len(written) if start >= 0 else len(said)
    own: list[float] = []
    place = 0
    for text, logprob in tokens:
        if place + len(text) > max(start, 0) and place < end:
            own.append(logprob)
        place += len(text)
    own = own or [logprob for _, logprob in tokens]
    return Certainty(mean=math.exp(sum(own) / len(own)), least=math.exp(min(own)))
