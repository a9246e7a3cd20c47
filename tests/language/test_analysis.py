from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from language import analyse, forget_texts, split_passages, split_sentences

MAY_8 = date(2023, 5, 8)


def test_a_text_is_analysed_once_until_it_is_forgotten() -> None:
    first = analyse("The code is zq4471x.", MAY_8)
    assert analyse("The code is zq4471x.", MAY_8) is first
    assert analyse("The code is zq4471x.", date(2023, 5, 9)) is not first
    forget_texts()
    assert analyse("The code is zq4471x.", MAY_8) is not first


def test_long_texts_are_not_kept() -> None:
    long = "A long text. " * 200
    assert analyse(long, MAY_8) is not analyse(long, MAY_8)


def test_without_a_day_only_times_are_found_that_need_none() -> None:
    text = "I went yesterday, and on 7 May 2023, and will go on 3 June."
    assert [time.meaning for time in analyse(text).times] == ["7 May 2023"]
    assert [time.meaning for time in analyse(text, MAY_8).times] == ["7 May 2023", "7 May 2023", "3 June 2023"]


def test_the_parts_of_an_analysis() -> None:
    said = analyse("Did Mel buy two lamps on 7 May 2023?", MAY_8)
    assert said.words == ("did", "mel", "buy", "two", "lamps", "on", "7", "may", "2023")
    assert said.terms == ("mel", "buy", "two", "lamp", "7", "may", "2023")
    assert [str(number.value) for number in said.numbers] == ["2", "7", "2023"]
    assert [name.text for name in said.names if not name.common] == ["Mel"]
    assert said.asks
    assert said.has_number
    assert said.may_hold_time


@given(st.text(max_size=200))
def test_any_text_is_analysed_without_error(text: str) -> None:
    said = analyse(text, MAY_8)
    assert all(term and not any(map(str.isspace, term)) for term in said.terms), (
        "the index keeps them with spaces between"
    )
    assert all(text[name.start :].startswith(name.text) for name in said.names)
    assert all(0 <= number.start < number.end <= len(text) for number in said.numbers)
    assert len(split_sentences(text)) == len(split_passages(text))
    assert isinstance(said.dates, tuple)
