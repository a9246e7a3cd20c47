"""Our table against tiktoken's own definition of the encoding."""

import hashlib
import lzma
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from compaction.errors import TableDamaged
from compaction.tokens import count_tokens

TEXTS = [
    "",
    "Hello, world!",
    "I've 3 cats; 12345 dogs...\n\n  Ok?",
    "我喜欢猫。",
    "😀👩‍👩‍👧",
    "<|endoftext|>",
    "naïve\tcafé\r\n",
    "a" * 500,
]


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("hello world", 2), ("8 May 2023\n", 6), ("<|endoftext|>", 7)])
def test_known_counts(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def test_counts_are_tiktokens_own(tmp_path: Path) -> None:
    """Run tiktoken's o200k_base on our table, put where tiktoken caches its download."""
    table = lzma.decompress((files("compaction") / "data" / "o200k_base.tiktoken.xz").read_bytes())
    address = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
    (tmp_path / hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()).write_bytes(table)
    code = (
        "import sys, tiktoken; table = tiktoken.get_encoding('o200k_base'); "
        "print([len(table.encode_ordinary(text)) for text in eval(sys.argv[1])])"
    )
    environment = {"TIKTOKEN_CACHE_DIR": str(tmp_path), "PATH": ""}
    run = subprocess.run(
        [sys.executable, "-c", code, repr(TEXTS)], env=environment, capture_output=True, text=True, check=True
    )
    assert [count_tokens(text) for text in TEXTS] == eval(run.stdout)  # noqa: S307 - our own output


def test_a_damaged_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from compaction import tokens  # noqa: PLC0415

    monkeypatch.setattr(tokens, "_SHA256", "0" * 64)
    tokens.token_table.cache_clear()
    with pytest.raises(TableDamaged):
        tokens.token_table()
