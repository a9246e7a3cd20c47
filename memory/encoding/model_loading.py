"""Loading a sentence-transformers model so that this processor runs it as fast as it can, with the vectors it should have.

Two changes, both for processors that multiply by oneDNN, neither to what the model computes: bfloat16, two to three times as fast,
where an x86 processor has instructions for it and the vectors stay the same; and weights of linear layers in the order in
which they are read, so that they are not reordered for each text (a quarter to a third of the time of a question).
"""

import torch
from sentence_transformers import SentenceTransformer
from torch.nn.functional import normalize

__all__ = ["load_model"]

_SAME = 0.999  # cosine from which vectors of another precision are the same
_PROBES = (
    "When did I get the cat?",
    "I went to a support group yesterday. It was so powerful, and I met people there who have been through the same.",
    "Order 4711: 3 x A4 paper, 12.50 EUR; ships on 2024-02-29!",
    "We walked along the river, and on the other side they were building a house. " * 20,
)
_USUAL_TOKENS = 16  # of a question; what the order of weights is chosen for


def load_model(path: str) -> SentenceTransformer:
    """Load a model for inference on this processor, from a folder or by name."""
    model = _halved(path) or _exact(path)
    if torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        _pack(model)
    return model


def _exact(path: str) -> SentenceTransformer:
    return SentenceTransformer(path, device="cpu").eval()


def _halved(path: str) -> SentenceTransformer | None:
    """Load a model in bfloat16, if the processor has instructions for it and the vectors stay the same."""
    native = torch.cpu.get_capabilities()
    if not (native.get("avx512_bf16") or native.get("amx_bf16")):
        return None
    model = _exact(path)
    exact = _probe(model)
    tables = {name: buffer.clone() for name, buffer in model.named_buffers()}
    model.bfloat16()
    for name, buffer in model.named_buffers():
        buffer.data = tables[name]  # positions are computed from these, the farther the finer
    try:
        same = bool(((exact * _probe(model)).sum(dim=1) >= _SAME).all())
    except RuntimeError:  # an operation of the model has no such arithmetic
        same = False
    return model if same else None


def _probe(model: SentenceTransformer) -> torch.Tensor:
    return normalize(model.encode(list(_PROBES), convert_to_tensor=True, show_progress_bar=False).float())


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
