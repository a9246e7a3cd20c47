"""What counts as blank: exactly what Unicode says shows nothing, and the fillers that it counts as letters or symbols."""

import sys
import unicodedata

import pytest

from tirtha.visible import is_blank

UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}
FILLERS = "\u2800\u3164\u115f\u1160\uffa0\u034f\u17b4\u17b5\u180b\u180f\ufe00\ufe0f\U0001d159\U000e0100"


def test_every_character_without_an_appearance_is_blank() -> None:
    seen = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in UNSEEN and not is_blank(chr(code))
    ]
    assert seen == []
    assert all(is_blank(one) for one in FILLERS)


def test_every_letter_number_and_sign_is_seen() -> None:
    kinds = ("L", "N", "P", "S", "Me", "Mc")
    unseen = {
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)).startswith(kinds) and is_blank(chr(code))
    }
    assert unseen == set("\u2800\u3164\u115f\u1160\uffa0\U0001d159")


@pytest.mark.parametrize("text", ["", "\u200b\u200b", " \u00a0\u3000\t", "\ufeff", "\u200d\ufe0f"])
def test_texts_of_such_characters_are_blank(text: str) -> None:
    assert is_blank(text)
    assert not is_blank(text + "x" + text)
    assert not is_blank(text + "👩\u200d🚀")
