from language.words import content_terms, words


def test_terms_are_stems_without_stop_words() -> None:
    terms = content_terms("What is Caroline's dog called? The dogs were running.")
    assert terms == ("carolin", "dog", "call", "dog", "run")


def test_both_apostrophes_are_one() -> None:
    assert words("Don\u2019t") == words("don't") == ["don't"]


def test_scripts_without_spaces_give_single_characters() -> None:
    assert content_terms("我喜欢 cats") == ("我", "喜", "欢", "cat")
