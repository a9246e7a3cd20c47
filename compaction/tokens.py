"""Exact token counts with `o200k_base`, the byte-pair table that gpt-oss's `o200k_harmony` extends by special tokens.

The table ships with the package and is checked against the hash that tiktoken itself expects; nothing is downloaded or estimated.
"""

import base64
import hashlib
import lzma
from functools import lru_cache
from importlib.resources import files

import tiktoken

from compaction.errors import TableDamaged

__all__ = ["count_tokens", "token_table"]

_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
# The split pattern is part of the encoding's definition: tiktoken_ext/openai_public.py, o200k_base.
_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_PATTERN = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + _CONTRACTION,
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + _CONTRACTION,
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)


def count_tokens(text: str) -> int:
    """Count the o200k_base tokens of `text`; what looks like a special token is counted as the plain text it is."""
    return len(token_table().encode_ordinary(text))


@lru_cache(maxsize=1)
def token_table() -> tiktoken.Encoding:
    """Load the encoding, once. Raises TableDamaged if the shipped table was altered."""
    table = lzma.decompress((files("compaction") / "data" / "o200k_base.tiktoken.xz").read_bytes())
    if hashlib.sha256(table).hexdigest() != _SHA256:
        raise TableDamaged
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, table.splitlines())}
    return tiktoken.Encoding(
        name="o200k_base",
        pat_str=_PATTERN,
        mergeable_ranks=ranks,
        special_tokens={"<|endoftext|>": 199_999, "<|endofprompt|>": 200_018},
    )
