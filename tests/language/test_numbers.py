import pytest

from language import analyse
from language.numbers import blank_numbers, is_number_word


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,250 and 3.5", ["1250", "3.5"]),
        ("twenty-one of the 3rd", ["21", "3"]),
        ("v2 a1b", []),
        ("75kg, 3pm, $1.5k and -5", ["75", "3", "1500.0", "-5"]),
        ("2 million of two thousand", ["2000000", "2000"]),
        ("Two dogs, 50%", ["2", "50"]),
    ],
)
def test_numbers(text: str, found: list[str]) -> None:
    assert [str(number.value) for number in analyse(text).numbers] == found


def test_numbers_are_blanked_in_digits_and_in_words() -> None:
    assert (
        blank_numbers("I have twenty-one cats, 3 dogs and two birds.").split() == "I have cats, dogs and birds.".split()
    )


def test_a_word_is_a_number_by_a_digit_or_as_a_small_number() -> None:
    assert all(map(is_number_word, ["one", "ten", "twice", "3pm", "b12", "one's", "\u0663"]))
    assert not any(map(is_number_word, ["zero", "eleven", "someone", "often", "\u00b2"]))
