from language import analyse


def names(text: str) -> list[str]:
    return [name.text for name in analyse(text).names if not name.common]


def test_names_are_capitalised_words_that_are_no_common_ones() -> None:
    assert names("On Monday Caroline's dog met O'Hara in May. The End") == ["Caroline", "O'Hara", "End"]
    assert names("Hey Mel! Wow, I'm in Leeds, and it's the 3rd of March.") == ["Mel", "Leeds"]


def test_a_capital_inside_a_sentence_is_distinguished_from_one_that_begins_it() -> None:
    inside = {name.text: name.inside for name in analyse("Paint lakes with Mel, Anna-Marie; TikTok too. Leeds.").names}
    assert inside == {"Paint": False, "Mel": True, "Anna-Marie": True, "TikTok": True, "Leeds": False}
