import pytest

from language.words import content_terms, words


def test_terms_are_stems_without_stop_words() -> None:
    terms = content_terms("What is Caroline's dog called? The dogs were running.")
    assert terms == ("carolin", "dog", "call", "dog", "run")


def test_both_apostrophes_are_one() -> None:
    assert words("Don\u2019t") == words("don't") == ["don't"]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("我喜欢 cats", ["我喜", "喜欢", "cat"]),
        ("猫, 2023年5月", ["猫", "2023", "年", "5", "月"]),
        ("カフェ・ラテが好き。", ["カフ", "フェ", "ラテ", "テが", "が好", "好き"]),
        ("고양이는 귀엽다", ["고양", "양이", "이는", "귀엽", "엽다"]),
        ("กาแฟ", ["กา", "าแ", "แฟ"]),
        ("\u732b\ud55c\uad6d", ["\u732b", "\ud55c\uad6d"]),  # Han, then Hangul
    ],
)
def test_scripts_without_spaces_give_pairs_of_characters_of_each_run(text: str, terms: list[str]) -> None:
    assert list(content_terms(text)) == terms


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Café", "cafe"),
        ("cafe\u0301", "café"),
        ("\uff23\uff21\uff26\uff25", "cafe"),  # full width
        ("Straße", "STRASSE"),
        ("łódź", "lodz"),
        ("\u0130stanbul", "istanbul"),
        ("ёлка", "елка"),
        ("αθήνα", "ΑΘΗΝΑ"),
        ("الْكِتَابُ", "الكتاب"),
        ("أحمد", "احمد"),
        ("مدرســـة", "مدرسه"),
        ("שָׁלוֹם", "שלום"),
        ("٣٤", "34"),
        ("co\u00adoperate", "cooperate"),
    ],
)
def test_terms_leave_out_what_people_leave_out_when_they_type(written: str, typed: str) -> None:
    assert len(content_terms(written)) == 1
    assert content_terms(written) == content_terms(typed)


def test_a_vowel_sign_does_not_end_a_word_and_an_accent_makes_no_stop_word() -> None:
    assert content_terms("मुझे हिन्दी पसंद है") == ("मुझ", "हिन्द", "पसंद", "है")
    assert content_terms("du thé") == ("du", "the")


def test_words_stay_single_characters() -> None:
    assert words("我喜欢 cats") == ["我", "喜", "欢", "cats"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Амина", "у Амины"),
        ("собака", "собаки"),
        ("लड़का", "लड़के"),
    ],
)
def test_forms_of_a_word_are_one_term_in_scripts_that_have_a_stemmer(one: str, other: str) -> None:
    assert set(content_terms(one)) <= set(content_terms(other))
